"""What a cell of a response file says: a score or a code, nothing where an answer was due, or not reached."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

ANSWERED, OMITTED, NOT_REACHED = 0, 1, 2

OMITTED_CELLS = frozenset({"", "NA", "."})
NOT_REACHED_CELL = "@NR"
MAX_CATEGORIES = 250  # a category is one byte in the tables of an estimation, which keep 255 for gaps

_WRITTEN_AS_FRACTION = re.compile(r"[+-]?\d+\.\d*")


class ResponsesError(ValueError):
    """Responses that cannot be used; the message names file, row and column and says what was expected."""


def plain(text: str) -> str:
    """A number as short as it can be written (`1.0` → `1`, `0.50` → `0.5`), any other text as it is."""
    return text.rstrip("0").rstrip(".") if _WRITTEN_AS_FRACTION.fullmatch(text) else text


def status_of(texts: list[str]) -> NDArray[np.uint8]:
    """ANSWERED, OMITTED or NOT_REACHED for each of the distinct texts of cells, (V,)."""
    kinds = [NOT_REACHED if t == NOT_REACHED_CELL else OMITTED if t in OMITTED_CELLS else ANSWERED for t in texts]
    return np.array(kinds, np.uint8)


def number_in(text: str) -> float:
    """The number a cell holds, NaN for anything else."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
