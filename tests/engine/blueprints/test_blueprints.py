"""Blueprints: what a file or a weight table says, what is refused, and the paper the pool is on average."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import (
    Blueprint,
    BlueprintError,
    Pool,
    PoolError,
    Rule,
    Target,
    assemble,
    read_blueprint,
)
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
        (SMALL + '[[rule]]\nid = "r"\nwhat = "count"\n', "rule 'r': min, max or share must say how much"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "count"\nmin = nan\n', "rule 'r': min = nan: expected a number"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "count"\nmin = inf\n', "rule 'r': min = inf: expected a number"),
        (
            SMALL + '[[rule]]\nid = "r"\nwhat = "count"\nmin = 1\nshare = nan\n',
            "rule 'r': share = nan: expected",
        ),
        (SMALL + '[[rule]]\nwhat = "count"\nmin = 1\npriority = nan\n', "priority = nan: expected a number"),
        (SMALL + '[[rule]]\nwhat = "count"\nmin = 1\nrun = 2\n', "`run` says nothing in a rule of `what = 'count'`"),
        (SMALL + '[[rule]]\nwhat = "count"\nmin = 1\nthen = { a = 1 }\n', "`then` says nothing in a rule of"),
        (
            SMALL + '[[rule]]\nwhat = "overlap"\nforms = "spare"\nmax = 1\nwhere = { a = 1 }\n',
            "`where` says nothing in a rule of `what = 'overlap'`",
        ),
        (SMALL + "[target]\ntheta = [nan]\n", "theta = [nan]: expected numbers"),
        (SMALL + "[target]\nmarks_tolerance = inf\n", "marks_tolerance = inf: expected 0 or more marks"),
        (SMALL + '[[rule]]\nid = "r"\nwhat = "at_most_one_per"\n', "rule 'r': `of` must name a column"),
        (
            SMALL + '[[rule]]\nid = "r"\nwhat = "exclude"\n',
            "rule 'r': `where` or `items` must say which",
        ),
        (
            SMALL + '[[rule]]\nid = "r"\nwhat = "overlap"\nshare = 0\n',
            "rule 'r': an overlap needs forms = 'parallel', 'spare' or the name of an earlier paper, and a share",
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
    assert message in re.sub(r" \(\[\[rule\]\] \d+\)", "", str(caught.value))


def test_a_rule_is_told_of_with_the_place_where_it_stands(tmp_path: Path) -> None:
    text = 'length = 4\n[[rule]]\nid = "a"\nwhat = "enemies"\n[[rule]]\nid = "b"\nwhat = "count"\nmin = 3\nmax = 2\n'
    with pytest.raises(BlueprintError, match=re.escape("rule 'b' ([[rule]] 2): min 3 is above max 2")):
        read_blueprint(written(tmp_path / "blueprint.toml", text))
    read = read_blueprint(written(tmp_path / "other.toml", text.replace("max = 2", 'where = {typ = "single"}')))
    with pytest.raises(PoolError, match=re.escape("rule 'b' ([[rule]] 2): the pool has no column 'typ'; did you mean")):
        assemble(sample_pool(), read)


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
        small_blueprint().amounts(pool, rule)
    two = Pool.from_rows([item("q1", minutes="1.5"), item("q2", minutes=None)])
    assert small_blueprint().amounts(two, rule).tolist() == [1.5, 0.0]


def test_a_blueprint_is_plain_data() -> None:
    document = small_blueprint(Rule("r", "count", where={"type": "single"}, min=1)).document()
    assert document["rules"][0]["where"] == {"type": "single"}
    assert document["marks"] == {"single": 0.5, "multiple": 1.0}
