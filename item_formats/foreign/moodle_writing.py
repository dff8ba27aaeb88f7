"""Moodle XML out."""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.foreign.building import number
from item_formats.foreign.collecting import writable
from item_formats.foreign.markup import html_of_markup, plain_text, readable_text
from item_formats.foreign.question import Kind, Question
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from item_formats.foreign.table import ItemRow

_SOURCE = re.compile(r'src="\.\./(media/[^"]+)"')
_MOODLE_TYPES = {
    Kind.TRUE_FALSE: "truefalse",
    Kind.SINGLE: "multichoice",
    Kind.MULTIPLE: "multichoice",
    Kind.GAPS: "shortanswer",
    Kind.NUMBER: "numerical",
    Kind.ESSAY: "essay",
    Kind.MATCHING: "matching",
}


def write_moodle(
    path: Path, rows: Iterable[ItemRow], *, media: Mapping[str, bytes] | None = None, plugin: bool = True
) -> tuple[Finding, ...]:
    """Write questions as Moodle XML; what it cannot say comes back as warnings.

    Several right options that count all or nothing need Moodle's plugin *multichoiceset*; with `plugin` False they
    become ordinary questions in which the right options share the marks and a wrong one takes them away. `media` are
    the pictures items refer to, as `ItemTable.media`.

    Raises
    ------
    ItemError
        Items that are no question of the kinds Moodle knows, or a picture that is not in `media`; nothing is written.
    """
    questions, findings = writable(rows)
    faults: list[Finding] = []
    written = []
    for row, question in questions:
        try:
            written.append(_Writing(row, question, media or {}, findings, plugin=plugin).question())
        except ValueError as error:
            faults.append(Finding("error", "not-expressible", str(error), item=row.identifier))
    if faults:
        raise ItemError(*faults)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{"".join(written)}</quiz>\n'
    write_whole(path, text.encode())
    return tuple(findings)


