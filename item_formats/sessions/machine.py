"""The test session as a pure state machine: a state and an event give the next state, and nothing else happens."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from item_formats.findings import ItemError
from item_formats.processing import compiled, plain
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
from item_formats.sessions.items import close, hand_in, hand_in_part, is_adaptive, item_of, process_test, set_up
from item_formats.sessions.navigation import (
    first_place,
    left_too_early,
    limits_around,
    may_enter,
    moved,
    next_place,
    time_is_up,
)
from item_formats.sessions.reading import definition_of
from item_formats.sessions.results import starting_outcomes, typed
from item_formats.sessions.routes import route_of
from item_formats.sessions.state import ItemSession, Phase, SessionRules, TestState
from item_formats.sessions.validity import invalid_responses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from item_formats.documents import Section, Test
    from item_formats.model import Item
    from item_formats.processing import Plain
    from item_formats.sessions.definition import ItemRef, Part, TimeLimits
    from item_formats.sessions.routes import Stop


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
    return _arrive(state, place) if place is not None else _end(state)


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
    passed = _spend(replace(state, steps=state.steps + 1), event.seconds)
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


# Time


def _spend(state: TestState, seconds: float) -> TestState:
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
        return _end(state)
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


# Attempts


def _here(state: TestState) -> tuple[Stop, ItemRef, ItemSession, Part]:
    if state.position is None:
        raise RefusedError("no-item", "there is no current item")
    stop = state.route[state.position]
    return stop, state.definition.refs[stop.ref], state.items[stop.key], state.definition.part(stop.part)


def _begin_attempt(state: TestState, _: object = None) -> TestState:
    stop, ref, session, _ = _here(state)
    if session.phase in {"closed", "review", "solution"}:
        raise RefusedError(*_why_closed(state, stop, ref, session))
    if session.open:
        return state.with_item(stop.key, replace(session, phase="interacting"))
    first = session.attempts == 0
    status = session.completion_status if is_adaptive(item_of(ref)) and not first else "unknown"
    begun = replace(
        session, phase="interacting", attempts=session.attempts + 1, open=True, saved=None, completion_status=status
    )
    return state.with_item(stop.key, begun)


def _why_closed(state: TestState, stop: Stop, ref: ItemRef, session: ItemSession) -> tuple[str, str]:
    if stop.part in state.handed_in:
        return "part-handed-in", f"the part {stop.part} is handed in; its items take no answers any more"
    limit = ref.control.max_attempts
    if session.completion_status == "completed" and (is_adaptive(item_of(ref)) or session.attempts >= limit):
        return "no-attempts-left", f"{stop.key} has had its {session.attempts} attempts"
    return "time-is-up", f"the time for {stop.key} is over"


def _open_attempt(state: TestState) -> tuple[Stop, ItemRef, ItemSession, Part]:
    stop, ref, session, part = _here(state)
    if session.phase in {"closed", "review", "solution"}:
        raise RefusedError(*_why_closed(state, stop, ref, session))
    if not session.open:
        raise RefusedError("no-attempt", f"no attempt at {stop.key} is open: begin one first")
    return stop, ref, session, part


def _save(state: TestState, event: Save) -> TestState:
    stop, ref, session, _ = _open_attempt(state)
    saved = {**(session.saved or {}), **_read(ref, event.responses)}
    return state.with_item(stop.key, replace(session, phase="interacting", saved=saved))


def _skip(state: TestState, _: Skip) -> TestState:
    state = _begin_attempt(state)
    ref = _here(state)[1]
    return _handed_in(state, {name: None for name, found in ref.declarations.items() if found.kind == "response"})


def _end_attempt(state: TestState, event: EndAttempt) -> TestState:
    return _handed_in(state, event.responses)


def _handed_in(state: TestState, responses: Mapping[str, object]) -> TestState:
    stop, ref, session, part = _open_attempt(state)
    given = {**(session.saved or {}), **_read(ref, responses)}
    late = session.late or _is_late(state, state.position or 0)
    if part.linear and session.seconds < ref.limits.shortest:
        message = f"{stop.key} asks for {ref.limits.shortest:g} seconds at least; {session.seconds:g} have passed"
        raise RefusedError("too-early", message)
    if part.simultaneous:
        # One attempt, open until the whole part is handed in: answers may still be changed.
        return state.with_item(stop.key, replace(session, phase="suspended", saved=given, late=late))
    held = {} if session.item is None else session.item.responses  # of the attempt before
    _demand_answer(stop, ref, {**held, **given})
    return hand_in(state.with_item(stop.key, replace(session, late=late)), stop, given)


def _demand_answer(stop: Stop, ref: ItemRef, given: Mapping[str, Plain]) -> None:
    """`allow-skipping` and `validate-responses`, which hold in individual submission only."""
    declared = [found for found in ref.declarations.values() if found.kind == "response"]
    values = {found.identifier: typed(found, given.get(found.identifier)) for found in declared}
    answered = any(values[found.identifier] not in (None, found.default) for found in declared)
    if declared and not answered and not ref.control.allow_skipping:
        raise RefusedError("skipping-not-allowed", f"{stop.key} must be answered before it is handed in")
    if ref.control.validate_responses:
        wrong = invalid_responses(item_of(ref), values)
        if wrong:
            raise RefusedError("invalid-response", f"{stop.key} is not answered as it asks: {'; '.join(wrong)}")


def _read(ref: ItemRef, responses: Mapping[str, object]) -> dict[str, Plain]:
    """The responses as the item declares them; what cannot be a response to it is refused."""
    options = compiled(item_of(ref)).options
    given: dict[str, Plain] = {}
    for name, answer in responses.items():
        declaration = ref.declarations.get(name)
        if declaration is None or declaration.kind != "response":
            raise RefusedError("unknown-response", f"{ref.identifier} has no response called {name}")
        try:
            value = typed(declaration, answer)
        except ItemError as error:
            raise RefusedError("bad-response", error.findings[0].message) from None
        if value is not None and name in options and not options[name].issuperset(map(str, value.items)):
            offered = ", ".join(sorted(options[name]))
            raise RefusedError("bad-response", f"{name} is {plain(value)}; the options are {offered}")
        given[name] = plain(value)
    return given


def _is_late(state: TestState, place: int) -> bool:
    limits_here = limits_around(state, place)
    return any(limits.longest is not None and spent > limits.longest for _, spent, limits in limits_here)


# Going about


def _move_next(state: TestState, _: MoveNext) -> TestState:
    stop, ref, session, part = _here(state)
    if part.linear and not part.simultaneous and not ref.control.allow_skipping and session.phase != "closed":
        responses = any(found.kind == "response" for found in ref.declarations.values())
        if responses and session.completion_status in {"not_attempted", "unknown"}:
            raise RefusedError("skipping-not-allowed", f"{stop.key} must be answered before going on")
    further, place = next_place(state)
    early = left_too_early(state, place)
    if early is not None:
        raise RefusedError("too-early", f"the minimum time of {early} is not over yet")
    if place is None:
        return _end(further)
    path = (*state.path, state.position) if state.position is not None else state.path
    return replace(_arrive(_rest(further), place), path=path if state.rules.track_path else ())


def _move_back(state: TestState, _: MoveBack) -> TestState:
    part = _here(state)[3]
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
    part, to = _here(state)[3], state.route[place]
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
    return replace(_arrive(_rest(state), place), path=path)


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


def _rest(state: TestState) -> TestState:
    """The current item as it is while nobody looks at it."""
    if state.position is None:
        return state
    key = state.route[state.position].key
    session = state.items[key]
    resting = _RESTING.get(session.phase)
    return state if resting is None else state.with_item(key, replace(session, phase=resting))


_RESTING: dict[Phase, Phase] = {"interacting": "suspended", "review": "closed", "solution": "closed"}


def _suspend(state: TestState, _: Suspend) -> TestState:
    return replace(_rest(state), status="suspended")


def _resume(state: TestState, _: Resume) -> TestState:
    if state.status != "suspended":
        raise RefusedError("not-suspended", "the session is not suspended")
    state = replace(state, status="running")
    return state if state.position is None else _arrive(state, state.position)


def _end(state: TestState, _: object = None) -> TestState:
    """Close every item; what was saved is handed in, simultaneous parts as a whole."""
    state = _rest(state)
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


# Looking and remarking


def _comment(state: TestState, event: Comment) -> TestState:
    stop, ref, session, _ = _here(state)
    if not ref.control.allow_comment:
        raise RefusedError("comment-not-allowed", f"{stop.key} takes no remarks")
    return state.with_item(stop.key, replace(session, comment=event.text))


def _look_back(state: TestState, phase: Literal["review", "solution"]) -> TestState:
    stop, ref, session, part = _here(state)
    allowed = ref.control.allow_review if phase == "review" else ref.control.show_solution
    if not allowed:
        raise RefusedError(f"{phase}-not-allowed", f"{stop.key} has no {phase} for candidates")
    unprocessed = part.simultaneous and part.identifier not in state.handed_in
    if session.phase not in {"closed", "review", "solution"} or unprocessed:
        raise RefusedError("not-finished", f"{stop.key} is not finished: its {phase} comes after the last attempt")
    return state.with_item(stop.key, replace(session, phase=phase))


_HAPPENINGS: dict[type[Event], Callable[[TestState, Any], TestState]] = {
    BeginAttempt: _begin_attempt,
    Save: _save,
    EndAttempt: _end_attempt,
    Skip: _skip,
    MoveNext: _move_next,
    MoveBack: _move_back,
    JumpTo: _jump,
    Comment: _comment,
    Review: lambda state, _: _look_back(state, "review"),
    ShowSolution: lambda state, _: _look_back(state, "solution"),
    Suspend: _suspend,
    Resume: _resume,
    Tick: lambda state, _: state,
    EndTest: _end,
}
