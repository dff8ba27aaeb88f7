"""Can papers still be made from what stays secret? Shown by making them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.assembly import Assembly, assemble
from engine.blueprints import Blueprint, InfeasibleBlueprintError
from engine.pools import Pool, PoolError

Assemble = Callable[[Pool, int], Assembly]  # so many papers of a pool; raises InfeasibleBlueprintError


@dataclass(frozen=True, slots=True)
class Papers:
    """Papers made of secret items alone, and how many there could be.

    `left` is the largest number that was assembled, with `limit` the largest that was tried; `kept_back` says that the
    items of these papers had to be withheld from the release. `deviation` is the worst from the blueprint's information
    target, `rules` how many recounted rules were kept, of how many.
    """

    asked: int
    left: int
    limit: int
    forms: tuple[tuple[str, ...], ...]
    kept_back: bool
    deviation: float
    rules: tuple[int, int]


def assembler(bank: Pool, blueprint: Blueprint, seed: int) -> Assemble:
    """What makes papers of parts of a bank to a blueprint: the one place where a release calls the assembly.

    Raises PoolError where the blueprint names columns or values that the bank itself lacks.
    """
    for rule in blueprint.rules:
        bank.where(rule.where, strict=rule.what != "exclude")

    def make(secret: Pool, papers: int) -> Assembly:
        try:
            return assemble(secret, blueprint, forms=papers, seed=seed)
        except PoolError as error:  # the bank has such items, but none is left
            raise InfeasibleBlueprintError(str(error)) from None

    return make


def papers_of(assembly: Assembly, asked: int, left: int, limit: int, *, kept_back: bool) -> Papers:
    """The evidence of an assembly."""
    return Papers(
        asked=asked,
        left=left,
        limit=limit,
        forms=tuple(form.items for form in assembly.forms),
        kept_back=kept_back,
        deviation=max((form.deviation for form in assembly.forms), default=float("nan")),
        rules=(sum(line.ok for line in assembly.recount), len(assembly.recount)),
    )


def papers_left(secret: Pool, make: Assemble, *, known: int, limit: int) -> int:
    """The largest number of papers, `known` at least, that the secret items give, by bisection up to `limit`."""
    low, high = known, max(limit, known)
    while low < high:
        middle = high if high == limit and low == known else (low + high + 1) // 2
        try:
            make(secret, middle)
        except InfeasibleBlueprintError:
            high = middle - 1
        else:
            low = middle
    return low
