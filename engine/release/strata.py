"""What does every stratum owe? Shares, margins, crossed cells, and the secret items that points and modules keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.pools import Pool
from engine.pools.columns import text_of
from engine.release.policy import InfeasibleReleaseError, Readiness, ReleaseError, ReleasePolicy, StratumPolicy
from engine.release.quotas import EXACT, ceiling_of, floor_of, largest_remainder
from engine.release.standing import Standing, known_column

# The usual columns, each used where the pool has it.
BY = ("occupation", "level", "component")
MARGINS = ("section", "area", "type", "grade", "importance", "module")
CELLS = ("section", "area", "type", "grade", "module")
KEEP = {"point": 1, "module": 1}


@dataclass(frozen=True, slots=True)
class Line:
    """Counted items with the same values of some columns in a stratum, and between which numbers public ones must lie.

    `quota` is the proportional number.
    """

    group: int
    columns: tuple[str, ...]
    values: tuple[str, ...]
    members: NDArray[np.intp]
    quota: float
    low: int
    high: int

    @property
    def slope(self) -> float:
        """What one more item changes |published - quota| by, between the bounds."""
        return abs(self.low + 1 - self.quota) - abs(self.low - self.quota)

    @property
    def name(self) -> str:
        return " × ".join(f"{c} {v or '–'}" for c, v in zip(self.columns, self.values, strict=True)) or "the bank"


@dataclass(frozen=True, slots=True)
class Group:
    """A stratum of its own share: what is asked, what the round reaches, and who decided that it is ready.

    `goal` is the number of public items that the policy's share means, `public` that before the round and `target` that
    after it, lower than the goal where `max_per_round` says so.
    """

    values: tuple[str, ...]
    members: NDArray[np.intp]
    share: float
    goal: int
    public: int
    target: int
    margins: tuple[str, ...]
    cells: tuple[str, ...]
    readiness: Readiness | None

    @property
    def reached(self) -> float:
        """The share that is public after the round."""
        return self.target / len(self.members)


@dataclass(frozen=True, slots=True)
class Demands:
    """All lines, and on which of them every item stands (J, …), -1 for none."""

    by: tuple[str, ...]
    groups: tuple[Group, ...]
    group_of: NDArray[np.intp]
    margins: tuple[Line, ...]
    margin_of: NDArray[np.intp]
    cells: tuple[Line, ...]
    cell_of: NDArray[np.intp]
    keeps: tuple[Line, ...]
    keep_of: NDArray[np.intp]

    def place(self, group: int) -> str:
        """The stratum in words, for messages: "level 3 × component skill", or "the bank" where there is one only."""
        values = self.groups[group].values
        return " × ".join(f"{c} {v or '–'}" for c, v in zip(self.by, values, strict=True)) or "the bank"


def demands_of(pool: Pool, policy: ReleasePolicy, standing: Standing) -> Demands:
    """What the policy asks of this pool.

    Raises ReleaseError for columns and values that the pool lacks and for a stratum that nobody declared ready,
    InfeasibleReleaseError where counting shows that a share or a margin cannot be had; every stratum is named.
    """
    by = tuple(name for name in BY if name in pool.attributes) if policy.by is None else policy.by
    where = np.flatnonzero(standing.counted)
    found = crossed(pool, by, where)
    known = {name: {values[c] for values, _ in found} for c, name in enumerate(by)}
    for n, row in enumerate(policy.strata, start=1):
        _check_where(row.where, known, f"[[stratum]] {n}")
    for n, decision in enumerate(policy.readiness, start=1):
        _check_where(decision.where, known, f"[[readiness]] {n}")
        for name in by:
            if name not in decision.where:
                raise ReleaseError(f"[[readiness]] {n}: where names no {name}; every stratum needs its own decision")
    asked = [_policy_for(policy, dict(zip(by, values, strict=True))) for values, _ in found]
    shares = np.array([policy.share if one.share is None else one.share for one in asked])
    quotas = shares * np.array([len(members) for _, members in found])
    goals = largest_remainder(quotas, floor(quotas.sum() + 0.5))
    groups = []
    for (values, members), one, share, goal in zip(found, asked, shares, goals, strict=True):
        public = int(standing.public[members].sum())
        most = public + floor((one.max_per_round or 1.0) * len(members) + EXACT)
        groups.append(
            Group(
                values=values,
                members=members,
                share=float(share),
                goal=int(goal),
                public=public,
                target=max(public, min(int(goal), most)),
                margins=_columns(pool, one.margins, MARGINS),
                cells=_columns(pool, one.cells, CELLS),
                readiness=_decision(policy, dict(zip(by, values, strict=True))),
            )
        )
    demands = _with_lines(pool, by, groups, [one.keep for one in asked], standing)
    _refuse_unready(demands)
    _refuse_impossible(demands, standing)
    return demands


def crossed(
    pool: Pool, columns: Sequence[str], where: NDArray[np.intp]
) -> list[tuple[tuple[str, ...], NDArray[np.intp]]]:
    """Items at the positions `where` by the crossed values of columns, in order of the values; empty cells are ""."""
    code = np.zeros(len(where), np.int64)
    cells = [_whole_cells(pool, name) for name in columns]
    for codes, values in cells:
        code = code * len(values) + codes[where]
    order = np.argsort(code, kind="stable")
    parts = np.split(where[order], np.flatnonzero(np.diff(code[order])) + 1) if len(where) else []
    return [(tuple(values[codes[members[0]]] for codes, values in cells), members) for members in parts]


def _whole_cells(pool: Pool, name: str) -> tuple[NDArray[np.intp], Sequence[str]]:
    """A column as codes (J,) of its cells, and these in order; several values in one are a cell of its own."""
    column = pool.coded(name)
    if column.single:
        return column.codes.astype(np.intp), column.values
    values, codes = np.unique(column.texts(), return_inverse=True)
    return codes, values.tolist()


def on_lines(lines_of: NDArray[np.intp], count: int, items: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many of the items stand on each of `count` lines, (count,)."""
    lines = lines_of[items].ravel()
    return np.bincount(lines[lines >= 0], minlength=count)


