"""Administrations as groups of one calibration."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import LinkError, Responses, pool_groups


def sitting(items: list[str], seed: int) -> Responses:
    scores = np.random.default_rng(seed).integers(0, 2, (5, len(items))).astype(float)
    return Responses.from_matrix(scores, items)


def test_groups_persons_and_common_items() -> None:
    parts = {"spring": sitting(["a", "b", "c"], 1), "autumn": sitting(["c", "d"], 2), "winter": sitting(["d", "e"], 3)}
    data = pool_groups(parts)
    assert data.responses.groups == ("spring", "autumn", "winter")
    assert data.responses.group is not None
    np.testing.assert_array_equal(data.responses.group, np.repeat([0, 1, 2], 5))
    assert data.common == {"c": ("spring", "autumn"), "d": ("autumn", "winter")}
    table = data.responses.dense()
    np.testing.assert_array_equal(table[5:10, data.responses.items.index("d")], parts["autumn"].dense()[:, 1])
    assert np.isnan(table[:5, data.responses.items.index("e")]).all()


def test_administrations_that_nothing_joins_are_refused() -> None:
    with pytest.raises(LinkError, match="no items join other to one, two"):
        pool_groups({"one": sitting(["a", "b"], 1), "two": sitting(["b"], 2), "other": sitting(["z"], 3)})
    with pytest.raises(LinkError, match="at least two"):
        pool_groups({"one": sitting(["a"], 1)})
