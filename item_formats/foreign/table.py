"""Items as a table that people edit: one row an item, the header Chinese bank editors use."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.choice import TRUE_FALSE_TEXTS, choice_item, option_identifiers, read_key
from item_formats.findings import Finding, ItemError, errors_among
from item_formats.foreign.building import KINDS, build
from item_formats.foreign.cells import (
    Firsts,
    bank_faults,
    choice_findings,
    duplicates,
    enemies_in,
    half_width,
    option_texts,
)
from item_formats.foreign.columns import COLUMNS, EXTRA_COLUMNS, OPTIONS, Header, find_header, read_header
from item_formats.foreign.csv_text import Record, without_controls
from item_formats.foreign.formulas import formula_markup
from item_formats.foreign.markup import text_with_latex
from item_formats.foreign.question import Choice, Question
from item_formats.model import OPTION_LETTERS, RATIONALE, Item, ItemType, type_label
from item_formats.parsing import qti

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_TYPES = {type_label(item_type): item_type for item_type in ItemType}
_CODE_SEGMENT = re.compile(r"[A-Za-z0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item with what the bank keeps beside it. `grade` is 难度 1 (易) to 5 (难), `congruence` 一致性 1 to 5.

    Tables always state point and grade; formats that need not leave `point` "" and `grade` None. `row` is the row of
    the table, or the paragraph or line where the question begins.
    """

    identifier: str
    item: Item
    point: str = ""
    grade: int | None = None
    marks: Decimal | None = None
    congruence: int | None = None
    source: str | None = None
    enemies: tuple[str, ...] = ()
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ItemTable:
    """The good rows of a table, and findings on all of them.

    `media` are the pictures items refer to, by their path in a package: an item says ``../media/x.png`` for
    ``media/x.png``, as it must from the folder of items.
    """

    rows: tuple[ItemRow, ...]
    findings: tuple[Finding, ...]
    media: Mapping[str, bytes] = field(default_factory=dict, hash=False)


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


def read_rows(records: Sequence[Record]) -> tuple[list[ItemRow], list[Finding]]:
    """The good rows of a table whose first record is its header, and findings without a file name."""
    if not records:
        return [], []
    top = find_header(records)
    header, findings = read_header(records[top])
    if header is None:
        return [], findings
    rows: list[ItemRow] = []
    firsts = Firsts()
    for record in records[top + 1 :]:
        row, row_findings = _read_row(record, header, firsts)
        findings += row_findings
        if row is not None:
            rows.append(row)
    return rows, findings


def _read_row(record: Record, header: Header, firsts: Firsts) -> tuple[ItemRow | None, list[Finding]]:
    cells, findings = _cells(record, header)
    findings += half_width(cells)
    findings += bank_faults(cells)
    item_type = _TYPES.get(cells["题型"])
    options = option_texts(cells)
    if item_type is None:
        message = f"题型 is “{cells['题型']}”; expected 判断, 单选 or 多选"
        findings.append(Finding("error", "unknown-type", message, column="题型"))
    else:
        findings += choice_findings(item_type, cells, options)
    findings += duplicates(record.row, cells, options, firsts)
    findings = [replace(finding, line=record.row, item=cells["编号"] or None) for finding in findings]
    findings.sort(key=lambda finding: header.places.get(finding.column or "", header.width))
    if item_type is None or errors_among(findings):
        return None, findings
    item, formula_findings = choice_item_with_formulas(
        identifier=cells["编号"],
        item_type=item_type,
        stem=cells["题干"],
        options=options,
        key=cells["答案"],
        rationale=cells.get("解析") or None,
    )
    findings += (replace(finding, line=record.row) for finding in formula_findings)
    row = ItemRow(
        identifier=item.identifier,
        item=item,
        point=cells["知识点"],
        grade=int(cells["难度"]),
        marks=Decimal(cells["分数"]) if cells.get("分数") else None,
        congruence=int(cells["一致性"]) if cells.get("一致性") else None,
        source=cells.get("出处") or None,
        enemies=enemies_in(cells),
        row=record.row,
    )
    return row, findings


def _cells(record: Record, header: Header) -> tuple[dict[str, str], list[Finding]]:
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
    if header.levels:
        cells["知识点"] = cells.get("知识点") or _deepest_point(record, header.levels)
    if header.guid:
        cells["编号"] = _from_guid(cells)
    if any(cell.strip() for cell in record.cells[header.width :]):
        message = f"the row has {len(record.cells)} cells, the header {header.width}: quote cells that hold a comma"
        findings.append(Finding("error", "too-many-cells", message))
    return cells, findings


