"""Simulated responses for docs/calibrate.md: a mixed test of three groups on two forms, and rated tasks.

    python examples/calibration/make_responses.py FOLDER

`mixed.csv`: 16 multiple-choice items (MC04 is harder for one group), a reading set of four (READ), and six of partial
credit (CR); form 甲 lacks MC13 … MC16, form 乙 MC01 … MC04. `ratings.csv`: five tasks, each marked by two of eight
raters, of whom R3 is erratic and R6 severe. `spec.toml`, `form.csv` and `grades.csv` go with them.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 20260701
GROUPS = ("东", "中", "西")

Array = NDArray[np.float64]


def right(rng: np.random.Generator, theta: Array, a: float, b: Array | float) -> NDArray[np.intp]:
    """Answers to a 2PL item."""
    return (rng.random(len(theta)) < 1 / (1 + np.exp(-a * (theta - b)))).astype(int)


def marks(rng: np.random.Generator, theta: Array, a: float, b: Array) -> NDArray[np.intp]:
    """Scores on a generalized partial credit item with steps b."""
    z = np.concatenate([np.zeros((len(theta), 1)), np.cumsum(a * (theta[:, None] - b), axis=1)], axis=1)
    P = np.exp(z - z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return (rng.random((len(theta), 1)) > np.cumsum(P, axis=1)).sum(axis=1)


def write_mixed(folder: Path, rng: np.random.Generator, persons: int = 1500) -> None:
    group = np.arange(persons) % 3
    theta = rng.normal(size=persons) * np.array([1.0, 0.9, 1.2])[group] + np.array([0.0, 0.5, -0.4])[group]
    shared = 0.9 * rng.normal(size=persons)
    columns: dict[str, NDArray[np.intp]] = {}
    difficulty = rng.permutation(np.linspace(-1.8, 1.8, 16))
    for j, b in enumerate(difficulty.tolist()):
        moved = b + 0.9 * ((j == 3) & (group == 2))
        columns[f"MC{j + 1:02d}"] = right(rng, theta, float(np.exp(0.3 * rng.normal())), moved)
    for j, b in enumerate((-0.5, 0.0, 0.4, 0.8)):
        columns[f"READ{j + 1}"] = right(rng, theta + shared, 1.2, b)
    for j in range(6):
        steps = np.sort(rng.normal(size=3 if j < 4 else 4))
        columns[f"CR{j + 1}"] = marks(rng, theta, float(np.exp(0.2 * rng.normal())), steps)
    form = np.where(rng.random(persons) < 0.5, "甲", "乙")
    off = {"甲": {f"MC{j}" for j in range(13, 17)}, "乙": {f"MC0{j}" for j in range(1, 5)}}
    rows = [
        [f"P{i + 1:04d}", GROUPS[group[i]], form[i]]
        + ["" if name in off[form[i]] else str(column[i]) for name, column in columns.items()]
        for i in range(persons)
    ]
    write(folder / "mixed.csv", [["person", "group", "form", *columns], *rows])
    level = {
        name: str(1 + min(4, int((b + 1.8) / 0.73))) for name, b in zip(columns, difficulty.tolist(), strict=False)
    }
    write(folder / "grades.csv", [["item", "grade", "type"], *([name, grade, "MC"] for name, grade in level.items())])
    write(folder / "form.csv", [["item", "marks"], *([name, "5" if name[:2] == "CR" else "2"] for name in columns)])


def write_ratings(folder: Path, rng: np.random.Generator, persons: int = 300) -> None:
    theta = 1.2 * rng.normal(size=persons)
    severity = np.array([-0.8, -0.6, -0.3, -0.1, 0.1, 1.2, 0.3, 0.2])
    rows = []
    for i in range(persons):
        for task in range(5):
            for rater in sorted(rng.choice(8, 2, replace=False).tolist()):
                steps = np.array([-1.5, 0.0, 1.2]) + 0.3 * (task - 2) + severity[rater]
                score = int(marks(rng, theta[[i]], 1.0, steps)[0])
                if rater == 2 and rng.random() < 0.35:
                    score = int(rng.integers(4))
                rows.append([f"S{i + 1:03d}", f"任务{task + 1}", f"R{rater + 1}", str(score)])
    write(folder / "ratings.csv", [["person", "item", "rater", "score"], *rows])


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


SPEC = """\
[models]
"*" = "2PL"
"CR*" = "GPCM"

[priors."MC*"]
a = "lognormal(floating, 0.5)"

[testlets]
reading = ["READ1", "READ2", "READ3", "READ4"]
"""


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(SEED)
    write_mixed(target, generator)
    write_ratings(target, generator)
    (target / "spec.toml").write_text(SPEC, encoding="utf-8")
