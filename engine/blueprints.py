"""What a paper must be: named rules, marks, and targets on the ability scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration import ReferenceForm
from engine.pools import Pool
from engine.solver import Shortfall
from engine.toml_files import read_document, refuse_unknown, typed, value_of

KINDS = ("count", "sum", "at_most_one_per", "enemies", "exclude", "overlap")
OVERLAPS = ("parallel", "spare")


class BlueprintError(ValueError):
    """A blueprint that contradicts itself or the pool; the message names the rule."""


class InfeasibleBlueprintError(BlueprintError):
    """No form meets the rules; `shortfalls` says which rules must give way and how far."""

    def __init__(self, message: str, shortfalls: tuple[Shortfall, ...] = ()) -> None:
        super().__init__(message)
        self.shortfalls = shortfalls


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule of a paper.

    `count` bounds how many items meet `where`, `sum` a column `of` theirs (`marks` are the blueprint's own);
    `at_most_one_per` allows one item for each value of the column `of`; `enemies` keeps items apart that the pool's
    column `enemies` pairs; `exclude` bars items; `overlap` bounds the share of a form's items that stand in each other
    form (`forms = "parallel"`: of two parallel forms; `forms = "spare"`: of a spare and any other form).
    """

    id: str
    what: str
    of: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    min: float | None = None
    max: float | None = None
    share: float | None = None
    forms: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        return (-np.inf if self.min is None else self.min, np.inf if self.max is None else self.max)


@dataclass(frozen=True, slots=True)
class Target:
    """What every form must expect of candidates: marks at abilities around the cut (hard), information there (matched).

    The cut is the ability at which the reference form expects `cut_share` of its marks; `theta_from_cut` are distances
    from it. Expected marks must lie within `marks_tolerance` of the reference form's at each and within
    `marks_between_forms` of another form's; the largest relative
    deviation of the information from the reference form's is minimised, down to `information_goal`.
    """

    cut_share: float = 0.60
    theta_from_cut: tuple[float, ...] = (-1.5, -0.75, 0.0, 0.75, 1.5)
    marks_tolerance: float = 0.5
    marks_between_forms: float = 1.0
    information_goal: float = 0.01


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A paper's rules. `marks` gives marks by values of the column `marks_by`; `order` sorts the items of a form."""

    title: str
    length: int
    minutes: float
    marks_by: str
    marks: Mapping[str, float]
    rules: tuple[Rule, ...]
    order: tuple[str, ...] = ()
    target: Target | None = None

    def __post_init__(self) -> None:
        if self.length <= 0:
            raise BlueprintError(f"length = {self.length}; a paper has at least one item")
        seen: set[str] = set()
        overlaps: dict[str, str] = {}
        for rule in self.rules:
            if rule.id in seen:
                raise BlueprintError(f"rule {rule.id!r} stands twice; every rule needs a name of its own")
            seen.add(rule.id)
            _check_rule(rule)
            if rule.what == "overlap" and overlaps.setdefault(rule.forms, rule.id) != rule.id:
                raise BlueprintError(
                    f"rule {rule.id!r}: {overlaps[rule.forms]!r} bounds the overlap of {rule.forms} forms already"
                )

    def item_marks(self, pool: Pool) -> NDArray[np.float64]:
        """Marks of every item of the pool on this paper, (J,). Raises BlueprintError for a type without marks."""
        kinds = [str(value) for value in pool.column(self.marks_by)]
        for kind in dict.fromkeys(kinds):
            if kind not in self.marks:
                raise BlueprintError(f"[marks] has no entry for {self.marks_by} = {kind!r}, which the pool holds")
        return np.array([self.marks[kind] for kind in kinds])

    def eligible(self, pool: Pool) -> NDArray[np.bool_]:
        """Items that no `exclude` rule bars and, where a target needs parameters, that are calibrated; (J,)."""
        allowed = pool.calibrated.copy() if self.target is not None else np.ones(len(pool), bool)
        for rule in self.rules:
            if rule.what == "exclude":
                allowed &= ~pool.where(rule.where, strict=False)  # a value that no item has bars none
        return allowed

    def document(self) -> dict[str, Any]:
        """The blueprint as plain JSON data."""
        return asdict(self)


