"""Multistage panels: every way through is a paper that keeps every rule, and modules tell most where they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.banks import bank, blueprint, earlier_papers
from engine import (
    BlueprintError,
    InfeasibleBlueprintError,
    Module,
    PanelDesign,
    Rule,
    Target,
    assemble_panels,
    read_panel,
)
from tests.engine.samples import random_pool, small_blueprint

THREE = PanelDesign(
    (
        Module("routing", 1, 10),
        Module("easy", 2, 10, -1.0),
        Module("middle", 2, 10, 0.0),
        Module("hard", 2, 10, 1.0),
    )
)
SIMPLE = small_blueprint(
    Rule("singles", "count", where={"type": "single"}, min=12, max=14),
    Rule("once", "at_most_one_per", of="point"),
    length=20,
    target=Target(),
)


def test_every_path_keeps_every_rule_and_no_item_stands_twice() -> None:
    pool, paper = bank(1500), blueprint(60)
    design = PanelDesign((Module("R", 1, 30), Module("E", 2, 30, -1.0), Module("H", 2, 30, 1.0)))
    (panel,) = assemble_panels(pool, paper, design, earlier=earlier_papers(pool, 60), seed=2)
    assert {line.form for line in panel.recount} == {"R → E", "R → H"}
    assert [line for line in panel.recount if not line.ok] == []
    everywhere = [item for items in panel.items.values() for item in items]
    assert len(everywhere) == len(set(everywhere)) == 90
    assert 0.9 < panel.share_of_bound <= 1 + 1e-9


def test_a_module_tells_most_where_its_candidates_are_and_routes_rise_with_difficulty() -> None:
    pool = random_pool(4, 400)
    (panel,) = assemble_panels(pool, SIMPLE, THREE, seed=1)
    cut = panel.routes[0].theta  # between easy and middle: half a unit below the cut, as the information decides
    at = {name: [pool.ids.index(item) for item in items] for name, items in panel.items.items()}
    low, high = pool.information([cut - 0.5]), pool.information([cut + 1.5])
    assert low[at["easy"]].sum() > low[at["hard"]].sum()
    assert high[at["hard"]].sum() > high[at["easy"]].sum()
    assert [(route.taken, route.lower, route.upper) for route in panel.routes] == [
        (("routing",), "easy", "middle"),
        (("routing",), "middle", "hard"),
    ]
    assert panel.routes[0].theta < panel.routes[1].theta
    assert panel.routes[0].marks < panel.routes[1].marks


def test_a_route_is_where_two_modules_tell_as_much() -> None:
    pool = random_pool(4, 400)
    (panel,) = assemble_panels(pool, SIMPLE, THREE, seed=1)
    for route in panel.routes:
        told = [
            pool.information([route.theta])[[pool.ids.index(item) for item in panel.items[name]]].sum()
            for name in (route.lower, route.upper)
        ]
        assert told[0] == pytest.approx(told[1], rel=0.02)
        marks = SIMPLE.item_marks(pool)[:, None] * pool.expected_share([route.theta])
        taken = [pool.ids.index(item) for item in panel.items["routing"]]
        assert route.marks == pytest.approx(float(marks[taken].sum()))


def test_panels_share_no_item() -> None:
    one, two = assemble_panels(random_pool(4, 400), SIMPLE, THREE, panels=2, seed=1)
    first, second = ({item for items in panel.items.values() for item in items} for panel in (one, two))
    assert not first & second
    assert len(first) == len(second) == 40


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ((), "needs modules"),
        ((Module("a", 1, 5), Module("a", 2, 5)), "name of its own"),
        ((Module("a", 1, 5), Module("b", 3, 5)), "without a gap"),
        ((Module("a", 1, 5), Module("b", 1, 5)), "exactly one"),
    ],
)
def test_a_design_that_is_none_is_refused(modules: tuple[Module, ...], message: str) -> None:
    with pytest.raises(BlueprintError, match=message):
        PanelDesign(modules)


def test_lengths_and_rules_that_do_not_fit_are_refused() -> None:
    short = PanelDesign((Module("a", 1, 5), Module("b", 2, 5)))
    with pytest.raises(BlueprintError, match="path a → b has 10 items, the blueprint 20"):
        assemble_panels(random_pool(4, 100), SIMPLE, short)
    with pytest.raises(InfeasibleBlueprintError, match="panel 1"):
        assemble_panels(random_pool(4, 30), SIMPLE, THREE)


def test_a_design_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(
        '[[module]]\nname = "R"\nstage = 1\nlength = 10\n'
        '[[module]]\nname = "E"\nstage = 2\nlength = 10\ntheta_from_cut = -1\n',
        encoding="utf-8",
    )
    assert read_panel(path) == PanelDesign((Module("R", 1, 10), Module("E", 2, 10, -1.0)))
    path.write_text('[[module]]\nname = "R"\nstage = 1\n', encoding="utf-8")
    with pytest.raises(BlueprintError, match=r"\[\[module\]\] 1: length is missing"):
        read_panel(path)


def test_the_same_seed_gives_the_same_panel() -> None:
    pool = random_pool(9, 300)
    one, again = (assemble_panels(pool, SIMPLE, THREE, seed=4)[0] for _ in range(2))
    assert one.items == again.items
    assert np.isclose(one.share_of_bound, again.share_of_bound)
