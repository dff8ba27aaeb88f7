"""Items as Excel workbooks: in by calamine (xlsx, xls, xlsb, ods), out by xlsxwriter."""

from __future__ import annotations

import datetime as dt
import io
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from item_formats.findings import Finding
from item_formats.foreign.columns import COLUMNS, OPTIONS, find_header
from item_formats.foreign.csv_text import Record, mojibake
from item_formats.foreign.extras import needed
from item_formats.foreign.table import ItemRow, ItemTable, read_rows, written_table
from item_formats.foreign.workbook_parts import SheetLook, look_at_sheets
from item_formats.foreign.zip_parts import open_parts
from item_formats.model import ItemType, type_label
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SHEET = "试题"
_WIDTHS = {"题干": 60, "解析": 40, "出处": 20, "编号": 14, "知识点": 16, "互斥": 16} | dict.fromkeys(OPTIONS, 24)
_WRITTEN_ON = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # so that the same rows give the same bytes


def read_excel(path: Path) -> ItemTable:
    """Items of every visible sheet that has the header; as `read_items_csv` reads them.

    Cells are read as people typed them: 1 and not 1.0, 50% where the cell shows per cent, dates as 2024-01-31,
    formulas as their values. Hidden sheets and pictures are named in the findings, not read.

    Raises
    ------
    MissingExtraError
        python-calamine is not installed.
    """
    calamine = needed("python_calamine", reason="Excel files")
    file = str(path)
    if path.stat().st_size > MAX_BYTES:
        message = f"{path.stat().st_size:,} bytes; a workbook may have {MAX_BYTES:,}: split it"
        return ItemTable((), (Finding("error", "too-large", message, file=file),))
    content = path.read_bytes()
    looks: dict[str, SheetLook] = {}
    findings: list[Finding] = []
    if content.startswith(_ZIP):
        parts, faults = open_parts(content, file=file)
        if parts is None:
            return ItemTable((), tuple(faults))
        looks, findings = look_at_sheets(parts, file=file)
    elif not content.startswith(_OLE):
        message = "this is no Excel workbook: save it as .xlsx, or as CSV in UTF-8 with the ending .csv"
        return ItemTable((), (Finding("error", "not-a-workbook", message, file=file),))
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except calamine.PasswordError:
        message = "the workbook is locked with a password: save it without"
        return ItemTable((), (Finding("error", "encrypted", message, file=file),))
    except calamine.CalamineError as error:
        message = f"the workbook cannot be read ({error}): open it in Excel and save it as .xlsx again"
        return ItemTable((), (Finding("error", "not-a-workbook", message, file=file),))
    return _read_workbook(calamine, workbook, looks, findings, file)


def _read_workbook(
    calamine: Any,  # noqa: ANN401  # a module and its workbook, optional at run time
    workbook: Any,  # noqa: ANN401
    looks: dict[str, SheetLook],
    findings: list[Finding],
    file: str,
) -> ItemTable:
    sheets: list[tuple[str, list[Record]]] = []
    for metadata in workbook.sheets_metadata:
        if metadata.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        name = metadata.name
        if metadata.visible != calamine.SheetVisibleEnum.Visible:
            message = f"the sheet {name} is hidden and was not read: show it, or delete it"
            findings.append(Finding("warning", "hidden-sheet", message, file=file))
            continue
        try:
            cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except calamine.CalamineError as error:
            findings.append(Finding("error", "not-a-workbook", f"the sheet {name} cannot be read: {error}", file=file))
            continue
        records, cell_findings = _records(cells, looks.get(name, SheetLook()))
        findings += (replace(finding, file=_place(file, name)) for finding in cell_findings)
        if records:
            sheets.append((name, records))
    with_items = [(name, records) for name, records in sheets if _has_header(records)]
    for name, records in sheets:
        if with_items and not _has_header(records):
            message = f"the sheet {name} has no header with 题干 and 答案 and was not read ({len(records)} rows)"
            findings.append(Finding("warning", "sheet-without-items", message, file=file))
    with_items = with_items or sheets[:1]
    if not with_items and not any(finding.severity == "error" for finding in findings):
        message = f"the workbook has no rows; expected the header {','.join(COLUMNS)}"
        findings.append(Finding("error", "empty-file", message, file=file))
    return _items(with_items, findings, file)


