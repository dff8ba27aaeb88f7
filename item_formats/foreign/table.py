"""Items as a table that people edit: one row an item, the header Chinese bank editors use."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER, choice_faults, choice_item, wording_findings
from item_formats.findings import Finding, ItemError, Severity, errors_among
from item_formats.foreign.csv_text import Record, without_controls
from item_formats.model import Item, ItemType, type_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REQUIRED = ("编号", "题型", "知识点", "难度", "题干", "答案")
OPTIONS = ("选项A", "选项B", "选项C", "选项D", "选项E")
COLUMNS = ("编号", "题型", "知识点", "难度", "题干", *OPTIONS, "答案", "解析", "出处", "互斥")
EXTRA_COLUMNS = ("分数", "一致性")
CODE_COLUMNS = ("编号", "知识点", "难度", "答案", "互斥", "分数", "一致性")

OPTION_COUNTS = {ItemType.SINGLE: (4, 4), ItemType.MULTIPLE: (4, 5)}  # as the national papers print them
_TYPES = {type_label(item_type): item_type for item_type in ItemType}
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]+")
_MARKS = re.compile(r"\d{1,3}(\.\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item with what the bank keeps beside it. `grade` is 难度 1 (易) to 5 (难), `congruence` 一致性 1 to 5."""

    identifier: str
    item: Item
    point: str
    grade: int
    marks: Decimal | None = None
    congruence: int | None = None
    source: str | None = None
    enemies: tuple[str, ...] = ()
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ItemTable:
    """The good rows of a table, and findings on all of them."""

    rows: tuple[ItemRow, ...]
    findings: tuple[Finding, ...]


def written_table(rows: Iterable[ItemRow]) -> list[list[str]]:
    """Header and cells that `read_rows` reads back as these rows.

    Raises
    ------
    ItemError
        An item that says more than a row can hold.
    """
    rows = list(rows)
    kept = {
        "分数": any(row.marks is not None for row in rows),
        "一致性": any(row.congruence is not None for row in rows),
    }
    columns = [*COLUMNS, *(column for column in EXTRA_COLUMNS if kept[column])]
    cells = [_written(row) for row in rows]
    return [columns, *([row.get(column, "") for column in columns] for row in cells)]


