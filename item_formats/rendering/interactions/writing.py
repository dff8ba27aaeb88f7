"""Answers in one's own words: blanks in a line, essays, values on a scale."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.parsing import is_true, qti
from item_formats.rendering.interactions.controls import control_name, frame, response_of, whole
from item_formats.rendering.markup import WRITERS

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.rendering.markup import View

_LINES = 6  # of an essay that does not say how many it expects
_MOST_LINES = 60
_KEYBOARDS = {"integer": "numeric", "float": "decimal"}


def text_entry_html(interaction: etree._Element, view: View) -> str:
    """A blank in a line of text."""
    response = response_of(interaction)
    correct = " / ".join(view.correct(response))
    length = min(max(whole(interaction, "expected-length", 8), 2), 60)
    if view.printed:
        answer = f'<b class="answer">{escape(correct)}</b>' if correct else ""
        return f'<span class="write-in" style="min-width:{min(length, 30) + 2}ch">{answer}</span>'
    keyboard = _KEYBOARDS.get(view.declared.get(response, ("", ""))[1])
    given = "".join(
        (
            f' inputmode="{keyboard}"' if keyboard else "",
            f' placeholder="{escape(interaction.get("placeholder-text", ""))}"' if not view.with_key else "",
            f' value="{escape(correct)}" disabled class="right"' if view.with_key else "",
        )
    ).replace(' placeholder=""', "")
    size = max(length, len(correct.encode("gb18030", "replace")))
    return (
        f'<input type="text" name="{escape(control_name(interaction, view))}" size="{size}" autocomplete="off" '
        f'aria-label="第 {view.number(response)} 空"{given}>'
    )


def extended_text_html(interaction: etree._Element, view: View) -> str:
    """Room for an answer of some lines; several boxes where several texts are asked for."""
    response = response_of(interaction)
    lines = min(
        whole(interaction, "expected-lines", 0) or _lines_for(whole(interaction, "expected-length", 0)), _MOST_LINES
    )
    cardinality = view.declared.get(response, ("single", ""))[0]
    boxes = (
        1
        if cardinality in {"single", "record"}
        else whole(interaction, "max-strings", 0) or max(whole(interaction, "min-strings", 1), 1)
    )
    correct = view.correct(response)
    hint = f"预计约 {length} 字" if (length := whole(interaction, "expected-length", 0)) else ""
    parts = [_box(interaction, view, place, boxes, lines, correct) for place in range(boxes)]
    return frame(interaction, view, "".join(parts), kind="extended-text", hint=hint)


def _box(interaction: etree._Element, view: View, place: int, boxes: int, lines: int, correct: tuple[str, ...]) -> str:
    answer = correct[place] if place < len(correct) else ""
    if view.printed:
        number = f'<span class="number">（{place + 1}）</span>' if boxes > 1 else ""
        shown = f'<p class="answer">{escape(answer)}</p>' if answer else '<div class="rule"></div>' * lines
        return f'<div class="ruled">{number}{shown}</div>'
    label = "作答" if boxes == 1 else f"作答 {place + 1}"
    prompt = interaction.find(qti("qti-prompt"))
    identifier = escape(f"{view.prefix}-{response_of(interaction)}-prompt")
    named = f'aria-labelledby="{identifier}"' if prompt is not None and boxes == 1 else f'aria-label="{label}"'
    kind = ' class="code"' if interaction.get("format") == "preformatted" else ""
    placeholder = interaction.get("placeholder-text", "")
    shown = f' placeholder="{escape(placeholder)}"' if placeholder and not view.with_key else ""
    state = " disabled" if view.with_key else ""
    name = escape(control_name(interaction, view))
    return f'<textarea name="{name}" rows="{lines}" {named}{kind}{shown}{state}>{escape(answer)}</textarea>'


def _lines_for(length: int) -> int:
    """About 36 Chinese characters are written on a line."""
    return max(2, -(-length // 36) + 1) if length else _LINES


def slider_html(interaction: etree._Element, view: View) -> str:
    """A value on a scale: a slider, and a number that can be typed and holds the answer without a script too."""
    response = response_of(interaction)
    low, high = interaction.get("lower-bound", "0"), interaction.get("upper-bound", "100")
    step = interaction.get("step", "1")
    correct = " / ".join(view.correct(response)[:1])
    if view.printed:
        answer = f'<b class="answer">{escape(correct)}</b>' if correct else ""
        ticks = '<span class="ticks"></span>'
        scale = f'<p class="scale"><span>{escape(low)}</span>{ticks}<span>{escape(high)}</span></p>'
        blank = f'<p>答：<span class="write-in" style="min-width:8ch">{answer}</span></p>'
        return frame(interaction, view, f"{scale}{blank}", kind="slider")
    name = escape(control_name(interaction, view))
    bounds = f'min="{escape(low)}" max="{escape(high)}" step="{escape(step)}"'
    state = f' value="{escape(correct)}" disabled class="right"' if view.with_key else ""
    start = f' value="{escape(correct or low)}"{" disabled" if view.with_key else ""}'
    reverse = ' dir="rtl"' if is_true(interaction, "reverse") else ""
    vertical = " vertical" if interaction.get("orientation") == "vertical" else ""
    body = (
        f'<div class="scale{vertical}" data-tiku="slider"><span aria-hidden="true">{escape(low)}</span>'
        f'<input type="range" {bounds}{start}{reverse} aria-label="滑块，从 {escape(low)} 到 {escape(high)}">'
        f'<span aria-hidden="true">{escape(high)}</span>'
        f'<label>数值 <input type="number" name="{name}" {bounds}{state}></label></div>'
    )
    return frame(interaction, view, body, kind="slider", hint=f"{escape(low)} 至 {escape(high)}，每步 {escape(step)}")


WRITERS["qti-text-entry-interaction"] = text_entry_html
WRITERS["qti-extended-text-interaction"] = extended_text_html
WRITERS["qti-slider-interaction"] = slider_html
