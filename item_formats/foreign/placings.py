"""Where items belong, as a table beside them: point and grade of items whose own file cannot say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.findings import Finding, errors_among
from item_formats.foreign.cells import CODE_COLUMNS, bank_faults, enemies_in, half_width
from item_formats.foreign.columns import column_of
from item_formats.foreign.csv_text import Record, read_records, without_controls

if TYPE_CHECKING:
    from pathlib import Path

    from item_formats.foreign.table import ItemRow

_COLUMNS = (*(column for column in CODE_COLUMNS if column != "答案"), "出处")


@dataclass(frozen=True, slots=True)
class Placing:
    """What a table says of one item: the fields of `ItemRow`, None and () where it says nothing."""

    identifier: str
    point: str | None = None
    grade: int | None = None
    marks: Decimal | None = None
    congruence: int | None = None
    source: str | None = None
    enemies: tuple[str, ...] = ()
    row: int = 0

    def of(self, row: ItemRow) -> ItemRow:
        """The row with what this says of it; what this does not say stays."""
        return replace(
            row,
            point=row.point if self.point is None else self.point,
            grade=row.grade if self.grade is None else self.grade,
            marks=row.marks if self.marks is None else self.marks,
            congruence=row.congruence if self.congruence is None else self.congruence,
            source=row.source if self.source is None else self.source,
            enemies=self.enemies or row.enemies,
        )


def read_placings(path: Path) -> tuple[dict[str, Placing], list[Finding]]:
    """Placings by 编号, from a CSV file in UTF-8: a column 编号 and any of 知识点, 难度, 分数, 一致性, 出处, 互斥.

    A row with an error is reported and left out; empty cells say nothing.
    """
    file = str(path)
    records, findings = read_records(path.read_bytes(), file=file, known_words=("编号",))
    findings = [replace(finding, file=file) for finding in findings]
    if not records:
        if not findings:
            message = f"the file has no rows; expected the header {','.join(_COLUMNS)}"
            findings.append(Finding("error", "empty-file", message, file=file))
        return {}, findings
    header = [column_of(cell.strip())[0] for cell in records[0].cells]
    if "编号" not in header:
        message = "there is no column 编号: add it to the header, with the codes of the items"
        return {}, [*findings, Finding("error", "missing-column", message, file=file, line=records[0].row)]
    placings: dict[str, Placing] = {}
    for record in records[1:]:
        placing, faults = _placing(record, header)
        if placing is not None and placing.identifier in placings:
            first = placings[placing.identifier].row
            message = f"编号 {placing.identifier} already stands in row {first}: remove one of the two"
            faults.append(Finding("error", "duplicate-identifier", message, column="编号", item=placing.identifier))
        elif placing is not None:
            placings[placing.identifier] = placing
        findings += (replace(fault, file=file, line=record.row) for fault in faults)
    return placings, findings


def _placing(record: Record, header: list[str]) -> tuple[Placing | None, list[Finding]]:
    cells = {
        column: without_controls(cell)[0].strip()
        for column, cell in zip(header, record.cells, strict=False)
        if column in _COLUMNS and cell.strip()
    }
    identifier = cells.get("编号", "")
    if not identifier:
        return None, [Finding("error", "empty-identifier", "编号 is empty: write the code of the item", column="编号")]
    faults = [replace(fault, item=identifier) for fault in (*half_width(cells), *bank_faults(cells))]
    if errors_among(faults):
        return None, faults
    placing = Placing(
        identifier=cells["编号"],
        point=cells.get("知识点"),
        grade=int(cells["难度"]) if "难度" in cells else None,
        marks=Decimal(cells["分数"]) if "分数" in cells else None,
        congruence=int(cells["一致性"]) if "一致性" in cells else None,
        source=cells.get("出处"),
        enemies=enemies_in(cells),
        row=record.row,
    )
    return placing, faults
