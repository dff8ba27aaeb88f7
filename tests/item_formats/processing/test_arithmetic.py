"""Properties of arithmetic, rounding and containers that hold for all values."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from item_formats.processing import plain
from item_formats.processing.expressions.comparisons import to_decimal_places, to_significant_figures
from tests.item_formats.processing.evaluation import applied

INTEGERS = st.integers(-(10**9), 10**9)
FLOATS = st.floats(-1e12, 1e12)


@given(INTEGERS, INTEGERS.filter(bool))
def test_integer_division_and_modulus_give_the_number_back(x: int, y: int) -> None:
    quotient = plain(applied("integer-divide", f"integer:{x}", f"integer:{y}"))
    rest = plain(applied("integer-modulus", f"integer:{x}", f"integer:{y}"))
    assert isinstance(quotient, int)
    assert isinstance(rest, int)
    assert quotient * y + rest == x
    assert quotient <= x / y


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=5))
def test_the_gcd_divides_all_and_all_divide_the_lcm(numbers: list[int]) -> None:
    operands = [f"integer:{number}" for number in numbers]
    gcd, lcm = plain(applied("gcd", *operands)), plain(applied("lcm", *operands))
    assert isinstance(gcd, int)
    assert isinstance(lcm, int)
    assert all(number % gcd == 0 and lcm % number == 0 for number in numbers)


@given(FLOATS)
def test_round_is_the_nearest_integer_and_truncate_never_further_from_0(x: float) -> None:
    rounded, cut = (plain(applied(name, f"float:{x!r}")) for name in ("round", "truncate"))
    assert isinstance(rounded, int)
    assert isinstance(cut, int)
    assert rounded <= x + 0.5 < rounded + 1 or abs(x) > 2**52
    assert abs(cut) <= abs(x) < abs(cut) + 1


@given(st.decimals(-1_000_000, 1_000_000, places=5), st.integers(0, 6))
def test_decimal_places_are_those_of_the_written_number(number: Decimal, places: int) -> None:
    expected = float(Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))
    assert to_decimal_places(float(number), places) == expected


@given(FLOATS.filter(bool), st.integers(1, 15))
def test_significant_figures_are_near_and_rounding_again_changes_nothing(x: float, figures: int) -> None:
    rounded = to_significant_figures(x, figures)
    assert math.isclose(rounded, x, rel_tol=0.5000001 * 10 ** (1 - figures))
    assert to_significant_figures(rounded, figures) == rounded


@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=6), st.sampled_from("ABC"))
def test_what_was_deleted_is_no_member_any_more(items: list[str], one: str) -> None:
    among = f"ordered identifier:{' '.join(items)}"
    left = plain(applied("delete", f"identifier:{one}", among)) or []
    assert left == [item for item in items if item != one]
    assert plain(applied("member", f"identifier:{one}", among)) is (one in items)


@given(st.lists(st.sampled_from("AB"), min_size=1, max_size=6), st.lists(st.sampled_from("AB"), min_size=1, max_size=4))
def test_contains_is_about_numbers_of_members_or_runs_of_neighbours(whole: list[str], part: list[str]) -> None:
    multiple = applied("contains", *(f"multiple identifier:{' '.join(items)}" for items in (whole, part)))
    assert plain(multiple) is all(part.count(one) <= whole.count(one) for one in part)
    ordered = applied("contains", *(f"ordered identifier:{' '.join(items)}" for items in (whole, part)))
    assert plain(ordered) is ("".join(part) in "".join(whole))


@given(st.lists(st.sampled_from(["true", "false", None]), min_size=1, max_size=6))
def test_and_is_not_or_of_nots(stated: list[str | None]) -> None:
    operands = [None if one is None else f"boolean:{one}" for one in stated]
    flipped = [None if one is None else f"boolean:{'false' if one == 'true' else 'true'}" for one in stated]
    either = plain(applied("or", *flipped))
    assert plain(applied("and", *operands)) is (None if either is None else not either)


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_any_n_is_null_when_what_is_unknown_decides(stated: list[bool | None], least: int, width: int) -> None:
    """By going through every way the unknown ones could turn out."""
    most = least + width
    unknown = stated.count(None)
    possible = {least <= stated.count(True) + extra <= most for extra in range(unknown + 1)}
    operands = [None if one is None else f"boolean:{str(one).lower()}" for one in stated]
    expected = possible.pop() if len(possible) == 1 else None
    assert plain(applied("any-n", *operands, min=least, max=most)) is expected
