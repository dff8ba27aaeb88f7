"""Where a test leads next: preconditions, branch rules, exits, and what is out of time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.sessions.definition import EXIT_SECTION, EXIT_TEST, EXIT_TESTPART
from item_formats.sessions.items import context_of, hand_in_part
from item_formats.sessions.timing import time_is_up

if TYPE_CHECKING:
    from item_formats.sessions.definition import BranchRule, Expression, Part
    from item_formats.sessions.routes import Stop
    from item_formats.sessions.state import TestState

# A place on the route; None is the end of the test.
Place = int | None


def first_place(state: TestState) -> tuple[TestState, Place]:
    """The first item a candidate may enter."""
    return _enterable(state, 0 if state.route else None)


def next_place(state: TestState) -> tuple[TestState, Place]:
    """The item after the current one; a simultaneous part that is left on the way is handed in."""
    if state.position is None:
        return state, None
    state, place = _leave(state, state.position, presented=True)
    return _enterable(state, place)


def may_enter(state: TestState, place: int) -> bool:
    """Whether a candidate who is free to navigate may go there: the part's preconditions hold and there is time."""
    stop = state.route[place]
    return _part_opens(state, stop) and not time_is_up(state, place)


def holds(state: TestState, conditions: tuple[Expression, ...], purpose: str) -> bool:
    """Whether all conditions are true; NULL is not true."""
    if not conditions:
        return True
    context = context_of(state, purpose)
    return all((value := condition(context)) is not None and value.items[0] is True for condition in conditions)


def _enterable(state: TestState, place: Place) -> tuple[TestState, Place]:
    """The first stop from `place` on that nothing keeps a candidate from entering."""
    while place is not None:
        skipped_to = _blocked(state, place)
        if skipped_to is None:
            return state, place
        state, place = _leave(state, skipped_to, presented=False)
    return state, None


def _blocked(state: TestState, place: int) -> Place:
    """None when the stop may be entered, else the last stop of what is to be skipped."""
    stop = state.route[place]
    part = state.definition.part(stop.part)
    if not _part_opens(state, stop):
        return max(other for other, later in enumerate(state.route) if later.part == stop.part)
    if part.linear or state.rules.force_preconditions:
        for section in stop.sections:
            if not _section_presented(state, section):
                found = state.definition.sections[section[0]]
                if not holds(state, found.preconditions, f"before {section[0]}.{section[1]}"):
                    return _end_of_run(state, place, section)
        if not holds(state, state.definition.refs[stop.ref].preconditions, f"before {stop.key}"):
            return place
    return place if time_is_up(state, place) else None


def _part_opens(state: TestState, stop: Stop) -> bool:
    if any(state.items[other.key].visited for other in state.route if other.part == stop.part):
        return True
    return holds(state, state.definition.part(stop.part).preconditions, f"before {stop.part}")


def _leave(state: TestState, place: int, *, presented: bool) -> tuple[TestState, Place]:
    """Where the rules lead after the stop at `place`, which was presented, or skipped with what is before it."""
    stop = state.route[place]
    part = state.definition.part(stop.part)
    heeded = part.linear or state.rules.force_branch_rules
    ending = False  # an EXIT_SECTION: the innermost section still open ends here
    if presented and heeded:
        target = _branch(state, place, state.definition.refs[stop.ref].branch_rules)
        if target not in (None, EXIT_SECTION):
            return _follow(state, place, part, str(target))
        ending = target == EXIT_SECTION
    for section in reversed(stop.sections):
        last = max(other for other, later in enumerate(state.route) if section in later.sections)
        if ending:
            place = max(place, last)
        elif last > place:
            return state, place + 1
        ending = False
        if heeded and _section_presented(state, section):
            target = _branch(state, place, state.definition.sections[section[0]].branch_rules)
            if target not in (None, EXIT_SECTION):
                return _follow(state, place, part, str(target))
            ending = target == EXIT_SECTION
    following = place + 1
    if following < len(state.route) and state.route[following].part == stop.part:
        return state, following
    return _end_part(state, part)


def _follow(state: TestState, place: int, part: Part, target: str) -> tuple[TestState, Place]:
    """Go where a branch rule of an item or a section says."""
    if target == EXIT_TEST:
        return state, None
    if target == EXIT_TESTPART:
        return _end_part(state, part)
    ahead = _place_ahead(state, place, target)
    if ahead is not None and state.route[ahead].part != part.identifier:
        state = hand_in_part(state, part)
    return state, ahead


def _end_part(state: TestState, part: Part) -> tuple[TestState, Place]:
    """A part is over: it is handed in, then its own branch rules are asked, in either navigation mode."""
    places = [place for place, stop in enumerate(state.route) if stop.part == part.identifier]
    last = max(places)
    if any(state.items[state.route[place].key].visited for place in places):
        state = hand_in_part(state, part)
        target = _branch(state, last, part.branch_rules)
        if target == EXIT_TEST:
            return state, None
        if target not in (None, EXIT_TESTPART, EXIT_SECTION):
            return state, _place_ahead(state, last, str(target))
    return state, last + 1 if last + 1 < len(state.route) else None


def _branch(state: TestState, place: int, rules: tuple[BranchRule, ...]) -> str | None:
    """The target of the first rule that is true and leads forward (QTI 3: not to what has been presented)."""
    for number, rule in enumerate(rules):
        if holds(state, (rule.condition,), f"after {place} {number}") and (
            rule.target in (EXIT_TEST, EXIT_TESTPART, EXIT_SECTION)
            or _place_ahead(state, place, rule.target) is not None
        ):
            return rule.target
    return None


def _place_ahead(state: TestState, place: int, target: str) -> Place:
    """The first stop after `place` in the part named `target`, or in this part that is, or is in, `target`.

    ``Q02.3`` is the third appearance of Q02.
    """
    here = state.route[place].part
    for other in range(place + 1, len(state.route)):
        stop = state.route[other]
        if stop.part == target != here:
            return other
        if stop.part == here and (target in (stop.ref, stop.key) or target in [name for name, _ in stop.sections]):
            return other
    return None


def _section_presented(state: TestState, section: tuple[str, int]) -> bool:
    return any(state.items[stop.key].visited for stop in state.route if section in stop.sections)


def _end_of_run(state: TestState, place: int, section: tuple[str, int]) -> int:
    while place + 1 < len(state.route) and section in state.route[place + 1].sections:
        place += 1
    return place


def moved(state: TestState, place: Place) -> TestState:
    """The path of a candidate who goes back and forth: going back to where one was forgets the way from there."""
    if state.position is None or place is None or place == state.position:
        return state
    if place in state.path:
        return replace(state, path=state.path[: state.path.index(place)])
    return replace(state, path=(*state.path, state.position))
