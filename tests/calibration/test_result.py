"""What a calibration offers by itself: scores, fit, differences, links, and how it shows itself."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from calibration import (
    Calibration,
    CalibrationError,
    Responses,
    calibrate,
    fair_marks,
    gather,
    item_fit,
    link_scales,
    mantel_haenszel_dif,
    model_fit,
    read_parameters,
    score_responses,
)
from calibration.report.fit import model_fit_section
from calibration.scoring.cli import score
from tests.calibration import lsat
from tests.calibration.report import samples

MODELS = {"*": "2PL", "P*": "GPCM"}


@pytest.fixture(scope="module")
def groups() -> Calibration:
    return calibrate(samples.grouped(), model=MODELS)


def test_scores_are_those_of_the_groups(groups: Calibration) -> None:
    scores = groups.score()
    mean = [group.mean.value for group in groups.groups]
    sd = [group.sd.value for group in groups.groups]
    by_hand = score_responses(samples.grouped(), groups.items, groups.scale, mean=mean, sd=sd)
    np.testing.assert_allclose(scores.theta, by_hand.theta, atol=1e-10)
    one_population = groups.score(samples.grouped(), method="wle")
    np.testing.assert_allclose(
        one_population.theta, score_responses(samples.grouped(), groups.items, groups.scale, method="wle").theta
    )


def test_plausible_values_after_a_latent_regression_bring_its_coefficients_back() -> None:
    """Mislevy (1991): drawn from one population they would be shrunk to it, here to 0.6 of the slope."""
    rng = np.random.default_rng(2)
    covariate = rng.normal(size=3000)
    theta = 0.8 * covariate + rng.normal(size=3000)
    scores = rng.random((3000, 10)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-1.5, 1.5, 10))))
    calibration = calibrate(Responses.from_matrix(scores.astype(float)), covariates={"x": covariate})
    estimate = calibration.regression["x"]
    drawn = calibration.score(method="pv", plausible_values=10).draws.mean(axis=1)
    slope = covariate @ drawn / (covariate @ covariate)
    assert abs(slope - estimate.value) < 0.02
    # the maximum has Σ x (E[theta | responses, x] - beta x) = 0
    theta = calibration.score().theta
    assert abs(covariate @ theta / (covariate @ covariate) - estimate.value) < 1e-4
    assert calibration.score(method="eapsum").theta.std() < theta.std()  # of one population, as a table is
    document = calibration.document()
    assert "regressed_to" not in document
    fit = calibration.fit_model()  # of one normal population, which it has to say wherever it is shown
    assert "approximate: ability is a mixture" in str(fit)
    assert "mixture" in str(fit.row()["note"])
    assert "Approximate: ability is a mixture" in model_fit_section(gather(calibration))


def test_scores_with_a_gap_are_scored_as_they_were_calibrated() -> None:
    """Nobody has a 2: the item has three categories, worth 0, 1 and 3."""
    rng = np.random.default_rng(2)
    theta = rng.normal(size=400)
    scores = (rng.random((400, 8)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-1, 1, 8))))).astype(float)
    gap = np.array([0.0, 1.0, 3.0])[samples.partial_credit(rng, theta, np.array([-0.5, 0.5]))]
    calibration = calibrate(
        Responses.from_matrix(np.column_stack([scores, gap]), [*"abcdefgh", "P"]), model={"*": "2PL", "P": "GPCM"}
    )
    item = next(item for item in calibration.items if item.id == "P")
    assert item.category_marks == (0, 1, 3)
    assert np.corrcoef(calibration.score().theta, theta)[0, 1] > 0.7
    assert len(calibration.fit_items(draws=0)) == 9


def test_fit_is_under_the_groups_populations(groups: Calibration) -> None:
    population = (
        np.array([group.mean.value for group in groups.groups]),
        np.array([group.sd.value for group in groups.groups]),
    )
    data = samples.grouped()
    assert groups.fit_items() == item_fit(data, groups.items, groups.scale, population)
    assert groups.fit_model() == model_fit(data, groups.items, groups.scale, population)
    assert groups.fit_persons().persons == data.persons


def test_differences_are_found_by_every_method(groups: Calibration) -> None:
    found = groups.dif("mh", focal="西")
    assert found == mantel_haenszel_dif(samples.grouped(), reference="东", focal=["西"], rounds=5)
    assert [one.item for one in found if one.category[0] == "C"] == ["I4"]
    assert [row.item for row in groups.dif("lr", focal="西") if row.flagged] == ["I4"]
    with pytest.raises(ValueError, match="choose one of lr, wald"):
        groups.dif("magic")
    with pytest.raises(ValueError, match="no group '北'"):
        groups.dif("lr", focal="北")


def test_a_link_to_another_calibration(groups: Calibration) -> None:
    moved = dataclasses.replace(
        groups,
        items=tuple(dataclasses.replace(i, a=i.a / 1.2, b=tuple(1.2 * b + 0.5 for b in i.b)) for i in groups.items),
    )
    link = groups.link(moved)
    assert pytest.approx((1.2, 0.5), abs=1e-4) == (link.A, link.B)
    by_items = groups.link(moved.items, moved.scale)
    assert by_items.A == link.A
    assert link_scales(groups.items, moved.items, new_scale=groups.scale, base_scale=moved.scale).B == link.B


def test_ratings_are_scored_with_the_severity_of_their_raters() -> None:
    responses = samples.rated()
    calibration = calibrate(responses, model="PCM")
    severity = {name: one.value for name, one in calibration.raters.items()}
    fair = fair_marks(responses, calibration.items, severity, calibration.scale)
    scores = calibration.score(method="wle")
    # both are weighted likelihoods of the same ratings, one of them on a grid (partial credit: Jeffreys' is Warm's)
    np.testing.assert_allclose(scores.theta, [one.theta for one in fair], atol=2e-3)
    assert {row.item for row in calibration.fit_items(draws=0)} == {
        f"{item} / {rater}" for item in responses.items for rater in responses.raters
    }


def test_items_of_sets_fit_by_themselves_though_the_set_goes_together() -> None:
    """At gamma = 0 the slopes are steeper than what is seen of an item alone."""
    responses = samples.grouped(persons=3000)
    sets = {f"S{j}": "阅读" for j in range(1, 5)}
    calibration = calibrate(responses, model=MODELS, testlets=sets)
    assert calibration.item_sets == sets
    alone = {row.item: row for row in calibration.fit_items(draws=0)}
    population = (
        np.array([group.mean.value for group in calibration.groups]),
        np.array([group.sd.value for group in calibration.groups]),
    )
    steep = {row.item: row for row in item_fit(responses, calibration.items, calibration.scale, population, draws=0)}
    for item in sets:
        assert abs(alone[item].md) < 0.5 * abs(steep[item].md)
        assert abs(alone[item].infit - 1) < 0.05


def test_a_calibration_without_responses_says_so() -> None:
    calibration = dataclasses.replace(calibrate(lsat.responses(lsat.LSAT7)), responses=None)
    for ask in (calibration.score, calibration.fit_items, calibration.fit_model, calibration.dif):
        with pytest.raises(CalibrationError, match="no responses with it"):
            ask()


def test_what_is_saved_is_read_back(groups: Calibration, tmp_path: Path) -> None:
    groups.save(tmp_path / "p.json")
    scale, items = read_parameters(tmp_path / "p.json")
    assert scale == groups.scale
    assert [item.b for item in items] == [item.b for item in groups.items]


# How it shows itself


def test_a_terminal_sees_summary_items_and_groups(groups: Calibration) -> None:
    lines = str(groups).splitlines()
    assert lines[0].startswith("mixed, 12 items, 900 persons: log-likelihood")
    assert "items" in lines
    row = next(line for line in lines if line.split()[:1] == ["I4"]).split()
    item = groups.items[3]
    assert row[1:5] == ["2PL", "900", f"{item.a:.3f}", f"{item.se['a']:.3f}"]
    west = next(line for line in lines if line.split()[:1] == ["西"]).split()
    assert west[1:4] == ["300", f"{groups.groups[2].mean.value:.3f}", f"{groups.groups[2].mean.se:.3f}"]
    assert next(line for line in lines if line.startswith("  西 ")).index("300") == west_column(lines)


def west_column(lines: list[str]) -> int:
    """Where the persons of 西 begin: under the end of the heading, a Chinese character taking two columns."""
    heading = next(line for line in lines if line.startswith("  group"))
    return heading.index("persons") + len("persons") - len("300") - 1


def test_warnings_stand_before_numbers() -> None:
    text = str(calibrate(lsat.responses(lsat.LSAT7), max_iterations=2))
    assert "NOT CONVERGED" in text.splitlines()[0]
    assert text.index("not-converged") < text.index("items\n")


def test_of_many_items_the_noteworthy_are_shown() -> None:
    rng = np.random.default_rng(4)
    theta = rng.normal(size=500)
    a = np.where(np.arange(40) == 17, 0.15, 1.2)
    scores = (rng.random((500, 40)) < 1 / (1 + np.exp(-a * (theta[:, None] - np.linspace(-2, 2, 40))))).astype(float)
    text = str(calibrate(Responses.from_matrix(scores)))
    assert "12 of 40 items" in text
    assert " item18 " in text


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.open.append(tag)
        self.cells += tag == "td"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_notebook_sees_tables(groups: Calibration) -> None:
    parser = _Balanced()
    parser.feed(groups._repr_html_())
    assert not parser.open
    assert parser.cells >= 12 * 12


def test_ratings_of_other_persons_are_scored_with_the_severities_too(tmp_path: Path) -> None:
    responses = samples.rated()
    calibration = calibrate(responses, model="PCM")
    own = calibration.score().theta
    np.testing.assert_array_equal(calibration.score(responses).theta, own)
    # the command line, from files
    calibration.save(tmp_path / "params.json")
    rows = [
        f"{responses.persons[p]},{responses.items[i]},{responses.raters[r]},{s}"
        for p, i, r, s in zip(responses.person, responses.item, responses.rater, responses.score, strict=True)
    ]
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("\n".join(["person,item,rater,score", *rows]), encoding="utf-8")
    arguments = [str(ratings), "--params", str(tmp_path / "params.json"), "--json"]
    result = CliRunner().invoke(score, arguments)
    assert result.exit_code == 0, result.output
    theta = {row["person"]: row["theta"] for row in json.loads(result.stdout)["scores"]}
    np.testing.assert_allclose([theta[person] for person in responses.persons], own, atol=1e-9)
    ratings.write_text("\n".join(["person,item,rater,score", *rows, "x,任务1,R99,1"]), encoding="utf-8")
    assert "rater R99 has no severity" in CliRunner().invoke(score, arguments).stderr


def test_ratings_without_a_rater_beside_others_are_refused() -> None:
    responses = samples.rated()
    rater = responses.rater.copy()
    rater[3] = -1
    with pytest.raises(CalibrationError, match="考生1, item 任务2: no rater, where others have one"):
        calibrate(dataclasses.replace(responses, rater=rater), model="PCM")


def test_ratings_with_anchors_are_refused() -> None:
    bank = calibrate(samples.rated(), model="PCM")
    with pytest.raises(CalibrationError, match="ratings and anchors together are not estimated"):
        calibrate(samples.rated(), model="PCM", anchors=bank.items)
