"""QTI values: what a variable or an expression holds, by base type and cardinality. NULL is ``None``.

A single value is a container of one, a record a mapping of named values. Empty containers, empty records and empty
strings are NULL (QTI 3, *Expression Processing*), so a `Value` always holds something.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CARDINALITIES = ("single", "multiple", "ordered", "record")
BASE_TYPES = (
    "boolean",
    "directedPair",
    "duration",
    "file",
    "float",
    "identifier",
    "integer",
    "pair",
    "point",
    "string",
    "uri",
)
NUMERIC = frozenset({"integer", "float"})


class Pair(tuple[str, str]):
    """An unordered pair of identifiers: equal either way round, written as it was given."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and len(other) == 2 and (other in ((self[0], self[1]), (self[1], self[0])))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(frozenset(self))


# point: two numbers; pair and directedPair: two identifiers; duration: seconds; file: a reference or the bytes.
Scalar = bool | int | float | str | bytes | tuple[str, str] | tuple[float, float]
Plain = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None

_NO_FIELDS: Mapping[str, Value | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Value:
    """`items` of a single, multiple or ordered value (one for single), `fields` of a record, which has no base type.

    An item that is None is a place left empty in a container; it only comes from responses of custom interactions.
    """

    cardinality: str
    base_type: str | None
    items: tuple[Scalar | None, ...] = ()
    fields: Mapping[str, Value | None] = field(default_factory=lambda: _NO_FIELDS, hash=False)


TRUE = Value("single", "boolean", (True,))
FALSE = Value("single", "boolean", (False,))


def single(base_type: str, scalar: Scalar) -> Value | None:
    """One value; NULL for an empty string."""
    return None if scalar == "" else Value("single", base_type, (scalar,))


def container(cardinality: str, base_type: str | None, items: Sequence[Scalar | None]) -> Value | None:
    """A multiple or ordered value; NULL when there is nothing in it."""
    return Value(cardinality, base_type, tuple(items)) if items else None


def record(fields: Mapping[str, Value | None]) -> Value | None:
    """A record; NULL when it has no fields."""
    return Value("record", None, (), MappingProxyType(dict(fields))) if fields else None


def truth(value: bool) -> Value:  # noqa: FBT001  # the value is the subject
    return TRUE if value else FALSE


def values_match(one: Value | None, other: Value | None) -> bool | None:
    """QTI's *match* of two values of one type: NULL with anything is NULL; only multiple containers ignore order."""
    if one is None or other is None:
        return None
    if one.cardinality == "multiple":
        return one.items == other.items or (
            len(one.items) == len(other.items) and Counter(one.items) == Counter(other.items)
        )
    return one.fields == other.fields if one.cardinality == "record" else one.items == other.items


def read_scalar(text: str, base_type: str) -> Scalar:
    """The value a text writes; only strings keep the space around them.

    Raises
    ------
    ValueError
        The text is not of the base type.
    """
    return READERS[base_type](text if base_type == "string" else text.strip())


def read_value(texts: Sequence[str], *, base_type: str, cardinality: str, name: str) -> Value | None:
    """The typed value of a variable from the texts that write it; an empty text says nothing (QTI: NULL).

    Raises
    ------
    ItemError
        A text that is not of the base type, several values for a single cardinality, or a record (whose fields have
        types of their own: see `read_record`).
    """
    present = [text for text in texts if text != ""]
    if cardinality == "record":
        message = f"{name} is a record: give its fields by name"
        raise ItemError(Finding("error", "record", message))
    if cardinality not in CARDINALITIES:
        message = f'{name} has cardinality="{cardinality}"; expected one of {", ".join(CARDINALITIES)}'
        raise ItemError(Finding("error", "unknown-cardinality", message))
    if cardinality == "single" and len(present) > 1:
        message = f"{name} takes one value, got {len(present)}: {', '.join(present)}"
        raise ItemError(Finding("error", "too-many-values", message))
    if not present:
        return None
    if base_type not in READERS:
        message = f'{name} has base-type="{base_type}"; expected one of {", ".join(READERS)}'
        raise ItemError(Finding("error", "unknown-base-type", message))
    try:
        return Value(cardinality, base_type, tuple(read_scalar(text, base_type) for text in present))
    except ValueError:
        message = f"{name} holds {', '.join(present)!r}, which is not of base-type {base_type}"
        raise ItemError(Finding("error", "bad-value", message)) from None


def read_plain(plain: object, *, base_type: str | None, cardinality: str, name: str) -> Value | None:
    """A value from JSON-like data: text or number, a list of them for containers, a dictionary for records.

    Pairs and points are texts ("A B", "10 20") or lists of two. One value stands for a container of one. The fields
    of a record take the type of what they hold, or ``{"base_type": …, "value": …}``.
    """
    if plain is None:
        return None
    if cardinality == "record":
        if not isinstance(plain, dict):
            raise ItemError(Finding("error", "record", f"{name} is a record: give its fields by name"))
        return record({str(key): _field(part, f"{name}.{key}") for key, part in plain.items()})
    members = list(plain) if isinstance(plain, (list, tuple)) else [plain]
    if base_type in _TWOFOLD and len(members) == 2 and not any(_is_twofold(part) for part in members):
        members = [members]
    texts = [written(part) for part in members if part is not None]
    return read_value(texts, base_type=base_type or "string", cardinality=cardinality, name=name)


def plain(value: Value | None) -> Plain:
    """A value as JSON-like data: numbers as numbers, containers as lists, records as dictionaries, NULL as None."""
    if value is None:
        return None
    if value.cardinality == "record":
        return {name: plain(part) for name, part in value.fields.items()}
    if value.cardinality == "single":
        return _plain_scalar(value.items[0])
    return [_plain_scalar(part) for part in value.items]


def written(part: object) -> str:
    """A scalar as QTI writes it: ``true``, ``0.5``, ``INF``, ``A B``; never with separators of thousands."""
    if isinstance(part, bool):
        return "true" if part else "false"
    if isinstance(part, float):
        if math.isinf(part):
            return "INF" if part > 0 else "-INF"
        return "NaN" if math.isnan(part) else repr(part)
    if isinstance(part, (tuple, list)):
        return " ".join(written(one) for one in part)
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part)


