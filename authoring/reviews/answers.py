"""Whether the answer of a reviewer, who has not seen the key, is right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from item_formats import Finding, ItemError, parse_response_code, score

if TYPE_CHECKING:
    from item_formats import Item

_APART = re.compile(r"[;；\n]")


def is_right(item: Item, answer: str) -> bool:
    """Whether an answer earns what the correct response earns.

    Choice items are answered by letters (B, ABD, √). Every other item by its values, apart by ``;`` (``A P1; B P2`` of
    a match), and where it has several responses each with its name (``RESPONSE1=12; RESPONSE2=北京``). An item without
    a correct response is scored by people: any answer will do, there is nothing to be right or wrong against.

    Raises
    ------
    ItemError
        An answer the item does not allow.
    """
    if item.item_type is not None:
        return set(parse_response_code(item, answer)) == set(item.correct)
    declared = item.response_declarations
    correct = {one.identifier: list(one.correct) for one in declared if one.correct}
    if not correct:
        return True
    given = score(item, _responses(item, answer))
    best = score(item, correct)
    mine, theirs = given.get("SCORE"), best.get("SCORE")
    if isinstance(mine, (int, float)) and isinstance(theirs, (int, float)):
        return mine >= theirs
    return given == best


def _responses(item: Item, answer: str) -> dict[str, list[str]]:
    names = [one.identifier for one in item.response_declarations]
    responses: dict[str, list[str]] = {}
    for part in filter(None, map(str.strip, _APART.split(answer))):
        name, equals, value = part.partition("=")
        if equals and name.strip() in names:
            responses.setdefault(name.strip(), []).append(value.strip())
        elif len(names) == 1:
            responses.setdefault(names[0], []).append(part)
        else:
            shown = "; ".join(f"{one}=…" for one in names) or "nothing: it has no response"
            message = f"the answer is “{part[:80]}”; expected {shown}"
            raise ItemError(Finding("error", "unknown-response", message, item=item.identifier))
    return responses
