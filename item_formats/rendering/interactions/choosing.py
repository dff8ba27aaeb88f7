"""Choosing among what is written: options, words in a text, lists inside a line."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.parsing import qti
from item_formats.rendering.interactions.controls import (
    Choice,
    checkable,
    choices_of,
    control_name,
    frame,
    limit_attributes,
    limits,
    plain_text,
    response_of,
    select,
    takes_several,
    whole,
)
from item_formats.rendering.markup import WRITERS, children_html

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.rendering.markup import View


def choice_html(interaction: etree._Element, view: View) -> str:
    """Options with radio buttons or check boxes; in print with letters and a blank for the answer."""
    if view.options_apart:
        return children_html(interaction, view)
    several = takes_several(interaction, view)
    choices = choices_of(interaction, view)
    correct = view.correct(response_of(interaction))
    rows = "".join(
        _option(choice, interaction, view, several=several, right=choice.identifier in correct) for choice in choices
    )
    hint = limits(interaction, "min-choices", "max-choices", "项")
    attributes = limit_attributes(whole(interaction, "max-choices", 1))
    return frame(
        interaction,
        view,
        f'<ol class="options" role="list">{rows}</ol>',
        kind="choice",
        hint=hint if several else "",
        attributes=attributes if several else "",
    )


def _option(choice: Choice, interaction: etree._Element, view: View, *, several: bool, right: bool) -> str:
    texts = {"√": "正确", "×": "错误"}
    content = choice.html or texts.get(choice.label, "")
    label = f'<span class="label">{escape(choice.label)}</span> ' if choice.label else ""
    tick = '<strong class="tick">✓ 正确答案</strong>' if right else ""
    opening = '<li class="right">' if right else "<li>"
    if view.printed:
        return f"{opening}{label}<span>{content}</span>{tick}</li>"
    control = checkable(control_name(interaction, view), choice.identifier, several=several, view=view, right=right)
    return f"{opening}<label>{control}{label}<span>{content}</span></label>{tick}</li>"


def inline_choice_html(interaction: etree._Element, view: View) -> str:
    """A list inside a line of text; in print a blank with what can be written there."""
    choices = choices_of(interaction, view)
    correct = view.correct(response_of(interaction))
    number = view.number(response_of(interaction))
    if view.printed:
        listed = "　".join(f"{escape(choice.label)}. {choice.html}" for choice in choices)
        right = next((choice.label for choice in choices if choice.identifier in correct), "")
        blank = f'<b class="answer">{escape(right)}</b>' if right else "\u3000\u3000"
        return f'<span class="inline-choice">（{blank}）<span class="among">［{listed}］</span></span>'
    label = interaction.find(qti("qti-label"))
    named = plain_text(label, view) if label is not None else ""
    return select(
        control_name(interaction, view),
        named or f"第 {number} 处：下拉选择",
        [(choice.identifier, choice.text) for choice in choices],
        chosen=correct[0] if correct else "",
        view=view,
        nothing=interaction.get("data-prompt") or "请选择",
    )


def hottext_interaction_html(interaction: etree._Element, view: View) -> str:
    """A text in which words can be marked."""
    unit = "处"
    hint = limits(interaction, "min-choices", "max-choices", unit) or f"选 1 {unit}"
    if view.printed:
        hint = f"在所选文字的编号上画圈（{hint}）"
    several = takes_several(interaction, view)
    return frame(
        interaction,
        view,
        f'<div class="passage">{children_html(interaction, view, without=frozenset({"qti-prompt"}))}</div>',
        kind="hottext",
        hint=hint,
        attributes=limit_attributes(whole(interaction, "max-choices", 1)) if several else "",
    )


def hottext_html(element: etree._Element, view: View) -> str:
    """One text that can be marked."""
    interaction = next(element.iterancestors(qti("qti-hottext-interaction")), None)
    content = children_html(element, view)
    if interaction is None:
        return content
    identifier = element.get("identifier", "")
    right = identifier in view.correct(response_of(interaction))
    marked = " right" if right else ""
    if view.printed:
        found = [one.get("identifier") for one in interaction.iter(qti("qti-hottext"))]
        number = f'<span class="number">{found.index(identifier) + 1}</span>'
        return f'<span class="hot{marked}">{number}<u>{content}</u>{"✓" if right else ""}</span>'
    several = takes_several(interaction, view)
    control = checkable(control_name(interaction, view), identifier, several=several, view=view, right=right)
    tick = '<span class="tick">✓<span class="unseen">正确答案</span></span>' if right else ""
    return f'<label class="hot{marked}">{control}{content}{tick}</label>'


WRITERS["qti-choice-interaction"] = choice_html
WRITERS["qti-inline-choice-interaction"] = inline_choice_html
WRITERS["qti-hottext-interaction"] = hottext_interaction_html
WRITERS["qti-hottext"] = hottext_html
