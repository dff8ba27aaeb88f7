"""Moodle XML in: choice, true/false, short answer, numerical, matching and essay questions with their files."""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
import urllib.parse
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.choice import TRUE_FALSE_TEXTS
from item_formats.foreign.building import number
from item_formats.foreign.collecting import MAX_BYTES, Collector, clean_text
from item_formats.foreign.formulas import formula_markup
from item_formats.foreign.markup import GAP, formulas_in_markup, markup_of_html
from item_formats.foreign.question import Answer, Choice, Kind, Question
from item_formats.parsing import line_of, local_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from item_formats.foreign.table import ItemTable

_PLUGIN = "@@PLUGINFILE@@/"
_ENDINGS = {".png": ".png", ".jpg": ".jpeg", ".jpeg": ".jpeg", ".gif": ".gif", ".webp": ".webp", ".bmp": ".bmp"}
_POINT_TAG, _GRADE_TAG = "知识点:", "难度:"
_LOST_TEXTS = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")


def read_moodle(path: Path) -> ItemTable:
    """Questions of a Moodle XML file. Pictures become `media` of the table; findings have lines of the file.

    Types without a counterpart (cloze, drag and drop, calculated …) are findings that name them. Codes come from
    `idnumber`, or are made from the wording; names become titles.
    """
    collector = Collector(str(path))
    root = _root(path, collector)
    if root is None:
        return collector.table()
    for element in root:
        if local_name(element) == "question":
            _Reading(element, collector).read()
    return collector.table()


def _root(path: Path, collector: Collector) -> etree._Element | None:
    if path.stat().st_size > MAX_BYTES:
        collector.fault("too-large", f"the file has more than {MAX_BYTES:,} bytes: split it")
        return None
    # Files inside questions make long texts: huge_tree lifts libxml2's 10 MB limit, the limit above holds instead.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, strip_cdata=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        collector.fault("not-xml", f"not well-formed XML: {error}")
        return None
    if root.getroottree().docinfo.internalDTD is not None:
        collector.fault("doctype", "the document has a <!DOCTYPE>, which Moodle never writes: remove it", 1)
        return None
    if local_name(root) != "quiz":
        collector.fault("not-moodle", f"the document is <{local_name(root)}>; Moodle XML begins with <quiz>")
        return None
    if _deepest(root) > _DEEPEST:
        collector.fault("too-deep", f"elements are nested more than {_DEEPEST} deep")
        return None
    return root


_DEEPEST = 64


def _deepest(root: etree._Element) -> int:
    depth = deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
        if deepest > _DEEPEST:
            break
    return deepest


