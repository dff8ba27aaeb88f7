"""Time in a session: where it is spent, what it closes, what it makes wait."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.sessions.closing import close, end_session
from item_formats.sessions.items import hand_in_part

if TYPE_CHECKING:
    from item_formats.sessions.definition import TimeLimits
    from item_formats.sessions.routes import Stop
    from item_formats.sessions.state import TestState


def spend(state: TestState, seconds: float) -> TestState:
    """Count time where the candidate is, then close what has run out of it."""
    if state.status != "running" or state.position is None:
        return state
    if seconds:
        stop = state.route[state.position]
        names = ("", stop.part, *(name for name, _ in stop.sections))
        state = replace(
            state, seconds={**state.seconds, **{name: state.seconds.get(name, 0.0) + seconds for name in names}}
        )
        session = state.items[stop.key]
        if session.open and session.phase == "interacting":
            state = state.with_item(stop.key, replace(session, seconds=session.seconds + seconds))
    return _close_late(state)


def _close_late(state: TestState) -> TestState:
    """Close the item, sections, part or test whose maximum time is over and that takes nothing late."""
    if state.position is None:
        return state
    definition, stop = state.definition, state.route[state.position]
    if _over(definition.limits, state.seconds.get("", 0.0)):
        return end_session(state)
    part = definition.part(stop.part)
    if _over(part.limits, state.seconds.get(stop.part, 0.0)):
        state = hand_in_part(state, part)
        return _closed(state, [other for other in state.route if other.part == stop.part])
    for section in stop.sections:
        if _over(definition.sections[section[0]].limits, state.seconds.get(section[0], 0.0)):
            return _closed(state, [other for other in state.route if section in other.sections])
    if _over(definition.refs[stop.ref].limits, state.items[stop.key].seconds):
        return _closed(state, [stop])
    return state


def _over(limits: TimeLimits, spent: float) -> bool:
    """Beyond the maximum; exactly at it is still in time."""
    return limits.longest is not None and not limits.late and spent > limits.longest


def _closed(state: TestState, stops: list[Stop]) -> TestState:
    for stop in stops:
        session = state.items[stop.key]
        if state.definition.part(stop.part).simultaneous and stop.part not in state.handed_in:
            # stays to be processed with its part; nothing more is accepted
            state = state.with_item(stop.key, replace(session, phase="closed"))
        elif session.phase != "closed":
            state = close(state, stop)
    return state


def is_late(state: TestState, place: int) -> bool:
    """Whether any limit around the item, one that takes late answers too, has passed."""
    limits_here = limits_around(state, place)
    return any(limits.longest is not None and spent > limits.longest for _, spent, limits in limits_here)


def time_is_up(state: TestState, place: int) -> bool:
    """Whether the time of the item, or of anything around it, is used up for good."""
    return any(
        limits.longest is not None and not limits.late and spent >= limits.longest
        for _, spent, limits in limits_around(state, place)
    )


def limits_around(state: TestState, place: int) -> list[tuple[str, float, TimeLimits]]:
    """The limits that hold at a stop, from the item outwards: whose they are, the seconds spent, the limits."""
    stop, definition = state.route[place], state.definition
    return [
        (stop.key, state.items[stop.key].seconds, definition.refs[stop.ref].limits),
        *(
            (name, state.seconds.get(name, 0.0), definition.sections[name].limits)
            for name, _ in reversed(stop.sections)
        ),
        (stop.part, state.seconds.get(stop.part, 0.0), definition.part(stop.part).limits),
        (definition.identifier, state.seconds.get("", 0.0), definition.limits),
    ]


def left_too_early(state: TestState, place: int | None) -> str | None:
    """Whose minimum time is not over when the candidate goes from the current item to `place`; None when none.

    Minimum times of items and sections hold in linear parts only (QTI 3, *time-limits*).
    """
    if state.position is None or time_is_up(state, state.position):
        return None
    here, to = state.route[state.position], None if place is None else state.route[place]
    staying = set() if to is None else {to.part, state.definition.identifier, *(name for name, _ in to.sections)}
    linear = state.definition.part(here.part).linear
    for name, spent, limits in limits_around(state, state.position):
        bounds_item_or_section = name not in (here.part, state.definition.identifier)
        if spent < limits.shortest and name not in staying and (linear or not bounds_item_or_section):
            return name
    return None
