"""Sessions as bytes: what `store` writes, `restore` gives back for the same test and items."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from item_formats.findings import Finding, ItemError
from item_formats.processing import ItemState
from item_formats.sessions.reading import definition_of
from item_formats.sessions.routes import Stop
from item_formats.sessions.state import ItemSession, SessionRules, TestState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.documents import Section, Test
    from item_formats.model import Item

FORMAT = 1  # raised when sessions stored before can no longer be read


def store(state: TestState) -> bytes:
    """The state as JSON in UTF-8. The test and its items are not in it, only a digest of them."""
    return json.dumps(_written(state), ensure_ascii=False, separators=(",", ":")).encode()


def restore(
    stored: bytes, test: Test, items: Mapping[str, Item], *, sections: Mapping[str, Section] | None = None
) -> TestState:
    """The state `store` wrote, to go on with.

    Raises
    ------
    ItemError
        Not a stored session, one of another version, or of a test or items that are not these.
    """
    try:
        plain = json.loads(stored)
        version, digest = plain["format"], plain["test"]
    except (ValueError, KeyError, TypeError):
        raise ItemError(Finding("error", "not-a-session", "these bytes are no stored session")) from None
    if version != FORMAT:
        message = f"the session was stored in format {version}; this program reads {FORMAT}"
        raise ItemError(Finding("error", "session-format", message))
    definition = definition_of(test, items, sections)
    if digest != definition.digest:
        message = f"the session belongs to another edition of the test {test.identifier} or of its items: restore those"
        raise ItemError(Finding("error", "another-test", message))
    return TestState(
        seed=plain["seed"],
        rules=SessionRules(**plain["rules"]),
        route=tuple(_stop(stop) for stop in plain["route"]),
        status=plain["status"],
        position=plain["position"],
        items={key: _item(session) for key, session in plain["items"].items()},
        outcomes=plain["outcomes"],
        seconds=plain["seconds"],
        handed_in=tuple(plain["handed_in"]),
        path=tuple(plain["path"]),
        last=plain["last"],
        steps=plain["steps"],
        definition=definition,
    )


def _written(state: TestState) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "test": state.definition.digest,
        "seed": state.seed,
        "rules": asdict(state.rules),
        "route": [[stop.ref, stop.occurrence, stop.part, stop.sections] for stop in state.route],
        "status": state.status,
        "position": state.position,
        "items": {key: asdict(session) for key, session in state.items.items()},
        "outcomes": state.outcomes,
        "seconds": state.seconds,
        "handed_in": state.handed_in,
        "path": state.path,
        "last": state.last,
        "steps": state.steps,
    }


def _stop(written: list[Any]) -> Stop:
    ref, occurrence, part, sections = written
    return Stop(ref, occurrence, part, tuple((name, number) for name, number in sections))


def _item(written: dict[str, Any]) -> ItemSession:
    item = written["item"]
    if item is not None:
        item = ItemState(**{**item, "feedback": tuple(item["feedback"]), "needs_person": tuple(item["needs_person"])})
    return ItemSession(**{**written, "item": item})