class _Reading:
    """One question being read."""

    def __init__(self, element: etree._Element, collector: Collector) -> None:
        self.element, self.collector = element, collector
        self.line = line_of(element)
        self.kind = element.get("type", "")

    def read(self) -> None:
        if self.kind == "category":
            name = self.element.findtext("category/text", "").strip()
            self.collector.warn("category", f"the category {name} was not kept", self.line)
            return
        readers: dict[str, Callable[[Question], Question]] = {
            "multichoice": self.choices,
            "multichoiceset": self.choices,
            "truefalse": self.true_false,
            "shortanswer": self.words,
            "numerical": self.numbers,
            "essay": self.essay,
            "matching": self.matching,
        }
        reader = readers.get(self.kind)
        if reader is None:
            kind = "a description, not a question" if self.kind == "description" else f"of the type {self.kind or '?'}"
            message = f"the question “{self.name}” is {kind} and was not read: write it as QTI"
            severity = self.collector.warn if self.kind == "description" else self.collector.fault
            severity("unsupported-type", message, self.line)
            return
        tags = [(tag.text or "").strip() for tag in self.element.iterfind("tags/tag/text")]
        point = next((tag.removeprefix(_POINT_TAG) for tag in tags if tag.startswith(_POINT_TAG)), "")
        grade = next((tag.removeprefix(_GRADE_TAG) for tag in tags if tag.startswith(_GRADE_TAG)), "")
        surplus = [tag for tag in tags if not tag.startswith((_POINT_TAG, _GRADE_TAG))]
        if surplus:
            self.lost(f"the tags {', '.join(surplus)}")
        for name in _LOST_TEXTS:
            if self.element.findtext(f"{name}/text", "").strip() not in _USUAL:
                self.lost(f"<{name}>")
        if self.element.find("hint") is not None:
            self.lost("hints")
        try:
            frame = Question(
                identifier=self.element.findtext("idnumber", "").strip(),
                kind=Kind.ESSAY,
                stem=self.markup(self.element.find("questiontext")),
                rationale=self.markup(self.element.find("generalfeedback")),
                title=self.name,
            )
            question = reader(frame)
            marks = Decimal(self.element.findtext("defaultgrade", "1").strip() or "1")
        except (InvalidOperation, ValueError) as error:
            self.collector.fault("broken-question", f"“{self.name}” cannot be read ({error})", self.line)
            return
        if question.title == question.identifier:
            question = replace(question, title=None)
        level = int(grade) if grade in {"1", "2", "3", "4", "5"} else None
        worth = Decimal(number(marks)) if marks > 0 and marks != 1 else None
        self.collector.add(question, self.line, point=point, grade=level, marks=worth)

    @property
    def name(self) -> str:
        return clean_text(self.element.findtext("name/text", ""), self.collector).strip()

    def lost(self, what: str) -> None:
        self.collector.warn("simplified", f"{what} of “{self.name}” could not be kept", self.line)

    def markup(self, element: etree._Element | None) -> str:
        """The text of a part in its format, with its files as media."""
        if element is None:
            return ""
        text = clean_text(element.findtext("text", "") or "", self.collector)
        asked = self.element.find("questiontext")
        fmt = element.get("format") or ("html" if asked is None else asked.get("format", "html"))
        if fmt in {"plain_text", "markdown"}:
            written, problems = formula_markup(text.strip())
            for code, message in problems:
                self.collector.warn(code, message, self.line)
            return written
        files = {file.get("path", "/") + file.get("name", ""): file for file in element.iterfind("file")}
        source = text.replace("\n", "<br>") if fmt == "moodle_auto_format" else text
        shown, lost = markup_of_html(source, picture=lambda address: self.picture(address, files))
        for name in lost:
            self.lost(f"<{name}>")
        return formulas_in_markup(shown)

    def picture(self, address: str, files: dict[str, etree._Element]) -> str | None:
        """Where a picture goes; None, with a finding, when it is not in the file."""
        if address.startswith("data:"):
            return address
        if not address.startswith(_PLUGIN):
            message = f"the picture {address[:80]} is not in the file: embed it in Moodle before exporting"
            self.collector.warn("linked-picture", message, self.line)
            return None
        name = "/" + urllib.parse.unquote(address.removeprefix(_PLUGIN)).lstrip("/")
        held = files.get(name)
        ending = _ENDINGS.get(posixpath.splitext(name)[1].lower())
        try:
            content = base64.b64decode("".join((held.text or "").split()), validate=True) if held is not None else b""
        except (binascii.Error, ValueError):
            content = b""
        if not content or ending is None:
            message = f"the picture {name} is missing, damaged or in a format browsers cannot show"
            self.collector.warn("missing-picture", message, self.line)
            return None
        place = f"media/{hashlib.sha256(content).hexdigest()[:16]}{ending}"
        self.collector.media[place] = content
        return f"../{place}"

    def fraction(self, answer: etree._Element) -> Decimal:
        return Decimal((answer.get("fraction") or "0").strip()) / 100

    def choices(self, frame: Question) -> Question:
        answers = self.element.findall("answer")
        several = self.kind == "multichoiceset" or self.element.findtext("single", "true").strip() in {"false", "0"}
        choices = tuple(
            Choice(self.markup(answer), self.fraction(answer), self.markup(answer.find("feedback")))
            for answer in answers
        )
        full = [choice for choice in choices if choice.fraction == 1]
        plain = {choice.fraction for choice in choices} <= {Decimal(0), Decimal(1)} and (several or len(full) == 1)
        shuffle = self.element.findtext("shuffleanswers", "true").strip() in {"true", "1"}
        return replace(
            frame,
            kind=Kind.MULTIPLE if several else Kind.SINGLE,
            choices=choices,
            partial=self.kind == "multichoice" and (several or not plain),
            shuffle=shuffle,
        )

    def true_false(self, frame: Question) -> Question:
        worth: dict[str, Decimal] = {}
        feedback: dict[str, str] = {}
        for answer in self.element.findall("answer"):
            word = answer.findtext("text", "").strip().lower()
            worth[word] = self.fraction(answer)
            feedback[word] = self.markup(answer.find("feedback"))
        choices = tuple(
            Choice(text, worth.get(word, Decimal(0)), feedback.get(word, ""))
            for text, word in zip(TRUE_FALSE_TEXTS.values(), ("true", "false"), strict=True)
        )
        return replace(frame, kind=Kind.TRUE_FALSE, choices=choices)

    def words(self, frame: Question) -> Question:
        answers = []
        for answer in self.element.findall("answer"):
            text = clean_text(answer.findtext("text", ""), self.collector).strip()
            share = self.fraction(answer)
            if answer.findtext("feedback/text", "").strip():
                self.lost(f"feedback on the answer “{text}”")
            if text == "*" and share == 0:
                continue
            if "*" in text.replace(r"\*", ""):
                raise ValueError(f"the answer “{text}” holds the wildcard *")
            answers.append(Answer(text.replace(r"\*", "*"), share))
        strict = self.element.findtext("usecase", "0").strip() == "1"
        return replace(
            frame, kind=Kind.GAPS, answers=(tuple(answers),), case_sensitive=strict, stem=_gap_in(frame.stem)
        )

    def numbers(self, frame: Question) -> Question:
        answers = []
        for answer in self.element.findall("answer"):
            text = answer.findtext("text", "").strip()
            if answer.findtext("feedback/text", "").strip():
                self.lost(f"feedback on the answer “{text}”")
            if text == "*":
                continue
            tolerance = Decimal(answer.findtext("tolerance", "0").strip() or "0")
            answers.append(Answer(number(Decimal(text)), self.fraction(answer), tolerance))
        if self.element.find("units/unit") is not None:
            self.lost("units")
        return replace(frame, kind=Kind.NUMBER, answers=(tuple(answers),), stem=_gap_in(frame.stem))

    def essay(self, frame: Question) -> Question:
        return replace(frame, kind=Kind.ESSAY, model_answer=self.markup(self.element.find("graderinfo")))

    def matching(self, frame: Question) -> Question:
        pairs, unmatched = [], []
        for part in self.element.findall("subquestion"):
            source = self.markup(part)
            text = clean_text(part.findtext("answer/text", ""), self.collector).strip()
            target, _ = formula_markup(text)
            (pairs.append((source, target)) if source else unmatched.append(target)) if target else None
        shuffle = self.element.findtext("shuffleanswers", "true").strip() in {"true", "1"}
        return replace(frame, kind=Kind.MATCHING, pairs=tuple(pairs), unmatched=tuple(unmatched), shuffle=shuffle)


def _gap_in(stem: str) -> str:
    return re.sub("_{5,}", GAP, stem, count=1)


_USUAL = frozenset(
    {
        "",
        "Your answer is correct.",
        "Your answer is partially correct.",
        "Your answer is incorrect.",
        "<p>Your answer is correct.</p>",
        "<p>Your answer is partially correct.</p>",
        "<p>Your answer is incorrect.</p>",
        "回答正确。",
        "部分正确。",
        "回答错误。",
    }
)
