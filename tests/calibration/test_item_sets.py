"""Item sets: summed, left out, and what is wrong about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from calibration import (
    CalibrationError,
    ItemParameters,
    LogNormal,
    Priors,
    Responses,
    ResponsesError,
    Scale,
    calibrate,
    collapse_sets,
    item_fit,
    read_item_sets,
    read_parameters,
    score_responses,
)
from calibration.cli import calibrate as command
from calibration.estimation import fitting
from calibration.item_sets import models_with_sums
from calibration.responses import ANSWERED, NOT_REACHED, OMITTED
from calibration.scoring.cli import score
from calibration.set_information import information_of
from tests.calibration.simulated import Array, draw, responses_to, some_items

NAN = float("nan")
SETS = {f"Q{j:02}": "reading" for j in range(2, 6)}


def scores_in_a_set(N: int = 600, sd: float = 1.0, J: int = 10) -> tuple[list[ItemParameters], Array]:
    """Ten items, of which Q02 to Q05 share more than ability."""
    rng = np.random.default_rng(17)
    items = [replace(item, id=f"Q{j:02}") for j, item in enumerate(some_items("2PL", J=J))]
    own = rng.standard_normal(N)[:, None] + np.zeros((N, J))
    own[:, 2:6] += rng.normal(0, sd, (N, 1))
    return items, draw(rng, items, own)


def data_in_a_set(N: int = 600, sd: float = 1.0) -> Responses:
    return responses_to(*scores_in_a_set(N, sd))


# Sums


def test_a_set_is_summed_where_its_first_item_stood() -> None:
    table = np.array([[1.0, 0, 1, 1], [0, 1, 1, 0], [1, 1, NAN, 1], [0, 0, 0, 0]])
    found = collapse_sets(Responses.from_matrix(table, ["A", "R1", "R2", "B"]), {"R1": "text", "R2": "text"})
    assert found.responses.items == ("A", "text", "B")
    np.testing.assert_array_equal(found.responses.dense(), [[1, 1, 1], [0, 2, 0], [1, NAN, 1], [0, 0, 0]])
    assert found.sums == {"text": ("R1", "R2")}
    (flag,) = found.flags
    assert (flag.code, "1 of 4 persons" in flag.message) == ("set-given-in-part", True)


def test_marks_silence_and_lowest_scores_are_kept() -> None:
    table = np.array([[2.0, 1, 0], [1, 0, 1], [2, 1, 1], [1, 1, 0], [1, 0, 0]])  # the first from 1 to 2
    data = Responses.from_matrix(table, ["R1", "R2", "B"])
    assert data.shift == {"R1": 1}
    status = data.status.copy()
    status[3:5], status[7] = OMITTED, NOT_REACHED
    data = replace(data, status=status, marks={"R2": (0.0, 0.5)})
    found = collapse_sets(data, {"R1": "text", "R2": "text"}).responses
    # 2.5, omitted, not reached, 1.5 and 1 marks: halves of a mark from 2 on
    kinds = [OMITTED if i == 1 else NOT_REACHED if i == 2 else ANSWERED for i in range(5)]
    rows = found.item == 0
    np.testing.assert_array_equal(found.status[rows], kinds)
    worth = [found.marks["text"][score] for score in found.score[rows]]
    assert [worth[0], worth[3], worth[4]] == [2.5, 1.5, 1.0]
    assert found.given_scores[rows].tolist()[:2] == [5, 0]
    np.testing.assert_array_equal(found.score[~rows], data.score[data.item == 2])


def test_a_collapsed_calibration_is_that_of_the_sums() -> None:
    items, scores = scores_in_a_set()
    by_hand = np.column_stack([scores[:, :2], scores[:, 2:6].sum(axis=1), scores[:, 6:]])
    names = ["Q00", "Q01", "reading", *(item.id for item in items[6:])]
    expected = calibrate(Responses.from_matrix(by_hand, names), model={"*": "2PL", "reading": "GPCM"})
    result = calibrate(responses_to(items, scores), testlets=SETS, sets="collapse")
    assert result.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-9)
    for found, item in zip(result.items, expected.items, strict=True):
        assert replace(found, sum_of=()) == item
    assert result.items[2].sum_of == ("Q02", "Q03", "Q04", "Q05")
    assert "summed: reading = Q02 + Q03 + Q04 + Q05" in str(result)
    assert "<p>reading = Q02 + Q03 + Q04 + Q05</p>" in result._repr_html_()
    np.testing.assert_allclose(result.score().theta, expected.score().theta, atol=1e-9)


def test_a_file_is_collapsed_as_its_responses_are(tmp_path: Path) -> None:
    items, scores = scores_in_a_set(300)
    lines = [",".join(["person", *(item.id for item in items)])]
    lines += [f"P{n}," + ",".join(str(int(score)) for score in row) for n, row in enumerate(scores)]
    path = written(tmp_path / "responses.csv", "\n".join(lines) + "\n")
    priors = {"*": Priors(a=LogNormal(0, 0.5))}
    found = calibrate(path, testlets=SETS, sets="collapse", priors=priors)
    expected = calibrate(responses_to(items, scores), testlets=SETS, sets="collapse", priors=priors)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-8)


@pytest.mark.parametrize("sd", [0.0, 1.0])
def test_many_persons_start_from_a_sample_with_sets_too(monkeypatch: pytest.MonkeyPatch, sd: float) -> None:
    data = data_in_a_set(3000, sd)
    expected = calibrate(data, testlets=SETS)
    monkeypatch.setattr(fitting, "LEAST_SAMPLE", 700)
    found = calibrate(data, testlets=SETS)
    assert found.converged
    assert expected.converged
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-3)
    assert found.testlets["reading"].value == pytest.approx(expected.testlets["reading"].value, abs=1e-3)
    for mine, theirs in zip(found.items, expected.items, strict=True):
        assert mine.a == pytest.approx(theirs.a, abs=1e-3)


def test_single_responses_are_scored_and_fitted_with_the_parameters_of_the_sum(tmp_path: Path) -> None:
    data = data_in_a_set()
    result = calibrate(data, testlets=SETS, sets="collapse")
    result.save(tmp_path / "params.json")
    scale, items = read_parameters(tmp_path / "params.json")
    assert items == result.items
    np.testing.assert_allclose(score_responses(data, items, scale).theta, result.score().theta, atol=1e-9)
    path = tmp_path / "responses.csv"
    np.savetxt(path, data.dense(), "%d", delimiter=",", header=",".join(data.items), comments="")
    scored = CliRunner().invoke(score, [str(path), "--params", str(tmp_path / "params.json"), "--json"])
    assert scored.exit_code == 0
    document = json.loads(scored.stdout)
    np.testing.assert_allclose([row["theta"] for row in document["scores"]], result.score().theta, atol=1e-4)
    fits = [one.n for one in item_fit(data, items, scale)]
    assert len(fits) == 7


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("2PL", "GPCM"),
        ("3PL", "GPCM"),
        ("Rasch", "PCM"),
        ("GRM", "GRM"),
        ({"*": "Rasch", "reading": "GRM"}, "GRM"),
        ({"Q0[0-1]": "2PL", "Q0[2-5]": "Rasch", "Q0[6-9]": "2PL"}, "PCM"),
        ({"Q*": "2PL", "read*": "GRM"}, "GRM"),
    ],
)
def test_the_model_of_a_sum(model: Any, expected: str) -> None:
    names = [f"Q{j:02}" for j in range(10)]
    found = models_with_sums(model, names, {"reading": ("Q02", "Q03", "Q04", "Q05")})
    assert isinstance(found, dict)
    assert found["reading" if "reading" in found else "read*"] == expected
    priors = {"Q0[2-3]": Priors(a=LogNormal(0, 0.3)), "*": Priors(a=LogNormal(0, 0.5))}
    result = calibrate(data_in_a_set(), model=model, testlets=SETS, sets="collapse", max_iterations=3)
    assert {item.id: item.model for item in result.items}["reading"] == expected
    if expected == "GPCM":
        assert calibrate(data_in_a_set(), model=model, testlets=SETS, sets="collapse", priors=priors, max_iterations=3)


# Left out


@pytest.mark.parametrize("sd", [0.7, 1.2])
def test_what_ignored_sets_overstate_is_what_the_true_parameters_say(sd: float) -> None:
    items, scores = scores_in_a_set(6000, sd)
    data = responses_to(items, scores)
    result = calibrate(data, testlets=SETS, sets="ignore")
    assert (result.testlets, result.item_sets) == ({}, {})
    theta = np.linspace(-5, 5, 61)
    weight = np.exp(-0.5 * theta**2)
    claimed = information_of(result.items[2:6], Scale(), theta, SETS, {"reading": 0.0}) @ weight
    there = information_of(items[2:6], Scale(), theta, SETS, {"reading": sd}) @ weight
    assert result.overstated["reading"] == pytest.approx(claimed / there, rel=0.15)
    (flag,) = [flag for flag in result.warnings if flag.code == "overstated-information"]
    assert flag.message.startswith("item set reading (4 items) is not in the model: its information is overstated")
    assert f"overstated {result.overstated['reading']:.1f} times" in flag.message
    assert "overstated-information" in str(result)
    document = json.loads(json.dumps(result.document()))
    assert document["overstated"] == result.overstated
    plain = calibrate(data)
    assert result.log_likelihood == plain.log_likelihood


def test_a_set_that_shares_nothing_is_not_accused() -> None:
    result = calibrate(data_in_a_set(4000, 0.0), testlets=SETS, sets="ignore")
    assert 1.0 <= result.overstated["reading"] < 1.1
    assert [flag.code for flag in result.warnings] == ["overstated-information"]


# What is wrong


@pytest.mark.parametrize("sets", ["testlet", "collapse", "ignore"])
def test_an_item_that_is_not_in_the_data_is_named(sets: Any) -> None:
    with pytest.raises(CalibrationError, match="item set reading: item Q77 has no responses"):
        calibrate(data_in_a_set(50), testlets=SETS | {"Q77": "reading"}, sets=sets)


def test_a_way_that_is_none_is_refused() -> None:
    with pytest.raises(CalibrationError, match="sets = 'sum' is not known; choose one of testlet, collapse, ignore"):
        calibrate(data_in_a_set(50), testlets=SETS, sets="sum")  # type: ignore[arg-type]
    with pytest.raises(CalibrationError, match="item sets: expected item → name of its set, got 'Q01' → "):
        calibrate(data_in_a_set(50), testlets={"Q01": ["Q02"]})  # type: ignore[dict-item]


def apart() -> Responses:
    _, scores = scores_in_a_set(300)
    scores[::2, 2] = NAN
    scores[1::2, 3] = NAN
    return Responses.from_matrix(scores, [f"Q{j:02}" for j in range(10)])


@pytest.mark.parametrize(
    ("item_sets", "code", "message"),
    [
        ({"Q07": "one"}, "set-of-one-item", "item set one: Q07 is its only item with responses that vary"),
        ({"Q02": "two", "Q03": "two"}, "set-apart", "item set two: nobody had two of its items"),
    ],
)
def test_a_set_that_is_none_is_a_flag(item_sets: dict[str, str], code: str, message: str) -> None:
    data = apart()
    result = calibrate(data, testlets=item_sets)
    (flag,) = result.warnings
    assert (flag.code, flag.message.startswith(message)) == (code, True)
    assert result.testlets == {}
    assert result.log_likelihood == calibrate(data).log_likelihood


def test_a_set_without_variance_is_a_flag() -> None:
    _, scores = scores_in_a_set(200)
    scores[:, 2:6] = 1
    result = calibrate(Responses.from_matrix(scores, [f"Q{j:02}" for j in range(10)]), testlets=SETS)
    assert "set-without-items" in [flag.code for flag in result.warnings]
    assert result.converged


def test_sums_that_cannot_be_are_refused() -> None:
    data = apart()
    with pytest.raises(ResponsesError, match="item set two: nobody was given all of Q02, Q03"):
        calibrate(data, testlets={"Q02": "two", "Q03": "two"}, sets="collapse")
    with pytest.raises(ResponsesError, match="item set Q00: an item has that name"):
        calibrate(data, testlets={"Q02": "Q00", "Q04": "Q00"}, sets="collapse")
    anchor = ItemParameters("Q02", "2PL", 1.0, (0.0,))
    with pytest.raises(CalibrationError, match="anchor Q02 is in item set reading, which is summed"):
        calibrate(data_in_a_set(50), testlets=SETS, sets="collapse", anchors=[anchor])
    alone = calibrate(data, testlets={"Q07": "one"}, sets="collapse")
    assert [flag.code for flag in alone.warnings] == ["set-of-one-item"]


def test_an_item_of_a_set_that_nobody_was_given_is_left_out_of_the_sum() -> None:
    data = data_in_a_set(100)
    more = replace(data, items=(*data.items, "Q99"))
    found = collapse_sets(more, SETS | {"Q99": "reading"})
    assert [flag.code for flag in found.flags] == ["set-without-item"]
    assert found.sums == {"reading": tuple(SETS)}


# On the command line

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    items, scores = scores_in_a_set(300)
    path = tmp_path / "responses.csv"
    np.savetxt(path, scores, "%d", delimiter=",", header=",".join(item.id for item in items), comments="")
    return lambda *arguments: CliRunner().invoke(command, [str(path), *map(str, arguments)])


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_line_sums_models_and_ignores(run: Run, tmp_path: Path) -> None:
    sets = written(tmp_path / "sets.csv", "item,set\n" + "".join(f"{item},{name}\n" for item, name in SETS.items()))
    found = {}
    for how in ("testlet", "collapse", "ignore"):
        result = run("--item-sets", sets, "--sets", how, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        found[how] = json.loads(result.stdout)
    assert found["testlet"]["testlets"]["reading"]["value"] > 0.5
    (item,) = [item for item in found["collapse"]["items"] if item["id"] == "reading"]
    assert (item["model"], item["sum_of"]) == ("GPCM", list(SETS))
    assert found["ignore"]["overstated"]["reading"] > 1.3
    assert [flag["code"] for flag in found["ignore"]["warnings"]] == ["overstated-information"]
    shown = run("--item-sets", sets, "--sets", "ignore").stdout
    assert "warning: overstated-information: item set reading (4 items) is not in the model" in shown
    report = run("--item-sets", sets, "--sets", "collapse", "--report", tmp_path / "report.html")
    assert report.exit_code == 0
    assert "reading" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,set\nQ02,one\nQ02,two\n", "row 3: item Q02 is in set one and in two"),
        ("item,set\nQ77,one\nQ02,one\n", "item set one: item Q77 has no responses"),
        ("id,text\nQ02,one\n", "row 2: expected columns item and set"),
        ("item,set\nQ02,\n", "no item has a set"),
        ("", "no item has a set"),
    ],
)
def test_files_of_sets_that_are_wrong_say_where(run: Run, tmp_path: Path, text: str, message: str) -> None:
    result = run("--item-sets", written(tmp_path / "sets.csv", text))
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_sets_are_named_once(run: Run, tmp_path: Path) -> None:
    sets = written(tmp_path / "sets.csv", "item,set\nQ02,one\nQ03,one\nQ04,\n")
    assert read_item_sets(sets) == {"Q02": "one", "Q03": "one"}
    spec = written(tmp_path / "spec.toml", '[testlets]\none = ["Q02", "Q03"]\n')
    result = run("--item-sets", sets, "--spec", spec)
    assert (result.exit_code, "give one of them" in result.stderr) == (2, True)
