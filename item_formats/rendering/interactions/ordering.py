"""Putting things in order: every choice has a place that can be chosen from a list."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.rendering.interactions.controls import (
    Choice,
    choices_of,
    control_name,
    frame,
    response_of,
    select,
    whole,
)
from item_formats.rendering.markup import WRITERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

    from item_formats.rendering.markup import View


def order_html(interaction: etree._Element, view: View) -> str:
    """Choices with a list of places beside each; in print with a bracket for the number."""
    choices = choices_of(interaction, view)
    rows = "".join(
        f'<li>{place_of(choice, choices, interaction, view)}<span class="label">{escape(choice.label)}</span> '
        f"<span>{choice.html}</span></li>"
        for choice in choices
    )
    body = f'<ol class="options places" role="list">{rows}</ol>{order_status(view)}'
    return frame(
        interaction, view, body, kind="order", hint=order_hint(interaction, choices, view), attributes=ORDERING
    )


ORDERING = ' data-tiku="order"'  # the script says when a place is taken twice


def order_status(view: View) -> str:
    return "" if view.printed or view.with_key else '<p class="status" role="status"></p>'


def order_hint(interaction: etree._Element, choices: Sequence[Choice], view: View) -> str:
    most = whole(interaction, "max-choices", 0)
    least = whole(interaction, "min-choices", 0)
    ask = "在括号内写出序号" if view.printed else "为每项选择次序"
    if most and most < len(choices):
        return f"{ask}；只排出其中 {most} 项" if least == most else f"{ask}；最多排出 {most} 项"
    return f"{ask}（1 为最先）"


def place_of(choice: Choice, choices: Sequence[Choice], interaction: etree._Element, view: View) -> str:
    correct = view.correct(response_of(interaction))
    place = str(correct.index(choice.identifier) + 1) if choice.identifier in correct else ""
    if view.printed:
        answer = f'<b class="answer">{place}</b>' if place else "\u3000"
        return f'<span class="blank">（{answer}）</span>'
    most = whole(interaction, "max-choices", 0) or len(choices)
    places = [(str(number), f"第 {number}") for number in range(1, min(most, len(choices)) + 1)]
    name = control_name(interaction, view, "place", choice.identifier)
    return select(name, f"{choice.spoken}：次序", places, chosen=place, view=view, nothing="次序")


WRITERS["qti-order-interaction"] = order_html
