"""`tiku classical`, `angoff`, `bookmark`, `raters` and `compare`: statistics that need no curves, or check them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.command_line import (
    FILE,
    NEW_FILE,
    json_option,
    key_option,
    print_json,
    print_table,
    read_params,
    read_severities,
    read_sittings,
    responses_argument,
    said_to_people,
    write_records,
    write_table,
)

if TYPE_CHECKING:
    from calibration.classical import ItemStatistics
    from calibration.classical.distractors import OptionCurves
    from calibration.classical.reliability import Reliability
    from calibration.models import ItemParameters
    from calibration.raters import RatingFit
    from calibration.responses import Responses
    from calibration.screening import Flag

PERSONS_SHOWN = 20


@click.command(epilog="Example: tiku classical 1.csv 2.csv --key keys.csv --out items.csv")
@responses_argument
@key_option
@click.option("--strata", type=FILE, help="CSV item,stratum: parts of the test, for stratified alpha.")
@click.option("--level", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.999), help="Of the intervals.")
@click.option("--options", "with_options", is_flag=True, help="Print what each option drew, by fifths of ability.")
@click.option("--out", type=NEW_FILE, help="The item table as CSV.")
@json_option
def classical(
    responses: tuple[Path, ...],
    key_file: Path | None,
    strata: Path | None,
    level: float,
    with_options: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Classical statistics of items and forms from RESPONSES (each file a sitting).

    Items: n, p (mean as a share of the highest score), corrected item-rest correlation within forms, flags. Forms:
    mean, standard deviation, alpha and omega with intervals, standard error of measurement.
    """
    from calibration.classical import item_statistics
    from calibration.classical.angoff import read_pairs
    from calibration.classical.distractors import distractor_flags, option_curves
    from calibration.classical.reliability import reliability_by_form
    from calibration.screening import screen

    with said_to_people():
        data = read_sittings(responses, key_file)
        parts = read_pairs(strata, "item", "stratum") if strata is not None else None
        statistics = item_statistics(data)
        flags = sorted([*screen(statistics), *distractor_flags(statistics)], key=lambda flag: (flag.item, flag.code))
        forms = reliability_by_form(data, strata=parts, level=level)
        curves = [option_curves(data, s.item) for s in statistics if s.options] if with_options else []
        rows = _item_rows(statistics, flags)
        if out is not None:
            write_table(out, ITEM_HEADER, rows)
    if as_json:
        print_json(
            {
                "counts": data.counts,
                "items": [asdict(s) | {"flags": row[-1].split()} for s, row in zip(statistics, rows, strict=True)],
                "forms": {name: asdict(form) for name, form in forms.items()},
                "flags": [asdict(flag) for flag in flags],
                "option_curves": [asdict(curve) for curve in curves],
            }
        )
        return
    click.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in data.counts.items()))
    _print_forms(forms, level)
    if out is None:
        print_table(ITEM_HEADER, rows)
    for flag in flags:
        if flag.code != "idle-option" or with_options:
            click.echo(f"{flag.item}: {flag.code}: {flag.message}")
    idle = sum(flag.code == "idle-option" for flag in flags)
    if idle and not with_options:
        click.echo(f"{idle} items have options that hardly anybody chose (--options shows them)")
    for curve in curves:
        _print_options(curve)
    if out is not None:
        click.echo(f"wrote {out}")


ITEM_HEADER = ("item", "n", "p", "mean", "sd", "max", "r", "omitted", "flags")


def _item_rows(statistics: Sequence[ItemStatistics], flags: Sequence[Flag]) -> list[tuple[Any, ...]]:
    codes: dict[str, list[str]] = {}
    for flag in flags:
        codes.setdefault(flag.item, []).append(flag.code)
    return [
        (s.item, s.n, s.p_value, s.mean, s.sd, s.top, s.point_biserial, s.omitted, " ".join(codes.get(s.item, ())))
        for s in statistics
    ]


def _print_forms(forms: Mapping[str, Reliability], level: float) -> None:
    interval = f"{level:.0%} interval"
    print_table(
        ("form", "items", "n", "mean", "sd", "alpha", interval, "omega", interval, "SEM"),
        [
            (
                name or "(all)",
                f.items,
                f.n,
                f.mean,
                f.sd,
                f.alpha,
                _interval(f.alpha_interval),
                f.omega,
                _interval(f.omega_interval),
                f.sem,
            )
            for name, f in forms.items()
        ],
    )
    for name, form in forms.items():
        if form.stratified_alpha is not None:
            click.echo(f"form {name or '(all)'}: stratified alpha {form.stratified_alpha:.3f}")
        for note in form.notes:
            click.echo(f"form {name or '(all)'}: {note}")


def _print_options(curve: OptionCurves) -> None:
    print_table(
        (curve.item, "n", *(f"fifth {g + 1}" for g in range(len(curve.n)))),
        [
            ((name or "(none)") + (" *" if name == curve.key else ""), f"{drew:.0f}", *shares)
            for name, drew, shares in zip(curve.options, curve.chosen, curve.shares, strict=True)
        ],
    )


