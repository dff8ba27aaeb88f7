"""GIFT: Moodle's plain text for questions, ``::name::text{=right ~wrong}``."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from item_formats.choice import TRUE_FALSE_TEXTS
from item_formats.findings import Finding, ItemError
from item_formats.foreign.building import number
from item_formats.foreign.collecting import Collector, read_text, writable
from item_formats.foreign.formulas import formula_markup
from item_formats.foreign.markup import GAP, formulas_in_markup, html_of_markup, markup_of_html, plain_text
from item_formats.foreign.question import Answer, Choice, Kind, Question
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from item_formats.foreign.table import ItemRow, ItemTable

_SPECIAL = "~=#{}:"
_FORMAT = re.compile(r"\s*\[(html|moodle|plain|markdown)\]")
_NAME = re.compile(r"\s*::(.*?)(?<!\\)::", re.DOTALL)
_TRUE = re.compile(r"\s*(T|TRUE|F|FALSE)\s*(?=#|$)", re.IGNORECASE)
_WEIGHT = re.compile(r"\s*%(-?[0-9]+(?:\.[0-9]*)?)%")
_TAGGED = re.compile(r"\[(id|tag):((?:\\.|[^\]])*)\]")
_BLANK = "_____"
_HIDDEN = {character: chr(0xE000 + place) for place, character in enumerate("~=#{}:\\")}


def read_gift(path: Path) -> ItemTable:
    """Questions of a GIFT file: choice, true/false, several answers with shares, words, numbers, matching, essays.

    Codes come from ``// [id:…]`` comments or from the wording; names become titles. Findings have lines of the file.
    """
    collector = Collector(str(path))
    text = read_text(path, collector)
    identifier, point, grade = "", "", ""
    for line, block in _blocks(text):
        lines = []
        for written in block.split("\n"):
            if written.lstrip().startswith("//"):
                for name, value in _TAGGED.findall(written):
                    value = _plain(_hidden(value))  # noqa: PLW2901
                    identifier = value if name == "id" else identifier
                    point = value.removeprefix("知识点:") if value.startswith("知识点:") else point
                    grade = value.removeprefix("难度:") if value.startswith("难度:") else grade
            elif written.lstrip().startswith("$CATEGORY:"):
                collector.warn("category", f"the category {written.strip()[10:].strip()} was not kept", line)
            else:
                lines.append(written)
        source = "\n".join(lines)
        if not source.strip():
            continue
        question = _question(source, line, collector, identifier)
        if question is not None:
            level = int(grade) if grade in {"1", "2", "3", "4", "5"} else None
            collector.add(question, line, point=point, grade=level)
        identifier, point, grade = "", "", ""
    return collector.table()


def _blocks(text: str) -> Iterable[tuple[int, str]]:
    """Stretches between empty lines, outside of braces, with the line each begins on."""
    block: list[str] = []
    begin, depth = 1, 0
    for line_number, line in enumerate([*text.split("\n"), ""], start=1):
        if not line.strip() and depth <= 0:
            if block:
                yield begin, "\n".join(block)
            block, depth = [], 0
            continue
        if not block:
            begin = line_number
        block.append(line)
        if not line.lstrip().startswith("//"):
            bare = re.sub(r"\\.", "", line)
            depth += bare.count("{") - bare.count("}")
    if block:
        yield begin, "\n".join(block)


def _hidden(text: str) -> str:
    r"""Escaped signs as private characters, so that they are not taken for GIFT's own; ``\n`` is a line break."""
    return re.sub(r"\\([~=#{}:\\])", lambda found: _HIDDEN[found[1]], text).replace("\\n", "\n")


def _plain(text: str) -> str:
    for character, sign in _HIDDEN.items():
        text = text.replace(sign, character)
    return text.strip()


