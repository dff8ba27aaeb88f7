"""Broken documents, thousands of them: findings or results, never a traceback.

Whatever an accident leaves of an item or a test is read, checked, scored, attempted, shown, stripped, converted and
written to the formats of other programs. Each of these works, or refuses with findings.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from item_formats import (
    Item,
    ItemError,
    Test,
    attempt,
    begin_item,
    begin_test,
    check,
    convert,
    for_candidate,
    read_document,
    render_item,
    score,
)
from tests.item_formats.checking.examples import GOOD_TEST, TEMPLATED
from tests.item_formats.documents import capitals, correct, multiple
from tests.item_formats.mutations import VALUES, mutated

if TYPE_CHECKING:
    from collections.abc import Callable


FIXTURES = Path(__file__).parent / "fixtures"
SOURCES = [
    *(path.read_bytes() for path in sorted(FIXTURES.rglob("*.xml"))),
    capitals(correct("rome")),
    multiple().xml,
    TEMPLATED,
    GOOD_TEST,
]


def outcome(work: Callable[[], object]) -> object:
    """What the work gave, or the findings of its refusal; any other exception fails the test."""
    try:
        return work()
    except ItemError as error:
        refusal = error
    assert refusal.findings
    assert all(finding.message and finding.code for finding in refusal.findings)
    return refusal


def put_through_everything(source: bytes, seed: int) -> None:
    document = outcome(lambda: read_document(source, file="broken.xml"))
    if isinstance(document, ItemError):
        assert all(finding.file for finding in document.findings), document.findings
        return
    assert isinstance(document, (Item, Test)) or document is not None
    findings = check(document, file="broken.xml", source=source)  # type: ignore[arg-type]
    assert all(finding.message and finding.file == "broken.xml" for finding in findings)
    for version in ("qti3", "qti22", "qti21"):
        outcome(lambda: convert(document, to=version))  # type: ignore[arg-type]  # noqa: B023
    if isinstance(document, Item):
        _put_item_through(document, seed)
    elif isinstance(document, Test):
        outcome(lambda: begin_test(document, {}, seed))


def _put_item_through(item: Item, seed: int) -> None:
    names = [one.get("identifier", "") for one in item.root if str(one.tag).endswith("qti-response-declaration")]
    answers = {name: VALUES[(seed + place) % len(VALUES)] for place, name in enumerate(names)}
    outcome(lambda: score(item, answers, seed=seed))
    outcome(lambda: score(item, {}))
    outcome(lambda: attempt(item, begin_item(item, seed), answers))
    shown = outcome(lambda: for_candidate(item))
    if isinstance(shown, Item):
        check(shown)
    for answer_key in (False, True):
        outcome(lambda: render_item(item, answer_key=answer_key, seed=seed))  # noqa: B023


broken = st.tuples(st.sampled_from(range(len(SOURCES))), st.integers(min_value=0, max_value=2**32))
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("batch", range(4))
def test_thousands_of_broken_documents_are_read_or_refused(batch: int) -> None:
    for seed in range(1000 * batch, 1000 * (batch + 1)):
        source = mutated(SOURCES[seed % len(SOURCES)], seed)
        document = outcome(lambda: read_document(source, file="broken.xml"))  # noqa: B023
        if isinstance(document, ItemError):
            assert all(finding.file for finding in document.findings), document.findings
            continue
        check(document, file="broken.xml", source=source)  # type: ignore[arg-type]
        if isinstance(document, Item):
            outcome(lambda: score(document, {}))  # noqa: B023


@settings(unhurried, max_examples=400)
@given(broken)
@example((0, 1))
def test_broken_documents_give_findings_or_results(case: tuple[int, int]) -> None:
    which, seed = case
    put_through_everything(mutated(SOURCES[which], seed), seed)


@pytest.mark.slow
@settings(unhurried, max_examples=5_000)
@given(broken)
def test_thousands_more_give_findings_or_results(case: tuple[int, int]) -> None:
    which, seed = case
    put_through_everything(mutated(SOURCES[which], seed), seed)


@settings(unhurried, max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_no_document_at_all_is_refused(source: bytes) -> None:
    assert isinstance(outcome(lambda: read_document(source, file="noise")), ItemError)