@click.command(epilog="Example: tiku angoff ratings.csv --marks marks.csv --reality p_values.csv")
@click.argument("ratings", type=FILE)
@click.option("--percent", is_flag=True, help="Ratings are 0 to 100 instead of 0 to 1.")
@click.option("--marks", type=FILE, help="CSV item,marks; one mark an item without it.")
@click.option("--reality", type=FILE, help="CSV item,p: how candidates really did.")
@json_option
def angoff(ratings: Path, percent: bool, marks: Path | None, reality: Path | None, as_json: bool) -> None:
    """The cut score of an Angoff study, round by round.

    RATINGS is a CSV: judge,item,rating[,round], or judge[,round] and a column for each item.
    """
    from calibration.classical.angoff import angoff as set_standard
    from calibration.classical.angoff import read_numbers, read_ratings

    with said_to_people():
        rounds = set_standard(
            read_ratings(ratings, percent=percent),
            marks=read_numbers(marks, "marks") if marks is not None else None,
            reality=read_numbers(reality, "p") if reality is not None else None,
        )
    if as_json:
        print_json({"rounds": [asdict(r) for r in rounds]})
        return
    for r in rounds:
        click.echo(
            f"round {r.round}: cut {r.marks:.2f} of {r.total_marks:g} marks ({r.cut:.1%}), standard error "
            f"{r.se_judges:.1%} over judges, {r.se:.1%} over judges and items; {r.n_judges} judges, {r.n_items} items"
        )
        total = sum(r.variance.values()) or 1.0
        shares = ", ".join(f"{name} {value / total:.0%}" for name, value in r.variance.items())
        click.echo(f"variance: {shares}; dependability of the item means {r.dependability:.2f}")
        print_table(
            ("judge", "cut", "r others", "distance", "r reality", "gap reality"),
            [(j.judge, j.cut, j.agreement, j.distance, j.reality_correlation, j.reality_gap) for j in r.judges],
        )


@click.command(epilog="Example: tiku bookmark params.json --rp 0.67 --bookmarks pages.csv")
@click.argument("params", type=FILE)
@click.option(
    "--rp", default=2 / 3, show_default="2/3", type=click.FloatRange(0.01, 0.99), help="Response probability."
)
@click.option("--bookmarks", type=FILE, help="CSV judge,page: the first page not mastered.")
@click.option("--statistic", default="median", show_default=True, type=click.Choice(["median", "mean"]))
@json_option
def bookmark(params: Path, rp: float, bookmarks: Path | None, statistic: str, as_json: bool) -> None:
    """The ordered item booklet of PARAMS, and the cut score where bookmarks are given."""
    from calibration.classical.angoff import read_pages
    from calibration.classical.bookmark import bookmark_cut, ordered_booklet
    from calibration.result import read_parameters

    with said_to_people():
        scale, items = read_parameters(params)
        booklet = ordered_booklet(items, scale, response_probability=rp)
        cut = None
        if bookmarks is not None:
            pages = read_pages(bookmarks)
            cut = bookmark_cut(booklet, pages, items, scale, statistic=statistic, response_probability=rp)
    if as_json:
        print_json({"booklet": [asdict(page) for page in booklet], "cut": asdict(cut) if cut is not None else None})
        return
    if cut is None:
        print_table(("page", "item", "score", "theta"), [(p.page, p.item, p.score, p.theta) for p in booklet])
        return
    click.echo(
        f"cut {cut.marks:.2f} of {cut.total_marks:g} marks ({cut.share:.1%}) at theta {cut.theta:.3f} "
        f"({cut.statistic} of {len(cut.judges)} judges, standard error {cut.se:.3f}, RP {cut.response_probability:.2f})"
    )
    print_table(("judge", "theta"), list(cut.judges.items()))


