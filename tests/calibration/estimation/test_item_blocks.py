"""Every item's own block of the information against the whole of it, by differences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from calibration.estimation.item_blocks import ItemBlocks, complete_item_information, missing_item_information
from calibration.estimation.partitions import Partitions
from calibration.estimation.unknowns import Tables
from tests.calibration.estimation.cases import cases
from tests.calibration.estimation.differences import jacobian_of
from tests.calibration.simulated import Array

CASES = cases()


def blocks_of(expected: Array, sizes: list[int]) -> Iterator[Array]:
    first = 0
    for size in sizes:
        yield expected[first : first + size, first : first + size]
        first += size


@pytest.mark.parametrize("kind", ["2PL, fixed priors", "GRM, missing, groups", "mixed", "NRM", "4PL"])
def test_per_item_blocks_are_those_of_the_whole_information(kind: str) -> None:
    case = CASES[kind]()
    layout = case.layout
    sums = case.sums(case.unknowns)
    complete = complete_item_information(case.unknowns, sums, case.grid.nodes, layout.start, case.beliefs)
    tables = Tables.of(case.unknowns, case.grid, layout.start)
    missing = missing_item_information(layout, case.unknowns, tables)
    whole = -jacobian_of(case.gradient, case.vector, 1e-3)
    sizes = [batch.size for batch in case.unknowns.batches for _ in batch.items]
    found = [H for H_c, H_m in zip(complete, missing, strict=True) for H in H_c + H_m]
    for own, expected in zip(found, blocks_of(whole, sizes), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-4)


def test_a_step_is_newtons_item_by_item_and_of_the_population_by_itself() -> None:
    case = CASES["GRM, missing, groups"]()
    sums, gradient = case.sums(case.unknowns), case.gradient(case.vector)
    blocks = ItemBlocks.of(Partitions.of(case.layout), case.unknowns, sums, case.grid, case.beliefs)
    whole = -jacobian_of(case.gradient, case.vector, 1e-3)
    sizes = [batch.size for batch in case.unknowns.batches for _ in batch.items]
    expected, first = [], 0
    for own, size in zip(blocks_of(whole, sizes), sizes, strict=True):
        expected.append(np.linalg.solve(own, gradient[first : first + size]))
        first += size
    step = blocks.step(case.unknowns, gradient)
    np.testing.assert_allclose(step[:first], np.concatenate(expected), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(blocks.population @ step[first:], gradient[first:], rtol=1e-8)
