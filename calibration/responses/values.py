"""Who answered what: the data of a calibration.

A response is one row (person, item, score) of a long table, so that incomplete designs cost what they hold and nothing
more. Three kinds of silence are kept apart: *not administered* has no row; *omitted* has a row with score 0; *not
reached* has a row that a calibration ignores and a total of marks counts as 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.responses.cells import ANSWERED, MAX_CATEGORIES, NOT_REACHED, OMITTED, ResponsesError
from calibration.responses.findings import Finding, find
from calibration.responses.keys import KeyOfItem


@dataclass(frozen=True, slots=True)
class Responses:
    """Scored responses in long form, sorted by person, then item.

    `person`, `item` (R,) index into `persons` (N) and `items` (J); `score` (R,) is the score category 0, 1, …;
    `status` (R,) is ANSWERED, OMITTED or NOT_REACHED. `option` (R,) indexes `options`, the distinct response codes,
    where the file held the options chosen instead of scores (-1 for none). `weight` (N,) weighs persons. `form` (N,)
    indexes `forms`: persons with the same form saw the same items.

    With raters a person has a row for each rater of an item, sorted by person, item, rater.
    """

    persons: tuple[str, ...]
    items: tuple[str, ...]
    person: NDArray[np.int32]
    item: NDArray[np.int32]
    score: NDArray[np.int16]
    status: NDArray[np.uint8]
    weight: NDArray[np.float64]
    form: NDArray[np.int32]
    forms: tuple[str, ...]
    option: NDArray[np.int32] | None = None
    options: tuple[str, ...] = ()
    key: Mapping[str, KeyOfItem] = field(default_factory=dict)
    group: NDArray[np.int32] | None = None  # (N,), indexes `groups`; None: all persons are of one group
    groups: tuple[str, ...] = ()
    rater: NDArray[np.int32] | None = None  # (R,), indexes `raters`, -1 for none; None: no raters
    raters: tuple[str, ...] = ()
    position: NDArray[np.int32] | None = None  # (R,), place of the item in the person's test, from 1; 0 unknown
    seconds: NDArray[np.float32] | None = None  # (R,), time spent on the item, NaN unknown
    shift: Mapping[str, int] = field(default_factory=dict)  # what was taken from the scores of an item to start at 0
    marks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # marks of each category, where not 0, 1, …
    omissions_ignored: int = 0  # how many of the rows that are NOT_REACHED were omitted and made so by policy

    @property
    def counts(self) -> dict[str, int]:
        """How many responses were answered, omitted and not reached, and how many pairs were not administered."""
        kinds = np.bincount(self.status, minlength=3)
        pairs = len(self.score)
        if self.rater is not None:
            pairs -= int(np.count_nonzero((np.diff(self.person) == 0) & (np.diff(self.item) == 0)))
        return {
            "answered": int(kinds[ANSWERED]),
            "omitted": int(kinds[OMITTED]) + self.omissions_ignored,
            "not_reached": int(kinds[NOT_REACHED]) - self.omissions_ignored,
            "not_administered": len(self.persons) * len(self.items) - pairs,
        }

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which rows a calibration goes by, (R,): all but those not reached."""
        return np.asarray(self.status != NOT_REACHED)

    @property
    def used_rows(self) -> NDArray[np.intp] | slice:
        """The numbers of these rows; all of them, without a copy, where none was not reached."""
        used = self.used
        return slice(None) if used.all() else np.flatnonzero(used)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the data and need not stop a run (calibration.responses.findings names the kinds)."""
        return find(self)

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in self.counts.items())
        return f"{len(self.persons):,} persons, {len(self.items):,} items: {counts}"

    @property
    def given_scores(self) -> NDArray[np.int16]:
        """Scores (R,) as they stood in the data, before the lowest of an item was taken from them."""
        if not self.shift:
            return self.score
        by = np.array([self.shift.get(name, 0) for name in self.items], np.int16)
        return np.asarray(self.score + by[self.item])

    def unshifted(self) -> Responses:
        """The responses with the scores as they stood in the data: for what counts marks and not categories."""
        return self if not self.shift else replace(self, score=self.given_scores, shift={})

    def dense(self) -> NDArray[np.float64]:
        """Scores as (N, J), NaN where not administered or not reached.

        Raises ResponsesError where raters give a person several scores on an item.
        """
        if self.rater is not None and len(self.raters) > 1:
            raise ResponsesError("responses of several raters make no table of persons by items")
        table = np.full((len(self.persons), len(self.items)), np.nan)
        table[self.person[self.used], self.item[self.used]] = self.score[self.used]
        return table

    def item_counts(self) -> NDArray[np.float64]:
        """Weighted number of persons behind each item, (J,)."""
        rows = self.used_rows
        return np.bincount(self.item[rows], self._weight_of(rows), len(self.items)).astype(float)

    def category_counts(self) -> NDArray[np.float64]:
        """Weighted number of responses in each category of each item, (J, K of the longest item)."""
        J, K = len(self.items), int(self.score.max(initial=0)) + 1
        rows = self.used_rows
        cell = self.item[rows].astype(np.intp) * K + self.score[rows]
        return np.bincount(cell, self._weight_of(rows), J * K).reshape(J, K).astype(float)

    def _weight_of(self, rows: NDArray[np.intp] | slice) -> NDArray[np.float64] | None:
        """The weight of the person of each row; None where all are 1."""
        return None if (self.weight == 1).all() else self.weight[self.person[rows]]

    def category_marks(self, item: str, categories: int) -> tuple[float, ...]:
        """What each of the K = `categories` of an item is worth: its marks where they are known, else its scores."""
        return self.marks.get(item) or tuple(float(k + self.shift.get(item, 0)) for k in range(categories))

    @classmethod
    def from_matrix(
        cls,
        scores: NDArray[Any],
        items: Sequence[str] | None = None,
        *,
        persons: Sequence[str] | None = None,
        weight: NDArray[np.float64] | None = None,
    ) -> Responses:
        """Responses from a table of scores (N, J), NaN = not administered; persons with the same items have one form.

        Raises ResponsesError when a score is not a whole number from 0, a weight not a number from 0, or names are
        too few, too many or repeated.
        """
        N, J = scores.shape
        if weight is not None:
            _check_weights(np.asarray(weight, float), N)
        names = tuple(items) if items is not None else tuple(f"item{j + 1}" for j in range(J))
        _check_names(names, J, "items", "columns")
        _check_names(tuple(persons) if persons is not None else None, N, "persons", "rows")
        administered = ~np.isnan(scores)
        person, item = np.nonzero(administered)
        score = scores[administered]
        bad = np.flatnonzero((score < 0) | (score != np.round(score)))
        if bad.size:
            first = bad[0]
            raise ResponsesError(
                f"row {person[first] + 1}, item {names[item[first]]}: score {score[first]:g}; scores are 0, 1, 2, …"
            )
        score, shift = shifted(names, item, score.astype(np.int64))
        if score.max(initial=0) >= MAX_CATEGORIES:
            worst = names[item[score.argmax()]]
            raise ResponsesError(f"item {worst}: more than {MAX_CATEGORIES} categories of scores")
        form = _patterns(administered)
        return cls(
            persons=tuple(persons) if persons is not None else tuple(map(str, range(1, N + 1))),
            items=names,
            person=person.astype(np.int32),
            item=item.astype(np.int32),
            score=score.astype(np.int16),
            status=np.zeros(len(score), np.uint8),
            weight=np.ones(N) if weight is None else np.asarray(weight, float),
            form=form,
            forms=tuple(str(f + 1) for f in range(int(form.max(initial=-1)) + 1)),
            shift=shift,
        )


def _check_names(names: tuple[str, ...] | None, size: int, what: str, of: str) -> None:
    if names is None:
        return
    if len(names) != size:
        raise ResponsesError(f"{len(names)} {what} for {size} {of}; name each")
    if len(set(names)) < size:
        twice = next(name for n, name in enumerate(names) if name in names[:n])
        raise ResponsesError(f"{what}: {twice!r} stands twice")


def _check_weights(weight: NDArray[np.float64], N: int) -> None:
    if weight.shape != (N,):
        raise ResponsesError(f"{weight.size} weights for {N} persons; give one for each")
    bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if bad.size:
        raise ResponsesError(f"row {bad[0] + 1}: weight {weight[bad[0]]:g}; weights are numbers from 0")


def _patterns(administered: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A number for each row, equal for equal rows, in the order of the rows as binary numbers, (N,)."""
    if administered.all():
        return np.zeros(len(administered), np.int32)
    packed = np.packbits(administered, axis=1)
    whole = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, pattern = np.unique(whole, return_inverse=True)
    return pattern.reshape(-1).astype(np.int32)


def score_range(J: int, item: NDArray[Any], score: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest score of each item, (J,); 0 and -1 for an item without a score."""
    low, high = np.full(J, np.iinfo(np.int64).max), np.full(J, -1)
    np.minimum.at(low, item, score)
    np.maximum.at(high, item, score)
    return np.where(high < 0, 0, low), high


def lowest_scores(J: int, item: NDArray[Any], score: NDArray[Any]) -> NDArray[np.int64]:
    """What is taken from the scores of each item so that they start at 0, (J,).

    Nothing from an item whose scores are all the same: that everybody is right must not read as everybody wrong.
    """
    low, high = score_range(J, item, score)
    return np.where(high > low, np.maximum(low, 0), 0)


def shifted(
    items: Sequence[str], item: NDArray[Any], score: NDArray[np.int64]
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Scores that start at 0 within each item, and what was taken from them."""
    by = lowest_scores(len(items), item, score)
    return score - by[item], {name: int(k) for name, k in zip(items, by, strict=True) if k}
