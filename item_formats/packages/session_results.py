"""The report of a test session, whatever point it has reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.packages.results import (
    AssessmentResult,
    ItemResult,
    ResultContext,
    SessionIdentifier,
    result_of_item,
    result_of_test,
)
from item_formats.sessions import item_variables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from item_formats.documents import Test
    from item_formats.sessions import ItemSession, Stop, TestState


def result_of_session(
    test: Test,
    state: TestState,
    *,
    datestamp: datetime,
    candidate: str | None = None,
    sessions: Sequence[SessionIdentifier] = (),
) -> AssessmentResult:
    """The test's outcomes and, in the order of the candidate's route, every item of it that was reached.

    Items are named as the test refers to them, their `place` on the route counts from 1. Responses saved but not
    handed in are reported as pending submission; outcomes a person has still to set as pending external scoring.
    """
    items = tuple(
        _item_result(state, stop, place, datestamp)
        for place, stop in enumerate(state.route, 1)
        if state.items[stop.key].item is not None and state.items[stop.key].visited
    )
    return AssessmentResult(
        context=ResultContext(candidate=candidate, sessions=tuple(sessions)),
        test=result_of_test(test, datestamp=datestamp, outcomes=state.outcomes),
        items=items,
    )


def _item_result(state: TestState, stop: Stop, place: int, datestamp: datetime) -> ItemResult:
    session = state.items[stop.key]
    item = state.definition.refs[stop.ref].item
    if item is None or session.item is None:
        raise AssertionError(stop.key)  # only items that were set up come here
    responses = item_variables(state, stop.key, kind="response")
    result = result_of_item(
        item,
        datestamp=datestamp,
        responses={**responses, **(session.saved or {}), "numAttempts": session.attempts, "duration": session.seconds},
        outcomes=item_variables(state, stop.key) | {"completionStatus": session.completion_status},
        templates=session.item.template_values,
        status=_status(session),
        place=place,
        comment=session.comment or None,
        corrects=session.item.corrects,
    )
    return replace(result, identifier=stop.ref)


def _status(session: ItemSession) -> str:
    """Where the item stands (QTI results reporting, *sessionStatus*)."""
    if session.attempts == 0:
        return "initial"
    if session.open:
        return "pendingSubmission"
    waiting = session.item is not None and any(
        session.item.outcomes.get(name) is None for name in session.item.needs_person
    )
    return "pendingExternalScoring" if waiting else "final"
