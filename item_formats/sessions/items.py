"""Item sessions inside a test session: setting items up, processing what is handed in, and what the test sees of it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from item_formats.processing import attempt, begin_item, compiled, plain
from item_formats.processing.values import single
from item_formats.processing.variables import typed
from item_formats.sessions.results import Result, TestContext, processed_outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.model import Item
    from item_formats.processing import ItemState, Plain, Value
    from item_formats.sessions.definition import ItemRef, Part
    from item_formats.sessions.routes import Stop
    from item_formats.sessions.state import ItemSession, TestState


def item_of(ref: ItemRef) -> Item:
    if ref.item is None:  # `define` was called without items; sessions are only begun with them
        raise AssertionError(ref.identifier)
    return ref.item


def set_up(state: TestState, place: int) -> TestState:
    """The item sessions that begin when a candidate comes to `place`.

    In a nonlinear part all of the part's begin at once, because nobody knows which item comes first; in a linear part
    each begins when it is reached, and its template defaults may look at what was answered before (QTI 3,
    *template-default*).
    """
    here = state.route[place]
    starting = (
        [here] if state.definition.part(here.part).linear else [stop for stop in state.route if stop.part == here.part]
    )
    waiting = [stop for stop in starting if state.items[stop.key].item is None]
    if not waiting:
        return state
    context = context_of(state, "template defaults")
    items = dict(state.items)
    for stop in waiting:
        ref = state.definition.refs[stop.ref]
        defaults = {name: plain(expression(context)) for name, expression in ref.template_defaults.items()}
        items[stop.key] = replace(items[stop.key], item=_begun(ref, _seed(state, stop), defaults))
    return replace(state, items=items)


def process(state: TestState, stop: Stop, responses: Mapping[str, object]) -> TestState:
    """The item after its response processing; nothing of the test is processed yet."""
    ref, session = state.definition.refs[stop.ref], state.items[stop.key]
    item = item_of(ref)
    before = session.item if session.item is not None else _begun(ref, _seed(state, stop), {})
    after = attempt(item, before, responses, seconds=session.seconds - before.duration)
    adaptive, status = is_adaptive(item), after.completion_status
    if status == "unknown" and not adaptive:
        status = "completed"  # such items need not say it: what was handed in is complete
    finished = status == "completed" if adaptive else 0 < ref.control.max_attempts <= session.attempts
    if state.definition.part(stop.part).simultaneous:
        finished = True
    return state.with_item(
        stop.key,
        replace(
            session,
            phase="closed" if finished else "suspended",
            open=False,
            saved=None,
            completion_status=status,
            item=after,
        ),
    )


def hand_in(state: TestState, stop: Stop, responses: Mapping[str, object]) -> TestState:
    """Process one item of an individual part, then the test."""
    state = process(state, stop, responses)
    return process_test(replace(state, last={**state.last, stop.ref: stop.occurrence}))


def hand_in_part(state: TestState, part: Part) -> TestState:
    """Process all that was answered in a simultaneous part, then the test; once."""
    if not part.simultaneous or part.identifier in state.handed_in:
        return state
    for stop in state.route:
        if stop.part == part.identifier:
            session = state.items[stop.key]
            if session.open:
                state = process(state, stop, session.saved or {})
                state = replace(state, last={**state.last, stop.ref: stop.occurrence})
            else:
                state = state.with_item(stop.key, replace(session, phase="closed"))
    return process_test(replace(state, handed_in=(*state.handed_in, part.identifier)))


def process_test(state: TestState) -> TestState:
    """The test's outcomes from its outcome processing."""
    return replace(state, outcomes=processed_outcomes(context_of(state, "outcomes")))


def context_of(state: TestState, purpose: str) -> TestContext:
    """What the rules of the test may ask now; chance differs from purpose to purpose and from step to step."""
    together = {stop.ref for stop in state.route if state.definition.part(stop.part).simultaneous}
    return TestContext(
        state.definition,
        [result_of(state, stop) for stop in state.route],
        state.outcomes,
        random=Random(f"{state.seed} step {state.steps} {purpose}"),  # noqa: S311  # to be reproduced, not to be secret
        seconds=state.seconds,
        last={ref: occurrence for ref, occurrence in state.last.items() if ref in together},
    )


def result_of(state: TestState, stop: Stop) -> Result:
    ref, session = state.definition.refs[stop.ref], state.items[stop.key]
    return Result(
        ref=ref,
        occurrence=stop.occurrence,
        sections=tuple(name for name, _ in stop.sections),
        attempts=session.attempts,
        values=_values(ref, session),
        corrects={name: _correct(ref, session.item, name) for name in ref.declarations},
    )


def is_adaptive(item: Item) -> bool:
    return compiled(item).adaptive


def _values(ref: ItemRef, session: ItemSession) -> dict[str, Value | None]:
    values: dict[str, Value | None] = {}
    given: dict[str, object] = {}
    if session.item is not None:
        given = {**session.item.template_values, **session.item.responses, **session.item.outcomes}
    for name, declaration in ref.declarations.items():
        values[name] = typed(declaration, given[name]) if name in given else declaration.start
    values["completionStatus"] = single("identifier", session.completion_status)
    values["numAttempts"] = single("integer", session.attempts)
    values["duration"] = single("duration", session.seconds)
    return values


def _begun(ref: ItemRef, seed: int, defaults: Mapping[str, Plain]) -> ItemState:
    return begin_item(item_of(ref), seed, template_defaults=defaults)


def _correct(ref: ItemRef, item: ItemState | None, name: str) -> Value | None:
    """What template processing made the correct response, else what is declared."""
    declaration = ref.declarations[name]
    return declaration.correct if item is None or name not in item.corrects else typed(declaration, item.corrects[name])


def _seed(state: TestState, stop: Stop) -> int:
    """Each appearance of an item is a clone of its own, the same for the same session."""
    return Random(f"{state.seed} item {stop.key}").getrandbits(48)  # noqa: S311
