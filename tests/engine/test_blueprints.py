"""Blueprints: what a file or a weight table says, what is refused, and the paper the pool is on average."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import (
    Blueprint,
    BlueprintError,
    InfeasibleBlueprintError,
    Pool,
    PoolError,
    Rule,
    Target,
    from_weights,
    read_blueprint,
    reference_form,
)
from engine.blueprints import rule_amounts
from tests.engine.samples import (
    EXAMPLES,
    FUNCTIONS,
    TYPES,
    item,
    random_pool,
    real_blueprint,
    sample_pool,
    small_blueprint,
)

SMALL = """
length = 4
[marks]
single = 0.5
multiple = 1
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_file_is_what_its_weight_table_makes() -> None:
    assert read_blueprint(EXAMPLES / "blueprint.toml") == real_blueprint()


def test_the_real_form_has_190_items_and_100_marks() -> None:
    blueprint = real_blueprint()
    exact = {rule.id: rule.min for rule in blueprint.rules if rule.min == rule.max and rule.min is not None}
    assert blueprint.length == 190
    assert sum(exact[f"type {kind}"] * blueprint.marks[kind] for kind in TYPES) == 100
    assert sum(exact[f"function {code}"] for code in FUNCTIONS) == 100


def test_weights_that_do_not_sum_to_100_are_refused() -> None:
    with pytest.raises(BlueprintError, match="the weights of the functions sum to 95, not to 100"):
        Blueprint.from_weights(title="", minutes=90, types=TYPES, functions=FUNCTIONS | {"E": 0.0})


def test_sections_keep_their_tolerance_in_marks() -> None:
    blueprint = Blueprint.from_weights(
        title="", minutes=90, types={"single": (100, 0.5)}, functions={"A": 100.0}, sections={"A-A": 40.0}
    )
    section = next(rule for rule in blueprint.rules if rule.id == "section A-A")
    assert section.bounds == (19.5, 20.5)  # 40 % of 50 marks


