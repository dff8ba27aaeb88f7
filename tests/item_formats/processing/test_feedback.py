"""Feedback and template parts show by the value of their variable."""

from __future__ import annotations

import pytest

from item_formats.processing import is_shown
from tests.item_formats.processing.evaluation import element_of


@pytest.mark.parametrize(
    ("value", "show", "expected"),
    [
        ("right", "show", True),
        ("wrong", "show", False),
        (["wrong", "right"], "show", True),
        ([], "show", False),
        (None, "show", False),
        ("right", "hide", False),
        (None, "hide", True),
    ],
)
@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("feedback-block", "outcome-identifier"),
        ("feedback-inline", "outcome-identifier"),
        ("modal-feedback", "outcome-identifier"),
        ("test-feedback", "outcome-identifier"),
        ("template-block", "template-identifier"),
        ("template-inline", "template-identifier"),
    ],
)
def test_shown(name: str, attribute: str, value: object, show: str, *, expected: bool) -> None:
    element = element_of(f'<{name} {attribute}="V" identifier="right" show-hide="{show}"/>')
    assert is_shown(element, {"V": value}) is expected  # type: ignore[dict-item]


def test_what_has_no_condition_always_shows() -> None:
    assert is_shown(element_of("<prompt/>"), {}) is True
    assert is_shown(element_of('<feedback-block outcome-identifier="V" identifier="x"/>'), {"V": "x"}) is True
