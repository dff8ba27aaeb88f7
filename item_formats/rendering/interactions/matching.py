"""Bringing things together: tables of rows and columns, pairs, texts that go into gaps."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.parsing import qti
from item_formats.rendering.interactions.controls import (
    Choice,
    bank,
    checkable,
    choices_of,
    control_name,
    frame,
    response_of,
    select,
    whole,
)
from item_formats.rendering.markup import WRITERS, children_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

    from item_formats.rendering.markup import View

_BANKED = frozenset({"qti-prompt", "qti-gap-text", "qti-gap-img"})
_MOST_PAIRS = 12


def match_html(interaction: etree._Element, view: View) -> str:
    """A table with a box for every row and column; in print two lists with a bracket for the letter."""
    sets = interaction.findall(qti("qti-simple-match-set"))
    rows = choices_of(sets[0], view, names="numbers") if sets else []
    columns = choices_of(sets[1], view) if len(sets) > 1 else []
    correct = {tuple(pair.split()) for pair in view.correct(response_of(interaction))}
    hint = association_hint(interaction)
    if view.printed:
        return frame(interaction, view, _matching_lists(rows, columns, correct), kind="match", hint=hint)
    header = "".join(f'<th scope="col">{_header(column)}</th>' for column in columns)
    lines = []
    for row in rows:
        cells = "".join(
            f"<td{_right((row.identifier, column.identifier) in correct)}>"
            + _cell(interaction, row, column, view, right=(row.identifier, column.identifier) in correct)
            + "</td>"
            for column in columns
        )
        lines.append(f'<tr><th scope="row">{_header(row)}</th>{cells}</tr>')
    corner = escape(interaction.get("data-first-column-header", ""))
    first = f'<th scope="col">{corner}</th>' if corner else "<td></td>"
    table = (
        f'<div class="wide"><table class="matrix"><thead><tr>{first}{header}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
    most = whole(interaction, "max-associations", 1)
    limited = f' data-tiku="limit" data-most="{most}"' if 1 < most < len(rows) else ""
    return frame(interaction, view, table, kind="match", hint=hint, attributes=limited)


def _header(choice: Choice) -> str:
    """What a choice says, with its letter before formulas: a header has text that every reader speaks."""
    label = f'<span class="label">{escape(choice.label)}</span> ' if "<math" in choice.html else ""
    return f"{label}{choice.html}"


def _cell(interaction: etree._Element, row: Choice, column: Choice, view: View, *, right: bool) -> str:
    several = row.match_max != 1
    name = control_name(interaction, view) if several else control_name(interaction, view, "row", row.identifier)
    control = checkable(
        name,
        f"{row.identifier} {column.identifier}",
        several=several,
        view=view,
        right=right,
        label=f"{row.text} — {column.text}",
    )
    tick = '<span class="tick">✓<span class="unseen">正确</span></span>' if right else ""
    return f"<label>{control}{tick}</label>"


def _matching_lists(rows: Sequence[Choice], columns: Sequence[Choice], correct: set[tuple[str, ...]]) -> str:
    left = []
    for row in rows:
        letters = "".join(column.label for column in columns if (row.identifier, column.identifier) in correct)
        answer = f'<b class="answer">{escape(letters)}</b>' if letters else "\u3000\u3000"
        left.append(f'<li><span class="label">{row.label}.</span> <span>{row.html}</span>（{answer}）</li>')
    right = [
        f'<li><span class="label">{escape(column.label)}.</span> <span>{column.html}</span></li>' for column in columns
    ]
    return f'<div class="lists"><ol role="list">{"".join(left)}</ol><ol role="list">{"".join(right)}</ol></div>'


def associate_html(interaction: etree._Element, view: View) -> str:
    """Choices, and pairs to be made of them."""
    choices = choices_of(interaction, view)
    body = bank(choices, view) + pairs_html(interaction, choices, view)
    return frame(interaction, view, body, kind="associate", hint=association_hint(interaction))


def pairs_html(interaction: etree._Element, choices: Sequence[Choice], view: View) -> str:
    """As many pairs as may be made, each with two lists to choose from."""
    correct = [tuple(pair.split()) for pair in view.correct(response_of(interaction))]
    most = whole(interaction, "max-associations", 1)
    uses = sum(choice.match_max or len(choices) - 1 for choice in choices) // 2
    count = max(min(most or uses, _MOST_PAIRS), len(correct), 1)
    labels = {choice.identifier: choice.label for choice in choices}
    rows = []
    for place in range(count):
        ends = correct[place] if place < len(correct) and len(correct[place]) == 2 else ("", "")
        if view.printed:
            first, second = (_written(labels.get(end, "")) for end in ends)
            rows.append(f"<li>{first} — {second}</li>")
            continue
        options = [(choice.identifier, choice.spoken) for choice in choices]
        lists = [
            select(
                control_name(interaction, view, "pair", str(place + 1), side),
                f"第 {place + 1} 对，{said}",
                options,
                chosen=end,
                view=view,
            )
            for side, said, end in (("a", "前项", ends[0]), ("b", "后项", ends[1]))
        ]
        rows.append(f'<li><span class="label">{place + 1}</span> {lists[0]} <span>—</span> {lists[1]}</li>')
    return f'<ol class="pairs" role="list">{"".join(rows)}</ol>'


def _written(answer: str) -> str:
    shown = f'<b class="answer">{escape(answer)}</b>' if answer else ""
    return f'<span class="write-in" style="min-width:5ch">{shown}</span>'


def gap_match_html(interaction: etree._Element, view: View) -> str:
    """A bank of texts or pictures, and a text with gaps to put them into."""
    passage = f'<div class="passage">{children_html(interaction, view, without=_BANKED)}</div>'
    body = bank(banked(interaction, view), view) + passage
    hint = "把备选项的字母填入空格" if view.printed else "为每个空格选择备选项"
    return frame(interaction, view, body, kind="gap-match", hint=hint)


def banked(interaction: etree._Element, view: View) -> list[Choice]:
    """The texts and pictures of a gap match, without the hotspots they go to."""
    return choices_of(interaction, view)


def gap_html(gap: etree._Element, view: View) -> str:
    """One gap: a list of the bank; in print a numbered line."""
    interaction = next(gap.iterancestors(qti("qti-gap-match-interaction")), None)
    of_the_bank = next(gap.iterancestors(qti("qti-gap-text"), qti("qti-gap-img")), None) is not None
    if interaction is None or of_the_bank:  # a gap in what fills gaps would have to hold itself
        return ""
    gaps = [one.get("identifier", "") for one in interaction.iter(qti("qti-gap"))]
    identifier = gap.get("identifier", "")
    return gap_control(interaction, identifier, gaps.index(identifier) + 1, banked(interaction, view), view)


def gap_control(
    interaction: etree._Element, gap: str, number: int, choices: Sequence[Choice], view: View, place: str = ""
) -> str:
    """The control that fills a gap of this identifier."""
    pairs = [tuple(pair.split()) for pair in view.correct(response_of(interaction))]
    chosen = next((pair[0] for pair in pairs if len(pair) == 2 and pair[1] == gap), "")
    if view.printed:
        letters = {choice.identifier: choice.label for choice in choices}
        answer = f'<b class="answer">{escape(letters.get(chosen, ""))}</b>' if chosen else ""
        numbered = "" if place else f'<span class="number">（{number}）</span>'
        return f'<span class="write-in" style="min-width:7ch">{numbered}{answer}</span>'
    options = [(choice.identifier, choice.spoken) for choice in choices]
    name = control_name(interaction, view, "gap", gap)
    nothing = "请选择" if place else f"（{number}）"
    return select(name, place or f"第 {number} 空", options, chosen=chosen, view=view, nothing=nothing)


def association_hint(interaction: etree._Element) -> str:
    low, high = whole(interaction, "min-associations", 0), whole(interaction, "max-associations", 1)
    if high == 0:
        return f"至少配 {low} 对" if low else ""
    return f"配 {high} 对" if low == high else f"最多配 {high} 对"


WRITERS["qti-match-interaction"] = match_html
WRITERS["qti-associate-interaction"] = associate_html
WRITERS["qti-gap-match-interaction"] = gap_match_html
WRITERS["qti-gap"] = gap_html


def _right(right: bool) -> str:  # noqa: FBT001
    return ' class="right"' if right else ""
