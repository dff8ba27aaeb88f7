"""One form as a linear model: columns for items, rows for everything the blueprint says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from engine.assembly.paper import Groups, Letters, Paper, Rows
from engine.assembly.solver import Columns, Model

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class FormModel:
    """A model of one form out of `items` (n,), positions in the pool: `x` are their columns.

    `worst` is the column of the largest deviation from the target (or of minus the least sum), where there is one.
    """

    model: Model
    items: Positions
    x: Columns
    worst: Columns


def form_model(paper: Paper, items: Positions, *, beside: Rows | None = None) -> FormModel:
    """The model of a form out of `items`; `beside` are rows over the whole pool that other forms add."""
    model = Model()
    x, worst = add_form(model, paper, items, beside=beside)
    return FormModel(model, items, x, worst)


def add_form(
    model: Model,
    paper: Paper,
    items: Positions,
    *,
    beside: Rows | None = None,
    times: int = 1,
    fractional: bool = False,
    priced: bool = True,
) -> tuple[Columns, Columns]:
    """The columns and rows of `form_model`, added to a model: the columns of the items, and of the deviation.

    With `times` the columns stand for that many forms together, each of which meets the blueprint; `fractional` ones
    are shadows of forms to come (van der Linden & Adema, 1998). Only `priced` forms have the target as a cost.
    """
    whole = times == 1 and not fractional
    x = model.add_columns(len(items), lower=paper.required[items].astype(float), integer=whole)
    rows = paper.rows
    model.add_rows(rows.names, _taken(rows.matrix, items), x, times * rows.low, times * rows.high)
    if beside is not None and len(beside):
        model.add_rows(beside.names, _taken(beside.matrix, items), x, beside.low, beside.high)
    for groups in paper.groups:
        _add_groups(model, groups, items, x, times)
    if whole:
        _add_enemies(model, paper, items, x)
        for one in paper.implications:
            _add_implication(model, paper, one.rule, x[one.given[items]], x[one.then[items]], one.low, one.high)
    for letters in paper.letters:
        _add_letters(model, letters, items, x, whole=whole)
    return x, _add_aim(model, paper, items, x, times, priced=priced and not fractional)


def add_shadow(form: FormModel, paper: Paper, candidates: Positions, times: int) -> None:
    """Fractional forms that stand for `times` more, out of the `candidates` that the form leaves."""
    shadow, _ = add_form(form.model, paper, candidates, times=times, fractional=True)
    place = np.searchsorted(candidates, form.items)
    pairs = np.stack([form.x, shadow[place]], axis=1)
    ones = csr_array((np.ones(pairs.size), np.arange(pairs.size), 2 * np.arange(len(pairs) + 1)))
    form.model.add_rows(["forms to come"] * len(pairs), ones, pairs.ravel(), -np.inf, 1.0)


def _taken(matrix: csr_array, items: Positions) -> csr_array:
    return csr_array(matrix[:, items])


def _add_groups(model: Model, groups: Groups, items: Positions, x: Columns, times: int) -> None:
    """At most so many of each label, or so many of it or none (a column says which)."""
    labels = groups.labels[items]
    inside = np.flatnonzero(labels >= 0)
    found = np.arange(len(groups.low)) if groups.low.any() else np.unique(labels[inside])
    row = np.searchsorted(found, labels[inside])
    matrix = csr_array((np.ones(len(inside)), (row, inside)), shape=(len(found), len(items)))
    low, high = groups.low[found], groups.high[found]
    if not groups.optional:
        needed = np.flatnonzero((low > 0) | (np.diff(matrix.indptr) > times * high))
        names = [groups.rule] * len(needed)
        model.add_rows(names, csr_array(matrix[needed]), x, times * low[needed], times * high[needed])
        return
    used = model.add_columns(len(found), upper=float(times), integer=times == 1)
    for n in range(len(found)):
        members = x[matrix.indices[matrix.indptr[n] : matrix.indptr[n + 1]]]
        columns = np.append(members, used[n])
        model.add_row(groups.rule, columns, np.append(np.ones(len(members)), -high[n]), -np.inf, 0.0)
        model.add_row(groups.rule, columns, np.append(np.ones(len(members)), -low[n]), 0.0, np.inf)


def _add_enemies(model: Model, paper: Paper, items: Positions, x: Columns) -> None:
    place = np.full(len(paper.pool), -1)
    place[items] = np.arange(len(items))
    pairs = place[paper.enemies]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    if len(pairs):
        ones = csr_array(
            (np.ones(pairs.size), pairs.ravel(), 2 * np.arange(len(pairs) + 1)), shape=(len(pairs), len(x))
        )
        rule = next(rule.id for rule in paper.blueprint.rules if rule.what == "enemies")
        model.add_rows([rule] * len(pairs), ones, x, -np.inf, 1.0)


def _add_implication(
    model: Model, paper: Paper, rule: str, given: Columns, then: Columns, low: float, high: float
) -> None:
    asked = model.add_columns(1, integer=True)
    most = float(min(len(given), paper.length))
    model.add_row(rule, np.concatenate([given, asked]), np.append(np.ones(len(given)), -most), -np.inf, 0.0)
    both = np.concatenate([then, asked])
    if low > 0:
        model.add_row(rule, both, np.append(np.ones(len(then)), -low), 0.0, np.inf)
    if np.isfinite(high):
        room = paper.length - high
        model.add_row(rule, both, np.append(np.ones(len(then)), room), -np.inf, high + room)


def _add_letters(model: Model, letters: Letters, items: Positions, x: Columns, *, whole: bool) -> None:
    """Every letter is the key of its share: of fixed keys, and of what shuffled ones make up.

    Between `least` and `most` items (two whole numbers) have each letter as key. Fixed keys of a letter are at most
    `most`; what is missing of them, letter by letter, is no more than there are items to shuffle, whose letters are
    dealt out afterwards. That is all a dealing needs: it exists where least · letters <= items <= most · letters, too
    (Hall, 1935). A column for the shuffled items of every letter would say the same, but a search that begins with
    everything at 0 then leaves items that can be shuffled out.
    """
    if letters.rule.share is None:
        return
    letter, free = letters.letter[items], letters.free[items]
    fixed = [x[(letter == n) & ~free] for n in range(len(letters.names))]
    among, name, count = x[letter >= 0], letters.rule.id, len(letters.names)
    low, high = letters.rule.shares
    slack = 0.0 if isinstance(letters.rule.share, tuple) else 1 - 1e-6  # a number: to the next whole item
    least, most = model.add_columns(2, upper=float(len(among)), integer=whole)[:, None]
    missing = model.add_columns(count, upper=np.inf, integer=False)

    def row(parts: list[tuple[Columns, float]], lowest: float, highest: float) -> None:
        columns = np.concatenate([columns for columns, _ in parts])
        model.add_row(
            name, columns, np.repeat([sign for _, sign in parts], [len(c) for c, _ in parts]), lowest, highest
        )

    row([(least, 1.0), (among, -low)], -slack, np.inf)
    row([(most, 1.0), (among, -high)], -np.inf, slack)
    row([(among, 1.0), (least, -float(count))], 0.0, np.inf)
    row([(among, 1.0), (most, -float(count))], -np.inf, 0.0)
    for n in range(count):
        row([(fixed[n], 1.0), (most, -1.0)], -np.inf, 0.0)
        row([(fixed[n], 1.0), (missing[n : n + 1], 1.0), (least, -1.0)], 0.0, np.inf)
    row([(x[free], 1.0), (missing, -1.0)], 0.0, np.inf)


def _add_aim(model: Model, paper: Paper, items: Positions, x: Columns, times: int, *, priced: bool) -> Columns:
    """Expected marks within their bounds, and the largest deviation as the cost."""
    aim = paper.aim
    if aim is None:
        return np.zeros(0, np.int32)
    low, high = aim.marks_bounds
    for t in np.flatnonzero(np.isfinite(low)):
        name = f"expected marks at {aim.theta[t]:.2f}"
        model.add_row(name, x, aim.item_marks[items, t], times * low[t], times * high[t])
    if not priced:  # forms to come keep the rules; how near they come to the target is theirs
        return np.zeros(0, np.int32)
    worst = model.add_columns(1, upper=np.inf, cost=1.0 if aim.matching else -1.0, integer=False)
    for f, (wanted, unit) in enumerate(zip(aim.wanted, aim.unit, strict=True)):
        columns, sums = np.append(x, worst), aim.features[items, f]
        if not aim.matching:
            model.add_row("target", columns, np.append(sums, -unit), 0.0, np.inf)
            continue
        model.add_row("target", columns, np.append(sums, -unit * times), -np.inf, times * wanted)
        model.add_row("target", columns, np.append(sums, unit * times), times * wanted, np.inf)
    return worst