def test_a_small_file_has_the_defaults(tmp_path: Path) -> None:
    blueprint = read_blueprint(written(tmp_path / "quiz.toml", SMALL + '[[rule]]\nwhat = "enemies"\n'))
    assert blueprint == Blueprint(
        "quiz", 4, 0.0, "type", {"single": 0.5, "multiple": 1.0}, (Rule("rule 1", "enemies"),)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("length = ", "not TOML: Invalid value"),
        ("length = 4\n", "marks is missing"),
        ("[marks]\nsingle = 1\n", "length is missing"),
        ('length = "four"\n[marks]\n', "length = 'four': expected int, got str"),
        ("length = 0\n[marks]\n", "length = 0; a paper has at least one item"),
        ("length = 4\nminuts = 90\n[marks]\n", "'minuts' is not known; did you mean 'minutes'?"),
        ('length = 4\n[marks]\nsingle = "half"\n', "[marks]: single = 'half': expected float, got str"),
        ('length = 4\norder = "type"\n[marks]\n', "order = 'type': expected array, got str"),
        (SMALL + '[[rule]]\nid = "r"\n', "[[rule]] 1: what is missing"),
        (SMALL + '[[rule]]\nwhat = "count"\nmim = 3\n', "[[rule]] 1: 'mim' is not known; did you mean 'min'?"),
        (SMALL + '[[rule]]\nwhat = "count"\nmin = "3"\n', "min = '3': expected float | null, got str"),
        (SMALL + '[[rule]]\nwhat = "count"\nwhere = "x"\n', "where = 'x': expected object, got str"),
        (SMALL + '[[rule]]\nwhat = "cuont"\n', "rule 'rule 1': what = 'cuont'; choose one of count, sum"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "count"\nmin = 3\nmax = 2\n', "rule 'r': min 3 is above max 2"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "sum"\nmin = 3\n', "rule 'r': `of` must name a column"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "at_most_one_per"\n', "rule 'r': `of` must name a column"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "exclude"\n', "rule 'r': `where` must say which items are barred"),
        (
            SMALL + '[[rule]]\nid = "r"\nwhat = "overlap"\nforms = "paralel"\nshare = 0\n',
            "rule 'r': an overlap needs forms = 'parallel' or 'spare' and a share from 0 to 1, got forms = 'paralel'",
        ),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "overlap"\nforms = "spare"\n', "got forms = 'spare', share = None"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "enemies"\n' * 2, "rule 'r' stands twice; every rule needs a name"),
        (
            SMALL
            + '[[rule]]\nid = "r"\nwhat = "overlap"\nforms = "spare"\nshare = 0.1\n'
            + '[[rule]]\nid = "s"\nwhat = "overlap"\nforms = "spare"\nshare = 0.2\n',
            "rule 's': 'r' bounds the overlap of spare forms already",
        ),
        (SMALL + "[target]\ncut_shar = 0.6\n", "[target]: 'cut_shar' is not known; did you mean 'cut_share'?"),
        (SMALL + "[target]\ntheta_from_cut = 0\n", "theta_from_cut = 0: expected array, got int"),
        ("target = 3\nlength = 4\n[marks]\n", "[target]: expected a table, got 3"),
    ],
)
def test_a_file_that_is_no_blueprint_is_refused_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "blueprint.toml", text)
    with pytest.raises(BlueprintError) as caught:
        read_blueprint(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_marks_are_those_of_the_blueprint_and_every_type_needs_them() -> None:
    pool = Pool.from_rows([item("q1", type="single"), item("q2", type="multiple"), item("q3", type="essay")])
    with pytest.raises(BlueprintError, match=r"\[marks\] has no entry for type = 'essay', which the pool holds"):
        small_blueprint().item_marks(pool)
    two = Pool.from_rows([item("q1", type="single"), item("q2", type="multiple")])
    assert small_blueprint().item_marks(two).tolist() == [0.5, 1.0]


def test_excluded_and_for_a_target_uncalibrated_items_are_not_eligible() -> None:
    pool = Pool.from_rows(
        [item("q1"), item("q2", flagged="yes"), item("q3", a=None, b=None), item("q4", grade=5.0), item("q5")]
    )
    barred = Rule("flagged", "exclude", where={"flagged": "yes"})
    hard = Rule("hard", "exclude", where={"grade": 5})
    nobody = Rule("published", "exclude", where={"section": "S9"})
    assert small_blueprint(barred, hard, nobody).eligible(pool).tolist() == [True, False, True, False, True]
    assert small_blueprint(barred, hard, target=Target()).eligible(pool).tolist() == [True, False, False, False, True]
    either = Rule("either", "exclude", where={"any": [{"flagged": "yes"}, {"grade": {"min": 4}}]})
    assert small_blueprint(either).eligible(pool).tolist() == [True, False, True, False, True]


def test_a_rule_on_a_column_the_pool_lacks_names_the_nearest() -> None:
    rule = Rule("r", "exclude", where={"flaged": "yes"})
    with pytest.raises(PoolError, match="no column 'flaged'; did you mean 'flagged'"):
        small_blueprint(rule).eligible(random_pool(1, 5))


def test_a_sum_of_something_that_is_no_number_names_rule_item_and_value() -> None:
    pool = Pool.from_rows([item("q1", minutes="1"), item("q2", minutes=None), item("q3", minutes="two")])
    rule = Rule("time", "sum", of="minutes", max=3)
    with pytest.raises(BlueprintError, match="rule 'time' sums minutes, but item 'q3' has minutes = 'two'"):
        rule_amounts(pool, rule, np.ones(3))
    two = Pool.from_rows([item("q1", minutes="1.5"), item("q2", minutes=None)])
    assert rule_amounts(two, rule, np.ones(2)).tolist() == [1.5, 0.0]


def test_the_reference_form_keeps_every_exact_rule() -> None:
    pool, blueprint = sample_pool(), real_blueprint()
    reference, weights = reference_form(pool, blueprint)
    marks = blueprint.item_marks(pool)
    exact = [rule for rule in blueprint.rules if rule.what in {"count", "sum"} and rule.min == rule.max]
    assert len(exact) == 3 + 6
    for rule in exact:
        inside = pool.where(rule.where)
        assert float((weights * rule_amounts(pool, rule, marks))[inside].sum()) == pytest.approx(rule.min, abs=1e-9)
    assert reference.total == pytest.approx(100, abs=1e-9)
    assert weights.sum() == pytest.approx(190, abs=1e-9)
    assert np.all(weights[~blueprint.eligible(pool)] == 0)
    assert np.all(weights[blueprint.eligible(pool)] > 0)


def test_the_reference_form_solves_the_cut() -> None:
    reference, weights = reference_form(sample_pool(), real_blueprint())
    cut = reference.cut(0.60)
    P = sample_pool().parameters.probability([cut])[:, 0]
    kept = weights > 0
    marks = real_blueprint().item_marks(sample_pool())
    assert float((weights * marks)[kept] @ P[kept]) == pytest.approx(60, abs=1e-9)


def test_the_reference_form_has_the_length_even_when_no_rule_fixes_every_type() -> None:
    rows = [item(f"s{j}", type="single") for j in range(6)] + [item(f"m{j}", type="multiple") for j in range(2)]
    rules = [
        Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1),
        Rule("none of point s0", "count", where={"point": "s0"}, min=0, max=0),
    ]
    reference, weights = reference_form(Pool.from_rows(rows), small_blueprint(*rules, length=4, target=Target()))
    assert dict(zip(Pool.from_rows(rows).ids, weights.round(9).tolist(), strict=True)) == {
        "m0": 0.5,
        "m1": 0.5,
        "s0": 0.0,
        **{f"s{j}": 0.6 for j in range(1, 6)},
    }
    assert reference.total == pytest.approx(1 * 1.0 + 3 * 0.5)


def test_an_exact_rule_that_nothing_meets_has_no_reference_form() -> None:
    pool = Pool.from_rows([item("q1", type="single"), item("q2", type="multiple", flagged="yes")])
    rules = [
        Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1),
        Rule("flagged", "exclude", where={"flagged": "yes"}),
    ]
    with pytest.raises(
        InfeasibleBlueprintError, match="rule 'multiples' wants 1, but no eligible item of the pool meets it"
    ):
        reference_form(pool, small_blueprint(*rules, length=1))


def test_a_blueprint_is_plain_data() -> None:
    document = small_blueprint(Rule("r", "count", where={"type": "single"}, min=1)).document()
    assert document["rules"][0]["where"] == {"type": "single"}
    assert document["marks"] == {"single": 0.5, "multiple": 1.0}
