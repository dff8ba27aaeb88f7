"""Blueprints from TOML, and their rules from a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.blueprints.blueprint import Blueprint
from engine.blueprints.errors import BlueprintError
from engine.blueprints.rules import Rule
from engine.blueprints.targets import Target
from engine.toml_files import read_document, refuse_unknown, typed, value_of

KEYS = ("title", "length", "order", "together", "marks", "minutes", "rule", "rules", "target")
CONDITIONS = ("where", "then")


def read_blueprint(path: Path) -> Blueprint:
    """A blueprint from TOML (docs/assemble.md describes it). Raises BlueprintError naming the table and key.

    `rules = "FILE.csv"` takes the rules, or more of them, from a spreadsheet beside it.
    """
    document = read_document(path, BlueprintError)
    refuse_unknown(document, dict.fromkeys(KEYS), str(path), BlueprintError)
    if "length" not in document:
        raise BlueprintError(f"{path}: length is missing")
    marks_by, marks, _ = _table(document.get("marks", {}), f"{path}, [marks]")
    given = document.get("minutes", 0.0)
    given = given if isinstance(given, Mapping) else {"total": given}
    minutes_by, item_minutes, total = _table(given, f"{path}, [minutes]")
    rows = typed(document.get("rule", []), list[dict[str, Any]], f"{path}: rule", BlueprintError)
    rules = [_read(row, f"rule {n}", f"{path}, [[rule]] {n}", f"[[rule]] {n}") for n, row in enumerate(rows, start=1)]
    if "rules" in document:
        rules += read_rules(path.parent / typed(document["rules"], str, f"{path}: rules", BlueprintError))
    target = document.get("target")
    try:
        return Blueprint(
            title=typed(document.get("title", path.stem), str, "title", BlueprintError),
            length=typed(document["length"], int, "length", BlueprintError),
            minutes=total,
            order=tuple(typed(document.get("order", []), list[str], "order", BlueprintError)),
            together=typed(document.get("together", ""), str, "together", BlueprintError),
            marks_by=marks_by,
            marks=marks,
            minutes_by=minutes_by,
            item_minutes=item_minutes,
            rules=tuple(rules),
            target=None if target is None else value_of(Target, target, "[target]", BlueprintError),
        )
    except BlueprintError as error:
        raise BlueprintError(f"{path}: {error}") from None


def _table(table: object, place: str) -> tuple[str, dict[str, float], float]:
    """The column, the amounts by its values and the total of [marks] or [minutes]."""
    entries = dict(typed(table, dict[str, Any], place, BlueprintError))
    by = typed(entries.pop("by", "type"), str, f"{place}: by", BlueprintError)
    total = typed(entries.pop("total", 0.0), float, f"{place}: total", BlueprintError)
    return by, {kind: typed(v, float, f"{place}: {kind}", BlueprintError) for kind, v in entries.items()}, total


def read_rules(path: Path) -> list[Rule]:
    """Rules from a CSV file, one a row, with the keys of a rule as columns.

    `where` and `then` are written as `type=single|multiple; grade=2..4; point=A-*; not section=S1`; a share as `0.2` or
    `0.2..0.3`; `items` apart by `;`. Raises BlueprintError with row and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise BlueprintError(f"{path}: {error.strerror}; `rules` is a path beside the blueprint") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BlueprintError(f"{path}: not CSV in UTF-8: {error}") from None
    return [_rule(row, f"{path.name}, row {number}") for number, row in enumerate(rows, start=2)]


def _rule(row: Mapping[str | None, str | None], place: str) -> Rule:
    if None in row or None in row.values():
        raise BlueprintError(f"{place}: the row has another number of cells than the header")
    cells = {str(name).strip(): str(cell).strip() for name, cell in row.items()}
    table: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell:
            table[name] = _cell(name, cell, f"{place}, column {name}")
    return _read(table, place.rsplit(", ", 1)[-1], place, place)


def _read(table: Mapping[str, Any], name: str, place: str, short: str) -> Rule:
    """A rule from the keys it was given at a place; `name` is its id unless it has one."""
    if "place" in table:
        raise BlueprintError(f"{place}: 'place' is not known; it is where a rule was read")
    return replace(value_of(Rule, {"id": name, **table}, place, BlueprintError), place=short)


def _cell(name: str, cell: str, place: str) -> object:
    if name in CONDITIONS:
        return condition_of(cell, place)
    if name == "items":
        return [part.strip() for part in cell.split(";") if part.strip()]
    if name == "share" and ".." in cell:
        return [_number(part, place) for part in cell.split("..", 1)]
    if name in {"min", "max", "share", "priority"}:
        return _number(cell, place)
    if name == "run":
        return _whole(cell, place)
    return cell


def condition_of(text: str, place: str = "where") -> dict[str, Any]:
    """A condition from the words of a spreadsheet: parts apart by `;`, all of which must hold.

    `column=value`, `column=one|other`, `column=2..4` (either end may be left out), `column=A-*`; a part that begins
    with `not` must not hold. Raises BlueprintError naming the place.
    """
    condition: dict[str, Any] = {}
    barred: list[dict[str, Any]] = []
    for part in filter(None, (one.strip() for one in text.split(";"))):
        negated, plain = re.fullmatch(r"(not\s+)?(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        column, equals, wanted = (one.strip() for one in plain.partition("="))
        if not column or not equals:
            raise BlueprintError(f"{place}: {part!r}: expected column=value, as in type=single; grade=2..4")
        (
            barred.append({column: _wanted(wanted, place)})
            if negated
            else condition.update({column: _wanted(wanted, place)})
        )
    if barred:
        condition["not"] = barred[0] if len(barred) == 1 else {"any": barred}
    return condition


def _wanted(text: str, place: str) -> object:
    if ".." in text:
        ends = dict(zip(("min", "max"), text.split("..", 1), strict=True))
        return {name: _number(end, place) for name, end in ends.items() if end.strip()}
    if text.endswith("*"):
        return {"prefix": text[:-1]}
    return [one.strip() for one in text.split("|")] if "|" in text else text


def _whole(text: str, place: str) -> int:
    number = _number(text, place)
    if not number.is_integer():
        raise BlueprintError(f"{place}: {text!r} is not a whole number")
    return int(number)


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BlueprintError(f"{place}: {text!r} is not a number") from None
