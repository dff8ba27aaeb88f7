"""Sessions and outcomes of other engines, where the shared test data is beside the checkout."""

from __future__ import annotations

import json

from tests.item_formats.rulings import ruling_on
from tests.item_formats.session_cases import run_outcome_case, run_session_case
from tests.shared import shared


def test_sessions_of_another_engine_go_the_same_way() -> None:
    lines = shared("qti/qti_session_cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    differing = [(case, tuple(what)) for case in cases if (what := run_session_case(case, shared("qti")))]
    assert [(case["id"], what) for case, what in differing if ruling_on(case, what) is None] == []
    assert {ruling_on(case, what) for case, what in differing} == {"Limits lost on the way"}
    assert len(cases) >= 36


def test_outcomes_of_another_engine_are_the_same() -> None:
    lines = shared("qti/qti_outcome_cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    differing = {case["id"]: run_outcome_case(case, shared("qti")) for case in cases}
    assert {name: what for name, what in differing.items() if what} == {}
    assert len(cases) >= 10
