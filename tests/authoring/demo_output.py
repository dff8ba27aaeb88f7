"""What the demo's files say, read with the standard library alone: nothing here knows how they were made."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SAMPLE = Path(__file__).parents[2] / "examples" / "ai_trainer_l3"
QTI = "{http://www.imsglobal.org/xsd/imsqtiasi_v3p0}"
TYPES = {"判断": "true_false", "单选": "single", "多选": "multiple"}
MARKS = {"true_false": 0.5, "single": 0.5, "multiple": 1.0}
COUNTS = {"true_false": 40, "single": 140, "multiple": 10}
FUNCTIONS = {"职业道德": 5, "基础知识": 10, "业务分析": 20, "智能训练": 30, "智能系统设计": 30, "培训与指导": 5}


@dataclass(frozen=True, slots=True)
class SampleItem:
    """A row of items.csv, with the places in outline.json of its point."""

    code: str
    type: str
    point: str
    section: str
    function: str
    grade: str
    stem: str
    options: tuple[str, ...]
    key: str
    rationale: str
    enemies: frozenset[str]


@dataclass(frozen=True, slots=True)
class PaperTest:
    """A QTI test of a package: (item, marks) in order, by section title; the whole title, limit and total."""

    title: str
    seconds: str
    maximum: str
    sections: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]

    @property
    def entries(self) -> list[tuple[str, float]]:
        return [entry for _, section in self.sections for entry in section]

    @property
    def items(self) -> list[str]:
        return [item for item, _ in self.entries]


def sample_items() -> dict[str, SampleItem]:
    """The 570 items of the sample bank by code."""
    places: dict[str, tuple[str, str]] = {}
    outline = json.loads((SAMPLE / "outline.json").read_text(encoding="utf-8"))
    for area in outline["areas"]:
        for section in area["sections"]:
            # 基本要求 is no row of the weight table: its two sections are
            function = section["name"] if area["name"] == "基本要求" else area["name"]
            places |= {point["code"]: (section["code"], function) for point in section["points"]}
    with (SAMPLE / "items.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["编号"]: SampleItem(
                code=row["编号"],
                type=TYPES[row["题型"]],
                point=row["知识点"],
                section=places[row["知识点"]][0],
                function=places[row["知识点"]][1],
                grade=row["难度"],
                stem=row["题干"],
                options=tuple(row[f"选项{letter}"] for letter in "ABCDE" if row[f"选项{letter}"]),
                key=row["答案"],
                rationale=row["解析"],
                enemies=frozenset(filter(None, row["互斥"].split(";"))),
            )
            for row in csv.DictReader(file)
        }


def section_weights() -> dict[str, float]:
    """The nine sections' shares of the marks, in percent."""
    outline = json.loads((SAMPLE / "outline.json").read_text(encoding="utf-8"))
    return {section["code"]: section["weight"] for area in outline["areas"] for section in area["sections"]}


def planted_faults() -> set[str]:
    """The items whose simulated answers are faulty on purpose."""
    with (SAMPLE / "sittings" / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["item"] for row in csv.DictReader(file) if row["fault"]}


def package_items(package: Path) -> dict[str, str]:
    """The items of a content package as text, by the identifier in their file name."""
    with zipfile.ZipFile(package) as archive:
        names = [name for name in archive.namelist() if name.startswith("items/")]
        return {Path(name).stem: archive.read(name).decode("utf-8") for name in names}


def paper_test(package: Path) -> PaperTest:
    """The one test of a content package."""
    with zipfile.ZipFile(package) as archive:
        (name,) = [name for name in archive.namelist() if name.startswith("tests/")]
        root = ET.fromstring(archive.read(name))  # noqa: S314  # we wrote it
    sections = [
        (
            section.get("title", ""),
            tuple(
                (reference.get("identifier", ""), float(reference[0].get("value", "")))
                for reference in section.iter(f"{QTI}qti-assessment-item-ref")
            ),
        )
        for section in root.iter(f"{QTI}qti-assessment-section")
    ]
    outcome = root.find(f"{QTI}qti-outcome-declaration")
    limits = root.find(f"{QTI}qti-time-limits")
    assert outcome is not None
    assert limits is not None
    return PaperTest(
        root.get("title", ""), limits.get("max-time", ""), outcome.get("normal-maximum", ""), tuple(sections)
    )


def parameters(file: Path) -> dict[str, tuple[float, float]]:
    """Slope a and difficulty b by item from params.json."""
    return {row["id"]: (row["a"], row["b"]) for row in json.loads(file.read_text(encoding="utf-8"))["items"]}


def expected_marks(weights: Mapping[str, float], known: Mapping[str, tuple[float, float]], theta: float) -> float:
    """Σ w / (1 + exp(-a(θ - b))): what a candidate of ability θ gets, item i being worth weights[i]."""
    return sum(w / (1 + exp(-known[item][0] * (theta - known[item][1]))) for item, w in weights.items())


def raked(items: Iterable[SampleItem]) -> dict[str, float]:
    """Marks of each item on the paper that the eligible items are on average: what parallel papers must equal.

    Every item stands on it in part, equal parts at first; they are then scaled, margin by margin, until types have
    their numbers and functions their marks (iterative proportional fitting, Deming & Stephan, 1940).
    """
    eligible = list(items)
    part = {item.code: 1.0 for item in eligible}
    margins = [
        *((wanted, {i.code: 1.0 for i in eligible if i.type == kind}) for kind, wanted in COUNTS.items()),
        *((wanted, {i.code: MARKS[i.type] for i in eligible if i.function == f}) for f, wanted in FUNCTIONS.items()),
    ]
    for _ in range(100):
        for wanted, worth in margins:
            factor = wanted / sum(part[code] * each for code, each in worth.items())
            for code in worth:
                part[code] *= factor
    return {item.code: part[item.code] * MARKS[item.type] for item in eligible}


def cut(weights: Mapping[str, float], known: Mapping[str, tuple[float, float]], share: float = 0.60) -> float:
    """The ability that is expected to get `share` of the marks, by bisection."""
    wanted = share * sum(weights.values())
    low, high = -6.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expected_marks(weights, known, middle) < wanted else (low, middle)
    return low


@dataclass(slots=True)
class Page(HTMLParser):
    """An HTML page: its text without spaces, the tags it opens with their attributes, and whether they all close."""

    pieces: list[str] = field(default_factory=list)
    opened: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.opened.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "col", "link", "hr", "img", "input"}:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.opened.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.stack[-1:]):
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return squeezed("".join(self.pieces))


def page(file: Path) -> Page:
    """An HTML file, parsed; every tag that is opened must be closed in order."""
    parsed = Page()
    parsed.feed(file.read_text(encoding="utf-8"))
    parsed.close()
    assert not parsed.unbalanced
    assert not parsed.stack
    return parsed


def squeezed(text: str) -> str:
    """Text without any white space, so that line breaks in markup do not matter."""
    return "".join(text.split())