class _Writing:
    def __init__(
        self,
        row: ItemRow,
        question: Question,
        media: Mapping[str, bytes],
        findings: list[Finding],
        *,
        plugin: bool,
    ) -> None:
        self.row, self.asked, self.media, self.findings = row, question, media, findings
        self.whole = question.kind is Kind.MULTIPLE and not question.partial
        self.plugin = plugin

    def warn(self, code: str, message: str) -> None:
        self.findings.append(Finding("warning", code, message, item=self.row.identifier))

    def question(self) -> str:
        asked = self.asked
        kind = "multichoiceset" if self.whole and self.plugin else _MOODLE_TYPES[asked.kind]
        if asked.kind is Kind.GAPS and len(asked.answers) > 1:
            raise ValueError("Moodle's short answers have one gap: split the question, or write it as QTI")
        if kind == "multichoiceset":
            self.warn("needs-plugin", "all or nothing needs Moodle's plugin multichoiceset (or write without it)")
        tags = [f"知识点:{self.row.point}"] if self.row.point else []
        tags += [f"难度:{self.row.grade}"] if self.row.grade is not None else []
        written_tags = "".join(f"<tag><text>{escape(tag)}</text></tag>" for tag in tags)
        title = asked.title if asked.title is not None else self.row.identifier
        marks = self.row.marks if self.row.marks is not None else Decimal(1)
        parts = [
            f"<name><text>{escape(title)}</text></name>",
            self.text("questiontext", asked.stem),
            self.text("generalfeedback", asked.rationale),
            f"<defaultgrade>{number(marks)}</defaultgrade>",
            f"<idnumber>{escape(self.row.identifier)}</idnumber>",
            *self.answers(),
            f"<tags>{written_tags}</tags>" if tags else "",
        ]
        return f'  <question type="{kind}">\n    ' + "\n    ".join(filter(None, parts)) + "\n  </question>\n"

    def text(self, name: str, markup: str, attributes: str = "", inside: str = "") -> str:
        """An element with HTML in it, and the files it shows."""
        files = "".join(
            f'<file name="{escape(place.rpartition("/")[2])}" path="/" encoding="base64">{self.file(place)}</file>'
            for place in dict.fromkeys(_SOURCE.findall(markup))
        )
        shown = html_of_markup(_SOURCE.sub(lambda found: f'src="@@PLUGINFILE@@/{found[1][6:]}"', markup))
        return f'<{name} format="html"{attributes}><text>{escape(shown, quote=False)}</text>{files}{inside}</{name}>'

    def file(self, place: str) -> str:
        if place not in self.media:
            raise ValueError(f"the picture {place} was not given: pass the media of the table")
        return base64.b64encode(self.media[place]).decode()

    def feedback(self, markup: str) -> str:
        return self.text("feedback", markup) if markup else ""

    def answers(self) -> list[str]:
        asked = self.asked
        if asked.kind is Kind.TRUE_FALSE:
            return [
                f'<answer fraction="{number(choice.fraction * 100)}" format="moodle_auto_format"><text>{word}</text>'
                f"{self.feedback(choice.feedback)}</answer>"
                for word, choice in zip(("true", "false"), asked.choices, strict=True)
            ]
        if asked.kind in {Kind.SINGLE, Kind.MULTIPLE}:
            return self.choices()
        if asked.kind is Kind.ESSAY:
            information = self.text("graderinfo", asked.model_answer) if asked.model_answer else ""
            return ["<responseformat>editor</responseformat>", information]
        if asked.kind is Kind.MATCHING:
            return self.pairs()
        return self.written()

    def choices(self) -> list[str]:
        asked = self.asked
        shares = [choice.fraction for choice in asked.choices]
        if self.whole and not self.plugin:
            each = (Decimal(1) / len(asked.keys)).quantize(Decimal("0.0000001"))
            shares = [each if share > 0 else Decimal(-1) for share in shares]
            self.warn("partial-credit", "the right options share the marks, a wrong one takes them away")
        several = "false" if asked.kind is Kind.MULTIPLE else "true"
        single = "" if self.whole and self.plugin else f"<single>{several}</single>"
        return [
            single,
            f"<shuffleanswers>{'true' if asked.shuffle else 'false'}</shuffleanswers>",
            "<answernumbering>ABCD</answernumbering>",
            *(
                self.text(
                    "answer", choice.markup, f' fraction="{number(share * 100)}"', inside=self.feedback(choice.feedback)
                )
                for choice, share in zip(asked.choices, shares, strict=True)
            ),
        ]

    def written(self) -> list[str]:
        numeric = self.asked.kind is Kind.NUMBER
        case = "" if numeric else f"<usecase>{'1' if self.asked.case_sensitive else '0'}</usecase>"
        answers = []
        for answer in self.asked.answers[0]:
            text = answer.text if numeric else answer.text.replace("*", r"\*")
            spread = f"<tolerance>{number(answer.tolerance)}</tolerance>" if numeric else ""
            fraction = number(answer.fraction * 100)
            inside = f"<text>{escape(text)}</text>{spread}"
            answers.append(f'<answer fraction="{fraction}" format="moodle_auto_format">{inside}</answer>')
        return [case, *answers]

    def pairs(self) -> list[str]:
        shuffle = f"<shuffleanswers>{'true' if self.asked.shuffle else 'false'}</shuffleanswers>"
        pairs = [*self.asked.pairs, *(("", target) for target in self.asked.unmatched)]
        written = []
        for source, target in pairs:
            plain = plain_text(target)
            if plain is None and "<img" in target:
                raise ValueError("Moodle's matching answers are plain text: take the pictures out")
            answer = readable_text(target) if plain is None else plain
            inside = f"<answer><text>{escape(answer)}</text></answer>"
            written.append(self.text("subquestion", source, inside=inside))
        return [shuffle, *written]
