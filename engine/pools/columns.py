"""Attributes as coded columns, and the conditions that pick items by them: as fast for a million items as for ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.pools.errors import PoolError

Value: TypeAlias = str | float | tuple[str, ...] | None
Condition: TypeAlias = Mapping[str, Any]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute of J items: the V texts it takes, and which of them each item has (one, or several).

    Item j has `values[codes[start[j]:start[j + 1]]]`; an empty cell is the text "". `numbers` are the texts as numbers,
    NaN where they are none.
    """

    values: tuple[str, ...]
    numbers: NDArray[np.float64]  # (V,)
    codes: NDArray[np.int32]
    start: NDArray[np.intp]  # (J + 1,)

    @classmethod
    def of(cls, cells: Sequence[Value]) -> Column:
        """The column of J cells; several values of one cell are a tuple."""
        known: dict[Value, int] = {}
        kind = np.fromiter((known.setdefault(cell, len(known)) for cell in cells), np.intp, len(cells))
        held = [tuple(map(text_of, cell)) or ("",) if isinstance(cell, tuple) else (text_of(cell),) for cell in known]
        code = {text: n for n, text in enumerate(sorted({text for texts in held for text in texts}))}
        flat = np.array([code[text] for texts in held for text in texts], np.int32)
        lengths = np.array([len(texts) for texts in held], np.intp)
        count = lengths[kind]
        start = np.concatenate([[0], np.cumsum(count)]).astype(np.intp)
        first = np.repeat((np.cumsum(lengths) - lengths)[kind] - start[:-1], count)
        numbers = np.array([number_of(text) for text in code])
        return cls(tuple(code), numbers, flat[first + np.arange(start[-1])], start)

    @property
    def single(self) -> bool:
        """Has every item exactly one value?"""
        return len(self.codes) == len(self.start) - 1

    def having(self, wanted: Mask) -> Mask:
        """Items with at least one of the values marked in `wanted` (V,), (J,)."""
        hits = wanted[self.codes]
        return hits if self.single else np.logical_or.reduceat(hits, self.start[:-1])

    def first(self) -> NDArray[np.int32]:
        """The code of the first value of each item, (J,)."""
        return self.codes[self.start[:-1]]

    def texts(self) -> list[str]:
        """The cells as a CSV file holds them: several values stand apart by `;`."""
        if self.single:
            return [self.values[code] for code in self.codes.tolist()]
        parts = [self.values[code] for code in self.codes.tolist()]
        bounds = self.start.tolist()
        return [";".join(parts[bounds[j] : bounds[j + 1]]) for j in range(len(bounds) - 1)]

    def meets(self, name: str, wanted: object, *, strict: bool) -> Mask:
        """Items whose value is `wanted`: a value, one of a list, {min, max} or {prefix}; (J,).

        Raises PoolError for a malformed condition and, when `strict`, for a value that no item has.
        """
        if isinstance(wanted, Mapping):
            return self.having(self._within(name, wanted))
        choices = {text_of(one) for one in (wanted if isinstance(wanted, list | tuple) else [wanted])}
        for choice in sorted(choices.difference(self.values)) if strict else ():
            near = get_close_matches(choice, self.values, n=1)
            raise PoolError(f"no item has {name} = {choice!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return self.having(np.array([value in choices for value in self.values], bool))

    def _within(self, name: str, wanted: Mapping[str, Any]) -> Mask:
        if set(wanted) == {"prefix"}:
            prefix = str(wanted["prefix"])
            return np.array([value.startswith(prefix) for value in self.values], bool)
        if not wanted or set(wanted) - {"min", "max"}:
            raise PoolError(f"{name} = {dict(wanted)!r}: expected min and/or max, or prefix alone")
        if not all(isinstance(bound, int | float) for bound in wanted.values()):
            raise PoolError(f"{name} = {dict(wanted)!r}: min and max are numbers")
        low, high = float(wanted.get("min", -np.inf)), float(wanted.get("max", np.inf))
        return np.asarray((self.numbers >= low) & (self.numbers <= high))


def nested(name: str, wanted: object) -> Condition:
    """The condition under `not` or `any`. Raises PoolError where it is none."""
    if not isinstance(wanted, Mapping):
        raise PoolError(f'{name} = {wanted!r}: expected a condition, as in {{type = "single"}}')
    return wanted


def number_of(value: Value, default: float = float("nan")) -> float:
    """A cell as a number: `default` where it is empty or has several values, NaN where it is a text."""
    try:
        return default if value is None or isinstance(value, tuple) or value == "" else float(value)
    except ValueError:
        return float("nan")


def text_of(value: object) -> str:
    """A value as a cell of a CSV file would hold it, so that 3, 3.0 and "3" are the same grade, and true is "yes"."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
