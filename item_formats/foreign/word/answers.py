"""The answers at the end of a paper: lines such as ``1-5 ABCDA``, entries, tables, and longer answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from item_formats.findings import Finding
from item_formats.foreign.word import phrases
from item_formats.foreign.word.rich import Rich

if TYPE_CHECKING:
    from collections.abc import Sequence

    from item_formats.foreign.question import Kind
    from item_formats.foreign.word.document import Grid, Line
    from item_formats.foreign.word.draft import Draft


@dataclass(slots=True)
class _Entry:
    section: int  # of the answers, from 1; 0 before any heading
    number: int
    answer: list[Rich]
    paragraph: int
    rationale: list[Rich] = field(default_factory=list)


class AnswerList:
    """Collects answers and gives them to their questions at the end."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.sections: list[phrases.Section] = []
        self.stray: list[int] = []
        self.part = "答案"

    def begin_section(self, section: phrases.Section) -> None:
        self.sections.append(section)

    def line(self, line: Line) -> None:
        text = line.rich.text
        short = f"{line.label} {text}" if line.label else text
        if self._ranges(short, line.number) or self._short(short, line.number):
            return
        found = phrases.fields(text)
        if found and self.entries and phrases.numbered(text) is None and not line.label:
            self._fields(line, found)
            return
        number = phrases.numbered(line.label or text)
        if number is None:
            self._continue(line.rich, line.number)
            return
        rich = (line.rich if line.label else line.rich.cut(number.end)).strip()
        self.entries.append(_Entry(len(self.sections), number.number, [], line.number))
        self.part = "答案"
        self._answer_and_fields(rich, line.number)

    def grid(self, answers: Sequence[tuple[int, str, Rich, int]]) -> None:
        for number, key, rationale, paragraph in answers:
            entry = _Entry(len(self.sections), number, [Rich.plain(key)], paragraph)
            if rationale:
                entry.rationale.append(rationale)
            self.entries.append(entry)

    def _ranges(self, text: str, paragraph: int) -> bool:
        """``1-5 ABCDA  6-8：AB ACD BC``: one letter a question, or as many groups as there are questions."""
        found = list(phrases.RANGE.finditer(text))
        rest = phrases.RANGE.sub("", text)
        if not found or rest.strip(" \t\u3000;；,，。.、"):
            return False
        for match in found:
            first, last = phrases.figure(match["first"]), phrases.figure(match["last"])
            groups = match["keys"].replace("、", " ").replace("，", " ").replace(",", " ").replace("；", " ").split()
            if len(groups) != last - first + 1:
                groups = list("".join(groups))
            if len(groups) != last - first + 1:
                groups = []
                self.stray.append(paragraph)
            for number, key in enumerate(groups, start=first):
                self.entries.append(_Entry(len(self.sections), number, [Rich.plain(key)], paragraph))
        return True

    def _short(self, text: str, paragraph: int) -> bool:
        """``1．A  2．B  3．√``: a line of nothing but short answers."""
        found = list(phrases.ENTRY.finditer(text))
        if not found or phrases.ENTRY.sub("", text).strip(" \t\u3000;；,，。.、"):
            return False
        for match in found:
            number = phrases.figure(match["number"])
            self.entries.append(_Entry(len(self.sections), number, [Rich.plain(match["key"])], paragraph))
        self.part = "答案"
        return True

    def _answer_and_fields(self, rich: Rich, paragraph: int) -> None:
        """``A  解析：…`` after the number, or 答案：A, or a long answer."""
        entry = self.entries[-1]
        found = phrases.fields(rich.text)
        key = re.match(
            rf"\s*{phrases.KEY_IN_BLANK.pattern}|\s*(?P<bare>[A-HＡ-Ｈ]{{1,8}}|[√×✓✗对错])(?=[\s\u3000。；;【]|$)",
            rich.text,
        )
        if not found and key is not None:
            entry.answer.append(Rich.plain(key["key"] or key["bare"]))
            rest = rich.cut(key.end()).strip()
            inner = phrases.fields(rest.text)
            if inner:
                self._set(rest, inner)
            elif rest:
                entry.rationale.append(rest)
                self.part = "解析"
        elif found:
            self._set(rich, found)
        elif rich:
            entry.answer.append(rich)
        entry.paragraph = paragraph

    def _fields(self, line: Line, found: list[tuple[str, int, int]]) -> None:
        self._set(line.rich, found)

    def _set(self, rich: Rich, found: list[tuple[str, int, int]]) -> None:
        entry = self.entries[-1]
        for name, start, end in found:
            self.part = name
            value = rich.cut(start, end).strip()
            if value and name in {"答案", "解析"}:
                (entry.answer if name == "答案" else entry.rationale).append(value)

    def _continue(self, rich: Rich, paragraph: int) -> None:
        if not self.entries:
            self.stray.append(paragraph)
        elif self.part == "解析":
            self.entries[-1].rationale.append(rich)
        else:
            self.entries[-1].answer.append(rich)

    def give(self, drafts: Sequence[Draft], findings: list[Finding]) -> None:
        """Put each answer into the question it belongs to; what has no place is a finding."""
        for paragraph in self.stray:
            message = "the answers of this paragraph could not be told apart: write them as “1．A 2．B”, or one a line"
            findings.append(Finding("error", "unclear-answers", message, line=paragraph))
        sections = self._sections_of_drafts(drafts)
        numbered: dict[int, list[Draft]] = {}
        for draft in drafts:
            numbered.setdefault(draft.number, []).append(draft)
        for entry in self.entries:
            wanted = sections.get(entry.section)
            fitting = [draft for draft in numbered.get(entry.number, ()) if wanted is None or draft.section == wanted]
            if len(fitting) != 1:
                many = "several questions have" if fitting else "no question has"
                message = f"{many} the number {entry.number}: put the answers under the headings of their sections"
                findings.append(Finding("error", "unclear-answers", message, line=entry.paragraph, column="答案"))
                continue
            draft = fitting[0]
            if entry.answer and "答案" not in draft.fields:
                draft.fields["答案"] = entry.answer
                draft.places["答案"] = entry.paragraph
            elif entry.answer and "".join(part.text for part in draft.fields["答案"]) != entry.answer[0].text:
                message = f"question {entry.number} has another answer beside it: make the two agree"
                findings.append(Finding("error", "answers-differ", message, line=entry.paragraph, column="答案"))
                draft.fields["答案"] = []
            if entry.rationale:
                draft.fields.setdefault("解析", []).extend(entry.rationale)

    def _sections_of_drafts(self, drafts: Sequence[Draft]) -> dict[int, int]:
        """Which section of questions each section of answers is for: the next one of its type."""
        kinds: dict[int, Kind | None] = {}
        for draft in drafts:
            kinds.setdefault(draft.section, draft.kind)
        free = list(kinds)
        found: dict[int, int] = {}
        for number, section in enumerate(self.sections, start=1):
            same = [place for place in free if kinds[place] == section.kind]
            if same:
                found[number] = same[0]
                free.remove(same[0])
        return found


