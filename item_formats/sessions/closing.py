"""What is over: an item nobody looks at any more, an item out of time, the whole session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.sessions.items import hand_in, hand_in_part, process_test

if TYPE_CHECKING:
    from item_formats.sessions.routes import Stop
    from item_formats.sessions.state import Phase, TestState


def rest(state: TestState) -> TestState:
    """The current item as it is while nobody looks at it."""
    if state.position is None:
        return state
    key = state.route[state.position].key
    session = state.items[key]
    resting = _RESTING.get(session.phase)
    return state if resting is None else state.with_item(key, replace(session, phase=resting))


_RESTING: dict[Phase, Phase] = {"interacting": "suspended", "review": "closed", "solution": "closed"}


def close(state: TestState, stop: Stop) -> TestState:
    """The item session is over. What was saved in time counts as handed in."""
    session = state.items[stop.key]
    if session.open and session.saved is not None:
        state = hand_in(state, stop, session.saved)
        session = state.items[stop.key]
    return state.with_item(stop.key, replace(session, phase="closed", open=False))


def end_session(state: TestState, _: object = None) -> TestState:
    """Close every item; what was saved is handed in, simultaneous parts as a whole."""
    state = rest(state)
    for part in state.definition.parts:
        stops = [stop for stop in state.route if stop.part == part.identifier]
        if any(state.items[stop.key].visited for stop in stops):
            state = hand_in_part(state, part)
        for stop in stops:
            if state.items[stop.key].phase != "closed":
                state = close(state, stop)
    if not state.last and not state.handed_in:
        state = process_test(state)  # a session in which nothing was handed in has outcomes too
    return replace(state, status="ended", position=None)
