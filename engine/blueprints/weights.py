"""From a standard's weight table and a paper's form to rules."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor, gcd, lcm

from engine.blueprints.errors import BlueprintError
from engine.blueprints.rules import Rule


def largest_remainder(weights: Mapping[str, float], total: float, unit: float = 1.0) -> dict[str, float]:
    """`total` shared out by weights in whole `unit`s: every share rounded down, the rest to the largest remainders.

    Ties go to the name that comes first (Hamilton's method; Balinski & Young, 1982). Raises BlueprintError where the
    total is not a number of units.
    """
    units = Fraction(str(total)) / Fraction(str(unit))
    if units.denominator != 1:
        raise BlueprintError(f"{total:g} cannot be shared out in units of {unit:g}")
    whole = sum(Fraction(str(weight)) for weight in weights.values())
    exact = {name: units * Fraction(str(weight)) / whole for name, weight in weights.items()}
    given = {name: floor(share) for name, share in exact.items()}
    left = int(units) - sum(given.values())
    for name in sorted(exact, key=lambda name: (given[name] - exact[name], name))[:left]:
        given[name] += 1
    return {name: float(count * Fraction(str(unit))) for name, count in given.items()}


def smallest_mark(marks: list[float]) -> float:
    """The greatest common divisor of marks: what a sum of them is a multiple of."""
    parts = [Fraction(str(mark)) for mark in marks]
    common = lcm(*(part.denominator for part in parts))
    return gcd(*(int(part * common) for part in parts)) / common


def rules_of_weights(
    types: Mapping[str, tuple[int, float]],
    functions: Mapping[str, float],
    sections: Mapping[str, float],
    *,
    section_tolerance: float,
    shares: Mapping[str, Mapping[str, float | tuple[float, float]]],
    spare_overlap: float,
) -> tuple[Rule, ...]:
    """The rules of `Blueprint.from_weights`."""
    total = sum(count * marks for count, marks in types.values())
    unit = smallest_mark([marks for _, marks in types.values()])
    _check_sum("functions", functions)
    exact = largest_remainder(functions, total, unit)
    rules = [Rule(f"type {kind}", "count", where={"type": kind}, min=n, max=n) for kind, (n, _) in types.items()]
    rules += [
        Rule(f"function {code}", "sum", of="marks", where={"function": code}, min=marks, max=marks)
        for code, marks in exact.items()
    ]
    for code, weight in sections.items():
        low, high = (round(total * weight / 100 + way * section_tolerance, 6) for way in (-1, 1))
        rules.append(Rule(f"section {code}", "sum", of="marks", where={"section": code}, min=low, max=high))
    for column, wanted in shares.items():
        rules += [Rule(f"{column} {v}", "count", where={column: v}, share=share) for v, share in wanted.items()]
    return (
        *rules,
        Rule("one item a point", "at_most_one_per", of="point"),
        Rule("enemies apart", "enemies"),
        Rule("no flagged items", "exclude", where={"flagged": "yes"}),
        Rule("no published items", "exclude", where={"published": "yes"}),
        Rule("parallel forms share nothing", "overlap", forms="parallel", share=0.0),
        Rule("spare overlap", "overlap", forms="spare", share=spare_overlap),
    )


def _check_sum(name: str, weights: Mapping[str, float]) -> None:
    if abs(sum(weights.values()) - 100) > 1e-6:
        raise BlueprintError(f"the weights of the {name} sum to {sum(weights.values()):g}, not to 100")