def _check_where(where: Mapping[str, Any], known: Mapping[str, set[str]], place: str) -> None:
    for name, value in where.items():
        known_column(name, tuple(known), f"{place}: where")
        if text_of(value) not in known[name]:
            near = get_close_matches(text_of(value), sorted(known[name]), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known[name]))}"
            raise ReleaseError(f"{place}: no item has {name} = {text_of(value)!r}{hint}")


def _meets(where: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    return all(values[name] == text_of(value) for name, value in where.items())


def _policy_for(policy: ReleasePolicy, values: Mapping[str, str]) -> StratumPolicy:
    """What is asked of a stratum: later [[stratum]] rows go before earlier ones, and these before the policy."""
    asked: dict[str, Any] = {
        name: getattr(policy, name) for name in ("share", "max_per_round", "margins", "cells", "keep")
    }
    for row in policy.strata:
        if _meets(row.where, values):
            asked |= {name: value for name in asked if (value := getattr(row, name)) is not None}
    return StratumPolicy(values, **asked)


def _decision(policy: ReleasePolicy, values: Mapping[str, str]) -> Readiness | None:
    return next((one for one in reversed(policy.readiness) if _meets(one.where, values)), None)


def _columns(pool: Pool, named: tuple[str, ...] | None, usual: Sequence[str]) -> tuple[str, ...]:
    if named is None:
        return tuple(name for name in usual if name in pool.attributes)
    for name in named:
        pool.column(name)
    return named


def _with_lines(
    pool: Pool,
    by: tuple[str, ...],
    groups: Sequence[Group],
    keeps: Sequence[Mapping[str, int] | None],
    standing: Standing,
) -> Demands:
    public = standing.public
    group_of = np.full(len(pool), -1)
    margin_of = np.full((len(pool), max((len(group.margins) for group in groups), default=0)), -1)
    cell_of = np.full(len(pool), -1)
    kept = [
        {name: number for name, number in KEEP.items() if name in pool.attributes} if one is None else dict(one)
        for one in keeps
    ]
    keep_of = np.full((len(pool), max((len(one) for one in kept), default=0)), -1)
    margins: list[Line] = []
    cells: list[Line] = []
    secrets: list[Line] = []
    for g, group in enumerate(groups):
        group_of[group.members] = g
        for c, column in enumerate(group.margins):
            lines = _lines(pool, g, group, (column,), public)
            for line in lines:
                margin_of[line.members, c] = len(margins)
                margins.append(line)
        for line in _lines(pool, g, group, group.cells, public) if group.cells else ():
            cell_of[line.members] = len(cells)
            cells.append(line)
        for c, (column, number) in enumerate(kept[g].items()):
            for values, members in crossed(pool, (column,), group.members):
                if values == ("",):
                    continue
                high = max(len(members) - number, int(public[members].sum()))
                keep_of[members, c] = len(secrets)
                secrets.append(Line(g, (column,), values, members, group.reached * len(members), 0, high))
    return Demands(
        by, tuple(groups), group_of, tuple(margins), margin_of, tuple(cells), cell_of, tuple(secrets), keep_of
    )


def _lines(pool: Pool, g: int, group: Group, columns: tuple[str, ...], public: NDArray[np.bool_]) -> list[Line]:
    """The strata of crossed columns: floor and ceiling of what each is owed once those with too much public are out.

    What is public is never taken back: a stratum that holds more than its ceiling stays there, and the others share
    what is left in proportion.
    """
    found = crossed(pool, columns, group.members)
    sizes = np.array([len(members) for _, members in found])
    before = np.array([int(public[members].sum()) for _, members in found])
    over = np.zeros(len(found), bool)
    owed = group.reached * sizes
    while (more := ~over & (before > np.ceil(owed - EXACT))).any():
        over |= more
        left = max(group.target - int(before[over].sum()), 0)
        owed = np.where(over, before, left / max(int(sizes[~over].sum()), 1) * sizes)
    return [
        Line(g, columns, values, members, group.reached * len(members), floor_of(due), ceiling_of(due))
        for (values, members), due in zip(found, owed, strict=True)
    ]


def _refuse_unready(demands: Demands) -> None:
    waiting = [
        demands.place(g)
        for g, group in enumerate(demands.groups)
        if group.target > group.public and group.readiness is None
    ]
    if waiting:
        raise ReleaseError(
            f"nobody has decided that {_some(waiting)} is ready to be published; record the decision as [[readiness]] "
            "with decided_by, date and reference" + (f" and where ({', '.join(demands.by)})" if demands.by else "")
        )


def _refuse_impossible(demands: Demands, standing: Standing) -> None:
    """Refuse at once what counting shows to be impossible; all strata that are short are named."""
    free = standing.free
    short = []
    for g, group in enumerate(demands.groups):
        may = int(free[group.members].sum())
        if group.public + may < group.target:
            short.append(_short(demands, g, group, may))
    if not short and all(group.target <= group.public for group in demands.groups):
        short = [
            _short(demands, g, group, int(free[group.members].sum())) for g, group in enumerate(demands.groups)
        ] or ["no item is in the scope of the release"]
    if not short:
        for line in demands.margins:
            group = demands.groups[line.group]
            may = int((free | standing.public)[line.members].sum())
            if may < line.low:
                short.append(
                    f"{line.name} in {demands.place(line.group)}: {len(line.members)} items, of which "
                    f"{line.low} must be public for a share of {group.reached:.4g}, but {may} may be"
                )
    if short:
        raise InfeasibleReleaseError("; ".join(short))


def _short(demands: Demands, g: int, group: Group, may: int) -> str:
    where = f"{demands.place(g)}: " if demands.by else ""
    return (
        f"{where}share {group.share:g} of {len(group.members)} items means {group.goal} public ones; "
        f"{group.public} are public already and {may} more may be published"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
