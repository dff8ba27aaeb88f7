"""Pools, blueprints and designs for tests: seeded, small, and one of the size of the sample bank."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np

from engine import Blueprint, Content, Exposure, Pool, Rule, Stop, Target, TestDesign
from engine.pools import Value

EXAMPLES = Path(__file__).parents[2] / "examples" / "ai_trainer_l3"
FUNCTIONS = {"A-A": 5.0, "A-B": 10.0, "B": 20.0, "C": 30.0, "D": 30.0, "E": 5.0}
TYPES = {"true_false": (40, 0.5), "single": (140, 0.5), "multiple": (10, 1.0)}
TYPE_NAMES = {"判断": "true_false", "单选": "single", "多选": "multiple"}
SHARE_NOTHING = Rule("nothing shared", "overlap", forms="parallel", share=0.0)


def item(name: str, **attributes: Value) -> dict[str, Value]:
    """A row of a pool with every column the rules may ask for."""
    usual: dict[str, Value] = {"a": 1.0, "b": 0.0, "type": "single", "section": "S1", "point": name, "grade": "3"}
    return usual | {"minutes": "1", "flagged": None, "enemies": ()} | {"id": name} | attributes


def random_rows(seed: int, count: int) -> list[dict[str, Value]]:
    """`count` items of two types, three sections and about count / 2 points, some flagged, some enemies."""
    rng = np.random.default_rng(seed)
    rows = []
    for j in range(count):
        foe = int(rng.integers(count))
        rows.append(
            item(
                f"i{j:04d}",
                a=float(rng.lognormal(0.0, 0.3)),
                b=float(rng.normal()),
                type=str(rng.choice(["single", "multiple"], p=[0.75, 0.25])),
                section=f"S{rng.integers(1, 4)}",
                point=f"P{rng.integers(max(2, count // 2)):04d}",
                grade=str(rng.integers(1, 6)),
                minutes=str(rng.integers(1, 4) / 2),
                flagged="yes" if rng.random() < 0.1 else None,
                enemies=(f"i{foe:04d}",) if foe != j and rng.random() < 0.15 else (),
            )
        )
    return rows


def random_pool(seed: int, count: int) -> Pool:
    return Pool.from_rows(random_rows(seed, count))


def keyed_pool(count: int, seed: int = 5, *, shuffle: float = 0.7) -> Pool:
    """Singles with a key of A to D, most of whose options may be shuffled."""
    rng = np.random.default_rng(seed)
    rows = random_rows(seed, count)
    for row in rows:
        row |= {"key": str(rng.choice(list("ABCD"))), "shuffle": "yes" if rng.random() < shuffle else "no"}
    return Pool.from_rows(rows)


def small_blueprint(*rules: Rule, length: int = 4, target: Target | None = None) -> Blueprint:
    """Singles at half a mark, multiples at one, and the rules given."""
    marks = {"single": 0.5, "multiple": 1.0}
    return Blueprint("small", length, 10.0, "type", marks, rules, ("type", "section"), target)


def section_weights() -> dict[str, float]:
    outline = json.loads((EXAMPLES / "outline.json").read_text(encoding="utf-8"))
    return {section["code"]: section["weight"] for area in outline["areas"] for section in area["sections"]}


def real_blueprint(title: str = "人工智能训练师（三级）理论知识试卷") -> Blueprint:
    """The real form of the theory paper, from its weight table."""
    return Blueprint.from_weights(
        title=title,
        minutes=90,
        types=TYPES,
        functions=FUNCTIONS,
        sections=section_weights(),
        target=Target(),
    )


@cache
def sample_pool() -> Pool:
    """The sample bank with the parameters its simulated sittings were drawn from; the three faults are flagged."""
    with (EXAMPLES / "items.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    with (EXAMPLES / "sittings" / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["item"]: row for row in csv.DictReader(file)}
    rows: list[dict[str, Value]] = []
    for row in items:
        name, point, drawn = row["编号"], row["知识点"], truth[row["编号"]]
        usable = not drawn["fault"]
        rows.append(
            {
                "id": name,
                "a": float(drawn["a"]) if usable else None,
                "b": float(drawn["b"]) if usable else None,
                "type": TYPE_NAMES[row["题型"]],
                "function": point[:3] if point.startswith("A") else point[0],
                "section": point[:3],
                "point": point,
                "grade": row["难度"],
                "flagged": None if usable else "yes",
                "published": None,
                "enemies": tuple(part for part in row["互斥"].split(";") if part),
            }
        )
    return Pool.from_rows(rows)


def adaptive_pool(seed: int = 3, count: int = 60) -> Pool:
    """2PL items in two areas (two thirds of them in A), two items a point."""
    rng = np.random.default_rng(seed)
    return Pool.from_rows(
        [
            item(
                f"i{j:04d}",
                a=float(rng.lognormal(0.1, 0.3)),
                b=float(rng.normal()),
                section="B" if j % 3 == 2 else "A",
                point=f"P{j // 2}",
            )
            for j in range(count)
        ]
    )


def adaptive_design(
    *,
    best: int = 3,
    weights: dict[str, float] | None = None,
    once: tuple[str, ...] = (),
    stop: Stop | None = None,
) -> TestDesign:
    content = Content("section" if weights else "", weights or {}, once)
    return TestDesign(content=content, exposure=Exposure(best), stop=stop or Stop(5, 12, 0.45))
