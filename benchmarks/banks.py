"""Banks and blueprints of any size for benchmarks and tests: every kind of rule, a fixed seed, no real bank behind.

Content follows the shape of a level's outline: six functions of 5 to 30 % of the weight, three sections each, points
within them; importance X, Y, Z as 80, 15 and 5 %; true/false, single choice with four options and multiple choice;
difficulty grades that foretell b with an error; keys of equal frequency; enemies, item sets, earlier papers, published
items and items that few persons have answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import Blueprint, Pool, Rule, Target

FUNCTIONS = {"A": 5.0, "B": 10.0, "C": 20.0, "D": 30.0, "E": 30.0, "F": 5.0}
SECTIONS = 3
SHARES = {"true_false": 0.2, "single": 0.7, "multiple": 0.1}
MARKS = {"true_false": 0.5, "single": 0.5, "multiple": 1.0}
MINUTES = {"true_false": 0.3, "single": 0.5, "multiple": 0.8}
EARLIER = "last year"


def bank(items: int, *, seed: int = 20260701) -> Pool:
    """A calibrated bank of so many items, 2PL, two thirds of a percent of them paired as enemies."""
    rng = np.random.default_rng(seed)
    weights = np.array(list(FUNCTIONS.values())) / 100
    function = rng.choice(list(FUNCTIONS), items, p=weights)
    section = rng.integers(1, SECTIONS + 1, items)
    kind = rng.choice(list(SHARES), items, p=list(SHARES.values()))
    points = max(1, items // 60)  # of a section: three or four items a point
    b = rng.normal(0, 1, items)
    rows: list[dict[str, Any]] = []
    for j in range(items):
        letters = {"true_false": ["true", "false"], "single": list("ABCD")}.get(kind[j], ["ABC"])
        rows.append(
            {
                "id": f"Q{j:06d}",
                "a": float(rng.lognormal(0, 0.3)),
                "b": float(b[j]),
                "type": str(kind[j]),
                "function": str(function[j]),
                "section": f"{function[j]}-{section[j]}",
                "point": f"{function[j]}-{section[j]}-{rng.integers(points):04d}",
                "importance": str(rng.choice(["X", "Y", "Z"], p=[0.8, 0.15, 0.05])),
                "grade": str(int(np.clip(np.round(3 + b[j] + rng.normal(0, 0.5)), 1, 5))),
                "key": str(rng.choice(letters)),
                "shuffle": "yes" if kind[j] == "single" and rng.random() < 0.5 else "no",
                "published": "yes" if rng.random() < 0.1 else "no",
                "uses": str(rng.poisson(1.0)),
                "n": str(int(rng.integers(50, 2000))),
                "stimulus": None,
                "enemies": (),
            }
        )
    _join(rows, rng)
    return Pool.from_rows(rows)


def _join(rows: list[dict[str, Any]], rng: np.random.Generator) -> None:
    """Some items are enemies; some single-choice items of one section share a stimulus, three by three."""
    for j in rng.choice(len(rows), len(rows) // 50, replace=False):
        foe = int(rng.integers(len(rows)))
        if foe != j:
            rows[j]["enemies"] = (rows[foe]["id"],)
    by_section: dict[str, list[int]] = {}
    for j in rng.permutation(len(rows)).tolist():
        if rows[j]["type"] == "single":
            by_section.setdefault(rows[j]["section"], []).append(j)
    for section, members in by_section.items():
        for number in range(len(members) // 60):
            for j in members[3 * number : 3 * number + 3]:
                rows[j]["stimulus"] = f"S-{section}-{number:03d}"


def blueprint(length: int, *, goal: float = 0.005, target: Mapping[str, Any] | None = None) -> Blueprint:
    """A paper of that length with every kind of rule."""
    counts = {"true_false": round(0.2 * length), "multiple": round(0.1 * length)}
    counts["single"] = length - sum(counts.values())
    total = sum(counts[kind] * MARKS[kind] for kind in counts)
    rules = [Rule(f"type {kind}", "count", where={"type": kind}, min=n, max=n) for kind, n in counts.items()]
    for code, weight in FUNCTIONS.items():
        low, high = (round(total * weight / 100 + way * 0.5, 6) for way in (-1, 1))
        rules.append(Rule(f"function {code}", "sum", of="marks", where={"function": code}, min=low, max=high))
        rules += [
            Rule(f"section {code}-{n}", "count", where={"section": f"{code}-{n}"}, min=max(1, length * weight // 600))
            for n in range(1, SECTIONS + 1)
        ]
    rules += [
        Rule("core items", "count", where={"importance": "X"}, share=(0.75, 0.90)),
        Rule("minor items", "count", where={"importance": "Z"}, share=(0.0, 0.07)),
        Rule("easy items", "count", where={"grade": {"max": 2}}, share=(0.2, 0.4)),
        Rule("hard items", "count", where={"grade": {"min": 4}}, share=(0.2, 0.4)),
        Rule("mean uses", "mean", of="uses", max=1.2),
        Rule("time", "sum", of="minutes", max=round(0.52 * length, 2)),
        Rule("one item a point", "at_most_one_per", of="point"),
        Rule("enemies apart", "enemies"),
        Rule("sets of two or three", "set_size", of="stimulus", min=2, max=3),
        Rule("two sets", "count", where={"stimulus": {"prefix": "S-"}}, min=2, max=6),
        Rule("letters", "key_balance", of="key", where={"type": "single"}, share=(0.2, 0.3), run=3),
        Rule("true and false", "key_balance", of="key", where={"type": "true_false"}, share=(0.4, 0.6), run=5),
        Rule("published marks", "sum", of="marks", where={"published": "yes"}, share=(0.0, 0.2)),
        Rule("well known", "exclude", where={"n": {"max": 99}}),
        Rule("worn out", "exclude", where={"uses": {"min": 5}}),
        Rule("hard ones need minor ones", "if_then", where={"grade": 5}, then={"grade": 1}, min=1),
        Rule("last year's", "overlap", forms=EARLIER, share=0.1),
        Rule("nothing shared", "overlap", forms="parallel", share=0.0),
        Rule("spares", "overlap", forms="spare", share=0.2),
    ]
    return Blueprint(
        title=f"benchmark paper of {length}",
        length=length,
        minutes=0.6 * length,
        marks_by="type",
        marks=MARKS,
        minutes_by="type",
        item_minutes=MINUTES,
        rules=tuple(rules),
        order=("type", "section", "point"),
        together="stimulus",
        target=Target(goal=goal, **dict(target or {})),
    )


def earlier_papers(pool: Pool, length: int, *, seed: int = 3) -> dict[str, tuple[str, ...]]:
    """The paper of last year: items at random."""
    chosen = np.random.default_rng(seed).choice(len(pool), length, replace=False)
    return {EARLIER: tuple(pool.ids[j] for j in sorted(chosen))}
