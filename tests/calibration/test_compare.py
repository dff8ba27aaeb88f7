"""girth's opinion beside reference estimates, and its refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import ItemParameters, Responses, calibrate
from calibration.compare import ComparisonError, compare
from calibration.estimation.conditional import conditional_fit
from tests.calibration import lsat

pytest.importorskip("girth", reason="girth is the extra `compare`")

SHARED = Path(__file__).parents[3] / "shared" / "data" / "calibration"


def published(name: str, a: tuple[float, ...], b: tuple[float, ...]) -> list[ItemParameters]:
    return [ItemParameters(f"item{j + 1}", name, x, (y,)) for j, (x, y) in enumerate(zip(a, b, strict=True))]


@pytest.mark.parametrize("data", ["LSAT6", "LSAT7"])
def test_girth_agrees_with_published_2pl_estimates(data: str) -> None:
    truth: lsat.Published = getattr(lsat, f"{data}_2PL")
    result = compare(lsat.responses(getattr(lsat, data)), published("2PL", truth.a, truth.b), "2pl")
    assert (result.model, result.persons) == ("2PL", 1000)
    assert result.largest_a < 0.005
    assert result.largest_b < 0.05  # b of item 1 of LSAT-6 has a standard error of 0.87
    first = result.items[0]
    assert first.a_difference == pytest.approx(first.girth_a - truth.a[0])


def test_differences_are_counted_in_our_standard_errors() -> None:
    data = lsat.responses(lsat.LSAT7)
    ours = calibrate(data, model="2PL").items
    moved = [ItemParameters(i.id, "2PL", i.a, (i.b[0] + 2 * i.se["b"],), se=i.se) for i in ours]
    result = compare(data, moved, "2PL")
    assert [c.largest_in_se for c in result.items] == pytest.approx([2.0] * 5, abs=0.05)


def test_conditional_rasch_agrees_with_ours_wherever_the_origin_is() -> None:
    data = lsat.responses(lsat.LSAT7)
    for normalisation in ("mean", "first"):
        result = compare(data, conditional_fit(data, normalisation=normalisation).items, "Rasch")
        assert result.largest_b < 2e-3  # girth stops at 1e-3
        assert sum(c.b[0] for c in result.items) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("model", "reference", "ours"), [("GRM", "graded", "GRM"), ("PCM", "gpcm", "GPCM")])
def test_polytomous_models_agree_with_mirt(model: str, reference: str, ours: str) -> None:
    file = SHARED / "reference" / f"science__{reference}.json"
    if not file.exists():
        pytest.skip("the reference results are not here")
    with (SHARED / "science.csv").open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    data = Responses.from_matrix(np.array(rows, float) - 1, header)
    document = json.loads(file.read_text("utf-8"))
    items = [
        ItemParameters(name, ours, row["a"], tuple(row[f"b{k}"] for k in (1, 2, 3)))
        for name, row in _traditional(document).items()
        if name in header
    ]
    result = compare(data, items, model)
    assert result.model == ours
    assert result.largest_a < 0.02
    assert result.largest_b < 0.1


def _traditional(document: dict[str, Any]) -> dict[str, dict[str, float]]:
    items: dict[str, dict[str, float]] = {}
    for row in document["parameters_traditional"]:
        items.setdefault(row["item"], {})[row["par"]] = row["est"]
    return items


def test_what_girth_cannot_do_is_refused_with_the_reason() -> None:
    table = np.array([[1, 0, np.nan], [0, 1, 1], [1, 1, 0], [0, 0, 1]])
    items = published("2PL", (1, 1, 1), (0, 0, 0))
    with pytest.raises(ComparisonError, match=r"1 of 12 responses are missing by design.*biased"):
        compare(Responses.from_matrix(table), items, "2PL")
    complete = Responses.from_matrix(np.nan_to_num(table))
    with pytest.raises(ComparisonError, match="no second opinion on 3PL"):
        compare(complete, items, "3PL")
    with pytest.raises(ComparisonError, match="none of these items"):
        compare(complete, [ItemParameters("z", "2PL", 1.0, (0.0,))], "2PL")
    with pytest.raises(ComparisonError, match="item item1: its parameters have 3 categories, the responses use 2"):
        compare(complete, [ItemParameters("item1", "GRM", 1.0, (0.0, 1.0))], "GRM")
    half = Responses.from_matrix(np.nan_to_num(table), weight=np.full(4, 0.5))
    with pytest.raises(ComparisonError, match="whole numbers"):
        compare(half, items, "2PL")
