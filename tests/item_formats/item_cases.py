"""Item cases from other engines' suites: one item and one set of responses, and the outcomes they give.

The cases are not in the repository. The answer is a list of what differs, [] when nothing does.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from item_formats import ItemError, read_item, render_item, score
from item_formats.processing import attempt, begin_item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Case = dict[str, Any]

_SPECIAL = {"INF": math.inf, "-INF": -math.inf}
_NOT_RESPONSES = frozenset({"num_attempts"})  # what one source's result files say of a session


def run_item_case(case: Case, folder: Path) -> list[str]:
    """What differs between the outcomes the case names and ours; numbers within 1e-6, containers without order."""
    path = folder / case["item_xml_path"]
    if "expected_error" in case:
        try:
            score(read_item(path), case["responses"])
        except ItemError:
            return []
        return [f"expected an error ({case['expected_error']}), got none"]
    item = read_item(path)
    steps = case.get("attempts") or [case]
    state = begin_item(item, case.get("seed"))
    differences: list[str] = []
    got: Mapping[str, object] = {}
    for number, step in enumerate(steps, 1):
        responses = {name: value for name, value in step["responses"].items() if name not in _NOT_RESPONSES}
        state = attempt(item, state, responses)
        got = state.outcomes if len(steps) > 1 else score(item, responses, seed=case.get("seed"))
        where = f"attempt {number}: " if len(steps) > 1 else ""
        differences += [where + difference for difference in differing(step["expected_outcomes"], got)]
        status = step.get("expected_completion_status")
        if status is not None and status != state.completion_status:
            differences.append(f"{where}completionStatus: expected {status}, got {state.completion_status}")
    shown = case.get("expected_body_contains")
    if shown:
        page = render_item(item, state=state)
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page.replace("<br/>", " ")))
        differences += [f"the body does not say “{part}”" for part in shown if part not in text]
    return differences


def differing(expected: Mapping[str, object], got: Mapping[str, object]) -> list[str]:
    return [
        f"{name}: expected {value!r}, got {got.get(name)!r}"
        for name, value in expected.items()
        if not same(value, got.get(name))
    ]


def same(expected: object, got: object) -> bool:
    """Equal as QTI values in plain form: numbers within 1e-6, lists in any order, whatever is empty NULL."""
    if expected in ([], "", None):
        return got is None
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, sorted(expected, key=repr), sorted(got, key=repr)))
    one, other = (_SPECIAL.get(value, value) if isinstance(value, str) else value for value in (expected, got))
    numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
    if numbers and isinstance(one, bool) is isinstance(other, bool):
        return one == other or abs(one - other) <= 1e-6
    return type(one) is type(other) and one == other
