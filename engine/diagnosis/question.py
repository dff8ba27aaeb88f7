"""What is asked of a pool: the rules of a blueprint, each of them open to change, on items that could be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from engine.assembly.aims import Aim
from engine.assembly.paper import Groups, Paper, Rows, compile_paper
from engine.blueprints import Blueprint, Rule
from engine.blueprints.blueprint import named
from engine.pools import Pool

Positions = NDArray[np.intp]
Mask = NDArray[np.bool_]

LENGTH = "length"
MARKS = "expected marks"
REACH = "information"  # the target's numbers, where no paper reaches them
DEAR, CHEAP = 10.0, 0.5  # how dear it is to change the length, and what is said of difficulty grades
GRADES = frozenset({"grade", "difficulty"})
NEARLY_ONE = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Question:
    """Can `forms` papers be made? The blueprint compiled without what bars or requires items, which stand apart.

    `bare` is the paper without include, exclude and target; `items` are the positions that could be chosen at all (with
    parameters where the target needs them), `barred` and `required` the items (J,) of each exclude and include rule.
    `aim` is None where there is no target, and as long as none is needed: an impossible rule distorts the reference
    form, and with it what is aimed at.
    """

    blueprint: Blueprint
    bare: Paper
    items: Positions
    barred: Mapping[str, Mask]
    required: Mapping[str, Mask]
    aim: Aim | None
    forms: int
    earlier: Mapping[str, Sequence[str]]

    @property
    def pool(self) -> Pool:
        return self.bare.pool

    @property
    def disjoint(self) -> bool:
        """Are there several forms that share no item?"""
        return self.forms > 1 and self.bare.disjoint

    @property
    def eligible(self) -> Mask:
        """Items that could be chosen and that no rule bars, (J,)."""
        mask = np.zeros(len(self.pool), bool)
        mask[self.items] = True
        for barred in self.barred.values():
            mask &= ~barred
        return mask

    def rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.blueprint.rules if rule.id == name), None)

    def priority(self, name: str) -> float:
        """How dear it is to change a rule: its own priority; the length dear, rules on grades alone cheap."""
        rule = self.rule(name)
        if rule is None:
            return DEAR if name == LENGTH else 1.0
        cheap = rule.priority == 1.0 and rule.where and GRADES.issuperset(rule.where)
        return CHEAP if cheap else rule.priority


def ask(
    pool: Pool, blueprint: Blueprint, *, forms: int = 1, earlier: Mapping[str, Sequence[str]] | None = None
) -> Question:
    """The question whether the pool gives `forms` papers, without an aim as yet.

    Raises BlueprintError and PoolError for input that does not fit together.
    """
    apart, papers = {"include", "exclude"}, dict(earlier or {})
    rules = tuple(rule for rule in blueprint.rules if rule.what not in apart)
    bare = compile_paper(pool, replace(blueprint, rules=rules, target=None), earlier=papers)
    barred = {rule.id: named(pool, rule) for rule in blueprint.rules if rule.what == "exclude"}
    required = {rule.id: named(pool, rule) for rule in blueprint.rules if rule.what == "include"}
    needed = blueprint.target is not None and blueprint.target.needs_parameters
    items = np.flatnonzero(pool.calibrated) if needed else np.arange(len(pool))
    question = Question(blueprint, bare, items, barred, required, None, forms, papers)
    groups = tuple(_of_eligible(one, question) for one in bare.groups)
    return replace(question, bare=replace(bare, groups=groups))


def compiled(question: Question, blueprint: Blueprint) -> Paper:
    """A blueprint on the question's pool, whether or not its target can be reached. Raises BlueprintError."""
    target = None if blueprint.target is None else replace(blueprint.target, goal=NEARLY_ONE)
    return compile_paper(question.pool, replace(blueprint, target=target), earlier=dict(question.earlier))


def without_goal(paper: Paper) -> Paper:
    """The paper with the marks that a form must expect as rows, and no target to come near to.

    Whether there are forms does not depend on how near to the target they come.
    """
    aim = paper.aim
    if aim is None:
        return paper
    low, high = aim.marks_bounds
    bounded = np.flatnonzero(np.isfinite(low))
    rows = Rows(
        (*paper.rows.names, *(MARKS for _ in bounded)),
        csr_array(vstack([paper.rows.matrix, csr_array(aim.item_marks[:, bounded].T)])),
        np.concatenate([paper.rows.low, low[bounded]]),
        np.concatenate([paper.rows.high, high[bounded]]),
    )
    return replace(paper, rows=rows, aim=None)


def unreached(question: Question) -> list[tuple[int, float, float]]:
    """Abilities of the target (their number), the information wanted there and the most that a paper could give."""
    aim = question.aim
    if aim is None or aim.target.match != "information" or question.blueprint.target is None:
        return []
    allowed = np.sort(aim.features[question.eligible], axis=0)[-question.blueprint.length :].sum(axis=0)
    wanted = aim.wanted * (1 - question.blueprint.target.goal)
    return [(int(t), float(aim.wanted[t]), float(allowed[t])) for t in np.flatnonzero(allowed < wanted)]


def _of_eligible(groups: Groups, question: Question) -> Groups:
    """One item of each label is wanted only where a label has an item that may be chosen."""
    if groups.optional or not groups.low.any():
        return groups
    held = groups.labels >= 0
    found = np.unique(groups.labels[held & question.eligible])
    number = np.full(len(groups.low), -1, np.int32)
    number[found] = np.arange(len(found))
    labels = np.where(held, number[groups.labels], -1).astype(np.int32)
    return replace(groups, labels=labels, low=np.ones(len(found)), high=np.ones(len(found)))
