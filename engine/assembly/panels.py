"""Multistage tests: modules of which a candidate takes one a stage, so that every way through is a paper of its own.

All modules of a panel are chosen by one model (Luecht & Nungester, 1998; van der Linden, 2005, ch. 10): each path, one
module of every stage, keeps every rule of the blueprint, no item stands twice, and each module tells most where its
candidates are. Whom a module sends where is decided at the ability where the next two modules tell as much (Luecht,
Brumfield & Breithaupt, 2006), put into marks on the modules taken so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, kron

from engine.assembly.kernel import sample_of
from engine.assembly.models import add_form
from engine.assembly.ordering import tied_units
from engine.assembly.paper import Paper, compile_paper
from engine.assembly.recount import RecountLine, recount
from engine.assembly.solver import Model, solve
from engine.blueprints import Blueprint, BlueprintError, InfeasibleBlueprintError
from engine.pools import Pool
from engine.toml_files import read_document, refuse_unknown, typed, value_of

Positions = NDArray[np.intp]

PART = 6  # times the items of a panel: the part of the pool that is searched first
NEAR = 0.05  # of the bound: a panel so good is good enough


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its stage (1 for the first), its number of items, and where it should tell most.

    `theta_from_cut` is an ability, measured from the blueprint's cut.
    """

    name: str
    stage: int
    length: int
    theta_from_cut: float = 0.0


@dataclass(frozen=True, slots=True)
class PanelDesign:
    """The modules of a panel. `paths` are the ways through it, module names by stage; all of them, unless said."""

    modules: tuple[Module, ...]
    paths: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        names = [module.name for module in self.modules]
        if len(set(names)) < len(names) or not names:
            raise BlueprintError("a panel needs modules, each with a name of its own")
        stages = sorted({module.stage for module in self.modules})
        if stages != list(range(1, len(stages) + 1)):
            raise BlueprintError(f"the stages of the modules are {stages}: expected 1, 2, … without a gap")
        if sum(module.stage == 1 for module in self.modules) != 1:
            raise BlueprintError("a panel begins with one module: stage 1 must have exactly one")
        for path in self.paths:
            if [self.module(name).stage for name in path] != stages:
                raise BlueprintError(f"path {' → '.join(path)}: expected one module of every stage, in order")

    def module(self, name: str) -> Module:
        for module in self.modules:
            if module.name == name:
                return module
        raise BlueprintError(f"a path names module {name!r}, which the panel does not have")

    @property
    def ways(self) -> tuple[tuple[str, ...], ...]:
        """The paths."""
        stages = sorted({module.stage for module in self.modules})
        each = [[module.name for module in self.modules if module.stage == stage] for stage in stages]
        return self.paths or tuple(product(*each))


