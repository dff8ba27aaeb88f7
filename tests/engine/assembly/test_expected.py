"""The recount's own formulas for expected marks, against `calibration` and against closed forms."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from calibration import ItemParameters, Scale
from engine import Blueprint, Pool, Target, recount
from engine.assembly.expected import expected_share

MODELS = (
    ItemParameters("rasch", "Rasch", 1.0, (0.3,)),
    ItemParameters("two", "2PL", 1.4, (-0.6,)),
    ItemParameters("three", "3PL", 0.8, (0.2,), 0.2),
    ItemParameters("four", "4PL", 1.1, (1.0,), 0.15, 0.95),
    ItemParameters("graded", "GRM", 1.3, (-1.0, 0.1, 0.9)),
    ItemParameters("partial", "GPCM", 0.7, (0.5, -0.4, 1.2)),
    ItemParameters("masters", "PCM", 1.0, (-0.3, 0.8)),
    ItemParameters("scale", "RSM", 1.0, (-0.9, 0.0, 0.7)),
    ItemParameters("marked", "GPCM", 0.9, (0.0, 0.4), marks=(0.0, 0.5, 2.0)),
    ItemParameters("nominal", "NRM", slopes=(0.0, 0.7, 1.6), intercepts=(0.0, 0.4, -0.2), marks=(0.0, 1.0, 3.0)),
)
THETA = (-2.0, -0.5, 0.0, 1.3)


@pytest.mark.parametrize("D", [1.0, 1.702])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_both_ways_of_writing_the_formulas_agree(model: ItemParameters, D: float) -> None:
    pool = Pool.from_rows([{"id": model.id, "parameters": model}], scale=Scale(D=D))
    wanted = pool.expected_share(THETA)[0]
    have = [expected_share(pool.row(0), theta, D) for theta in THETA]
    assert have == pytest.approx(wanted.tolist(), abs=1e-12)


def test_closed_forms() -> None:
    three = Pool.from_rows([{"id": "q", "a": 2.0, "b": 0.5, "c": 0.2}]).row(0)
    assert expected_share(three, 0.5, 1.0) == pytest.approx(0.6)
    one_step = Pool.from_rows([{"id": "q", "model": "PCM", "b1": 0.0, "b2": 0.0}]).row(0)
    assert expected_share(one_step, 0.0, 1.0) == pytest.approx(0.5)
    assert expected_share(one_step, 1.0, 1.0) == pytest.approx((exp(1) + 2 * exp(2)) / (1 + exp(1) + exp(2)) / 2)


def test_expected_marks_of_a_form_of_all_models_are_recounted() -> None:
    rows = [{"id": model.id, "parameters": model, "type": "t"} for model in MODELS]
    pool = Pool.from_rows(rows)
    target = Target(marks_tolerance=0.5, marks_between_forms=0.0)
    blueprint = Blueprint("", len(MODELS), 1.0, "type", {"t": 2.5}, (), (), target)
    wanted = 2.5 * pool.expected_share(THETA).sum(axis=0)
    lines = recount(pool, blueprint, {"A": pool.ids}, targets=list(zip(THETA, wanted.tolist(), strict=True)))
    counted = [line.value for line in lines if line.rule.startswith("expected marks")]
    assert np.allclose(counted, wanted, atol=1e-9)
    assert all(line.ok for line in lines)


def test_a_very_steep_item_is_a_step() -> None:
    cells = {"a": 1e9, "b": 0.0, "c": 0.2, "d": 1.0}
    assert [expected_share(cells, theta, 1.7) for theta in (-1.0, 0.0, 1.0)] == pytest.approx([0.2, 0.6, 1.0])