def _plain_scalar(part: Scalar | None) -> Plain:
    if part is None or isinstance(part, (bool, int, str)):
        return part
    return part if isinstance(part, float) and math.isfinite(part) else written(part)


def _is_twofold(part: object) -> bool:
    return isinstance(part, (list, tuple)) or (isinstance(part, str) and len(part.split()) == 2)


def _field(part: object, name: str) -> Value | None:
    if isinstance(part, dict):
        return read_plain(part.get("value"), base_type=str(part.get("base_type")), cardinality="single", name=name)
    if isinstance(part, bool):
        return truth(part)
    if isinstance(part, int):
        return Value("single", "integer", (part,))
    return single("float", part) if isinstance(part, float) else single("string", str(part)) if part else None


_IDENTIFIER = re.compile(r"[^\W\d][\w.\-]*")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_ISO_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]+)?)S)?)?"
)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_SPECIAL = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
_TWOFOLD = frozenset({"pair", "directedPair", "point"})


def _identifier(text: str) -> str:
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError(text)
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    if text in _SPECIAL:
        return _SPECIAL[text]
    if not _FLOAT.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text]


def _directed_pair(text: str) -> tuple[str, str]:
    first, second = text.split()
    return (_identifier(first), _identifier(second))


def _point(text: str) -> tuple[float, float]:
    """Two integers (QTI 3, *point*); fractions of a pixel, which browsers send, are kept."""
    across, down = text.split()
    return (_coordinate(across), _coordinate(down))


def _coordinate(text: str) -> float:
    return int(text) if _INTEGER.fullmatch(text) else _float(text)


def _duration(text: str) -> float:
    """Seconds, or an ISO 8601 duration of days and less, such as P1DT2H or PT1.5S."""
    match = _ISO_DURATION.fullmatch(text)
    if match is None or not any(match[part] for part in ("days", "hours", "minutes", "seconds")):
        return _float(text)
    weights = (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
    seconds = sum(float(match[part] or 0) * weight for part, weight in weights)
    return -seconds if match["sign"] else seconds


READERS: dict[str, Callable[[str], Scalar]] = {
    "identifier": _identifier,
    "string": str,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "pair": lambda text: Pair(_directed_pair(text)),
    "directedPair": _directed_pair,
    "point": _point,
    "uri": str,
    "duration": _duration,
    "file": str,
}
