"""An item by the cells of its row, read for the recount: plainly, one at a time, decimals as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any

from engine.blueprints import Blueprint
from engine.pools import Pool

NUDGE = Fraction(1, 10**9)  # 0.3333333333333333 of 3 is 1


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item by its cells."""

    pool: Pool
    j: int

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        if name in self.pool.attributes:
            return self.pool.attributes[name][self.j]
        return self.pool.ids[self.j] if name == "id" else self.pool.column(name)[self.j]

    def has(self, name: str) -> bool:
        return name in self.pool.attributes


def marks_of(row: ItemRow, blueprint: Blueprint) -> Fraction | None:
    return _tabled(row, "marks", blueprint.marks_by, blueprint.marks)


def minutes_of(row: ItemRow, blueprint: Blueprint) -> Fraction | None:
    return _tabled(row, "minutes", blueprint.minutes_by, blueprint.item_minutes)


def _tabled(row: ItemRow, what: str, by: str, table: Mapping[str, float]) -> Fraction | None:
    """By the blueprint's table, or else the item's own."""
    kind = text_of(row[by][0] if isinstance(row[by], tuple) else row[by]) if table else ""
    if kind in table:
        return fraction(table[kind])
    return _number(row[what]) if row.has(what) else None


def amount_of(row: ItemRow, of: str, blueprint: Blueprint) -> Fraction | None:
    if of == "marks":
        return marks_of(row, blueprint)
    if of == "minutes" and blueprint.item_minutes:
        return minutes_of(row, blueprint)
    return _number(row[of])


def _number(cell: object) -> Fraction | None:
    cell = cell[0] if isinstance(cell, tuple) and cell else cell
    return None if cell is None or cell in ("", ()) else fraction(cell)


@lru_cache(4096)
def fraction(value: object) -> Fraction:
    """A decimal as it is written: 0.1 is a tenth."""
    return Fraction(str(value).strip())


def floor_of(value: Fraction) -> int:
    return floor(value + NUDGE)


def ceil_of(value: Fraction) -> int:
    return ceil(value - NUDGE)


def ends_of(share: float | tuple[float, float]) -> tuple[float, float]:
    return share if isinstance(share, tuple) else (share, share)


@lru_cache(65_536)
def values_of(cell: object) -> tuple[str, ...]:
    """The values of a cell, none where it is empty."""
    return tuple(text for one in (cell if isinstance(cell, tuple) else (cell,)) if (text := text_of(one)))


def meets(row: ItemRow, where: Mapping[str, Any]) -> bool:
    for name, wanted in where.items():
        if name == "not":
            holds = not meets(row, wanted)
        elif name == "any":
            holds = any(meets(row, one) for one in wanted)
        else:
            texts = values_of(row[name]) or ("",)
            holds = texts == (wanted,) or any(_value_meets(one, wanted) for one in texts)
        if not holds:
            return False
    return True


def _value_meets(value: str, wanted: object) -> bool:
    if isinstance(wanted, str):
        return value == wanted
    if not isinstance(wanted, Mapping):
        return any(value == text_of(one) for one in (wanted if isinstance(wanted, list | tuple) else (wanted,)))
    if "prefix" in wanted:
        return value.startswith(str(wanted["prefix"]))
    try:
        return bool(wanted.get("min", float("-inf")) <= float(value) <= wanted.get("max", float("inf")))
    except ValueError:
        return False


def text_of(value: object) -> str:
    """3, 3.0 and "3" are the same grade; "3.0" is another text; true is "yes"."""
    if isinstance(value, bool):
        return ("no", "yes")[value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
