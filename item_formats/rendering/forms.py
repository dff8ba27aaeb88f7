"""What was answered on a rendered page: its form fields as responses for `score`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.parsing import qti

if TYPE_CHECKING:
    from collections.abc import Iterable

    from item_formats.model import Item


def read_form(item: Item, fields: Iterable[tuple[str, str]], *, prefix: str = "item-1") -> dict[str, str | list[str]]:
    """Responses by identifier from the names and values of a page's controls, as a browser sends them.

    `prefix` is the item's on the page: item-1 for the first. Fields of other items and empty ones are left out, so a
    response nobody gave is missing. Multiple and ordered responses are lists, in the order of the page or the places
    given; pairs and points are written as QTI does ("A B", "10 20").
    """
    declared = {
        declaration.get("identifier", ""): declaration.get("cardinality", "")
        for declaration in item.root.iterchildren(qti("qti-response-declaration"))
    }
    plain: dict[str, list[str]] = {}
    parts: dict[str, dict[tuple[str, ...], str]] = {}
    for name, value in fields:
        page, _, rest = name.partition("/")
        response, *detail = rest.split(":")
        if page != prefix or response not in declared or not value.strip():
            continue
        if detail and detail[0] not in {"row", "file"}:
            parts.setdefault(response, {})[tuple(detail)] = value
        else:
            plain.setdefault(response, []).append(value)
    for response, given in parts.items():
        plain.setdefault(response, []).extend(_assembled(given))
    return {
        response: values if declared[response] in {"multiple", "ordered"} else values[0]
        for response, values in plain.items()
        if values
    }


def _assembled(given: dict[tuple[str, ...], str]) -> list[str]:
    """Values put together from controls that each hold a part: places, gaps, pairs, coordinates."""
    places = {choice[1]: int(place) for choice, place in given.items() if choice[0] == "place" and place.isdigit()}
    values = sorted(places, key=lambda choice: places[choice])
    values += [f"{value} {detail[1]}" for detail, value in given.items() if detail[0] == "gap"]
    for kind, first, second in (("pair", "a", "b"), ("point", "x", "y")):
        numbers = sorted({detail[1] for detail in given if detail[0] == kind}, key=lambda number: (len(number), number))
        ends = [(given.get((kind, number, first)), given.get((kind, number, second))) for number in numbers]
        values += [f"{one} {other}" for one, other in ends if one and other]
    return values