class _Reading:
    """One question being read: how its text is formatted, and where to say what is wrong."""

    def __init__(self, line: int, collector: Collector, fmt: str) -> None:
        self.line, self.collector, self.fmt = line, collector, fmt

    def markup(self, text: str) -> str:
        found = _FORMAT.match(text)
        fmt = found[1] if found else self.fmt
        text = _plain(text[found.end() :] if found else text)
        if fmt in {"html", "moodle"}:
            shown, lost = markup_of_html(text.replace("\n", "<br>") if fmt == "moodle" else text)
            for name in lost:
                self.collector.warn("markup-left-out", f"<{name}> could not be kept", self.line)
            return formulas_in_markup(shown)
        written, problems = formula_markup(text)
        for code, message in problems:
            self.collector.warn(code, message, self.line)
        return written

    def feedback(self, text: str) -> str:
        return self.markup(text) if text.strip() else ""


def _question(source: str, line: int, collector: Collector, identifier: str) -> Question | None:
    text = _hidden(source)
    name = _NAME.match(text)
    title = _plain(name[1]) if name else None
    text = text[name.end() :] if name else text
    found = _FORMAT.match(text)
    reading = _Reading(line, collector, found[1] if found else "plain")
    text = text[found.end() :] if found else text
    opening, closing = text.find("{"), text.rfind("}")
    if opening < 0 or closing < opening:
        message = "there is no {…} with answers: a description is no question, and was not read"
        collector.warn("not-a-question", message, line)
        return None
    before, inside, after = text[:opening], text[opening + 1 : closing], text[closing + 1 :]
    inside, _, general = inside.partition("####")
    missing_word = bool(after.strip())
    written = f"{before.rstrip()} {_BLANK} {after.strip()}" if missing_word else before
    frame = Question(identifier, Kind.ESSAY, reading.markup(written), title=title, rationale=reading.feedback(general))
    try:
        return _answered(frame, inside, reading)
    except (ValueError, InvalidOperation, ArithmeticError) as error:
        collector.fault("broken-question", f"the answers cannot be read ({error})", line, identifier or None)
        return None


def _answered(frame: Question, inside: str, reading: _Reading) -> Question:
    true = _TRUE.match(inside)
    if not inside.strip():
        return frame
    if true is not None:
        return _true_false(frame, true, inside, reading)
    if inside.lstrip().startswith("#"):
        return _numbers(frame, inside.lstrip()[1:], reading)
    answers = [(found[1], found[2]) for found in re.finditer(r"([=~])([^=~]*)", inside)]
    if not answers:
        answers = [("=", inside)]
    if all(sign == "=" and "->" in text for sign, text in answers):
        return _matching(frame, [text for _, text in answers], reading)
    if all(sign == "=" for sign, _ in answers):
        return _words(frame, [text for _, text in answers], reading)
    return _choices(frame, answers, reading)


def _with(question: Question, **changes: object) -> Question:
    return replace(question, **changes)  # type: ignore[arg-type]


def _true_false(frame: Question, true: re.Match[str], inside: str, reading: _Reading) -> Question:
    right = true[1].upper().startswith("T")
    # The first feedback is for a wrong response, the second for the right one.
    wrong, _, good = inside[true.end() :].lstrip("#").partition("#")
    texts = [reading.feedback(good), reading.feedback(wrong)]
    shown = TRUE_FALSE_TEXTS.values()
    choices = tuple(
        Choice(text, Decimal(right == (place == 0)), texts[0] if right == (place == 0) else texts[1])
        for place, text in enumerate(shown)
    )
    return _with(frame, kind=Kind.TRUE_FALSE, choices=choices)


def _weighed(text: str) -> tuple[Decimal | None, str, str]:
    """Share, text and feedback of one answer."""
    weight = _WEIGHT.match(text)
    body, _, feedback = (text[weight.end() :] if weight else text).partition("#")
    return (Decimal(weight[1]) / 100 if weight else None), body, feedback


def _choices(frame: Question, answers: list[tuple[str, str]], reading: _Reading) -> Question:
    weighed = [(sign, *_weighed(text)) for sign, text in answers]
    several = not any(sign == "=" for sign, *_ in weighed)
    choices = tuple(
        Choice(
            reading.markup(text),
            share if share is not None else Decimal(sign == "="),
            reading.feedback(feedback),
        )
        for sign, share, text, feedback in weighed
    )
    shares = {choice.fraction for choice in choices}
    partial = several or not shares <= {Decimal(0), Decimal(1)} or sum(c.fraction == 1 for c in choices) > 1
    return _with(frame, kind=Kind.MULTIPLE if several else Kind.SINGLE, choices=choices, partial=partial)