def _check_rule(rule: Rule) -> None:
    if rule.what not in KINDS:
        raise BlueprintError(f"rule {rule.id!r}: what = {rule.what!r}; choose one of {', '.join(KINDS)}")
    low, high = rule.bounds
    if low > high:
        raise BlueprintError(f"rule {rule.id!r}: min {low:g} is above max {high:g}")
    if rule.what in {"sum", "at_most_one_per"} and not rule.of:
        raise BlueprintError(f"rule {rule.id!r}: `of` must name a column")
    if rule.what == "exclude" and not rule.where:
        raise BlueprintError(f"rule {rule.id!r}: `where` must say which items are barred")
    if rule.what == "overlap" and (rule.forms not in OVERLAPS or rule.share is None or not 0 <= rule.share <= 1):
        raise BlueprintError(
            f"rule {rule.id!r}: an overlap needs forms = {' or '.join(map(repr, OVERLAPS))} and a share from 0 to 1, "
            f"got forms = {rule.forms!r}, share = {rule.share}"
        )


def from_weights(
    *,
    title: str,
    minutes: float,
    types: Mapping[str, tuple[int, float]],
    functions: Mapping[str, float],
    sections: Mapping[str, float] | None = None,
    section_tolerance: float = 0.5,
    spare_overlap: float = 0.20,
    target: Target | None = None,
) -> Blueprint:
    """The blueprint of a weight table and a paper form.

    `types` gives (number of items, marks each) by item type; `functions` the weights, which are shares of the marks and
    are met exactly; `sections`, within them, to `section_tolerance` marks. Flagged and published items are barred, a
    point is asked once at most, enemies are kept apart, parallel forms share no item and a spare at most
    `spare_overlap` with each. Raises BlueprintError when the weights do not sum to 100.
    """
    total = sum(count * marks for count, marks in types.values())
    if abs(sum(functions.values()) - 100) > 1e-6:
        raise BlueprintError(f"the weights of the functions sum to {sum(functions.values()):g}, not to 100")
    rules = [
        *(
            Rule(f"type {kind}", "count", where={"type": kind}, min=count, max=count)
            for kind, (count, _) in types.items()
        ),
        *(
            Rule(
                f"function {code}",
                "sum",
                of="marks",
                where={"function": code},
                min=total * w / 100,
                max=total * w / 100,
            )
            for code, w in functions.items()
        ),
        *(
            Rule(
                f"section {code}",
                "sum",
                of="marks",
                where={"section": code},
                min=round(total * w / 100 - section_tolerance, 6),
                max=round(total * w / 100 + section_tolerance, 6),
            )
            for code, w in (sections or {}).items()
        ),
        Rule("one item a point", "at_most_one_per", of="point"),
        Rule("enemies apart", "enemies"),
        Rule("no flagged items", "exclude", where={"flagged": "yes"}),
        Rule("no published items", "exclude", where={"published": "yes"}),
        Rule("parallel forms share nothing", "overlap", forms="parallel", share=0.0),
        Rule("spare overlap", "overlap", forms="spare", share=spare_overlap),
    ]
    return Blueprint(
        title=title,
        length=sum(count for count, _ in types.values()),
        minutes=minutes,
        marks_by="type",
        marks={kind: marks for kind, (_, marks) in types.items()},
        rules=tuple(rules),
        order=("type", "section", "point"),
        target=target,
    )


