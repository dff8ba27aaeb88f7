"""The test session as a pure state machine: a state and an event give the next state, and nothing else happens."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from item_formats.sessions.attempts import begin_attempt, end_attempt, here, save, skip
from item_formats.sessions.closing import end_session, rest
from item_formats.sessions.events import (
    BeginAttempt,
    Comment,
    EndAttempt,
    EndTest,
    Event,
    JumpTo,
    MoveBack,
    MoveNext,
    RefusedError,
    Resume,
    Review,
    Save,
    SessionError,
    ShowSolution,
    Skip,
    Suspend,
    Tick,
)
from item_formats.sessions.items import set_up
from item_formats.sessions.navigation import first_place, may_enter, moved, next_place
from item_formats.sessions.reading import definition_of
from item_formats.sessions.results import starting_outcomes
from item_formats.sessions.routes import route_of
from item_formats.sessions.state import ItemSession, SessionRules, TestState
from item_formats.sessions.timing import left_too_early, spend, time_is_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from item_formats.documents import Section, Test
    from item_formats.model import Item


def begin_test(
    test: Test,
    items: Mapping[str, Item],
    seed: int,
    *,
    sections: Mapping[str, Section] | None = None,
    rules: SessionRules | None = None,
) -> TestState:
    """A session at its first item; the same for the same test, items and seed.

    `items` are found by the href of their reference or by its identifier, `sections` in documents of their own by
    href. `rules` lets a delivery go beyond the QTI text.

    Raises
    ------
    ItemError
        The test cannot be delivered; the findings say why, all at once.
    """
    definition = definition_of(test, items, sections)
    route = route_of(definition, seed)
    state = TestState(
        seed=seed,
        rules=rules or SessionRules(),
        route=route,
        status="running",
        position=None,
        items={stop.key: ItemSession() for stop in route},
        outcomes=starting_outcomes(definition),
        seconds={},
        handed_in=(),
        path=(),
        last={},
        steps=0,
        definition=definition,
    )
    state, place = first_place(state)
    return _arrive(state, place) if place is not None else end_session(state)


def step(state: TestState, event: Event) -> TestState:
    """The session after an event.

    Raises
    ------
    SessionError
        The event is not allowed now; its `state` is the session with the event's seconds counted, to go on with.
    ItemError
        A rule of the test or of an item cannot be run with the values it met.
    """
    if not (math.isfinite(event.seconds) and event.seconds >= 0):
        raise SessionError("bad-seconds", f"{event.seconds} seconds went by; expected 0 or more", state)
    passed = spend(replace(state, steps=state.steps + 1), event.seconds)
    if passed.status == "ended" and state.status != "ended":
        if isinstance(event, (Tick, EndTest)):
            return passed
        raise SessionError("time-is-up", "the time for the test is over", passed)
    try:
        return _happen(passed, event)
    except RefusedError as refusal:
        raise SessionError(refusal.code, refusal.message, passed) from None


def _happen(state: TestState, event: Event) -> TestState:
    if state.status == "ended":
        raise RefusedError("session-ended", "the session is over; nothing can happen in it any more")
    if state.status == "suspended" and not isinstance(event, (Resume, EndTest, Tick)):
        raise RefusedError("session-suspended", "the session is suspended: resume it first")
    return _HAPPENINGS[type(event)](state, event)


def _move_next(state: TestState, _: MoveNext) -> TestState:
    stop, ref, session, part = here(state)
    if part.linear and not part.simultaneous and not ref.control.allow_skipping and session.phase != "closed":
        responses = any(found.kind == "response" for found in ref.declarations.values())
        if responses and session.completion_status in {"not_attempted", "unknown"}:
            raise RefusedError("skipping-not-allowed", f"{stop.key} must be answered before going on")
    further, place = next_place(state)
    early = left_too_early(state, place)
    if early is not None:
        raise RefusedError("too-early", f"the minimum time of {early} is not over yet")
    if place is None:
        return end_session(further)
    path = (*state.path, state.position) if state.position is not None else state.path
    return replace(_arrive(rest(further), place), path=path if state.rules.track_path else ())


def _move_back(state: TestState, _: MoveBack) -> TestState:
    part = here(state)[3]
    if part.linear and not state.rules.allow_jumps:
        raise RefusedError("linear", f"nobody goes back in the linear part {part.identifier}")
    if state.rules.track_path:
        return _go(state, state.path[-1]) if state.path else state
    for place in range((state.position or 0) - 1, -1, -1):
        if may_enter(state, place):
            return _go(state, place)
    return state


def _jump(state: TestState, event: JumpTo) -> TestState:
    return _go(state, _place_named(state, event.target))


def _go(state: TestState, place: int) -> TestState:
    part, to = here(state)[3], state.route[place]
    if place == state.position:
        return state
    if not state.rules.allow_jumps:
        if part.linear:
            raise RefusedError("linear", f"nobody jumps in the linear part {part.identifier}")
        if state.definition.part(to.part).linear and any(
            state.items[stop.key].visited for stop in state.route[place:] if stop.part == to.part
        ):
            raise RefusedError("linear", f"nobody returns to {to.key} in the linear part {to.part}")
    if time_is_up(state, place):
        raise RefusedError("time-is-up", f"the time for {to.key} is over")
    if not may_enter(state, place):
        raise RefusedError("precondition", f"the preconditions of the part {to.part} do not hold")
    path = moved(state, place).path if state.rules.track_path else ()
    return replace(_arrive(rest(state), place), path=path)


def _place_named(state: TestState, target: int | str) -> int:
    if isinstance(target, int):
        if 0 <= target < len(state.route):
            return target
    else:
        for place, stop in enumerate(state.route):
            if target in (stop.key, stop.ref):
                return place
    raise RefusedError("no-such-item", f"no item of this session is {target}; it has {len(state.route)}")


def _arrive(state: TestState, place: int) -> TestState:
    state = set_up(replace(state, position=place), place)
    key = state.route[place].key
    session = replace(state.items[key], visited=True)
    if session.open and session.phase == "suspended":
        session = replace(session, phase="interacting")
    return state.with_item(key, session)


def _suspend(state: TestState, _: Suspend) -> TestState:
    return replace(rest(state), status="suspended")


def _resume(state: TestState, _: Resume) -> TestState:
    if state.status != "suspended":
        raise RefusedError("not-suspended", "the session is not suspended")
    state = replace(state, status="running")
    return state if state.position is None else _arrive(state, state.position)


def _comment(state: TestState, event: Comment) -> TestState:
    stop, ref, session, _ = here(state)
    if not ref.control.allow_comment:
        raise RefusedError("comment-not-allowed", f"{stop.key} takes no remarks")
    return state.with_item(stop.key, replace(session, comment=event.text))


def _look_back(state: TestState, phase: Literal["review", "solution"]) -> TestState:
    stop, ref, session, part = here(state)
    allowed = ref.control.allow_review if phase == "review" else ref.control.show_solution
    if not allowed:
        raise RefusedError(f"{phase}-not-allowed", f"{stop.key} has no {phase} for candidates")
    unprocessed = part.simultaneous and part.identifier not in state.handed_in
    if session.phase not in {"closed", "review", "solution"} or unprocessed:
        raise RefusedError("not-finished", f"{stop.key} is not finished: its {phase} comes after the last attempt")
    return state.with_item(stop.key, replace(session, phase=phase))


_HAPPENINGS: dict[type[Event], Callable[[TestState, Any], TestState]] = {
    BeginAttempt: begin_attempt,
    Save: save,
    EndAttempt: end_attempt,
    Skip: skip,
    MoveNext: _move_next,
    MoveBack: _move_back,
    JumpTo: _jump,
    Comment: _comment,
    Review: lambda state, _: _look_back(state, "review"),
    ShowSolution: lambda state, _: _look_back(state, "solution"),
    Suspend: _suspend,
    Resume: _resume,
    Tick: lambda state, _: state,
    EndTest: end_session,
}
