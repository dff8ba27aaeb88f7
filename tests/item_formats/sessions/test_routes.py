"""Selection and ordering: which items a candidate gets, reproducibly."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats.findings import ItemError
from tests.item_formats.sessions.papers import begun, keys, paper, part, ref, section

EIGHT = "A B C D E F G H"
SHUFFLE = '<qti-ordering shuffle="true"/>'


def refs(names: str) -> str:
    return "".join(map(ref, names.split()))


def select(number: int, *, replacing: bool = False) -> str:
    return f'<qti-selection select="{number}" with-replacement="{str(replacing).lower()}"/>'


def order(test_parts: str, seed: int, names: str = EIGHT) -> list[str]:
    return [stop.ref for stop in begun(paper(test_parts), names, seed=seed).route]


seeds = st.integers(0, 10_000)


def test_without_rules_the_order_is_that_of_the_document() -> None:
    inner = section("B C", identifier="inner")
    assert order(part(section(ref("A") + inner + ref("D"))), 1) == ["A", "B", "C", "D"]


@given(seeds)
def test_the_same_seed_gives_the_same_route(seed: int) -> None:
    parts = part(section(select(5) + SHUFFLE + refs(EIGHT)))
    assert order(parts, seed) == order(parts, seed)


def test_different_seeds_give_every_order() -> None:
    parts = part(section(SHUFFLE + refs("A B C")))
    assert len({tuple(order(parts, seed)) for seed in range(100)}) == 6


@given(seeds)
def test_a_selection_keeps_the_order_and_has_every_required_child(seed: int) -> None:
    chosen = order(part(section(select(4) + refs("A B C D E F G") + ref("H", required="true"))), seed)
    assert len(chosen) == len(set(chosen)) == 4
    assert chosen == sorted(chosen)
    assert "H" in chosen


def test_every_child_is_selected_as_often_as_any_other() -> None:
    parts = part(section(select(2) + refs("A B C D")))
    times = Counter(name for seed in range(400) for name in order(parts, seed))
    assert all(150 < times[name] < 250 for name in "ABCD")


@given(seeds)
def test_with_replacement_items_appear_again_and_are_numbered(seed: int) -> None:
    parts = part(section(select(6, replacing=True) + ref("A", required="true") + ref("B")))
    state = begun(paper(parts), EIGHT, seed=seed)
    names = [stop.ref for stop in state.route]
    assert len(names) == 6
    assert "A" in names
    assert keys(state) == [f"{name}.{names[: place + 1].count(name)}" for place, name in enumerate(names)]


@given(seeds)
def test_fixed_children_keep_the_place_they_have_after_selection(seed: int) -> None:
    shuffled = order(part(section(SHUFFLE + refs("A B") + ref("C", fixed="true") + refs("D E"))), seed)
    assert shuffled[2] == "C"
    assert sorted(shuffled) == list("ABCDE")


@given(seeds)
def test_a_kept_together_section_is_shuffled_as_a_block(seed: int) -> None:
    block = section("B C", identifier="block", visible="false", keep_together="true")
    route = order(part(section(SHUFFLE + ref("A") + block + ref("D"))), seed)
    assert route.index("C") == route.index("B") + 1


def test_an_invisible_section_not_kept_together_is_mixed_with_its_parent() -> None:
    loose = section("B C", identifier="loose", visible="false", keep_together="false")
    parts = part(section(SHUFFLE + ref("A") + loose))
    assert ("B", "A", "C") in {tuple(order(parts, seed)) for seed in range(60)}


def test_a_visible_section_is_a_block_whatever_keep_together_says() -> None:
    block = section("B C", identifier="block", visible="true", keep_together="false")
    parts = part(section(SHUFFLE + ref("A") + block))
    assert {tuple(order(parts, seed)) for seed in range(60)} == {("A", "B", "C"), ("B", "C", "A")}


def test_a_section_can_be_selected_twice_each_time_with_its_own_selection() -> None:
    inner = section(select(1) + refs("A B C D"), identifier="inner")
    parts = part(section(select(3, replacing=True) + inner))
    state = begun(paper(parts), EIGHT, seed=3)
    assert len(state.route) == 3
    assert [stop.sections[-1] for stop in state.route] == [("inner", 1), ("inner", 2), ("inner", 3)]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (select(3) + refs("A B"), "selects-too-many"),
        (select(1) + ref("A", required="true") + ref("B", required="true"), "selects-too-few"),
        (select(2, replacing=True), "selects-too-many"),
    ],
)
def test_selections_that_cannot_be_made_are_refused(inside: str, code: str) -> None:
    with pytest.raises(ItemError) as refusal:
        begun(paper(part(section(inside + "<!-- -->"))), EIGHT)
    assert [finding.code for finding in refusal.value.findings] == [code]


def test_selections_without_end_are_refused_before_they_are_made() -> None:
    level = select(9_999, replacing=True)
    nested = section(level + section(level + refs("A"), identifier="inner"))
    for inside in (nested, section(select(99_999_999, replacing=True) + refs("A"))):
        with pytest.raises(ItemError) as refusal:
            begun(paper(part(inside)), EIGHT)
        assert refusal.value.findings[0].code in {"route-too-long", "selects-too-many"}
