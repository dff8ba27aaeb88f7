"""Small banks with everything a release must look at, and the sample policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import combinations

import numpy as np

from engine import Pool, Readiness, Release, ReleasePolicy, read_policy
from engine.pools import Value
from tests.engine.samples import EXAMPLES, item

READY = Readiness("孙丽", date(2026, 11, 20), "会议纪要 12 号")
POLICY = read_policy(EXAMPLES / "policy.toml")


def policy(share: float, **changes: object) -> ReleasePolicy:
    return replace(ReleasePolicy(share, (READY,)), **changes)  # type: ignore[arg-type]


def rich_rows(seed: int, count: int, *, parameters: bool = True) -> list[dict[str, Value]]:
    """Items of two types, three sections and about count / 3 points; some reserved, exposed, drifting, some in sets."""
    rng = np.random.default_rng(seed)
    rows = []
    for j in range(count):
        foe = int(rng.integers(count))
        rows.append(
            item(
                f"i{j:04d}",
                a=float(rng.lognormal(0.0, 0.3)) if parameters else None,
                b=float(rng.normal()) if parameters else None,
                type=str(rng.choice(["single", "multiple"], p=[0.75, 0.25])),
                section=f"S{rng.integers(1, 4)}",
                point=f"P{rng.integers(max(2, count // 3)):04d}",
                grade=str(rng.integers(1, 4)),
                importance=str(rng.choice(["X", "Y"], p=[0.8, 0.2])),
                reserved="yes" if rng.random() < 0.05 else "no",
                anchor="yes" if rng.random() < 0.05 else "no",
                field_test="yes" if rng.random() < 0.05 else "no",
                drift="yes" if rng.random() < 0.05 else None,
                uses=str(rng.poisson(1.0)),
                stimulus=f"T{rng.integers(count // 4 + 1)}" if rng.random() < 0.15 else None,
                enemies=(f"i{foe:04d}",) if foe != j and rng.random() < 0.08 else (),
            )
        )
    return rows


def rich_pool(seed: int, count: int, *, parameters: bool = True) -> Pool:
    return Pool.from_rows(rich_rows(seed, count, parameters=parameters))


def chosen(pool: Pool, release: Release) -> np.ndarray:
    return np.isin(np.array(pool.ids), release.items)


def after(pool: Pool, release: Release, **more: Value) -> Pool:
    """The pool once the release is out."""
    rows = [
        pool.row(j) | (({"published": "yes"} | more) if name in release.items else {})
        for j, name in enumerate(pool.ids)
    ]
    return Pool.from_rows(rows)


def groups(pool: Pool, *columns: str) -> list[np.ndarray]:
    """Items by the crossed values of columns, counted apart from the package's own strata."""
    values = list(zip(*(pool.column(name) for name in columns), strict=True))
    return [np.array([value == one for value in values]) for one in dict.fromkeys(values)]


def friends(pool: Pool) -> list[set[str]]:
    """Sets of ids that must go together, by plain closure over enemies and stimuli."""
    sets = [{name} for name in pool.ids]
    pairs = [
        (pool.ids[j], foe) for j, foes in enumerate(pool.column("enemies")) for foe in foes or () if foe in pool.ids
    ]
    stimuli = dict(zip(pool.ids, pool.column("stimulus"), strict=True)) if "stimulus" in pool.attributes else {}
    pairs += [(one, two) for one, two in combinations(pool.ids, 2) if stimuli.get(one) and stimuli[one] == stimuli[two]]
    for one, two in pairs:
        first = next(s for s in sets if one in s)
        second = next(s for s in sets if two in s)
        if first is not second:
            first |= second
            sets.remove(second)
    return sets
