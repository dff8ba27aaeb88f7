"""Attempts at the current item: begun, saved, handed in, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.findings import ItemError
from item_formats.processing import compiled, plain
from item_formats.processing.variables import typed
from item_formats.sessions.events import RefusedError
from item_formats.sessions.items import hand_in, is_adaptive, item_of
from item_formats.sessions.timing import is_late
from item_formats.sessions.validity import invalid_responses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.processing import Plain
    from item_formats.sessions.definition import ItemRef, Part
    from item_formats.sessions.events import EndAttempt, Save, Skip
    from item_formats.sessions.routes import Stop
    from item_formats.sessions.state import ItemSession, TestState


def here(state: TestState) -> tuple[Stop, ItemRef, ItemSession, Part]:
    if state.position is None:
        raise RefusedError("no-item", "there is no current item")
    stop = state.route[state.position]
    return stop, state.definition.refs[stop.ref], state.items[stop.key], state.definition.part(stop.part)


def begin_attempt(state: TestState, _: object = None) -> TestState:
    stop, ref, session, _ = here(state)
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
    stop, ref, session, part = here(state)
    if session.phase in {"closed", "review", "solution"}:
        raise RefusedError(*_why_closed(state, stop, ref, session))
    if not session.open:
        raise RefusedError("no-attempt", f"no attempt at {stop.key} is open: begin one first")
    return stop, ref, session, part


def save(state: TestState, event: Save) -> TestState:
    stop, ref, session, _ = _open_attempt(state)
    saved = {**(session.saved or {}), **_read(ref, event.responses)}
    return state.with_item(stop.key, replace(session, phase="interacting", saved=saved))


def skip(state: TestState, _: Skip) -> TestState:
    state = begin_attempt(state)
    ref = here(state)[1]
    return _handed_in(state, {name: None for name, found in ref.declarations.items() if found.kind == "response"})


def end_attempt(state: TestState, event: EndAttempt) -> TestState:
    return _handed_in(state, event.responses)


def _handed_in(state: TestState, responses: Mapping[str, object]) -> TestState:
    stop, ref, session, part = _open_attempt(state)
    given = {**(session.saved or {}), **_read(ref, responses)}
    late = session.late or is_late(state, state.position or 0)
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
