"""What is wrong with the cells of one question, whatever table or document they come from."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER, choice_faults, wording_findings
from item_formats.findings import Finding, Severity
from item_formats.foreign.columns import OPTIONS, SURPLUS_OPTIONS
from item_formats.model import ItemType, type_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CODE_COLUMNS = ("编号", "知识点", "难度", "答案", "互斥", "分数", "一致性")
OPTION_COUNTS = {ItemType.SINGLE: (4, 4), ItemType.MULTIPLE: (4, 5)}  # as the national papers print them
GRADE_WORDS = {"易": "1", "容易": "1", "较易": "2", "中": "3", "中等": "3", "较难": "4", "难": "5", "困难": "5"}
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]+")
_OPTIONS = (*OPTIONS, *SURPLUS_OPTIONS)
_MARKS = re.compile(r"\d{1,3}(\.\d{1,2})?", re.ASCII)


@dataclass(slots=True)
class Firsts:
    """Where each identifier and each wording stood first."""

    identifiers: dict[str, int] = field(default_factory=dict)
    wordings: dict[tuple[str, ...], int] = field(default_factory=dict)


def half_width(cells: dict[str, str]) -> list[Finding]:
    """Full-width characters in codes; the cell goes on as if typed right, so that its other faults show too."""
    findings = []
    for column in CODE_COLUMNS:
        text = cells.get(column, "")
        if _FULL_WIDTH.search(text):
            cells[column] = unicodedata.normalize("NFKC", text).strip()
            message = f"{column} is “{text}”; type “{cells[column]}” with half-width characters"
            findings.append(Finding("error", "full-width", message, column=column))
    for column in _OPTIONS:
        label = re.match(r"\s*([A-ZＡ-Ｚ])\s*[.．、:：)）]", cells.get(column, ""))
        letter = unicodedata.normalize("NFKC", label[1]) if label else ""
        if label and letter == column[-1]:
            full_width = letter != label[1]
            written = f"{column} begins with its label “{label[0]}”"
            remedy = f"type {letter} half-width, or better leave the label out" if full_width else "leave the label out"
            findings.append(
                Finding(
                    "error" if full_width else "warning",
                    "full-width" if full_width else "option-carries-label",
                    f"{written}: {remedy}, the paper prints it",
                    column=column,
                )
            )
    return findings


def bank_faults(cells: dict[str, str]) -> list[Finding]:
    """What the bank keeps beside the item: point, grade, marks, congruence, enemies. Grades in words become figures.

    A cell that is not there at all is no fault: the format does not have it.
    """
    faults: list[Finding] = []

    def fault(code: str, column: str, message: str) -> None:
        faults.append(Finding("error", code, message, column=column))

    if cells.get("知识点") == "":
        fault("empty-point", "知识点", "知识点 is empty: write the code of the point, such as A-A-A-001")
    grade = cells.get("难度")
    if grade in GRADE_WORDS:
        cells["难度"] = grade = GRADE_WORDS[grade]
    if grade is not None and grade not in {"1", "2", "3", "4", "5"}:
        fault("bad-grade", "难度", f"难度 is “{grade}”; expected 1 (易), 2, 3, 4 or 5 (难)")
    marks = cells.get("分数", "")
    if marks and (not _MARKS.fullmatch(marks) or not Decimal(marks)):
        fault("bad-marks", "分数", f"分数 is “{marks}”; expected a number above 0 such as 0.5")
    congruence = cells.get("一致性", "")
    if congruence and congruence not in {"1", "2", "3", "4", "5"}:
        fault("bad-congruence", "一致性", f"一致性 is “{congruence}”; expected 1, 2, 3, 4 or 5")
    for enemy in enemies_in(cells):
        if not IDENTIFIER.fullmatch(enemy):
            fault("bad-enemy", "互斥", f"“{enemy}” is no item code; separate codes with ; such as Q0012;Q0345")
        elif enemy == cells["编号"]:
            fault("bad-enemy", "互斥", "the item is its own enemy: name the other item")
    return faults


def choice_findings(
    item_type: ItemType, cells: Mapping[str, str], options: Sequence[str], *, house_counts: bool = True
) -> list[Finding]:
    """Faults of a choice question and of its wording; other numbers of options than the national papers have are
    errors in a bank's own table, and warnings elsewhere.
    """
    faults = choice_faults(
        identifier=cells["编号"],
        item_type=item_type,
        stem=cells["题干"],
        options=options,
        key=cells["答案"],
        rationale=cells.get("解析"),
    )
    fewest, most = OPTION_COUNTS.get(item_type, (0, 0))
    if item_type in OPTION_COUNTS and not fewest <= len(options) <= most:
        severity: Severity = "error" if house_counts or len(options) < 2 else "warning"
        expected = f"{fewest}" if fewest == most else f"{fewest} or {most}"
        faults = [fault for fault in faults if fault.code != "option-count"]
        message = f"a {type_label(item_type)} item has {len(options)} options; expected {expected}, from 选项A on"
        place = min(len(options), fewest - 1) if len(options) < fewest else most
        faults.append(Finding(severity, "option-count", message, column=_OPTIONS[place]))
    alike = {unicodedata.normalize("NFKC", "".join(option.split())).casefold() for option in options}
    exact = {"".join(option.split()) for option in options}
    if len(alike) < len(exact):
        message = "two options differ only in width, case or raised figures: check that they can be told apart"
        faults.append(Finding("warning", "options-look-alike", message, column="选项A"))
    return faults + wording_findings(item_type, cells["题干"])


def duplicates(row: int, cells: dict[str, str], options: Sequence[str], firsts: Firsts) -> list[Finding]:
    findings = []
    identifier = cells["编号"]
    first = firsts.identifiers.setdefault(identifier, row)
    if identifier and first != row:
        message = f"编号 {identifier} already stands in row {first}: give each item its own"
        findings.append(Finding("error", "duplicate-identifier", message, column="编号"))
    wording = (_folded(cells["题干"]), *sorted(map(_folded, options)))
    first = firsts.wordings.setdefault(wording, row)
    if cells["题干"] and first != row:
        message = f"the same question and options already stand in row {first}: remove one of the two"
        findings.append(Finding("error", "duplicate-stem", message, column="题干"))
    return findings


def _folded(text: str) -> str:
    """For finding duplicates only: width, case and spacing do not make another question."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def option_texts(cells: dict[str, str]) -> list[str]:
    """Option texts up to the last one that is filled, so that a gap shows as an empty option."""
    texts = [cells.get(column, "") for column in _OPTIONS]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def enemies_in(cells: dict[str, str]) -> tuple[str, ...]:
    parts = (part.strip() for part in cells.get("互斥", "").split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))