def _items(sheets: list[tuple[str, list[Record]]], findings: list[Finding], file: str) -> ItemTable:
    rows: list[ItemRow] = []
    first_of: dict[str, str] = {}
    for name, records in sheets:
        place = _place(file, name) if len(sheets) > 1 else file
        damaged = mojibake(records, place, remedy="Export it again in the right encoding")
        if damaged:
            return ItemTable((), (*findings, *damaged))
        sheet_rows, sheet_findings = read_rows(records)
        findings += (replace(finding, file=place) for finding in sheet_findings)
        for row in sheet_rows:
            other = first_of.setdefault(row.identifier, name)
            if other == name:
                rows.append(row)
            else:
                message = f"编号 {row.identifier} already stands on the sheet {other}: give each item its own"
                findings.append(
                    Finding("error", "duplicate-identifier", message, place, row.row, "编号", row.identifier)
                )
    return ItemTable(tuple(rows), tuple(findings))


def _has_header(records: list[Record]) -> bool:
    names = {unicodedata.normalize("NFKC", cell) for cell in records[find_header(records)].cells}
    return any("题干" in name or "题目" in name or "试题内容" in name for name in names)


def _place(file: str, sheet: str) -> str:
    return f"{file}[{sheet}]"


def _records(rows: list[list[Any]], look: SheetLook) -> tuple[list[Record], list[Finding]]:
    records: list[Record] = []
    findings: list[Finding] = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for place, value in enumerate(row):
            where = (number, place)
            if where in look.without_value:
                message = "the cell holds a formula whose value was not saved: open the file in Excel and save it again"
                findings.append(Finding("error", "formula-without-value", message, line=number, column=_letter(place)))
            if isinstance(value, dt.date | dt.time | dt.timedelta):
                message = (
                    f"Excel holds a date or time here, read as {as_typed(value)}; if 1/2 or 3-4 was meant, "
                    "format the cell as text and type it again"
                )
                findings.append(Finding("warning", "date-cell", message, line=number, column=_letter(place)))
            cells.append(as_typed(value, per_cent=where in look.per_cent))
        if any(cell.strip() for cell in cells):
            while cells and not cells[-1].strip():
                cells.pop()
            records.append(Record(number, tuple(cells)))
            if number in look.hidden_rows:
                message = "the row is hidden in Excel and was read: show it, or delete it"
                findings.append(Finding("warning", "hidden-row", message, line=number))
    return records, findings


def as_typed(value: object, *, per_cent: bool = False) -> str:
    """The text a person would have typed into a cell for its value."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return f"{_figure(round(value * 100, 10))}%" if per_cent else _figure(value)
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return _moment(value)
    text = "" if value is None else str(value)
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("_x000D_", ""))


def _moment(value: dt.date | dt.time | dt.timedelta) -> str:
    """Seconds that are 0 are not written, nor midnight after a date."""
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time(0)
        return value.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M:%S").removesuffix(":00")
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    return value.isoformat().removesuffix(":00") if isinstance(value, dt.time) else value.isoformat()


def _figure(value: float) -> str:
    """15 figures, as Excel keeps them, and never an exponent or a thousands separator."""
    if value == int(value):
        return str(int(value))
    text = f"{value:.15g}"
    return f"{float(text):.15f}".rstrip("0") if "e" in text else text


def _letter(place: int) -> str:
    """The name of a column: A … Z, AA …"""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def write_excel(path: Path, rows: Iterable[ItemRow]) -> None:
    """Write rows as a workbook that people go on editing; `read_excel` gives them back.

    Every cell is text, so that Excel changes nothing; 题型 and 难度 offer their values. Equal rows give equal bytes.

    Raises
    ------
    ItemError
        An item that says more than a row can hold.
    MissingExtraError
        xlsxwriter is not installed.
    """
    xlsxwriter = needed("xlsxwriter", reason="Excel files")
    table = written_table(rows)
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = xlsxwriter.Workbook(buffer, options)
    workbook.set_properties({"created": _WRITTEN_ON})
    sheet = workbook.add_worksheet(_SHEET)
    heading = workbook.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "num_format": "@"})
    text = workbook.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    header, *lines = table
    for place, column in enumerate(header):
        sheet.set_column(place, place, _WIDTHS.get(column, 8), text)
        sheet.write_string(0, place, column, heading)
    for number, line in enumerate(lines, start=1):
        for place, cell in enumerate(line):
            if cell:
                sheet.write_string(number, place, cell, text)
    choices = {"题型": [type_label(item_type) for item_type in ItemType], "难度": list("12345")}
    for column, values in choices.items():
        place = header.index(column)
        sheet.data_validation(1, place, max(len(lines), 1000), place, {"validate": "list", "source": values})
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(lines), 1), len(header) - 1)
    workbook.close()
    write_whole(path, buffer.getvalue())
