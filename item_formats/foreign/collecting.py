"""What the readers and writers of learning platforms' formats share: text in, questions to rows and back."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER
from item_formats.findings import Finding, ItemError
from item_formats.foreign.building import build
from item_formats.foreign.csv_text import Record, mojibake, without_controls
from item_formats.foreign.reading_back import question_of
from item_formats.foreign.table import ItemRow, ItemTable, code_of_wording

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal
    from pathlib import Path

    from item_formats.foreign.question import Question

MAX_BYTES = 256 * 1024 * 1024
_REMEDY = "Export the questions again in UTF-8"


class Collector:
    """Rows and findings of one file as it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows: list[ItemRow] = []
        self.findings: list[Finding] = []
        self.media: dict[str, bytes] = {}
        self._lines: dict[str, int] = {}

    def fault(self, code: str, message: str, line: int | None = None, item: str | None = None) -> None:
        self.findings.append(Finding("error", code, message, self.file, line, item=item))

    def warn(self, code: str, message: str, line: int | None = None, item: str | None = None) -> None:
        finding = Finding("warning", code, message, self.file, line, item=item)
        if finding not in self.findings[-50:]:
            self.findings.append(finding)

    def add(
        self,
        question: Question,
        line: int | None,
        *,
        point: str = "",
        grade: int | None = None,
        marks: Decimal | None = None,
    ) -> None:
        """A row for the question; a code that cannot be one, or is missing, is made from the wording."""
        if not IDENTIFIER.fullmatch(question.identifier):
            if question.identifier:
                message = f"“{question.identifier}” cannot be a code; one was made from the wording"
                self.warn("code-made", message, line)
            question = replace(question, identifier=_code(question))
        identifier = question.identifier
        if identifier in self._lines:
            message = f"the question {identifier} already stands on line {self._lines[identifier]}: remove one"
            self.fault("duplicate-identifier", message, line, identifier)
            return
        self._lines[identifier] = line or 0
        try:
            item = build(question)
        except ItemError as error:
            self.findings += (replace(finding, file=self.file, line=line) for finding in error.findings)
            return
        self.rows.append(ItemRow(identifier, item, point=point, grade=grade, marks=marks, row=line or 0))

    def table(self) -> ItemTable:
        """Everything read; damaged text refuses the file."""
        if not self.rows and not self.findings:
            self.fault("no-questions", "the file holds no question")
        used = b"".join(row.item.xml for row in self.rows)
        media = {name: content for name, content in self.media.items() if name.encode() in used}
        return ItemTable(tuple(self.rows), tuple(self.findings), media)


def _code(question: Question) -> str:
    answers = [answer.text for gap in question.answers for answer in gap]
    pairs = [side for pair in question.pairs for side in pair]
    return code_of_wording([question.stem, *(choice.markup for choice in question.choices), *answers, *pairs])


def read_text(path: Path, collector: Collector) -> str:
    """The text of a file in UTF-8, in NFC and without control characters; "" when it must be refused."""
    if path.stat().st_size > MAX_BYTES:
        collector.fault("too-large", f"the file has more than {MAX_BYTES:,} bytes: split it")
        return ""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        collector.fault("encoding", f"byte {error.start} is not UTF-8, nothing was read. {_REMEDY}")
        return ""
    return clean_text(text, collector)


def clean_text(text: str, collector: Collector) -> str:
    """Line feeds, NFC, no control characters; "" and findings for mojibake."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text, removed = without_controls(text)
    if removed:
        collector.warn("control-character", f"control characters were taken out: {', '.join(removed)}")
    records = [Record(number, (line,)) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    damaged = mojibake(records, collector.file, remedy=_REMEDY)
    collector.findings += damaged
    return "" if damaged else text


def writable(rows: Iterable[ItemRow]) -> tuple[list[tuple[ItemRow, Question]], list[Finding]]:
    """The questions of rows, and warnings about what no foreign format holds.

    Raises
    ------
    ItemError
        Items that are no question of the kinds other programs know, all of them named.
    """
    questions: list[tuple[ItemRow, Question]] = []
    findings: list[Finding] = []
    faults: list[Finding] = []
    for row in rows:
        try:
            question, lost = question_of(row.item)
        except ItemError as error:
            faults += error.findings
            continue
        findings += lost
        questions.append((row, question))
    if faults:
        raise ItemError(*faults)
    return questions, findings
