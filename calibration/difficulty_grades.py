"""What the writers' difficulty grades say of b, learned from items that are calibrated already.

An item with forty responses has a b that forty responses can give. Its writer also gave it a grade, and calibrated
items of the same type show what such grades are worth: the regression of b on grade, by type, is the prior's mean, and
its residual standard deviation the prior's. Where grades are worth nothing the residual is wide, and so is the prior.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.models import ItemParameters
from calibration.priors import Normal, Priors
from calibration.result import CalibrationError
from calibration.screening import Flag

ENOUGH = 30  # calibrated items, below which a regression is not believed
ENOUGH_OF_TYPE = 10  # … of one type, below which it has no line of its own
WEAK_SD = 2.0


@dataclass(frozen=True, slots=True)
class Graded:
    """What is known of an item before its responses: its difficulty grade, the higher the harder, and its type."""

    grade: float
    type: str = ""


@dataclass(frozen=True, slots=True)
class GradePriors:
    """Priors of b for the items asked for, how they were got, and a flag where they are weak."""

    priors: Mapping[str, Priors]
    residual_sd: float
    n: int
    weak: bool
    flags: tuple[Flag, ...] = ()


def grade_priors(
    calibrated: Sequence[ItemParameters], grades: Mapping[str, Graded], items: Sequence[str]
) -> GradePriors:
    """Priors on b of `items` from the regression of b on grade × type over the `calibrated` items that have grades.

    Least squares with an intercept and a slope for every type that has at least 10 calibrated items, one line for the
    others together. With fewer than 30 calibrated items the prior is N(their mean, 2²) and flagged as weak. Items
    without a grade get none. Polytomous items stand with the mean of their thresholds.
    """
    known = [item for item in calibrated if item.id in grades and np.isfinite(item.difficulty)]
    b = np.array([item.difficulty for item in known])
    asked = [item for item in items if item in grades]
    if len(known) < ENOUGH:
        mean = float(b.mean()) if len(b) else 0.0
        flag = Flag(
            "",
            "grade-prior-weak",
            f"{len(known)} calibrated items have grades, {ENOUGH} are needed: b ~ N({mean:.2f}, {WEAK_SD:g}²) for all",
        )
        weak = {item: Priors(b=Normal(mean, WEAK_SD)) for item in asked}
        return GradePriors(weak, WEAK_SD, len(known), weak=True, flags=(flag,))
    counts = {name: sum(grades[item.id].type == name for item in known) for name in {g.type for g in grades.values()}}
    types = sorted(name for name, count in counts.items() if count >= ENOUGH_OF_TYPE)
    rows = _design([grades[item.id] for item in known], types)
    used = np.flatnonzero(np.abs(rows).sum(axis=0) > 0)
    coefficients, _, rank, _ = np.linalg.lstsq(rows[:, used], b, rcond=None)
    residual = b - rows[:, used] @ coefficients
    sd = float(np.sqrt(residual @ residual / max(len(b) - int(rank), 1)))
    means = _design([grades[item] for item in asked], types)[:, used] @ coefficients
    priors = {item: Priors(b=Normal(float(mean), sd)) for item, mean in zip(asked, means, strict=True)}
    return GradePriors(priors, sd, len(known), weak=False)


def _design(graded: Sequence[Graded], types: Sequence[str]) -> NDArray[np.float64]:
    """(n, 2 (T + 1)): an indicator and a grade for each type, and for the types without a line of their own."""
    out = np.zeros((len(graded), 2 * (len(types) + 1)))
    for i, about in enumerate(graded):
        at = types.index(about.type) if about.type in types else len(types)
        out[i, 2 * at], out[i, 2 * at + 1] = 1.0, about.grade
    return out


def read_grades(path: Path) -> dict[str, Graded]:
    """Grades from a CSV file with columns item, grade and, where there are several, type. Raises CalibrationError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CalibrationError(f"{path}: not UTF-8 CSV ({error})") from None
    found: dict[str, Graded] = {}
    for number, row in enumerate(rows, start=2):
        item, grade = (row.get("item") or "").strip(), (row.get("grade") or "").strip()
        if not item:
            raise CalibrationError(f"{path}, row {number}: no item; expected columns item, grade and type")
        try:
            value = float(grade)
        except ValueError:
            raise CalibrationError(f"{path}, row {number}, item {item}: grade {grade!r} is not a number") from None
        if item in found:
            raise CalibrationError(f"{path}, row {number}: item {item} stands twice")
        found[item] = Graded(value, (row.get("type") or "").strip())
    return found
