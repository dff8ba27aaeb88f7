"""Sessions and outcomes from other engines' suites, run through `item_formats.sessions`.

The cases are not in the repository. A case is one line of ``qti_session_cases.jsonl`` or ``qti_outcome_cases.jsonl`` in
a folder of cases; the answer is a list of what differs, [] when nothing does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lxml import etree

from item_formats.documents import Test, document_of, read_test
from item_formats.model import read_item
from item_formats.parsing import qti
from item_formats.sessions import (
    BeginAttempt,
    EndAttempt,
    EndTest,
    Event,
    JumpTo,
    MoveBack,
    MoveNext,
    SessionError,
    SessionRules,
    TestState,
    begin_test,
    item_variables,
    restore,
    score_test,
    step,
    store,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from item_formats.model import Item

Case = dict[str, Any]

LIMITS_LOST = "not replayed, the limits it was refused for are not in the item"

# The flags of the engine the sessions come from.
_FORCE_BRANCHING, _FORCE_PRECONDITIONS, _PATH_TRACKING, _ALLOW_JUMPS = 1, 2, 4, 8


def run_session_case(case: Case, folder: Path) -> list[str]:
    """What differs between the session the case describes and ours, step by step.

    Between any two steps the session is stored and restored.
    """
    path = folder / case["test_xml_path"]
    test, items = read_test(path), _items(path)
    state, differences = None, []
    for number, expected in enumerate(case["steps"], 1):
        where = f"step {number} ({expected['op']})"
        if _refused_for_lost_limits(case, expected):
            differences.append(f"{where}: {LIMITS_LOST}")
            continue
        error = None
        try:
            if state is None:
                state = begin_test(test, items, 0, rules=_rules(case["config_flags"]))
                if [stop.key for stop in state.route] != case["route"]:
                    differences.append(f"route: expected {case['route']}, got {[stop.key for stop in state.route]}")
            else:
                state = step(restore(store(state), test, items), _event(expected))
        except SessionError as refusal:
            state, error = refusal.state, refusal
        if (error is not None) != ("error" in expected):
            differences.append(f"{where}: expected {expected.get('error', 'no error')}, got {error}")
        differences += [f"{where}: {what}" for what in _compared(state, expected)]
    return differences


def run_outcome_case(case: Case, folder: Path) -> list[str]:
    """What differs between the test outcomes the case names and ours, from the same outcomes of the items."""
    test = read_test(folder / case["test_xml_path"])
    if case.get("engine_extension"):
        test = with_totals(test, case["expected_test_outcomes"])
    given = {
        item: {_BUILT_IN.get(name, name): _number(value) for name, value in outcomes.items()}
        for item, outcomes in case["item_outcomes"].items()
    }
    got = score_test(test, given)
    return [
        f"{name}: expected {value!r}, got {got.get(name)!r}"
        for name, value in case["expected_test_outcomes"].items()
        if not _equal(value, got.get(name))
    ]


def with_totals(test: Test, names: Mapping[str, object]) -> Test:
    """The test with totals one engine adds by itself, written as QTI rules.

    ``SCORE_TOTAL`` is the sum of SCORE over all items, ``SCORE_TOTAL_WEIGHTED`` weighted with WEIGHT, and what follows
    them in a name (``SCORE_TOTAL_ACET``) is a category.
    """
    root = etree.fromstring(test.xml)
    rules = root.find(qti("qti-outcome-processing"))
    if rules is None:
        rules = etree.SubElement(root, qti("qti-outcome-processing"))
    for name in names:
        weighted = name.startswith("SCORE_TOTAL_WEIGHTED")
        category = name.removeprefix("SCORE_TOTAL_WEIGHTED" if weighted else "SCORE_TOTAL").removeprefix("_")
        declaration = etree.Element(qti("qti-outcome-declaration"), identifier=name, cardinality="single")
        declaration.set("base-type", "float")
        root.insert(0, declaration)
        total = etree.SubElement(rules, qti("qti-set-outcome-value"), identifier=name)
        variables = etree.SubElement(etree.SubElement(total, qti("qti-sum")), qti("qti-test-variables"))
        variables.set("variable-identifier", "SCORE")
        if weighted:
            variables.set("weight-identifier", "WEIGHT")
        if category:
            variables.set("include-category", category)
    return document_of(Test, root)


_BUILT_IN = {"completion_status": "completionStatus", "num_attempts": "numAttempts"}


def _items(path: Path) -> dict[str, Item]:
    return {f"items/{file.name}": read_item(file) for file in sorted((path.parent / "items").glob("*.xml"))}


def _rules(flags: int) -> SessionRules:
    return SessionRules(
        force_branch_rules=bool(flags & _FORCE_BRANCHING),
        force_preconditions=bool(flags & _FORCE_PRECONDITIONS),
        track_path=bool(flags & _PATH_TRACKING),
        allow_jumps=bool(flags & _ALLOW_JUMPS),
    )


def _event(expected: Case) -> Event:
    match expected["op"]:
        case "beginAttempt":
            return BeginAttempt()
        case "endAttempt":
            return EndAttempt(dict(expected["responses"] or {}))
        case "moveNext":
            return MoveNext()
        case "moveBack":
            return MoveBack()
        case "jumpTo":
            return JumpTo(expected["position"])
        case "endTestSession":
            return EndTest()
    raise AssertionError(expected["op"])


def _refused_for_lost_limits(case: Case, expected: Case) -> bool:
    """A refusal by response limits of a compact test format, which the items of the case do not carry any more."""
    return (
        "responseValidityConstraint" in case.get("dropped_compact_only", ())
        and expected["op"] == "endAttempt"
        and "error" in expected
    )


def _compared(state: TestState | None, expected: Case) -> list[str]:
    if state is None:
        return ["the session did not begin"]
    differences = []
    if state.current != expected["current"]:
        differences.append(f"current: expected {expected['current']}, got {state.current}")
    if (state.status != "ended") != expected["running"]:
        differences.append(f"running: expected {expected['running']}, got {state.status}")
    for name, item in expected["items"].items():
        key = name if name in state.items else f"{name}.1"
        if state.items[key].attempts != item["num_attempts"]:
            differences.append(f"{name}: expected {item['num_attempts']} attempts, got {state.items[key].attempts}")
        differences += _differing(f"{name}.", item["outcomes"], item_variables(state, key))
    return differences + _differing("", expected.get("test_outcomes", {}), state.outcomes)


def _differing(prefix: str, expected: Mapping[str, object], got: Mapping[str, object]) -> list[str]:
    return [
        f"{prefix}{name}: expected {value!r}, got {got.get(name)!r}"
        for name, value in expected.items()
        if not _equal(value, got.get(name))
    ]


def _equal(expected: object, got: object) -> bool:
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and sorted(map(str, expected)) == sorted(map(str, got))
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return math.isclose(expected, got, abs_tol=1e-6)
    return expected == got


def _number(value: object) -> object:
    try:
        return float(str(value))
    except ValueError:
        return value
