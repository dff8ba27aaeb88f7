"""Chains, inverses and averages of links, with their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import ItemParameters, Link, LinkError, Scale, average_links, chain_links, link_scales, transform_items
from calibration.linking.vectors import covariance_block, parameter_vector, square_root, with_parameters
from tests.calibration.linking.items import three_parameter_items, with_covariance

NAMES = ("X", "Y", "Z")


def three_forms() -> list[list[ItemParameters]]:
    """X and Z share no item with each other, both share some with Y."""
    rng = np.random.default_rng(12)
    Y = [with_covariance(item, rng) for item in three_parameter_items(8, rng)]
    X = [with_covariance(item, rng) for item in transform_items(Y[:5], 0.9, 0.4)]
    Z = [with_covariance(item, rng) for item in transform_items(Y[3:], 1.2, -0.3)]
    return [X, Y, Z]


def linked(new: list[ItemParameters], base: list[ItemParameters], names: tuple[str, str]) -> Link:
    return link_scales(new, base, new_scale=Scale(names[0]), base_scale=Scale(names[1]), method="mean-sigma")


def chain(forms: list[list[ItemParameters]]) -> Link:
    return chain_links([linked(forms[0], forms[1], ("X", "Y")), linked(forms[1], forms[2], ("Y", "Z"))])


def test_a_chain_is_one_transformation_after_the_other() -> None:
    first, second = Link(1.2, 0.5, Scale("a"), Scale("b"), "x"), Link(0.8, -1.0, Scale("b"), Scale("c"), "x")
    whole = chain_links([first, second])
    theta = np.array([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(whole.theta(theta), second.theta(first.theta(theta)))
    assert (whole.new.id, whole.base.id) == ("a", "c")
    with pytest.raises(LinkError, match="ends on scale 'b', the next begins on 'a'"):
        chain_links([first, first])
    with pytest.raises(LinkError, match="at least one"):
        chain_links([])


def test_errors_of_a_chain_count_a_shared_form_once_and_with_its_sign() -> None:
    forms = three_forms()
    total, h = np.zeros((2, 2)), 1e-5
    for f, items in enumerate(forms):
        for j, item in enumerate(items):
            block = covariance_block(item)
            assert block is not None
            columns = []
            for e in h * np.eye(len(block)):
                sides = []
                for sign in (1, -1):
                    moved = [list(one) for one in forms]
                    moved[f][j] = with_parameters(item, parameter_vector(item) + sign * e)
                    link = chain(moved)
                    sides.append(np.array([link.A, link.B]))
                columns.append((sides[0] - sides[1]) / (2 * h))
            part = np.stack(columns, axis=1) @ square_root(block)
            total += part @ part.T
    whole = chain(forms)
    np.testing.assert_allclose(whole.covariance, total, rtol=1e-5)
    # items 3 and 4 of Y are in both links: taking them as independent would be wrong
    parts = linked(forms[0], forms[1], ("X", "Y")), linked(forms[1], forms[2], ("another Y", "Z"))
    apart = chain_links([parts[0], replace(parts[1], new=Scale("Y"))])
    assert apart.covariance is not None
    assert np.abs(apart.covariance / total - 1).max() > 0.02


def test_a_link_and_its_inverse_are_the_identity_without_error() -> None:
    forms = three_forms()
    link = linked(forms[0], forms[1], ("X", "Y"))
    round_trip = chain_links([link, link.inverse])
    assert (pytest.approx(1), pytest.approx(0)) == (round_trip.A, round_trip.B)
    np.testing.assert_allclose(round_trip.covariance, 0, atol=1e-15)


def test_the_average_of_inverted_routes_is_the_inverse_of_their_average() -> None:
    routes = [Link(A, B, Scale("X"), Scale("Z"), "x", errors={}) for A, B in ((1.1, 0.2), (0.8, 0.5), (1.4, -0.1))]
    mean, back = average_links(routes), average_links([link.inverse for link in routes])
    assert pytest.approx(1 / mean.A) == back.A
    assert pytest.approx(-mean.B / mean.A) == back.B
    assert "differ by at most 1." in mean.notes[0]
    first = average_links(routes, [1, 0, 0])
    assert (pytest.approx(1.1), pytest.approx(0.2)) == (first.A, first.B)


def test_routes_that_share_everything_gain_nothing_by_averaging_and_independent_ones_do() -> None:
    forms = three_forms()
    link = linked(forms[0], forms[1], ("X", "Y"))
    np.testing.assert_allclose(average_links([link, link]).covariance, link.covariance, rtol=1e-6)
    assert link.errors is not None
    other = replace(link, errors={(f"another {key[0]}", *key[1:]): part for key, part in link.errors.items()})
    half = average_links([link, other]).covariance
    assert half is not None
    assert link.covariance is not None
    np.testing.assert_allclose(half, link.covariance / 2, rtol=0.02, atol=2e-5)


def test_averages_need_routes_between_the_same_scales_and_weights() -> None:
    one = Link(1.0, 0.0, Scale("X"), Scale("Z"), "x")
    with pytest.raises(LinkError, match="same scales"):
        average_links([one, one.inverse])
    with pytest.raises(LinkError, match="as many weights"):
        average_links([one], [1.0, 2.0])
    assert average_links([one]).covariance is None


def test_the_error_of_an_ability_is_that_of_its_line() -> None:
    forms = three_forms()
    link = linked(forms[0], forms[1], ("X", "Y"))
    assert link.covariance is not None
    error = link.theta_se([0.0, 2.0])
    assert error is not None
    at_two = np.array([2.0, 1.0])
    np.testing.assert_allclose(error, [link.covariance[1, 1] ** 0.5, (at_two @ link.covariance @ at_two) ** 0.5])
