"""Aiken: a question on a line, options ``A.`` or ``A)``, and ``ANSWER: B``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.choice import TRUE_FALSE_TEXTS
from item_formats.findings import Finding, ItemError
from item_formats.foreign.collecting import Collector, read_text, writable
from item_formats.foreign.formulas import formula_markup
from item_formats.foreign.markup import PICTURE, readable_text
from item_formats.foreign.question import Choice, Kind, Question
from item_formats.model import OPTION_LETTERS
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from item_formats.foreign.table import ItemRow, ItemTable

_OPTION = re.compile(r"([A-Z])[.)]\s+(.*)")
_ANSWER = re.compile(r"ANSWER:\s*([A-Z])\s*")
_TRUE_FALSE = ({"正确", "错误"}, {"true", "false"}, {"对", "错"})


def read_aiken(path: Path) -> ItemTable:
    """Questions of an Aiken file; codes are made from their wording. Findings have lines of the file."""
    collector = Collector(str(path))
    text = read_text(path, collector)
    stem: list[str] = []
    options: list[str] = []
    begin = 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()  # noqa: PLW2901
        answer, option = _ANSWER.fullmatch(line), _OPTION.fullmatch(line)
        if answer is not None:
            _add(collector, begin or number, "\n".join(stem), options, answer[1])
            stem, options, begin = [], [], 0
        elif option is not None and option[1] == OPTION_LETTERS[len(options) : len(options) + 1] and stem:
            options.append(option[2])
        elif line and options:
            message = f"“{line[:30]}” follows the options; expected the next option or “ANSWER: B”"
            collector.fault("broken-question", message, number)
            stem, options, begin = [line], [], number
        elif line:
            stem.append(line)
            begin = begin or number
    if stem or options:
        collector.fault("broken-question", "the last question has no line “ANSWER: B”", begin)
    return collector.table()


def _add(collector: Collector, line: int, stem: str, options: list[str], key: str) -> None:
    def markup(text: str) -> str:
        written, problems = formula_markup(text)
        for code, message in problems:
            collector.warn(code, message, line)
        return written

    right = OPTION_LETTERS.index(key)
    choices = tuple(Choice(markup(text), Decimal(place == right)) for place, text in enumerate(options))
    kind = Kind.SINGLE
    words = [option.strip().rstrip("。.").lower() for option in options]
    if len(words) == 2 and any(set(words) == pair for pair in _TRUE_FALSE):
        kind = Kind.TRUE_FALSE
        true = words[right] in {"正确", "true", "对"}
        shown = TRUE_FALSE_TEXTS.values()
        choices = tuple(Choice(text, Decimal(true == (place == 0))) for place, text in enumerate(shown))
    if right >= len(options):
        collector.fault("key-not-an-option", f"ANSWER is {key}, but there are {len(options)} options", line)
        return
    collector.add(Question("", kind, markup(stem), choices), line)


def write_aiken(path: Path, rows: Iterable[ItemRow]) -> tuple[Finding, ...]:
    """Write single choice and true/false questions; what Aiken cannot say comes back as warnings.

    Raises
    ------
    ItemError
        A question of another kind, with several right options, or with pictures; nothing is written then.
    """
    written = []
    questions, findings = writable(rows)
    faults = []
    for row, question in questions:
        texts = [readable_text(question.stem), *(readable_text(choice.markup) for choice in question.choices)]
        if question.kind not in {Kind.SINGLE, Kind.TRUE_FALSE} or question.partial:
            message = "Aiken holds only questions with one right option: write this one as GIFT or Moodle XML"
            faults.append(Finding("error", "not-expressible", message, item=row.identifier))
            continue
        if any(PICTURE in text or "\n" in text for text in texts):
            message = "Aiken holds plain text on one line: write this question as GIFT or Moodle XML"
            faults.append(Finding("error", "not-expressible", message, item=row.identifier))
            continue
        if question.rationale or any(choice.feedback for choice in question.choices):
            message = "Aiken has no place for 解析 and feedback; they were left out"
            findings.append(Finding("warning", "simplified", message, item=row.identifier))
        stem, *options = texts
        lines = [stem, *(f"{letter}. {text}" for letter, text in zip(OPTION_LETTERS, options, strict=False))]
        written.append("\n".join([*lines, f"ANSWER: {OPTION_LETTERS[question.keys[0]]}"]))
    if faults:
        raise ItemError(*faults, *findings)
    write_whole(path, ("\n\n".join(written) + "\n").encode())
    return tuple(findings)
