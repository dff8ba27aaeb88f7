"""Does a blueprint speak of what the pool has, and do its shares add up?"""

from __future__ import annotations

import numpy as np

from engine.blueprints.blueprint import Blueprint
from engine.blueprints.errors import BlueprintError
from engine.blueprints.rules import ROUNDING, Rule
from engine.pools import Pool, PoolError

LENIENT = frozenset({"exclude"})  # a value that no item has bars none
ONE_VALUE = frozenset({"one_per", "all_or_none", "set_size"})  # rules that need an item to belong to one value


def check_on_pool(pool: Pool, blueprint: Blueprint) -> None:
    """Raise PoolError, with the rule's id, for a column or value that the pool lacks.

    Raises BlueprintError for shares that do not add up.
    """
    for rule in blueprint.rules:
        try:
            pool.where(rule.where, strict=rule.what not in LENIENT)
            pool.where(rule.then)
            if rule.of not in {"", "marks", "minutes"}:
                pool.coded(rule.of)
            if rule.what == "enemies":
                pool.coded("enemies")
        except PoolError as error:
            raise PoolError(f"{rule.named}: {error}") from None
    for name in (*blueprint.order, blueprint.together):
        if name and name != "difficulty":
            _check_order(pool, name, "order" if name in blueprint.order else "together")
    _check_shares(pool, blueprint)
    _check_letters(pool, blueprint)
    _check_sets(pool, blueprint)


def _check_order(pool: Pool, name: str, key: str) -> None:
    try:
        pool.coded(name)
    except PoolError as error:
        raise PoolError(f"{key}: {error}") from None


def _check_shares(pool: Pool, blueprint: Blueprint) -> None:
    """Shares of items apart from each other come to one at most and, where they are all there is, at least."""
    alike: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in blueprint.rules:
        if rule.what in {"count", "sum"} and rule.share is not None and len(rule.where) == 1:
            alike.setdefault((rule.what, rule.of, next(iter(rule.where))), []).append(rule)
    for (_, _, column), rules in alike.items():
        masks = [pool.where(rule.where) for rule in rules]
        times = np.sum(masks, axis=0)
        if times.max() > 1:  # they overlap: nothing need add up
            continue
        names = ", ".join(repr(rule.id) for rule in rules)
        least, most = (sum(rule.shares[end] for rule in rules) for end in (0, 1))
        if least > 1 + ROUNDING:
            raise BlueprintError(f"rules {names}: their shares by {column} come to {least:g} at least, above 1")
        if times.min() == 1 and most < 1 - ROUNDING:
            raise BlueprintError(
                f"rules {names}: every item is of one of them, but their shares by {column} come to {most:g} at most"
            )


def _check_letters(pool: Pool, blueprint: Blueprint) -> None:
    for rule in blueprint.rules:
        if rule.what != "key_balance" or rule.share is None:
            continue
        column = pool.coded(rule.of)
        inside = (np.diff(column.start) == 1) & pool.where(rule.where)
        letters = [column.values[code] for code in np.unique(column.first()[inside]) if column.values[code]]
        least, most = (share * len(letters) for share in rule.shares)
        if letters and isinstance(rule.share, tuple) and (least > 1 + ROUNDING or most < 1 - ROUNDING):
            raise BlueprintError(
                f"{rule.named}: {len(letters)} letters ({', '.join(letters)}) with a share of {rule.shares[0]:g} "
                f"to {rule.shares[1]:g} each cannot come to 1"
            )


def _check_sets(pool: Pool, blueprint: Blueprint) -> None:
    for rule in blueprint.rules:
        if rule.what not in ONE_VALUE:
            continue
        column = pool.coded(rule.of)
        several = np.flatnonzero((np.diff(column.start) > 1) & pool.where(rule.where))
        if len(several):
            item = several[0]
            raise BlueprintError(
                f"rule {rule.id!r}: item {pool.ids[item]!r} has several values in the column {rule.of}, "
                f"{column.texts()[item]}; a rule of `what = {rule.what!r}` needs one: give it one, or leave such items "
                "out by `where`"
            )
