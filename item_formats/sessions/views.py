"""What may be shown of a session: feedback, variables, time and attempts left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.processing import is_shown, plain
from item_formats.processing.scope import BUILT_IN
from item_formats.sessions.items import is_adaptive, item_of, result_of
from item_formats.sessions.timing import limits_around

if TYPE_CHECKING:
    from item_formats.processing import Plain
    from item_formats.sessions.definition import Feedback
    from item_formats.sessions.routes import Stop
    from item_formats.sessions.state import TestState


def item_variables(state: TestState, key: str, *, kind: str = "outcome") -> dict[str, Plain]:
    """Outcome or response variables of an item session, the built-in ones too, as JSON-like data.

    `key` is a name on the route such as ``Q01.1``; the variables have the item's own names.
    """
    stop = stop_named(state, key)
    result, ref = result_of(state, stop), state.definition.refs[stop.ref]
    names = [name for name, found in {**ref.declarations, **BUILT_IN}.items() if found.kind == kind]
    return {name: plain(result.values.get(name)) for name in names}


def feedback_shown(state: TestState) -> tuple[Feedback, ...]:
    """The test feedback to show now, the test's before its parts'.

    ``during`` holds while the test, or the part the candidate is in, is going on and something was handed in;
    ``atEnd`` when the test is over, or the part has been left.
    """
    definition, shown = state.definition, []
    ended = state.status == "ended"
    here = None if state.position is None else state.route[state.position].part
    processed = bool(state.last or state.handed_in)
    shown += [found for found in definition.feedback if (found.access == "atEnd") == ended and (ended or processed)]
    for part in definition.parts:
        visited = any(state.items[stop.key].visited for stop in state.route if stop.part == part.identifier)
        if not visited:
            continue
        over = part.identifier != here
        shown += [found for found in part.feedback if (found.access == "atEnd") == over and (over or processed)]
    return tuple(found for found in shown if is_shown(found.element, state.outcomes))


def item_feedback_shown(state: TestState, key: str) -> bool:
    """Whether the feedback of the item may be shown now.

    Between attempts it always is; after the last one `show-feedback` decides; never before a simultaneous part is
    handed in (QTI 3, *item-session-control*).
    """
    stop = stop_named(state, key)
    ref, session, part = state.definition.refs[stop.ref], state.items[key], state.definition.part(stop.part)
    if session.attempts == 0 or (part.simultaneous and part.identifier not in state.handed_in):
        return False
    more_to_come = not part.simultaneous and (is_adaptive(item_of(ref)) or ref.control.max_attempts != 1)
    if more_to_come and session.phase in {"interacting", "suspended"}:
        return True
    return ref.control.show_feedback and session.phase not in {"initial", "interacting"}


def attempts_left(state: TestState, key: str) -> int | None:
    """How many more attempts may begin; None for as many as the candidate wants."""
    stop = stop_named(state, key)
    ref, session, part = state.definition.refs[stop.ref], state.items[key], state.definition.part(stop.part)
    if session.phase in {"closed", "review", "solution"}:
        return 0
    if part.simultaneous:
        return 1 - session.attempts
    if is_adaptive(item_of(ref)) or ref.control.max_attempts == 0:
        return None
    return max(ref.control.max_attempts - session.attempts, 0)


def seconds_left(state: TestState) -> float | None:
    """Until the first of the limits around the current item is reached, late submission or not; None without one."""
    if state.position is None:
        return None
    left = [
        max(limits.longest - spent, 0.0)
        for _, spent, limits in limits_around(state, state.position)
        if limits.longest is not None
    ]
    return min(left, default=None)


def stop_named(state: TestState, key: str) -> Stop:
    for stop in state.route:
        if stop.key == key:
            return stop
    raise KeyError(f"{key} is not on the route; it goes by {', '.join(stop.key for stop in state.route)}")
