"""Questions in the lines of a document, in the layouts teachers type them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from item_formats.findings import Finding, Severity
from item_formats.foreign.word import phrases
from item_formats.foreign.word.answers import AnswerList, answers_of_grid
from item_formats.foreign.word.document import Grid, Line
from item_formats.foreign.word.draft import Draft
from item_formats.foreign.word.rich import OBJECT, Piece, Rich, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from item_formats.foreign.question import Kind


_ANSWER_WORDS = frozenset({"答案", "参考答案"})
_TITLE = 40  # characters; longer lines before the first question are worth a word


@dataclass(slots=True)
class Layout:
    drafts: list[Draft] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)  # of sections, by their number from 1


def lay_out(blocks: Iterable[Line | Grid]) -> Layout:
    """The questions of a document, with their options, answers and remarks; findings have paragraphs as lines."""
    parser = _Parser()
    for block in blocks:
        if isinstance(block, Line):
            parser.line(block)
        else:
            parser.grid(block)
    parser.answers.give(parser.layout.drafts, parser.layout.findings)
    return parser.layout


def _parted(line: Line) -> list[Line]:
    """The line, or its lines where a whole question was typed into one paragraph with line breaks (Shift+Enter)."""
    text = line.rich.text
    breaks = [place for place, character in enumerate(text) if character == "\n"]
    starts = [0, *(place + 1 for place in breaks)]
    begun = [text[start:] for start in starts[1:]]
    if not any(phrases.option_label(rest) or phrases.fields(rest.partition("\n")[0]) for rest in begun):
        return [line]
    pieces = [line.rich.cut(start, end).strip() for start, end in zip(starts, [*breaks, len(text)], strict=True)]
    return [Line(line.number, piece, "" if at else line.label, line.heading) for at, piece in enumerate(pieces)]


class _Parser:
    def __init__(self) -> None:
        self.layout = Layout()
        self.answers = AnswerList()
        self.section: phrases.Section | None = None
        self.sections = 0
        self.style = ""  # how the questions of this section are numbered
        self.draft: Draft | None = None
        self.part = ""  # "stem", "options" or the name of a field
        self.in_answers = False

    def found(self, severity: Severity, code: str, message: str, line: int, column: str | None = None) -> None:
        self.layout.findings.append(Finding(severity, code, message, line=line, column=column))

    def line(self, line: Line) -> None:
        for part in _parted(line):
            self.part_of_line(part)

    def part_of_line(self, line: Line) -> None:
        if not line.rich and not line.label:
            return
        text = line.rich.text
        section = phrases.section(line.label, text, heading=line.heading)
        if section is not None:
            self.begin_section(section)
        elif self.layout.drafts and not self.in_answers and self.is_answer_heading(line):
            self.in_answers = True
            self.draft = None
        elif self.in_answers:
            self.answers.line(line)
        else:
            self.question_line(line)

    def is_answer_heading(self, line: Line) -> bool:
        """A heading of its own; “答案” above the answer of an open question is a field of that question."""
        if line.label or not phrases.is_answer_heading(line.rich.text):
            return False
        if line.heading or self.draft is None or self.draft.complete or line.rich.text.strip() not in _ANSWER_WORDS:
            return True
        answered = [draft for draft in self.layout.drafts if "答案" in draft.fields]
        return not answered and len(self.layout.drafts) > 1

    def begin_section(self, section: phrases.Section) -> None:
        if self.in_answers:
            self.answers.begin_section(section)
            return
        self.section, self.draft, self.style = section, None, ""
        self.sections += 1
        self.layout.titles.append(section.title)

    def question_line(self, line: Line) -> None:
        if self.draft is None and self.section is not None and phrases.is_instruction(line.rich.text):
            marks = phrases.marks_each(line.rich.text)
            if marks is not None:
                self.section = phrases.Section(self.section.title, self.section.kind, marks)
            return
        if self.begins_question(line) or self.option_line(line) or self.field_line(line):
            return
        if self.draft is None:
            before_all = not self.layout.drafts and len(line.rich.text) <= _TITLE
            if not line.heading and not before_all:
                said = line.rich.text[:20].replace("\n", " ")
                message = (
                    f"“{line.label}{said}” belongs to no question and was not read: number the question, as in “1．”"
                )
                self.found("warning", "not-a-question", message, line.number)
            return
        label = Rich.plain(line.label if line.label != "•" else "• ")
        self.add(label + line.rich, line.number)

    def begins_question(self, line: Line) -> bool:
        """Whether the line begins a question; the number may be typed or Word's own."""
        rich, mark = line.rich, ""
        before = phrases.blank_first(rich.text)
        if before is not None:
            rich, mark = rich.cut(before[0]), before[1]
        marker = phrases.type_marker(rich.text)
        after_marker = rich.cut(marker[1]) if marker is not None else rich
        typed = phrases.numbered(after_marker.text)
        number = phrases.numbered(line.label) if line.label else typed
        if number is None or (line.label and number.end < len(line.label)):
            return False
        style = number.style + ("auto" if line.label else "")
        if not self.is_next(number.number, style, line.number):
            return False
        if number.full_width:
            message = f"the question's number is typed in full width: type {number.number} in half width"
            self.found("warning", "full-width", message, line.number, "编号")
        self.draft = draft = Draft(line.number, number.number, section=self.sections, last=line.number)
        if self.section is not None:
            named, _ = phrases.type_named(self.section.title)
            draft.kind, draft.kind_known, draft.marks = self.section.kind, named, self.section.marks
        self.layout.drafts.append(draft)
        self.style = style
        rest = after_marker if line.label else after_marker.cut(number.end)
        self.begin_stem(draft, rest, marker[0] if marker is not None else None, line.number)
        if mark:
            self.set_field(draft, "答案", Rich.plain(mark), line.number)
        return True

    def is_next(self, number: int, style: str, paragraph: int) -> bool:
        """Whether a number continues the questions, and is no numbered statement inside one."""
        if self.draft is None or not self.style:
            return True
        if style != self.style:
            return False
        if number == self.draft.number + 1:
            return True
        if not self.draft.complete:
            return False
        if number != 1:
            message = f"question {number} follows question {self.draft.number}: check that none is missing"
            self.found("warning", "number-gap", message, paragraph)
        return True

    def begin_stem(self, draft: Draft, rich: Rich, kind: Kind | None, paragraph: int) -> None:
        marker = phrases.type_marker(rich.text)
        if marker is not None:
            kind, rich = marker[0], rich.cut(marker[1])
        if kind is not None:
            draft.kind, draft.kind_known = kind, True
        marks = phrases.marks_at_start(rich.text)
        if marks is not None:
            draft.marks, rich = marks[0], rich.cut(marks[1])
        self.part = "stem"
        labels = list(phrases.inner_options(rich.text, 0, "A"))
        if len(labels) >= 2 and self.stands_apart(rich.text, labels[0][1]):
            self.add(rich.cut(0, labels[0][1]), paragraph)
            self.add_options(rich, labels, paragraph)
        else:
            self.add(rich, paragraph)
        if draft.stem:
            ending = phrases.marks_at_end(draft.stem[0].text)
            if ending is not None:
                draft.marks = ending[0]
                draft.stem[0] = draft.stem[0].cut(0, ending[1]).strip()

    @staticmethod
    def stands_apart(text: str, place: int) -> bool:
        """“A．” in a stem begins the options only after a gap, a blank or the end of a sentence."""
        return place == 0 or text[place - 1] in " \t\n\u3000）)。？?：:;；"

    def option_line(self, line: Line) -> bool:
        draft = self.draft
        if draft is None:
            return False
        text = f"{line.label}\t{line.rich.text}" if line.label else line.rich.text
        label = phrases.option_label(text)
        if label is None or self.part not in {"stem", "options"}:
            return False
        letter, end, bare = label
        if self.half_width(letter) != draft.next_letter:
            return False
        if bare and not draft.options and not any(phrases.inner_options(text, end, "B", bare=True)):
            return False  # a sentence that begins with a letter
        rich = line.rich if line.label else line.rich.cut(end)
        start = 0 if line.label else end
        following = chr(ord(draft.next_letter) + 1)
        labels = [(letter, 0, 0)] + [
            (written, at - start, text_at - start)
            for written, at, text_at in phrases.inner_options(line.rich.text, start, following, bare=bare)
        ]
        self.add_options(rich, labels, line.number)
        return True

    def add_options(self, rich: Rich, labels: list[tuple[str, int, int]], paragraph: int) -> None:
        draft = self.draft
        if draft is None:
            return
        self.part = "options"
        ends = [begin for _, begin, _ in labels[1:]] + [len(rich.text)]
        for (written, _, start), end in zip(labels, ends, strict=True):
            letter = self.half_width(written)
            if written != letter:
                message = f"the label of option {letter} is typed in full width: type {letter} in half width"
                self.found("warning", "full-width", message, paragraph, f"选项{letter}")
            draft.options.append((letter, [rich.cut(start, end).strip()]))
        draft.last = paragraph

    @staticmethod
    def half_width(letter: str) -> str:
        return unicodedata.normalize("NFKC", letter)

    def field_line(self, line: Line) -> bool:
        draft = self.draft
        if draft is None or line.label:
            return False
        if line.rich.text.strip() in _ANSWER_WORDS:
            self.part = "答案"
            return True
        found = phrases.fields(line.rich.text)
        for name, start, end in found:
            self.set_field(draft, name, line.rich.cut(start, end).strip(), line.number)
        return bool(found)

    def set_field(self, draft: Draft, name: str, value: Rich, paragraph: int) -> None:
        self.part = name
        draft.last = paragraph
        held = draft.fields.setdefault(name, [])
        if held and name != "解析":
            message = f"the question has {name} twice: “{joined(held).text}” and “{value.text}”; the first counts"
            self.found("error", "repeated-field", message, paragraph, name)
            return
        draft.places.setdefault(name, paragraph)
        if value:
            held.append(value)

    def add(self, rich: Rich, paragraph: int) -> None:
        """More of the part that is being read."""
        draft = self.draft
        if draft is None:
            return
        draft.last = paragraph
        if self.part == "stem":
            draft.stem.append(rich.strip())
        elif self.part == "options":
            draft.options[-1][1].append(rich)
        else:
            draft.places.setdefault(self.part, paragraph)
            draft.fields.setdefault(self.part, []).append(rich)

    def grid(self, grid: Grid) -> None:
        """A table: answers, options side by side, or part of what is asked."""
        answers = answers_of_grid(grid)
        if answers and (self.in_answers or self.draft is None or self.draft.complete):
            self.answers.grid(answers)
            return
        lines = [line for row in grid.rows for cell in row for line in cell if line.rich or line.label]
        if self.draft is None or self.in_answers:
            if lines:
                message = "the table belongs to no question and was not read: put it after the question's number"
                self.found("warning", "not-a-question", message, grid.number)
            return
        labels = [phrases.option_label(f"{line.label}\t{line.rich.text}".lstrip("\t")) for line in lines]
        letters = [self.half_width(label[0]) for label in labels if label is not None]
        if len(letters) >= 2 and letters[0] == self.draft.next_letter and len(letters) == len(lines):
            for line, label in sorted(
                zip(lines, labels, strict=True), key=lambda pair: self.half_width(pair[1][0]) if pair[1] else ""
            ):
                if label is not None:
                    self.option_line(line)
            return
        self.add(Rich((Piece(OBJECT, markup=grid.markup),)), grid.number)