def read_blueprint(path: Path) -> Blueprint:
    """A blueprint from TOML (docs/assemble.md describes it). Raises BlueprintError naming the table and key."""
    document = read_document(path, BlueprintError)
    known = dict.fromkeys(("title", "length", "minutes", "order", "marks", "rule", "target"))
    refuse_unknown(document, known, str(path), BlueprintError)
    for name in ("length", "marks"):
        if name not in document:
            raise BlueprintError(f"{path}: {name} is missing")
    marks = dict(typed(document["marks"], dict[str, Any], f"{path}: marks", BlueprintError))
    by = typed(marks.pop("by", "type"), str, f"{path}, [marks]: by", BlueprintError)
    rows = typed(document.get("rule", []), list[dict[str, Any]], f"{path}: rule", BlueprintError)
    rules = [
        value_of(Rule, {"id": f"rule {n}"} | row, f"{path}, [[rule]] {n}", BlueprintError)
        for n, row in enumerate(rows, start=1)
    ]
    target = document.get("target")
    order = document.get("order", [])
    try:
        return Blueprint(
            title=typed(document.get("title", path.stem), str, "title", BlueprintError),
            length=typed(document["length"], int, "length", BlueprintError),
            minutes=typed(document.get("minutes", 0.0), float, "minutes", BlueprintError),
            order=tuple(typed(order, list[str], "order", BlueprintError)),
            marks_by=by,
            marks={kind: typed(v, float, f"[marks]: {kind}", BlueprintError) for kind, v in marks.items()},
            rules=tuple(rules),
            target=None if target is None else value_of(Target, target, "[target]", BlueprintError),
        )
    except BlueprintError as error:
        raise BlueprintError(f"{path}: {error}") from None


def reference_form(pool: Pool, blueprint: Blueprint) -> tuple[ReferenceForm, NDArray[np.float64]]:
    """The paper the eligible pool would be on average: what parallel forms are measured against.

    Every eligible item is on it in part: its weight (J,), returned beside the form, starts equal and is raked to the
    blueprint's length and exact rules (iterative proportional fitting, Deming & Stephan, 1940), so that types and
    functions have their numbers and marks. Raises InfeasibleBlueprintError when an exact rule has no eligible item.
    """
    allowed = blueprint.eligible(pool)
    marks = blueprint.item_marks(pool)
    weights = np.where(allowed, blueprint.length / max(allowed.sum(), 1), 0.0)
    amounts = [("length", float(blueprint.length), allowed, np.ones(len(pool)))]
    for rule in blueprint.rules:
        if rule.what in {"count", "sum"} and rule.min is not None and rule.min == rule.max:
            members, amount = pool.where(rule.where), rule_amounts(pool, rule, marks)
            if rule.min == 0:
                weights[members & (amount > 0)] = 0.0
            else:
                amounts.append((rule.id, rule.min, members, amount))
    for _ in range(200):
        worst = 0.0
        for name, wanted, members, amount in amounts:
            have = float((weights * amount)[members].sum())
            if have <= 0:
                raise InfeasibleBlueprintError(
                    f"rule {name!r} wants {wanted:g}, but no eligible item of the pool meets it",
                    (Shortfall(name, wanted),),
                )
            factor = wanted / have
            weights[members] *= factor
            worst = max(worst, abs(factor - 1))
        if worst < 1e-12:
            break
    keep = np.flatnonzero(allowed)
    return ReferenceForm.of_table(pool.parameters.take(keep), (weights * marks)[keep]), weights


def rule_amounts(pool: Pool, rule: Rule, marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each item adds to a count or sum rule it meets, (J,); an empty cell adds nothing.

    Raises BlueprintError where the summed column holds something other than a number.
    """
    if rule.what == "count":
        return np.ones(len(pool))
    if rule.of == "marks":
        return marks
    amounts = np.zeros(len(pool))
    for j, value in enumerate(pool.column(rule.of)):
        try:
            amounts[j] = float(str(value)) if value is not None else 0.0
        except ValueError:
            raise BlueprintError(
                f"rule {rule.id!r} sums {rule.of}, but item {pool.ids[j]!r} has {rule.of} = {value!r}, not a number"
            ) from None
    return amounts