def _words(frame: Question, texts: list[str], reading: _Reading) -> Question:
    answers = []
    for text in texts:
        share, body, feedback = _weighed(text)
        if feedback.strip():
            reading.collector.warn("feedback-left-out", "feedback of written answers was not kept", reading.line)
        if "*" in body:
            raise ValueError("an answer holds the wildcard *")
        answers.append(Answer(_plain(body), Decimal(1) if share is None else share))
    return _with(frame, kind=Kind.GAPS, answers=(tuple(answers),), stem=_gap_in(frame.stem))


def _gap_in(stem: str) -> str:
    return re.sub("_{5,}", GAP, stem, count=1) if re.search("_{5,}", stem) else stem


def _numbers(frame: Question, inside: str, reading: _Reading) -> Question:
    answers = []
    parts = [part for part in re.split(r"(?<!^)=", inside) if part.strip("= \n\t")]
    for part in parts:
        share, body, feedback = _weighed(part.strip().lstrip("="))
        if feedback.strip():
            reading.collector.warn("feedback-left-out", "feedback of written answers was not kept", reading.line)
        body = _plain(body)
        if ".." in body:
            low, high = (Decimal(side.strip()) for side in body.split("..", 1))
            middle, tolerance = (low + high) / 2, (high - low) / 2
        else:
            value, _, spread = body.partition(":")
            middle, tolerance = Decimal(value.strip()), Decimal(spread.strip() or "0")
        answers.append(Answer(number(middle), Decimal(1) if share is None else share, tolerance))
    return _with(frame, kind=Kind.NUMBER, answers=(tuple(answers),), stem=_gap_in(frame.stem))


def _matching(frame: Question, texts: list[str], reading: _Reading) -> Question:
    pairs, unmatched = [], []
    for text in texts:
        source, _, target = text.partition("->")
        if source.strip():
            pairs.append((reading.markup(source), reading.markup(target)))
        else:
            unmatched.append(reading.markup(target))
    return _with(frame, kind=Kind.MATCHING, pairs=tuple(pairs), unmatched=tuple(unmatched))


def write_gift(path: Path, rows: Iterable[ItemRow]) -> tuple[Finding, ...]:
    """Write questions as GIFT; what it cannot say comes back as warnings.

    All-or-nothing questions with several right options lose that rule: GIFT knows only shares, so the right options
    share the marks and a wrong one takes them all away.

    Raises
    ------
    ItemError
        Items that are no question of the kinds GIFT knows, or hold pictures; nothing is written then.
    """
    questions, findings = writable(rows)
    faults: list[Finding] = []
    written = []
    for row, question in questions:
        try:
            written.append(_written(row, question, findings))
        except ValueError as error:
            faults.append(Finding("error", "not-expressible", f"{error}: write it as Moodle XML", item=row.identifier))
    if faults:
        raise ItemError(*faults)
    write_whole(path, ("\n\n".join(written) + "\n").encode())
    return tuple(findings)


def _written(row: ItemRow, question: Question, findings: list[Finding]) -> str:
    tags = [f"[id:{row.identifier}]"]
    tags += [f"[tag:知识点:{row.point}]"] if row.point else []
    tags += [f"[tag:难度:{row.grade}]"] if row.grade is not None else []
    if question.kind is Kind.GAPS and len(question.answers) > 1:
        raise ValueError("GIFT has no questions with several gaps")
    title = question.title if question.title is not None else row.identifier
    parts = [question.stem, *(choice.markup for choice in question.choices), question.rationale]
    parts += [side for pair in question.pairs for side in pair]
    parts += [choice.feedback for choice in question.choices]
    rich = any(plain_text(part.replace(GAP, _BLANK)) is None for part in parts)
    if any("<img" in part for part in parts):
        raise ValueError("GIFT holds no pictures")
    write = _Writing(rich=rich)
    answers = write.answers(question, findings)
    general = f"####{write.text(question.rationale)}" if question.rationale else ""
    stem = write.text(question.stem)
    name = "" if question.title is None else f"::{write.escaped(title)}::"
    return f"// {' '.join(tags)}\n{name}{'[html]' if rich else '[plain]'}{stem}{{{answers}{general}}}"