def answers_of_grid(grid: Grid) -> list[tuple[int, str, Rich, int]]:
    """Number, key, 解析 and paragraph of each answer in an answer table; [] for another table."""
    texts = [[" ".join(line.label + line.rich.text for line in cell).strip() for cell in row] for row in grid.rows]
    found: list[tuple[int, str, Rich, int]] = []
    for above, below in zip(range(len(texts)), range(1, len(texts)), strict=False):
        if not texts[above] or not texts[below]:
            continue
        if texts[above][0] in {"题号", "序号"} and texts[below][0] in {"答案", "正确答案", "参考答案"}:
            for place, (number, key) in enumerate(zip(texts[above][1:], texts[below][1:], strict=False), start=1):
                if number.isdigit() and key:
                    lines = grid.rows[below][place]
                    found.append((int(number), key, Rich(), lines[0].number if lines else grid.number))
    return found or _answers_in_columns(grid, texts)


def _answers_in_columns(grid: Grid, texts: list[list[str]]) -> list[tuple[int, str, Rich, int]]:
    if not texts or not texts[0] or texts[0][0] not in {"题号", "序号"} or "题干" in texts[0]:
        return []
    heads = texts[0]
    place = next((at for at, head in enumerate(heads) if head in {"答案", "正确答案", "参考答案"}), None)
    why = next((at for at, head in enumerate(heads) if head in {"解析", "答案解析"}), None)
    found: list[tuple[int, str, Rich, int]] = []
    for row, cells in zip(texts[1:], grid.rows[1:], strict=True):
        if place is not None and len(row) > place and row[0].isdigit() and row[place]:
            reason = Rich()
            if why is not None and why < len(cells):
                for line in cells[why]:
                    reason = reason + line.rich
            found.append((int(row[0]), row[place], reason, cells[place][0].number))
    return found
