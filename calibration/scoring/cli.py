"""`tiku score`: responses and parameters in, abilities and percentages out."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from calibration.command_line import (
    FILE,
    NEW_FILE,
    json_option,
    key_option,
    params_option,
    print_json,
    read_params,
    read_severities,
    read_sittings,
    responses_argument,
    said_to_people,
)
from calibration.files import write_text_whole
from calibration.item_sets import with_sums_of
from calibration.own_data import as_rated
from calibration.responses import ResponsesError
from calibration.scoring import (
    FLAGS,
    ReferenceForm,
    ScaleError,
    Scores,
    SumScoreTable,
    empirical_reliability,
    marginal_reliability,
    mark_decisions,
    read_reference,
    reliability_as_given,
    score_responses,
    sum_score_table,
    theta_decisions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from calibration.models import ItemParameters, Scale
    from calibration.responses import Responses

METHODS = ("eap", "map", "ml", "wle", "eapsum", "pv")
USUAL_CUT = 60.0


@click.command(
    epilog="Example: tiku score responses.csv --params params.json --reference form.csv --cut 60 --out scores.csv"
)
@responses_argument
@params_option
@click.option(
    "--method",
    type=click.Choice(METHODS, case_sensitive=False),
    help="How abilities are estimated  [default: eap; wle with --reference]",
)
@key_option
@click.option("--reference", "form_file", type=FILE, help="Form for percentages: parameters (JSON), or CSV item,marks.")
@click.option(
    "--cut", type=click.FloatRange(0, 100, min_open=True, max_open=True), help="Pass mark in %  [default: 60]"
)
@click.option("--bounds", nargs=2, type=float, help="Lowest and highest ML and WLE  [default: mean ± 10 SD]")
@click.option("--draws", default=5, show_default=True, type=click.IntRange(1), help="Plausible values a person (pv).")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Seed of the plausible values.")
@click.option(
    "--equal-raters", is_flag=True, help="Score ratings by parameters without severities, all raters equally severe."
)
@click.option("--table", "table_file", type=NEW_FILE, help="With eapsum: the table of all sums of marks as CSV.")
@click.option("--out", type=NEW_FILE, help="Scores as CSV.")
@json_option
def score(
    responses: tuple[Path, ...],
    params: Path,
    method: str | None,
    key_file: Path | None,
    form_file: Path | None,
    cut: float | None,
    bounds: tuple[float, float] | None,
    draws: int,
    seed: int,
    equal_raters: bool,
    table_file: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Score persons on calibrated items: theta with standard error, and percent on a reference form.

    Methods: eap, map, ml, wle (Warm), eapsum (from sums of marks), pv (plausible values). With --reference the
    percentage of the form's marks expected at the estimate is given with its standard error, the decision at --cut,
    and the probability that the person is above the cut; and how often decisions at the cut are right, and would be the
    same again: by theta (Rudner) and by the sum of marks on the form (Lee).
    """
    chosen = (method or ("eap" if form_file is None else "wle")).lower()
    if cut is not None and form_file is None:
        raise click.UsageError("--cut is a percentage of a form: give the form with --reference")
    if bounds is not None and bounds[0] >= bounds[1]:
        raise click.UsageError("--bounds: the lowest ability first, then the highest")
    if table_file is not None and chosen != "eapsum":
        raise click.UsageError("--table is of sums of marks: it goes with --method eapsum")
    with said_to_people():
        scale, items = read_params(params)
        data = with_sums_of(items, read_sittings(responses, key_file))
        form = _Form.read(form_file, items, scale, cut or USUAL_CUT) if form_file is not None else None
        answers, answered = _as_rated(data, items, params, equal=equal_raters)
        scores = score_responses(
            answers,
            answered,
            scale,
            method=chosen,
            bounds=bounds,
            cuts=[] if form is None else [form.theta_cut],
            plausible_values=draws,
            seed=seed,
        )
        rows = _rows(scores, form)
        document = _summary(scores, answers, answered, scale, seed, rated=bool(data.raters)) | _of_items(data, items)
        document |= {} if form is None else form.summary(scores, data)
        if table_file is not None:
            _write_table(table_file, sum_score_table(_seen(items, data), scale))
        if out is not None:
            _write_rows(out, rows)
    if as_json:
        print_json(document | {"scores": rows})
    else:
        _print(document, [path for path in (out, table_file) if path is not None])


@dataclass(frozen=True, slots=True)
class _Form:
    """A reference form with its cut, in percent and as ability."""

    form: ReferenceForm
    cut: float
    theta_cut: float

    @classmethod
    def read(cls, path: Path, items: Sequence[ItemParameters], scale: Scale, cut: float) -> _Form:
        form = read_reference(path, items, scale)
        return cls(form, cut, form.cut(cut / 100))

    def columns(self, scores: Scores) -> dict[str, Any]:
        return {
            "percent": self.form.percent(scores.theta).tolist(),
            "percent_se": self.form.percent_se(scores.theta, scores.se).tolist(),
            "p_above_cut": scores.above[:, 0].tolist(),
            "passed": (scores.theta >= self.theta_cut).tolist(),
        }

    def summary(self, scores: Scores, data: Responses) -> dict[str, Any]:
        decisions = theta_decisions(scores.theta, scores.se, [self.theta_cut], data.weight)
        about = {
            "items": len(self.form.curves.ids),
            "marks": self.form.total,
            "cut": self.cut,
            "theta_cut": self.theta_cut,
            "passed": int((scores.theta >= self.theta_cut).sum()),
            "accuracy": decisions.accuracy,
            "consistency": decisions.consistency,
            "kappa": decisions.kappa,
            "by_marks": self.by_marks(),
        }
        return {"reference": about}

    def by_marks(self) -> dict[str, Any]:
        """Decisions by the sum of marks on the form, in the scale's population (Lee, 2010)."""
        try:
            found = mark_decisions(self.form.curves, [self.cut / 100 * self.form.total], self.form.scale)
        except ScaleError as error:
            return {"not_known": str(error)}
        names = ("accuracy", "false_positive", "false_negative", "consistency", "kappa")
        return {name: getattr(found, name) for name in names}