def _deepest_point(record: Record, levels: Sequence[int]) -> str:
    """The point of 知识点一级 … 六级: codes of one level each are joined (A, B, 001 → A-B-001), or the last."""
    given = [text for place in levels if place < len(record.cells) and (text := record.cells[place].strip())]
    if len(given) > 1 and all(_CODE_SEGMENT.fullmatch(text) for text in given):
        return "-".join(given)
    return given[-1] if given else ""


def _from_guid(cells: dict[str, str]) -> str:
    """A code from a GUID, which may begin with a figure; made from the wording where there is none."""
    guid = cells.get("编号", "").strip("{}")
    if not guid:
        return code_of_wording([cells["题型"], cells["题干"], *option_texts(cells)])
    return f"G{guid}" if guid[0].isdigit() else guid


def code_of_wording(texts: Sequence[str]) -> str:
    """A code for a question that has none: the same wording gives the same code, so nothing is imported twice."""
    digest = hashlib.sha256("\x1f".join("".join(text.split()) for text in texts).encode()).hexdigest()
    return f"Q-{digest[:12]}"


def choice_item_with_formulas(
    *, identifier: str, item_type: ItemType, stem: str, options: Sequence[str], key: str, rationale: str | None
) -> tuple[Item, list[Finding]]:
    """`choice_item` of texts in which LaTeX formulas become MathML, and warnings about those that cannot."""
    findings: list[Finding] = []

    def markup(column: str, text: str) -> str:
        written, problems = formula_markup(text)
        findings.extend(Finding("warning", code, said, column=column, item=identifier) for code, said in problems)
        return written

    stem_markup, rationale_markup = markup("题干", stem), markup("解析", rationale or "")
    texts = list(TRUE_FALSE_TEXTS.values()) if item_type is ItemType.TRUE_FALSE else options
    markups = [markup(f"选项{letter}", text) for letter, text in zip(OPTION_LETTERS, texts, strict=False)]
    if not any("<math" in part for part in (stem_markup, rationale_markup, *markups)):
        plain = choice_item(
            identifier=identifier, item_type=item_type, stem=stem, options=options, key=key, rationale=rationale
        )
        return plain, findings
    correct = read_key(item_type, key)
    names = option_identifiers(item_type, len(markups))
    question = Question(
        identifier=identifier,
        kind=KINDS[item_type],
        stem=stem_markup,
        choices=tuple(Choice(text, Decimal(name in correct)) for name, text in zip(names, markups, strict=True)),
        rationale=rationale_markup,
    )
    return build(question), findings


def _written(row: ItemRow) -> dict[str, str]:
    item = row.item
    item_type = item.item_type
    choices = [] if item_type is ItemType.TRUE_FALSE else list(item.root.iter(qti("qti-simple-choice")))
    texts = [text_with_latex(choice) for choice in choices]
    stem = "" if item.body is None else text_with_latex(item.body, without=frozenset({"qti-simple-choice"}))
    rationale = _rationale(item)
    if item_type is None or len(texts) > len(OPTIONS) or _rebuilt(item, item_type, stem, texts, rationale) != item:
        message = "the item says more than a row of a table can hold; write it as QTI instead"
        raise ItemError(Finding("error", "not-a-plain-choice-item", message, item=row.identifier))
    return {
        "编号": row.identifier,
        "题型": type_label(item_type),
        "知识点": row.point,
        "难度": "" if row.grade is None else str(row.grade),
        "题干": stem,
        **dict(zip(OPTIONS, texts, strict=False)),
        "答案": item.key,
        "解析": rationale or "",
        "出处": row.source or "",
        "互斥": ";".join(row.enemies),
        "分数": "" if row.marks is None else str(row.marks),
        "一致性": "" if row.congruence is None else str(row.congruence),
    }


def _rationale(item: Item) -> str | None:
    for block in item.root.iter(qti("qti-rubric-block")):
        content = block.find(qti("qti-content-body"))
        if block.get("use") == RATIONALE and content is not None:
            return text_with_latex(content)
    return None


def _rebuilt(item: Item, item_type: ItemType, stem: str, texts: list[str], rationale: str | None) -> Item | None:
    try:
        return choice_item_with_formulas(
            identifier=item.identifier,
            item_type=item_type,
            stem=stem,
            options=texts,
            key=item.key,
            rationale=rationale,
        )[0]
    except ItemError:
        return None
