"""Several sittings as one set of responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from calibration.responses.cells import ANSWERED, NOT_REACHED, ResponsesError
from calibration.responses.values import Responses, lowest_scores

T = TypeVar("T")


def pool_responses(parts: Sequence[Responses], *, sittings_are_groups: bool = False) -> Responses:
    """Several sittings as one set of responses; persons are told apart by sitting, items and raters joined by name.

    Groups are joined by name, or with `sittings_are_groups` every sitting is one (named 1, 2, …). Scores are shifted
    again as the pool needs it. Raises ResponsesError when a sitting is given twice, when only some sittings name
    groups, or when the same item carries two keys or two sets of marks: which of them a person was scored by would be
    lost.
    """
    for s, part in enumerate(parts):
        twin = next((t for t in range(s) if _same(parts[t], part)), None)
        if twin is not None:
            raise ResponsesError(
                f"sittings {twin + 1} and {s + 1} hold the same persons with the same answers: give each sitting once"
            )
    items = _joined(part.items for part in parts)
    key = _agreed((part.key for part in parts), "keyed {0} in one sitting and {1} in another")
    marks = _agreed((part.marks for part in parts), "worth {0} in one sitting and {1} in another")
    person = np.concatenate([part.person + before for part, before in _counted(parts, lambda p: len(p.persons))])
    item = np.concatenate([_lookup(part.items, items)[part.item] for part in parts])
    status = np.concatenate([part.status for part in parts])
    score, shift = _shifted_again(parts, items, item, status, key)
    options, raters = _joined(part.options for part in parts), _joined(part.raters for part in parts)
    per_row: dict[str, NDArray[Any] | None] = {
        "person": person.astype(np.int32),
        "item": item.astype(np.int32),
        "score": score.astype(np.int16),
        "status": status,
        "option": _codes(parts, "option", "options", options) if all(p.option is not None for p in parts) else None,
        "rater": _codes(parts, "rater", "raters", raters) if any(p.rater is not None for p in parts) else None,
        "position": _filled(parts, "position", 0),
        "seconds": _filled(parts, "seconds", np.nan),
    }
    keys = [item, person] if per_row["rater"] is None else [per_row["rater"], item, person]
    order = np.lexsort(keys)
    groups, group = _groups(parts, sittings_are_groups=sittings_are_groups)
    columns: dict[str, Any] = {name: None if column is None else column[order] for name, column in per_row.items()}
    return Responses(
        **columns,
        persons=tuple(f"{s}/{name}" for s, part in enumerate(parts, start=1) for name in part.persons),
        items=items,
        weight=np.concatenate([part.weight for part in parts]),
        form=np.concatenate([part.form + before for part, before in _counted(parts, lambda p: len(p.forms))]).astype(
            np.int32
        ),
        forms=tuple(f"{s}/{name}" for s, part in enumerate(parts, start=1) for name in part.forms),
        options=options,
        key=key,
        group=group,
        groups=groups,
        raters=raters,
        shift=shift,
        marks=marks,
        omissions_ignored=sum(part.omissions_ignored for part in parts),
    )


def _same(one: Responses, other: Responses) -> bool:
    if (one.persons, one.items, one.options) != (other.persons, other.items, other.options):
        return False
    columns = ("person", "item", "score", "status")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in columns)


def _joined(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in names for name in part))


def _agreed(tables: Iterable[Mapping[str, T]], message: str) -> dict[str, T]:
    agreed: dict[str, T] = {}
    for table in tables:
        for name, value in table.items():
            if agreed.setdefault(name, value) != value:
                raise ResponsesError(f"item {name}: " + message.format(agreed[name], value))
    return agreed


def _counted(parts: Sequence[Responses], size: Callable[[Responses], int]) -> list[tuple[Responses, int]]:
    """Each sitting with how many there are before it."""
    before = np.concatenate([[0], np.cumsum([size(part) for part in parts])])
    return [(part, int(n)) for part, n in zip(parts, before, strict=False)]


def _lookup(names: Sequence[str], among: Sequence[str]) -> NDArray[np.intp]:
    """Where each of the names stands among the others; the last entry is for code -1."""
    index = {name: j for j, name in enumerate(among)}
    return np.array([*(index[name] for name in names), -1], np.intp)


def _codes(parts: Sequence[Responses], column: str, names: str, joined: tuple[str, ...]) -> NDArray[np.int32]:
    """A column of codes into names, as codes into the joined names; -1 where a sitting has no such column."""
    rows = [
        np.full(len(part.score), -1)
        if getattr(part, column) is None
        else _lookup(getattr(part, names), joined)[getattr(part, column)]
        for part in parts
    ]
    return np.concatenate(rows).astype(np.int32)


def _filled(parts: Sequence[Responses], column: str, unknown: float) -> NDArray[Any] | None:
    columns = [getattr(part, column) for part in parts]
    known = next((c for c in columns if c is not None), None)
    if known is None:
        return None
    filled = [
        np.full(len(p.score), unknown, known.dtype) if c is None else c for p, c in zip(parts, columns, strict=True)
    ]
    return np.concatenate(filled)


def _shifted_again(
    parts: Sequence[Responses],
    items: tuple[str, ...],
    item: NDArray[np.intp],
    status: NDArray[np.uint8],
    key: Mapping[str, Any],
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Scores that start at 0 over all sittings: one where nobody got the lowest score must not move by itself."""
    taken = [np.array([part.shift.get(name, 0) for name in part.items], np.int64) for part in parts]
    answered = status == ANSWERED
    score = np.concatenate([part.score.astype(np.int64) for part in parts])
    score += np.where(answered, np.concatenate([t[p.item] for t, p in zip(taken, parts, strict=True)]), 0)
    used = status != NOT_REACHED
    by = lowest_scores(len(items), item[used], score[used])
    by[[j for j, name in enumerate(items) if name in key]] = 0  # categories of a key start where the key says
    return np.where(answered, score - by[item], score), {n: int(k) for n, k in zip(items, by, strict=True) if k}


def _groups(
    parts: Sequence[Responses], *, sittings_are_groups: bool
) -> tuple[tuple[str, ...], NDArray[np.int32] | None]:
    if sittings_are_groups:
        sizes = [len(part.persons) for part in parts]
        return tuple(str(s + 1) for s in range(len(parts))), np.repeat(np.arange(len(parts), dtype=np.int32), sizes)
    without = [s for s, part in enumerate(parts, start=1) if part.group is None]
    if len(without) == len(parts):
        return (), None
    if without:
        raise ResponsesError(f"sitting {without[0]} has no column group, others have: name the groups of all or none")
    groups = _joined(part.groups for part in parts)
    return groups, np.concatenate([_lookup(p.groups, groups)[p.group] for p in parts]).astype(np.int32)
