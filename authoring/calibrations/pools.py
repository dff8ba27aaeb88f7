"""What a calibration gives further: the pool that papers are made from, and anchors for the next calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from authoring.calibrations.rules import answered_versions, versions_met
from authoring.calibrations.tables import Calibration, ItemStatistics
from authoring.errors import ConflictError, UnknownError
from authoring.items.contents import read_contents
from authoring.items.tables import Item as ItemRow
from authoring.items.tables import ItemVersion
from authoring.items.views import pool_items
from authoring.papers.rules import paper_uses
from calibration import parameters_from_document
from engine import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from authoring.columns import AnyRow
    from authoring.items.contents import Content
    from authoring.items.views import PoolItem
    from calibration import ItemParameters, Scale

CALIBRATION = Calibration.__table__
STATISTICS = ItemStatistics.__table__
VERSION = ItemVersion.__table__
ITEM = ItemRow.__table__


def calibrated_pool(session: Session, standard_id: int, calibration_id: int) -> Pool:
    """The accepted items of a standard with the parameters of one calibration: what papers and releases choose from.

    Columns of every pool:
    `type`, `point`, `section`, `function`, `grade`, `importance` (unknown where it is), `enemies` (codes), `version`;
    yes or no: `published`, `flagged` by the calibration, `anchor` of its scale, `shuffle` (may options be shuffled);
    `uses`: how many papers that were not withdrawn the item stands on, in any version.

    Columns that stand there where the bank knows them of an item:
    `n`, persons behind the parameters, or behind the classical statistics where there are none; `p`, the mean share of
    the marks; `key` of a choice item (B, √; several letters as several values); `marks`, as its author gave them or as
    a skill task adds up; `minutes` of a skill task; `stimulus`, the same for items that the same stimulus was copied
    into.

    Raises
    ------
    UnknownError
        `unknown-calibration` without one, or without its statistics.
    ConflictError
        `parameters-not-kept` if it is of a bank that kept only a and b, and its models have more.
    """
    known, scale = _calibrated(session, calibration_id)
    contents = read_contents(session, standard_id)
    uses = paper_uses(session, standard_id)
    rows = [
        _row(item, known.get(item.version_id), contents[item.version_id])
        | {"anchor": _yes(item.code in scale.anchors), "uses": uses.get(item.code, 0)}
        for item in pool_items(session, standard_id)
    ]
    unknown = {name for row in rows for name in row} - {name for row in rows for name in row if row[name] is not None}
    kept = [{name: value for name, value in row.items() if name not in unknown} for row in rows]
    return Pool.from_rows(kept, scale=scale)


def anchor_parameters(
    session: Session, calibration_id: int, items: Sequence[str] | None = None
) -> tuple[tuple[ItemParameters, ...], Scale]:
    """What keeps a new sitting on the scale of a calibration: `anchors` and `scale` for `calibration.calibrate`.

    An item (of `items`, the ones of the sitting, or of all that were calibrated) is an anchor where the version that
    candidates meet is the very version that was calibrated, and no flag was raised on it: an item that was rewritten
    since is another item.

    Raises
    ------
    UnknownError
        `unknown-calibration`, or one of `items` that is not in the bank.
    ConflictError
        `not-in-use` for one of `items` that no candidate can have met, `no-anchors` if no item is an anchor,
        `parameters-not-kept` as for `calibrated_pool`.
    """
    known, scale = _calibrated(session, calibration_id)
    if items is None:
        met = versions_met(session, [one.parameters.id for one in known.values() if one.parameters is not None])
    else:
        met = answered_versions(session, items)
    found = [known[version] for version in met.values() if version in known]
    anchors = [one.parameters for one in found if one.parameters is not None and not one.flags]
    if not anchors:
        raise ConflictError(
            "no-anchors",
            f"calibration {calibration_id} has sound parameters of none of these items as candidates meet them now: "
            "choose another calibration, or calibrate without anchors and link",
        )
    return tuple(sorted(anchors, key=lambda item: item.id)), scale


def calibration_of(session: Session, standard_id: int, chosen: int | None = None) -> int:
    """The calibration of a standard that was chosen, or else was saved last. Raises UnknownError where it has none."""
    query = select(func.max(CALIBRATION.c.id)).where(CALIBRATION.c.standard_id == standard_id)
    found: int | None = session.scalar(query if chosen is None else query.where(CALIBRATION.c.id == chosen))
    if found is None:
        which = "calibration yet" if chosen is None else f"calibration {chosen}"
        raise UnknownError("unknown-calibration", f"the standard {standard_id} has no {which}")
    return found


@dataclass(frozen=True, slots=True)
class _Calibrated:
    """What a calibration says of one version."""

    n: float
    p: float | None
    flags: str
    parameters: ItemParameters | None


def _calibrated(session: Session, calibration_id: int) -> tuple[dict[int, _Calibrated], Scale]:
    """What a calibration says, by version, and the scale its parameters are on."""
    query = (
        select(STATISTICS, ITEM.c.code)
        .join(VERSION, VERSION.c.id == STATISTICS.c.version_id)
        .join(ITEM, ITEM.c.id == VERSION.c.item_id)
        .where(STATISTICS.c.calibration_id == calibration_id)
        .order_by(ITEM.c.code)
    )
    rows = session.execute(query).all()
    scale = session.scalar(select(CALIBRATION.c.scale).where(CALIBRATION.c.id == calibration_id))
    if not rows or scale is None:
        raise UnknownError("unknown-calibration", f"there is no calibration {calibration_id} with statistics")
    lost = [row for row in rows if row.model is not None and row.parameters is None]
    if lost:
        raise ConflictError("parameters-not-kept", _what_was_lost(calibration_id, lost))
    document = {"scale": scale, "items": [row.parameters for row in rows if row.parameters is not None]}
    items, on = parameters_from_document(document, f"calibration {calibration_id}")
    by_code = {item.id: item for item in items}
    return {row.version_id: _said(row, by_code.get(row.code)) for row in rows}, on


def _said(row: AnyRow, parameters: ItemParameters | None) -> _Calibrated:
    n = parameters.n if parameters is not None and parameters.n else row.n
    return _Calibrated(n, row.p_value, row.flags, parameters)


def _what_was_lost(calibration_id: int, lost: Sequence[AnyRow]) -> str:
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return (
        f"calibration {calibration_id} was saved when the bank kept only a and b; of {lost[0].code} "
        f"({lost[0].model}){more} that is not enough: calibrate its sittings again and save that"
    )


def _row(item: PoolItem, found: _Calibrated | None, content: Content) -> dict[str, Any]:
    marks = item.marks if item.marks is not None else content.marks
    return {
        "id": item.code,
        "parameters": found.parameters if found else None,
        "type": str(item.item_type),
        "point": item.point,
        "section": item.section,
        "function": item.function,
        "grade": str(item.grade),
        "importance": str(item.importance) if item.importance else "unknown",
        "enemies": item.enemies,
        "flagged": _yes(found is not None and found.flags != ""),
        "published": _yes(item.published),
        "version": str(item.version),
        "n": found.n if found else None,
        "p": found.p if found else None,
        "key": content.key if len(content.key) > 1 else next(iter(content.key), None),
        "shuffle": _yes(content.shuffle),
        "marks": float(marks) if marks is not None else None,
        "minutes": content.minutes,
        "stimulus": content.stimulus,
    }


def _yes(fact: bool) -> str:  # noqa: FBT001  # it is what is said
    return "yes" if fact else "no"