class _Writing:
    def __init__(self, *, rich: bool) -> None:
        self.rich = rich

    @staticmethod
    def escaped(text: str) -> str:
        return re.sub(f"([{re.escape(_SPECIAL)}\\\\])", r"\\\1", text).replace("\n", "\\n")

    def text(self, markup: str) -> str:
        if self.rich:
            text = self.escaped(html_of_markup(markup, gap=_BLANK))
        else:
            text = self.escaped(plain_text(markup.replace(GAP, _BLANK)) or "")
        # A text that begins like a format gets the right one before it.
        return f"[{'html' if self.rich else 'plain'}]{text}" if _FORMAT.match(text) else text

    def answers(self, question: Question, findings: list[Finding]) -> str:
        if question.kind is Kind.TRUE_FALSE:
            return self.true_false(question)
        if question.kind in {Kind.SINGLE, Kind.MULTIPLE}:
            return self.choices(question, findings)
        if question.kind is Kind.MATCHING:
            pairs = [*question.pairs, *(("", target) for target in question.unmatched)]
            if any("->" in self.text(source) for source, _ in pairs):
                raise ValueError("GIFT reads -> in what is to be matched as its own sign")
            return " ".join(f"={self.text(source)} -> {self.text(target)}" for source, target in pairs)
        if question.kind is Kind.ESSAY:
            if question.model_answer:
                message = "GIFT has no place for what scorers expect of an essay; it was left out"
                findings.append(Finding("warning", "simplified", message, item=question.identifier))
            return ""
        if question.case_sensitive:
            message = "GIFT does not tell capital from small letters; the rule was left out"
            findings.append(Finding("warning", "simplified", message, item=question.identifier))
        return self.written_answers(question)

    def true_false(self, question: Question) -> str:
        right = question.keys[0]
        good, wrong = question.choices[right].feedback, question.choices[1 - right].feedback
        answer = "TRUE" if right == 0 else "FALSE"
        return answer + (f"#{self.text(wrong)}#{self.text(good)}" if good or wrong else "")

    def choices(self, question: Question, findings: list[Finding]) -> str:
        several = question.kind is Kind.MULTIPLE
        shares = {choice: choice.fraction for choice in question.choices}
        if several and not question.partial:
            each = (Decimal(1) / len(question.keys)).quantize(Decimal("0.0000001"))
            shares = {choice: each if choice.fraction > 0 else Decimal(-1) for choice in question.choices}
            message = "GIFT cannot say all or nothing: the right options share the marks, a wrong one takes them away"
            findings.append(Finding("warning", "partial-credit", message, item=question.identifier))
        written = []
        for choice in question.choices:
            share = shares[choice]
            text = self.text(choice.markup)
            sign = "=" if not several and share == 1 else "~"
            if _WEIGHT.match(text) or several or share not in {Decimal(0), Decimal(1)}:
                sign += f"%{number(share * 100)}%"  # also before a text that looks like a share
            feedback = f"#{self.text(choice.feedback)}" if choice.feedback else ""
            written.append(f"{sign}{text}{feedback}")
        return "\n" + "\n".join(written) + "\n"

    def written_answers(self, question: Question) -> str:
        numeric = question.kind is Kind.NUMBER
        written = []
        for answer in question.answers[0]:
            spread = f":{number(answer.tolerance)}" if numeric else ""
            text = answer.text if numeric else self.escaped(answer.text)
            if "->" in text or "*" in text:
                raise ValueError("GIFT reads -> and * in answers as signs of its own")
            weight = f"%{number(answer.fraction * 100)}%" if answer.fraction != 1 or _WEIGHT.match(text) else ""
            written.append(f"={weight}{text}{spread}")
        return ("#" if numeric else "") + " ".join(written)
