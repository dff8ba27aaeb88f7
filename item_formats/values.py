"""QTI values: what a response or an outcome can hold, by base type and cardinality."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Scalar = str | int | float | bool | tuple[str, ...]
# NULL is None; everything else is a container, of one value for the single cardinality. Empty containers are NULL.
Value = tuple[Scalar, ...] | None

CARDINALITIES = ("single", "multiple", "ordered", "record")

_IDENTIFIER = re.compile(r"[^\W\d][\w.\-]*")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def read_value(texts: Sequence[str], *, base_type: str, cardinality: str, name: str) -> Value:
    """The typed value of a variable from the texts that write it; an empty text says nothing (QTI: NULL).

    Raises
    ------
    ItemError
        A text that is not of the base type, several values for a single cardinality, or a record.
    """
    present = [text for text in texts if text != ""]
    if cardinality == "record":
        raise ItemError(Finding("error", "record", f"{name} is a record; records are not read yet"))
    if cardinality == "single" and len(present) > 1:
        message = f"{name} takes one value, got {len(present)}: {', '.join(present)}"
        raise ItemError(Finding("error", "too-many-values", message))
    if not present:
        return None
    reader = READERS.get(base_type)
    if reader is None:
        message = f'{name} has base-type="{base_type}"; expected one of {", ".join(READERS)}'
        raise ItemError(Finding("error", "unknown-base-type", message))
    try:
        return tuple(reader(text.strip() if base_type != "string" else text) for text in present)
    except ValueError:
        message = f"{name} holds {', '.join(present)!r}, which is not of base-type {base_type}"
        raise ItemError(Finding("error", "bad-value", message)) from None


def values_match(one: Value, other: Value, *, cardinality: str) -> bool | None:
    """QTI's *match*: NULL with anything is NULL, multiple containers compare without order, ordered ones with."""
    if one is None or other is None:
        return None
    if cardinality == "multiple":
        return one == other or (len(one) == len(other) and Counter(one) == Counter(other))
    return one == other


def _identifier(text: str) -> str:
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError(text)
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text] if text in _BOOLEANS else _refuse(text)


_BOOLEANS = frozenset({"true", "false", "1", "0"})


def _refuse(text: str) -> bool:
    raise ValueError(text)


def _directed_pair(text: str) -> tuple[str, ...]:
    first, second = text.split()
    return (_identifier(first), _identifier(second))


def _pair(text: str) -> tuple[str, ...]:
    return tuple(sorted(_directed_pair(text)))


READERS: dict[str, Callable[[str], Scalar]] = {
    "identifier": _identifier,
    "string": str,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "pair": _pair,
    "directedPair": _directed_pair,
    "uri": str,
    "duration": _float,
}
