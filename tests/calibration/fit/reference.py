"""Results of R mirt 1.47 and TAM 4.3 on data kept beside the project; tests that want them skip where they are absent.

The parameters tested with are those of the reference itself, so that a statistic is compared and not an estimate.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import ItemParameters, Responses, Scale

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "calibration"
MODELS = {"graded": "GRM", "gpcm": "GPCM"}


def reference(name: str) -> tuple[dict[str, Any], Responses, tuple[ItemParameters, ...], Scale]:
    """What the other program said, the responses, its parameters and the scale they are on."""
    path = FOLDER / "reference" / f"{name}.json"
    if not path.exists():
        pytest.skip("the reference results are not beside this checkout")
    document = json.loads(path.read_text(encoding="utf-8"))
    data, model = name.split("__")
    if document["engine"].startswith("TAM"):
        items = tuple(ItemParameters(row["par"], "Rasch", 1.0, (row["est"],)) for row in document["xsi"])
        return document, responses(data), items, Scale(sd=document["variance"] ** 0.5)
    made: list[ItemParameters] = []
    parameters: dict[str, dict[str, float]] = {}
    for row in document["parameters_slope_intercept"]:
        parameters.setdefault(row["item"], {})[row["par"]] = row["est"]
    sd = parameters.pop("GroupPars")["COV_11"] ** 0.5
    for item, par in parameters.items():
        a = par["a1"]
        d = [par[name] for name in sorted(par) if name == "d" or (name[0] == "d" and name != "d0")]
        if model in {"gpcm", "PCM"}:  # intercepts are cumulative: d_k = -a Σ_{h ≤ k} b_h
            b = tuple(float(-step) / a for step in np.diff([0.0, *d]))
        else:
            b = tuple(-step / a for step in d)
        made.append(ItemParameters(item, MODELS.get(model, model), a, b))
    return document, responses(data), tuple(made), Scale(sd=sd)


def responses(data: str) -> Responses:
    path = FOLDER / (f"{data}_tab.csv" if data.startswith("lsat") else f"{data}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    table = np.array([[float(cell) if cell not in {"", "NA"} else np.nan for cell in row] for row in rows])
    weight = None
    if header[-1].lower() == "freq":
        header, table, weight = header[:-1], table[:, :-1], table[:, -1]
    return Responses.from_matrix(table - np.nanmin(table, axis=0), header, weight=weight)