@click.command(epilog="Example: tiku raters practical.csv --params params.json --out fair.csv")
@responses_argument
@click.option("--params", type=FILE, help="A calibration of ratings: adds fit of raters and fair marks.")
@click.option("--out", type=NEW_FILE, help="Fair marks of every person as CSV (with --params).")
@click.option(
    "--gap", default=0.30, show_default=True, type=click.FloatRange(0, 1), help="Third scorer beyond this share."
)
@json_option
def raters(responses: tuple[Path, ...], params: Path | None, out: Path | None, gap: float, as_json: bool) -> None:
    """Agreement of raters in RESPONSES with a `rater` column, and who needs a third scorer.

    With --params, from a calibration of ratings, also whether each rater marks as his severity says (infit, outfit),
    and the marks that a rater of average severity would have given each person.
    """
    from calibration.raters import rater_agreement, rater_pairs, third_scorer

    if out is not None and params is None:
        raise click.UsageError("--out holds fair marks, which need the raters' severities: give --params")
    with said_to_people():
        data = read_sittings(responses, None)
        agreement, pairs, flags = rater_agreement(data), rater_pairs(data), third_scorer(data, gap=gap)
        modelled = _modelled_ratings(data, params) if params is not None else {}
        if out is not None:
            write_records(out, modelled["fair_marks"])
    if as_json:
        print_json(
            {
                "agreement": {item: asdict(icc) for item, icc in agreement.items()},
                "pairs": [asdict(pair) for pair in pairs],
                "third_scorer": [asdict(flag) for flag in flags],
            }
            | modelled
        )
        return
    print_table(
        ("item", "n", "raters", "ICC1", "95% interval", "ICC2", "95% interval", "ICC2k", "ICC3k"),
        [
            (item, c.n, c.k, c.icc1, _interval(c.icc1_interval), c.icc2, _interval(c.icc2_interval), c.icc2k, c.icc3k)
            for item, c in agreement.items()
        ],
    )
    print_table(
        ("item", "raters", "n", "exact", "±1", "difference", "linear kappa", "SE", "quadratic kappa", "SE"),
        [
            (
                p.item,
                " / ".join(p.raters),
                p.n,
                p.exact,
                p.adjacent,
                p.difference,
                p.linear.kappa,
                p.linear.se,
                p.quadratic.kappa,
                p.quadratic.se,
            )
            for p in pairs
        ],
    )
    for flag in flags:
        given = ", ".join(f"{rater} {score}" for rater, score in flag.scores.items())
        click.echo(f"{flag.person}, {flag.item}: {given} of {flag.top}: a third scorer should look")
    if modelled:
        squares = ("ratings", "outfit", "t", "infit", "t")
        for names in (("rater", "severity"), ("item",)):
            rows = modelled["raters" if len(names) > 1 else "rated_items"]
            print_table((*names, *squares), [tuple(row.values()) for row in rows])
        print_table(
            ("person", "marks", "fair", "theta", "SE"),
            [tuple(row.values()) for row in modelled["fair_marks"]],
            most=PERSONS_SHOWN,
        )
    if out is not None:
        click.echo(f"wrote {out}")


def _modelled_ratings(data: Responses, params: Path) -> dict[str, Any]:
    """Fit of raters and of items over all raters, and fair marks, by the severities that stand with the parameters."""
    from calibration.fit import group_populations
    from calibration.own_data import ratings_of
    from calibration.raters import fair_marks, rating_fit
    from calibration.responses import ResponsesError

    scale, items = read_params(params)
    severity = read_severities(params)
    if not severity:
        raise ResponsesError(
            f"{params}: no severities of raters in it: give the parameters of a calibration of ratings"
        )
    known = ratings_of(data, items, severity)
    population = group_populations(known.responses, known.items, scale)
    of_raters, of_items = rating_fit(replace(known, population=population), scale)
    of_raters = tuple(sorted(of_raters, key=lambda row: list(severity).index(row.name)))  # as they were calibrated
    of_items = tuple(sorted(of_items, key=lambda row: [item.id for item in items].index(row.name)))
    return {
        "raters": [{"rater": row.name, "severity": severity[row.name]} | _squares(row) for row in of_raters],
        "rated_items": [{"item": row.name} | _squares(row) for row in of_items],
        "fair_marks": [asdict(one) for one in fair_marks(data, items, severity, scale)],
    }


def _squares(row: RatingFit) -> dict[str, float]:
    return {name: getattr(row, name) for name in ("n", "outfit", "outfit_t", "infit", "infit_t")}


@click.command(epilog="Example: tiku compare responses.csv --model 2PL")
@responses_argument
@key_option
@click.option("--model", default="2PL", show_default=True, help="2PL, GRM, PCM (with slopes: GPCM) or Rasch.")
@click.option("--params", type=FILE, help="Our parameters; without it they are estimated now.")
@json_option
def compare(responses: tuple[Path, ...], key_file: Path | None, model: str, params: Path | None, as_json: bool) -> None:
    """Calibrate complete RESPONSES with girth as well, and show the differences per item."""
    from calibration.calibrating import calibrate
    from calibration.compare import COMPARED, complete_scores
    from calibration.compare import compare as second_opinion
    from calibration.estimation.conditional import conditional_fit
    from calibration.result import read_parameters

    with said_to_people():
        data = read_sittings(responses, key_file)
        complete_scores(data, data.items)
        ours: Sequence[ItemParameters]
        if params is not None:
            ours = read_parameters(params)[1]
        elif model.lower() == "rasch":
            ours = conditional_fit(data).items
        else:
            ours = calibrate(data, model={k.lower(): v for k, v in COMPARED.items()}.get(model.lower(), model)).items
        result = second_opinion(data, ours, model)
    if as_json:
        print_json(asdict(result))
        return
    click.echo(
        f"{result.model}, {result.persons} persons, {len(result.items)} items: largest difference "
        f"{result.largest_a:.3f} in a, {result.largest_b:.3f} in b"
    )
    for note in result.notes:
        click.echo(note)
    print_table(
        ("item", "a", "girth", "b", "girth", "largest, in SE"),
        [(c.item, c.a, c.girth_a, _numbers(c.b), _numbers(c.girth_b), c.largest_in_se) for c in result.items],
    )


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2f} – {ends[1]:.2f}" if all(map(math.isfinite, ends)) else "–"


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)
