"""Expressions as tests write them: short XML without namespace, variables as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from item_formats import ItemError
from item_formats.parsing import QTI, parse
from item_formats.processing import Declaration, Value, compile_expression
from item_formats.processing.scope import Scope
from item_formats.processing.values import container, plain, read_scalar, record, single, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

_SINGLE = re.compile(r"(?P<type>\w+):(?P<value>.*)", re.DOTALL)
_NAME = re.compile(r"(</?)(?=[a-z])")


def element_of(xml: str) -> etree._Element:
    """``<sum>…</sum>`` is ``<qti-sum xmlns="…">``."""
    prefixed = _NAME.sub(r"\1qti-", xml)
    return parse(re.sub(r"^(<[\w-]+)", rf'\1 xmlns="{QTI}"', prefixed).encode())


def val(told: object) -> Value | None:
    """``"integer:3"`` is a single value, ``"multiple integer:1 2"`` a container, ``"record a=integer:1"`` a record.

    None is NULL; members of containers are divided by spaces, points and pairs by `` | ``.
    """
    if told is None:
        return None
    kind, _, rest = str(told).partition(" ")
    if kind == "record":
        parts = (part.partition("=") for part in rest.split())
        return record({name: val(value) for name, _, value in parts})
    match = _SINGLE.fullmatch(rest if kind in {"multiple", "ordered"} else str(told))
    assert match is not None, told
    if kind in {"multiple", "ordered"}:
        twofold = match["type"] in {"point", "pair", "directedPair"}
        texts = match["value"].split(" | ") if twofold else match["value"].split()
        return container(kind, match["type"], [read_scalar(text, match["type"]) for text in texts])
    return single(match["type"], read_scalar(match["value"], match["type"]))


def evaluate(
    xml: str,
    values: Mapping[str, object] | None = None,
    *,
    declarations: Mapping[str, Declaration] | None = None,
    seed: int = 1,
) -> Value | None:
    """The value of an expression over variables told as in `val`."""
    held = {name: val(told) for name, told in (values or {}).items()}
    return compile_expression(element_of(xml))(Scope(dict(declarations or {}), held, seed=seed))


def applied(name: str, /, *operands: object, **attributes: object) -> Value | None:
    """An operator applied to operands told as in `val`; ``tolerance_mode=…`` is the attribute ``tolerance-mode``."""
    held = {f"V{place}": operand for place, operand in enumerate(operands)}
    written_attributes = "".join(f' {key.replace("_", "-")}="{written(one)}"' for key, one in attributes.items())
    inside = "".join(f'<variable identifier="{key}"/>' for key in held)
    return evaluate(f"<{name}{written_attributes}>{inside}</{name}>", held)


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    message: str


def refused(name: str, /, *operands: object, **attributes: object) -> Refusal:
    with pytest.raises(ItemError) as caught:
        applied(name, *operands, **attributes)
    finding = caught.value.findings[0]
    return Refusal(finding.code, finding.message)


def told(value: Value | None) -> object:
    """A value for comparing: NULL is None, else cardinality-and-type with its plain form."""
    if value is None:
        return None
    kind = "" if value.cardinality == "single" else f"{value.cardinality} "
    return f"{kind}{value.base_type or ''}".strip(), plain(value)