def _as_rated(
    data: Responses, items: tuple[ItemParameters, ...], params: Path, *, equal: bool
) -> tuple[Responses, tuple[ItemParameters, ...]]:
    """Ratings with the severities that stand in the parameters, or with none where that is asked for."""
    if not data.raters:
        return data, items
    severity = read_severities(params)
    if not severity and not equal:
        raise ResponsesError(
            f"{params}: no severities of raters in it, and the responses are ratings: give the parameters of a "
            "calibration of ratings, or --equal-raters to take all raters as equally severe"
        )
    if not equal:
        return as_rated(data, items, severity)
    click.echo("all raters are taken as equally severe", err=True)
    if data.rater is not None and (data.rater < 0).any():  # marked by nobody named, as a machine does: one more rater
        nobody = np.where(data.rater < 0, len(data.raters), data.rater).astype(np.int32)
        data = replace(data, rater=nobody, raters=(*data.raters, "-"))
    return as_rated(data, items, dict.fromkeys(data.raters, 0.0))


def _seen(items: Sequence[ItemParameters], data: Responses) -> list[ItemParameters]:
    return [item for item in items if item.id in set(data.items)]


def _rows(scores: Scores, form: _Form | None) -> list[dict[str, Any]]:
    """One row a person: what the CSV and the JSON hold."""
    columns: dict[str, Any] = {
        "person": scores.persons,
        "items": scores.answered.tolist(),
        "theta": scores.theta.tolist(),
        "se": scores.se.tolist(),
        "flag": [FLAGS[flag] for flag in scores.flag],
    }
    columns |= form.columns(scores) if form is not None else {}
    columns |= {f"pv{m + 1}": values.tolist() for m, values in enumerate(scores.draws.T)}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _summary(
    scores: Scores, data: Responses, items: Sequence[ItemParameters], scale: Scale, seed: int, *, rated: bool
) -> dict[str, Any]:
    flags = Counter(FLAGS[flag] for flag in scores.flag if flag)
    document: dict[str, Any] = {
        "method": scores.method,
        "n_persons": len(scores.persons),
        "scale": asdict(scale),
        "mean": _mean(np.where(np.isfinite(scores.se), scores.theta, np.nan), data.weight),
        "mean_se": _mean(scores.se, data.weight),
        "empirical_reliability": empirical_reliability(scores.theta, scores.se, scores.method, data.weight),
        "marginal_reliability": (
            reliability_as_given(data, items, scale) if rated else marginal_reliability(_seen(items, data), scale)
        ),
        "rated": rated,
        "flags": dict(flags),
    }
    if scores.method in {"ml", "wle"}:
        document["bounds"] = list(scores.bounds)
    if scores.method == "pv":
        document["seed"] = seed
    return document


def _of_items(data: Responses, items: Sequence[ItemParameters]) -> dict[str, Any]:
    return {
        "n_items": len(_seen(items, data)),
        "items_without_parameters": sorted(set(data.items) - {item.id for item in items}),
    }


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    use = np.isfinite(values) & (weight > 0)
    return float(weight[use] @ values[use] / weight[use].sum()) if use.any() else float("nan")


def _print(document: dict[str, Any], written: Sequence[Path]) -> None:
    missing = document["items_without_parameters"]
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        click.echo(f"items without parameters, passed over ({len(missing)}): {shown}")
    click.echo(
        f"{document['method']}: {document['n_persons']} persons on {document['n_items']} items; "
        f"mean theta {document['mean']:.3f}, mean SE {document['mean_se']:.3f}, "
        f"reliability {document['empirical_reliability']:.3f} of these scores, "
        f"{document['marginal_reliability']:.3f} of {'the ratings given' if document['rated'] else 'all the items'} "
        "in the population"
    )
    for name, count in document["flags"].items():
        limits = " of [{:g}, {:g}]".format(*document["bounds"]) if "bounds" in document and "bound" in name else ""
        click.echo(f"{name}{limits}: {count} of {document['n_persons']} persons")
    form = document.get("reference")
    if form is not None:
        click.echo(
            f"reference form of {form['items']} items and {form['marks']:g} marks: {form['cut']:g} % is theta "
            f"{form['theta_cut']:.3f}; {form['passed']} of {document['n_persons']} pass, "
            f"decisions right {form['accuracy']:.1%}, the same again {form['consistency']:.1%}"
        )
        marks = form["by_marks"]
        click.echo(
            f"by marks on the form, in the population: not known, {marks['not_known']}"
            if "not_known" in marks
            else f"by marks on the form, in the population: decisions right {marks['accuracy']:.1%} "
            f"(passed wrongly {marks['false_positive']:.1%}, failed wrongly {marks['false_negative']:.1%}), "
            f"the same again {marks['consistency']:.1%} (Lee)"
        )
    for path in written:
        click.echo(f"wrote {path}")


def _write_table(path: Path, table: SumScoreTable) -> None:
    columns = {"marks": table.marks, "theta": table.theta, "se": table.se, "probability": table.probability}
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    _write_rows(path, [dict(zip(columns, row, strict=True)) for row in rows])


def _write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    write_text_whole(path, target.getvalue())


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return f"{value:.6f}" if isfinite(value) else ""
    return value
