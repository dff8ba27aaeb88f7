"""Blueprints, policies and designs are TOML files: a table becomes a value, or the message says which key is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

T = TypeVar("T")


def read_document(path: Path, fault: type[ValueError]) -> dict[str, Any]:
    """The tables of a TOML file. Raises `fault` with the line where it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise fault(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise fault(f"{path}: not TOML: {error}") from None


def value_of(kind: type[T], table: object, place: str, fault: type[ValueError]) -> T:
    """The dataclass `kind` from a table found at `place`. Raises `fault` for an unknown, missing or mistyped key."""
    if not isinstance(table, Mapping):
        raise fault(f"{place}: expected a table, got {table!r}")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    refuse_unknown(table, known, place, fault)
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise fault(f"{place}: {name} is missing")
    values = {name: typed(value, hints[name], f"{place}: {name}", fault) for name, value in table.items()}
    try:
        return kind(**values)
    except fault as error:
        raise fault(f"{place}: {error}") from None


def typed(value: object, hint: type[T], place: str, fault: type[ValueError]) -> T:
    """The value as the type `hint` asks. Raises `fault` when it is another."""
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        message = str(error).replace("`", "").replace(" - at $", ", at ")
        raise fault(f"{place} = {value!r}: {message[0].lower()}{message[1:]}") from None


def refuse_unknown(table: Mapping[str, Any], known: Mapping[str, object], place: str, fault: type[ValueError]) -> None:
    """Raise `fault`, with the nearest name, for a key that is not `known`."""
    for name in table:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(known)}"
            raise fault(f"{place}: {name!r} is not known; {hint}")