@dataclass(frozen=True, slots=True)
class Route:
    """After the modules `taken`, a candidate with less than `marks` goes to `lower`, another to `upper`.

    `theta` is the ability at which both tell as much.
    """

    taken: tuple[str, ...]
    lower: str
    upper: str
    theta: float
    marks: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: items by module, what each module tells at its ability, the routes, and every path recounted."""

    items: Mapping[str, tuple[str, ...]]
    information: Mapping[str, float]
    routes: tuple[Route, ...]
    share_of_bound: float
    seed: int
    pool_digest: str
    recount: tuple[RecountLine, ...]


def read_panel(path: Path) -> PanelDesign:
    """A design from TOML: `[[module]]` tables and, where not every way is allowed, `paths`. Raises BlueprintError."""
    document = read_document(path, BlueprintError)
    refuse_unknown(document, dict.fromkeys(("module", "paths")), str(path), BlueprintError)
    modules = typed(document.get("module", []), list[dict[str, object]], f"{path}: module", BlueprintError)
    paths = typed(document.get("paths", []), list[list[str]], f"{path}: paths", BlueprintError)
    try:
        return PanelDesign(
            tuple(value_of(Module, row, f"[[module]] {n}", BlueprintError) for n, row in enumerate(modules, start=1)),
            tuple(map(tuple, paths)),
        )
    except BlueprintError as error:
        raise BlueprintError(f"{path}: {error}") from None


def assemble_panels(
    pool: Pool,
    blueprint: Blueprint,
    design: PanelDesign,
    *,
    panels: int = 1,
    seed: int = 0,
    nodes: int = 30,
    earlier: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Panel, ...]:
    """`panels` panels without a common item, every path of which meets the blueprint.

    Expected marks are no rule here: paths are meant to differ in difficulty. Raises BlueprintError where the lengths of
    a path do not make the blueprint's, and InfeasibleBlueprintError where no panel is found.
    """
    target = blueprint.target
    if target is None or not target.needs_parameters:
        raise BlueprintError("modules are built by what they tell: the blueprint needs a [target] on the ability scale")
    for way in design.ways:
        total = sum(design.module(name).length for name in way)
        if total != blueprint.length:
            raise BlueprintError(
                f"path {' → '.join(way)} has {total} items, the blueprint {blueprint.length}; make the lengths fit"
            )
    free = replace(blueprint, target=replace(target, marks_tolerance=0.0, match="maximize"))
    paper = compile_paper(pool, free, earlier=dict(earlier or {}))
    left = paper.eligible.copy()
    built = []
    for number in range(panels):
        panel = _panel(paper, design, np.flatnonzero(left), seed + number, nodes, earlier or {})
        if panel is None:
            raise InfeasibleBlueprintError(
                f"panel {number + 1}: no modules were found that meet the rules on every path; `tiku diagnose` says "
                "whether the blueprint itself can be met, else loosen rules or allow fewer paths"
            )
        built.append(panel)
        taken = {item for items in panel.items.values() for item in items}
        left &= ~np.array([item in taken for item in pool.ids])
    return tuple(built)


def _panel(
    paper: Paper,
    design: PanelDesign,
    candidates: Positions,
    seed: int,
    nodes: int,
    earlier: Mapping[str, Sequence[str]],
) -> Panel | None:
    assert paper.aim is not None  # noqa: S101 - a target is asked for above
    size = PART * sum(module.length for module in design.modules)
    whole = False
    while not whole:
        whole = 1.2 * size >= len(candidates)
        part = candidates if whole else sample_of(paper, candidates, size, seed)
        model, x = _panel_model(paper, design, part)
        relaxed = solve(model, relaxed=True)
        found = (
            None
            if relaxed.x is None
            else solve(model, seed=seed, nodes=nodes, good_enough=relaxed.objective * (1 - NEAR))
        )
        if found is not None and found.x is not None:
            chosen = {name: part[found.x[columns] > 0.5] for name, columns in x.items()}
            return _result(paper, design, chosen, found.objective / relaxed.objective, seed, earlier)
        size *= 3
    return None


def _panel_model(paper: Paper, design: PanelDesign, part: Positions) -> tuple[Model, dict[str, NDArray[np.int32]]]:
    """Columns for every module and item; the least information of a module, in units of its length, is the cost."""
    assert paper.aim is not None  # noqa: S101
    model, n = Model(), len(part)
    x = {module.name: model.add_columns(n, integer=True) for module in design.modules}
    least = model.add_columns(1, upper=np.inf, cost=-1.0, integer=False)
    theta = [paper.aim.cut + module.theta_from_cut for module in design.modules]
    information = np.round(paper.pool.information(theta)[part], 9)
    for m, module in enumerate(design.modules):
        columns = x[module.name]
        model.add_row(f"length of {module.name}", columns, 1.0, module.length, module.length)
        model.add_row("target", np.append(columns, least), np.append(information[:, m], -module.length), 0.0, np.inf)
    every = np.stack([x[module.name] for module in design.modules], axis=1)
    once = csr_array(kron(np.eye(n), np.ones((1, len(design.modules)))))
    model.add_rows(["no item twice"] * n, once, every.ravel(), -np.inf, 1.0)
    for way in design.ways:
        path, _ = add_form(model, paper, part, priced=False)
        for j in range(n):
            columns = np.append([x[name][j] for name in way], path[j]).astype(np.int32)
            model.add_row(" → ".join(way), columns, np.append(np.ones(len(way)), -1.0), 0.0, 0.0)
    return model, x


def _result(
    paper: Paper,
    design: PanelDesign,
    chosen: Mapping[str, Positions],
    share: float,
    seed: int,
    earlier: Mapping[str, Sequence[str]],
) -> Panel:
    assert paper.aim is not None  # noqa: S101
    pool = paper.pool
    items = {name: _in_order(paper, members) for name, members in chosen.items()}
    told = {
        module.name: float(pool.information([paper.aim.cut + module.theta_from_cut])[chosen[module.name]].sum())
        for module in design.modules
    }
    paths = {" → ".join(way): tuple(item for name in way for item in items[name]) for way in design.ways}
    lines = recount(pool, _without_order(paper.blueprint), paths, earlier=earlier)
    return Panel(items, told, _routes(paper, design, chosen), share, seed, pool.digest, lines)


def _in_order(paper: Paper, members: Positions) -> tuple[str, ...]:
    """The items of a module as the blueprint orders them, sets kept together."""
    return tuple(paper.pool.ids[j] for tied in tied_units(paper, members) for unit in tied for j in unit)


def _without_order(blueprint: Blueprint) -> Blueprint:
    """The blueprint for a recount of paths: overlap between paths is meant, and runs of keys have no order yet."""
    rules = []
    for rule in blueprint.rules:
        if rule.what == "overlap" and rule.forms in {"parallel", "spare"}:
            continue
        if rule.what == "key_balance":
            continue
        rules.append(rule)
    return replace(blueprint, rules=tuple(rules))


def _routes(paper: Paper, design: PanelDesign, chosen: Mapping[str, Positions]) -> tuple[Route, ...]:
    """Where each beginning of a path branches, between neighbours in difficulty."""
    assert paper.aim is not None  # noqa: S101
    theta = paper.aim.cut + np.linspace(-4, 4, 801)
    information = paper.pool.information(theta)
    marks = paper.marks[:, None] * paper.pool.expected_share(theta)
    routes = []
    for taken in dict.fromkeys(way[:stage] for way in design.ways for stage in range(1, len(way))):
        after = dict.fromkeys(way[len(taken)] for way in design.ways if way[: len(taken)] == taken)
        ordered = sorted(after, key=lambda name: (design.module(name).theta_from_cut, name))
        so_far = marks[np.concatenate([chosen[name] for name in taken])].sum(axis=0)
        for lower, upper in pairwise(ordered):
            ahead = information[chosen[upper]].sum(axis=0) - information[chosen[lower]].sum(axis=0)
            ends = [design.module(name).theta_from_cut for name in (lower, upper)]
            between = np.flatnonzero((theta - paper.aim.cut >= ends[0]) & (theta - paper.aim.cut <= ends[1]))
            at = int(between[np.argmin(np.abs(ahead[between]))]) if len(between) else len(theta) // 2
            routes.append(Route(taken, lower, upper, float(theta[at]), float(so_far[at])))
    return tuple(routes)