@dataclass(slots=True)
class _Firsts:
    """Where each identifier and each wording stood first."""

    identifiers: dict[str, int] = field(default_factory=dict)
    wordings: dict[tuple[str, ...], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Header:
    """Where each known column stands, and how many cells a row may have."""

    places: dict[str, int]
    width: int


def _read_header(record: Record) -> tuple[_Header | None, list[Finding]]:
    """The header, or None when rows cannot be read by it."""
    findings: list[Finding] = []
    places: dict[str, int] = {}

    def found(severity: Severity, code: str, message: str, column: str | None = None) -> None:
        findings.append(Finding(severity, code, message, line=record.row, column=column))

    known = (*COLUMNS, *EXTRA_COLUMNS)
    names = [cell.strip() for cell in record.cells]
    if len(names) == 1 and "题干" in names[0]:
        found("error", "separator", "the columns are not separated by commas: save the table as CSV with commas")
        return None, findings
    for place, name in enumerate(names):
        plain = unicodedata.normalize("NFKC", name)
        if plain not in known:
            if name:
                message = f"the column {name} is not known and was not read; known are {', '.join(known)}"
                found("warning", "unknown-column", message, name)
            continue
        if plain != name:
            found("error", "full-width", f"the column is called “{name}”; type “{plain}” in half width", name)
        if plain in places:
            found("error", "repeated-column", f"two columns are called {plain}: remove one", plain)
            return None, findings
        places[plain] = place
    missing = [column for column in REQUIRED if column not in places]
    for column in missing:
        found("error", "missing-column", f"there is no column {column}: add it to the header", column)
    return (None if missing else _Header(places, len(names))), findings


def read_rows(records: Sequence[Record]) -> tuple[list[ItemRow], list[Finding]]:
    """The good rows of a table whose first record is its header, and findings without a file name."""
    if not records:
        return [], []
    header, findings = _read_header(records[0])
    if header is None:
        return [], findings
    rows: list[ItemRow] = []
    firsts = _Firsts()
    for record in records[1:]:
        row, row_findings = _read_row(record, header, firsts)
        findings += row_findings
        if row is not None:
            rows.append(row)
    return rows, findings


def _read_row(record: Record, header: _Header, firsts: _Firsts) -> tuple[ItemRow | None, list[Finding]]:
    cells, findings = _cells(record, header)
    findings += _half_width(cells)
    findings += _bank_faults(cells)
    item_type = _TYPES.get(cells["题型"])
    options = _options(cells)
    if item_type is None:
        message = f"题型 is “{cells['题型']}”; expected 判断, 单选 or 多选"
        findings.append(Finding("error", "unknown-type", message, column="题型"))
    else:
        findings += _choice_findings(item_type, cells, options)
    findings += _duplicates(record.row, cells, options, firsts)
    findings = [replace(finding, line=record.row, item=cells["编号"] or None) for finding in findings]
    findings.sort(key=lambda finding: header.places.get(finding.column or "", header.width))
    if item_type is None or errors_among(findings):
        return None, findings
    item = choice_item(
        identifier=cells["编号"],
        item_type=item_type,
        stem=cells["题干"],
        options=options,
        key=cells["答案"],
        rationale=cells.get("解析") or None,
    )
    row = ItemRow(
        identifier=item.identifier,
        item=item,
        point=cells["知识点"],
        grade=int(cells["难度"]),
        marks=Decimal(cells["分数"]) if cells.get("分数") else None,
        congruence=int(cells["一致性"]) if cells.get("一致性") else None,
        source=cells.get("出处") or None,
        enemies=_enemies(cells),
        row=record.row,
    )
    return row, findings


def _cells(record: Record, header: _Header) -> tuple[dict[str, str], list[Finding]]:
    """The row's cells by column, trimmed and without control characters."""
    findings: list[Finding] = []
    cells: dict[str, str] = {}
    for column, place in header.places.items():
        raw = record.cells[place] if place < len(record.cells) else ""
        text, removed = without_controls(raw)
        cells[column] = text.strip()
        if removed:
            message = f"control characters were taken out of {column}: {', '.join(removed)}"
            findings.append(Finding("warning", "control-character", message, column=column))
    if any(cell.strip() for cell in record.cells[header.width :]):
        message = f"the row has {len(record.cells)} cells, the header {header.width}: quote cells that hold a comma"
        findings.append(Finding("error", "too-many-cells", message))
    return cells, findings


def _half_width(cells: dict[str, str]) -> list[Finding]:
    """Full-width characters in codes; the cell goes on as if typed right, so that its other faults show too."""
    findings = []
    for column in CODE_COLUMNS:
        text = cells.get(column, "")
        if _FULL_WIDTH.search(text):
            cells[column] = unicodedata.normalize("NFKC", text).strip()
            message = f"{column} is “{text}”; type “{cells[column]}” with half-width characters"
            findings.append(Finding("error", "full-width", message, column=column))
    for column in OPTIONS:
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


def _bank_faults(cells: dict[str, str]) -> list[Finding]:
    """What the bank keeps beside the item: point, grade, marks, congruence, enemies."""
    faults: list[Finding] = []

    def fault(code: str, column: str, message: str) -> None:
        faults.append(Finding("error", code, message, column=column))

    if not cells["知识点"]:
        fault("empty-point", "知识点", "知识点 is empty: write the code of the point, such as A-A-A-001")
    if cells["难度"] not in {"1", "2", "3", "4", "5"}:
        fault("bad-grade", "难度", f"难度 is “{cells['难度']}”; expected 1 (易), 2, 3, 4 or 5 (难)")
    marks = cells.get("分数", "")
    if marks and (not _MARKS.fullmatch(marks) or not Decimal(marks)):
        fault("bad-marks", "分数", f"分数 is “{marks}”; expected a number above 0 such as 0.5")
    congruence = cells.get("一致性", "")
    if congruence and congruence not in {"1", "2", "3", "4", "5"}:
        fault("bad-congruence", "一致性", f"一致性 is “{congruence}”; expected 1, 2, 3, 4 or 5")
    for enemy in _enemies(cells):
        if not IDENTIFIER.fullmatch(enemy):
            fault("bad-enemy", "互斥", f"“{enemy}” is no item code; separate codes with ; such as Q0012;Q0345")
        elif enemy == cells["编号"]:
            fault("bad-enemy", "互斥", "the item is its own enemy: name the other item")
    return faults


def _choice_findings(item_type: ItemType, cells: dict[str, str], options: Sequence[str]) -> list[Finding]:
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
        expected = f"{fewest}" if fewest == most else f"{fewest} or {most}"
        faults = [fault for fault in faults if fault.code != "option-count"]
        message = f"a {type_label(item_type)} item has {len(options)} options; expected {expected}, from 选项A on"
        place = min(len(options), len(OPTIONS) - 1) if len(options) < fewest else most
        faults.append(Finding("error", "option-count", message, column=OPTIONS[place]))
    alike = {unicodedata.normalize("NFKC", "".join(option.split())).casefold() for option in options}
    exact = {"".join(option.split()) for option in options}
    if len(alike) < len(exact):
        message = "two options differ only in width, case or raised figures: check that they can be told apart"
        faults.append(Finding("warning", "options-look-alike", message, column="选项A"))
    return faults + wording_findings(item_type, cells["题干"])


def _duplicates(row: int, cells: dict[str, str], options: Sequence[str], firsts: _Firsts) -> list[Finding]:
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


def _options(cells: dict[str, str]) -> list[str]:
    """Option texts up to the last one that is filled, so that a gap shows as an empty option."""
    texts = [cells.get(column, "") for column in OPTIONS]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _enemies(cells: dict[str, str]) -> tuple[str, ...]:
    parts = (part.strip() for part in cells.get("互斥", "").split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


def _written(row: ItemRow) -> dict[str, str]:
    item = row.item
    item_type = item.item_type
    texts = [] if item_type is ItemType.TRUE_FALSE else [option.text for option in item.options]
    if item_type is None or len(texts) > len(OPTIONS) or _rebuilt(row, item_type, texts) != item:
        message = "the item says more than a row of a table can hold; write it as QTI instead"
        raise ItemError(Finding("error", "not-a-plain-choice-item", message, item=row.identifier))
    return {
        "编号": row.identifier,
        "题型": type_label(item_type),
        "知识点": row.point,
        "难度": str(row.grade),
        "题干": item.stem_text,
        **dict(zip(OPTIONS, texts, strict=False)),
        "答案": item.key,
        "解析": item.rationale or "",
        "出处": row.source or "",
        "互斥": ";".join(row.enemies),
        "分数": "" if row.marks is None else str(row.marks),
        "一致性": "" if row.congruence is None else str(row.congruence),
    }


def _rebuilt(row: ItemRow, item_type: ItemType, texts: list[str]) -> Item | None:
    item = row.item
    try:
        return choice_item(
            identifier=row.identifier,
            item_type=item_type,
            stem=item.stem_text,
            options=texts,
            key=item.key,
            rationale=item.rationale,
        )
    except ItemError:
        return None
