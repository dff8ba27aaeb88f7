"""What the XML of a workbook says that calamine does not: per cent, formulas without a value, hidden rows, pictures."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import local_name

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.foreign.zip_parts import Parts

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SHARED = "xl/sharedStrings.xml"
_PER_CENT_FORMATS = frozenset({"9", "10"})  # 0% and 0.00%, built in
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass(frozen=True, slots=True)
class SheetLook:
    """Cells as (row from 1, column from 0)."""

    per_cent: frozenset[tuple[int, int]] = frozenset()
    without_value: frozenset[tuple[int, int]] = frozenset()
    hidden_rows: frozenset[int] = frozenset()


def look_at_sheets(parts: Parts, *, file: str) -> tuple[dict[str, SheetLook], list[Finding]]:
    """What is to know of each sheet, by its name; {} for a zip that is no xlsx."""
    if "xl/workbook.xml" not in parts.names:
        return {}, []
    findings: list[Finding] = []
    if any(name.startswith("xl/media/") for name in parts.names):
        message = "the workbook holds pictures, which were not read: import questions with pictures from Word"
        findings.append(Finding("warning", "pictures-not-read", message, file=file))
    try:
        styles = _per_cent_styles(parts)
        sheets = {name: parts.xml(part) for name, part in _sheets(parts).items()}
        shared = b"<vertAlign" in parts.read(_SHARED) if _SHARED in parts.names else False
        if shared or any(root.find(f".//{_MAIN}vertAlign") is not None for root in sheets.values()):
            message = "raised or lowered figures in cells (x², H₂O) become plain: write them as formulas, \\(x^2\\)"
            findings.append(Finding("warning", "formatting-lost", message, file=file))
        return {name: _look(root, styles) for name, root in sheets.items()}, findings
    except ItemError as error:
        return {}, [*findings, *error.findings]


def _sheets(parts: Parts) -> dict[str, str]:
    relations = "xl/_rels/workbook.xml.rels"
    targets = (
        {relation.get("Id", ""): relation.get("Target", "") for relation in parts.xml(relations)}
        if relations in parts.names
        else {}
    )
    found = {}
    for sheet in parts.xml("xl/workbook.xml").iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION, ""), "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        if part in parts.names:
            found[sheet.get("name", "")] = part
    return found


def _per_cent_styles(parts: Parts) -> frozenset[str]:
    """Numbers of the cell styles that show a value as per cent."""
    if "xl/styles.xml" not in parts.names:
        return frozenset()
    root = parts.xml("xl/styles.xml")
    own = {
        made.get("numFmtId", "")
        for made in root.iter(f"{_MAIN}numFmt")
        if "%" in re.sub(r'"[^"]*"|\\.', "", made.get("formatCode", ""))
    }
    formats = root.find(f"{_MAIN}cellXfs")
    return frozenset(
        str(place)
        for place, style in enumerate(formats if formats is not None else ())
        if style.get("numFmtId", "0") in own | _PER_CENT_FORMATS
    )


def _look(root: etree._Element, styles: frozenset[str]) -> SheetLook:
    per_cent, without_value, hidden = set(), set(), set()
    for row in root.iter(f"{_MAIN}row"):
        if row.get("hidden") in {"1", "true"}:
            hidden.add(int(row.get("r", "0")) if row.get("r", "0").isdigit() else 0)
        for cell in row:
            place = _place(cell.get("r", ""))
            if place is None:
                continue
            if cell.get("s") in styles:
                per_cent.add(place)
            children = {local_name(child): child for child in cell}
            if "f" in children and not (children["v"].text if "v" in children else ""):
                without_value.add(place)
    return SheetLook(frozenset(per_cent), frozenset(without_value), frozenset(hidden))


def _place(reference: str) -> tuple[int, int] | None:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column - 1
