"""`tiku calibrate`: responses in, parameters out."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.command_line import FILE, MOST_SCORE, NEW_FILE, group_option, key_option, responses_argument
from calibration.item_sets import SET_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from calibration import Calibration, Flag, ItemParameters, ItemStatistics, Priors, Progress, Responses

STATE_SECONDS = 10.0  # between two saved states of a long run
INTERRUPTED = 130


@click.command(
    epilog="Example: tiku calibrate responses.csv --model 2PL --priors default --out params.json --report report.html"
)
@responses_argument
@click.option("--model", help="A model for all items: Rasch, 1PL, 2PL, 3PL, 4PL, PCM, RSM, GPCM, GRM, NRM [2PL].")
@click.option("--spec", type=FILE, help="TOML with models and priors by item or pattern, item sets and families.")
@click.option("--item-sets", type=FILE, help="CSV item,set: items that share a text or a case.")
@click.option(
    "--sets",
    type=click.Choice(SET_METHODS),
    default="testlet",
    show_default=True,
    help="What is made of item sets: a testlet each, a sum each (one polytomous item), or nothing.",
)
@key_option
@click.option("--priors", "priors_text", help="none, default, or e.g. 'a=lognormal(0, 0.5), c=beta(5, 17)' [none].")
@click.option("--grades", type=FILE, help="CSV item,grade,type: b gets a prior by the grade (needs --anchors).")
@click.option("--anchors", type=FILE, help="Parameters (JSON) that are kept: new items land on their scale.")
@click.option("--marks", type=FILE, help="CSV item,marks: what each category is worth, separated by `;`.")
@group_option
@click.option("--sittings-are-groups", is_flag=True, help="Every file is a group with its own mean and spread.")
@click.option("--reference", help="The group that is N(0, 1) where there are no anchors [the first].")
@click.option(
    "--errors",
    type=click.Choice(["observed", "cross-product", "sandwich"]),
    default="observed",
    show_default=True,
    help="Where standard errors come from.",
)
@click.option(
    "--estimate",
    type=click.Choice(["mode", "mean"]),
    default="mode",
    show_default=True,
    help="Modes of the posterior, or its means, which need a prior on every parameter.",
)
@click.option("--latent", type=click.Choice(["normal", "empirical"]), default="normal", show_default=True)
@click.option("--max-score", type=int, help="Scores above this are refused [1 where all models are dichotomous].")
@click.option("--omitted", type=click.Choice(["wrong", "missing"]), default="wrong", show_default=True)
@click.option(
    "--tolerance",
    default=1e-5,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Largest distance of a parameter from the maximum.",
)
@click.option("--max-iterations", default=2000, show_default=True, type=click.IntRange(min=1))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--stream", is_flag=True, help="For a Parquet file or folder larger than memory: a byte a response.")
@click.option("--cluster", metavar="ADDRESS|local", help="Workers of a dask scheduler read the files, each its own.")
@click.option("--out", type=NEW_FILE, help="Parameters as JSON.")
@click.option("--report", type=NEW_FILE, help="Report as one HTML file.")
@click.option("--report-all", is_flag=True, help="Report also what takes more than a few seconds.")
@click.option("--numbers", type=NEW_FILE, help="The report's numbers as JSON, or its items as CSV (by the name).")
@click.option(
    "--form", "form_file", type=FILE, help="Form for the cut in the report: parameters (JSON), or CSV item,marks."
)
@click.option(
    "--cut",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, 100, min_open=True, max_open=True),
    help="Pass mark in % of --form.",
)
@click.option("--state", type=NEW_FILE, help="Where to keep the state of the search until it ends well.")
@click.option("--resume", type=FILE, help="Go on from a kept state.")
@click.option("--note", default="", help="Whose responses these are; stands in the parameters and the report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def calibrate(**options: Any) -> None:  # noqa: ANN401
    """Calibrate items from one or more files of RESPONSES (each file a sitting), by marginal maximum likelihood."""
    import calibration as cal

    if options["stream"] or options["cluster"] is not None:
        _large(options)
        return
    try:
        _check_files(options)
        data = _read(options)
        arguments = _arguments(options, data.items)
        if options["form_file"] is not None:
            names = {*data.items, *(item.id for item in arguments["anchors"])}
            cal.check_reference(options["form_file"], names, arguments["scale"] or cal.Scale())
        rated = data.rater is not None and len(data.raters) > 1
        statistics = () if rated else cal.item_statistics(data)
        flags = cal.screen(statistics)  # of the single items, where sets are summed
        started = time.process_time()
        result = _run(data, arguments, options)
        seconds = time.process_time() - started
        if not rated and result.responses is not None and result.responses.items != data.items:
            statistics = cal.item_statistics(result.responses)
        result = replace(result, data_note=options["note"]).with_flags(flags)
        written = _write(result, None if rated else statistics, flags, options)
        state = _state_of(options)
        if state is not None and result.converged:
            cal.remove_state(state, result.data_digest)
    except (cal.ResponsesError, cal.CalibrationError, cal.PriorError, cal.ModelError, cal.ScaleError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    if options["as_json"]:
        click.echo(json.dumps(result.document() | {"seconds": round(seconds, 3)}, ensure_ascii=False))
        return
    _print(result, data.counts, flags, written)


def _print(result: Calibration, counts: Mapping[str, int], flags: Sequence[Flag], written: Sequence[Path]) -> None:
    click.echo("responses: " + ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in counts.items()))
    click.echo(str(result))
    if flags:
        click.echo("")
    for flag in flags:
        click.echo(f"  {flag.item}: {flag.code}: {flag.message}")
    for path in written:
        click.echo(f"wrote {path}")


def _check_files(options: Mapping[str, Any]) -> None:
    """Raise OSError or UsageError for files that could not be written, or would not be used, after a long run."""
    from calibration.files import check_writable

    places = {name: options[name] for name in ("out", "report", "numbers", "state") if options[name] is not None}
    for path in places.values():
        check_writable(path)
    if len({path.absolute() for path in places.values()}) < len(places):
        raise click.UsageError(f"{', '.join(f'--{name}' for name in places)}: two of them are the same file")
    if options["form_file"] is not None and options["report"] is None and options["numbers"] is None:
        raise click.UsageError("--form is for the report: add --report or --numbers")


def _write(
    result: Calibration,
    statistics: Sequence[ItemStatistics] | None,
    flags: Sequence[Flag],
    options: Mapping[str, Any],
) -> list[Path]:
    """The files asked for."""
    import calibration as cal

    out, report, numbers = options["out"], options["report"], options["numbers"]
    if out is not None:
        result.save(out)
    if report is not None or numbers is not None:
        form = None
        if options["form_file"] is not None:
            form = cal.read_reference(options["form_file"], result.items, result.scale)
        evidence = cal.gather(
            result,
            statistics=statistics,
            flags=flags if statistics is not None else None,
            form=form,
            share=options["cut"] / 100,
            everything=options["report_all"],
        )
        if report is not None:
            lead = options["note"] or "、".join(path.name for path in options["responses"])
            cal.write_text_whole(report, cal.page_of(evidence, lead=lead))
        if numbers is not None:
            cal.write_numbers(numbers, evidence)
    return [path for path in (out, report, numbers) if path is not None]


def _large(options: Mapping[str, Any]) -> None:
    from calibration.command_line import said_to_people
    from calibration.large_files import calibrate_large

    with said_to_people():
        calibrate_large(options, _arguments(options, ()), _reading(options))


def _reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """How cells become scores."""
    import calibration as cal

    key = cal.read_key(options["key_file"]) if options["key_file"] is not None else None
    marks = cal.read_marks(options["marks"]) if options["marks"] is not None else None
    most = options["max_score"] or (1 if options["spec"] is None and _dichotomous(options["model"]) else MOST_SCORE)
    return {"key": key, "marks": marks, "max_score": most, "omitted": options["omitted"]}


def _read(options: Mapping[str, Any]) -> Responses:
    import calibration as cal

    how = _reading(options)
    parts = [cal.read_responses(path, **how, group=options["group"]) for path in options["responses"]]
    return cal.pool_responses(parts, sittings_are_groups=options["sittings_are_groups"]) if len(parts) > 1 else parts[0]


def _dichotomous(model: str | None) -> bool:
    from calibration.models import DICHOTOMOUS, model_named

    return model is None or model_named(model) in DICHOTOMOUS


def _arguments(options: Mapping[str, Any], items: Sequence[str]) -> dict[str, Any]:
    """Models, priors, item sets and anchors as `calibrate` takes them."""
    import calibration as cal

    spec = cal.read_specification(options["spec"]) if options["spec"] is not None else cal.Specification()
    model = options["model"] if options["model"] is not None else spec.model
    priors: dict[str, Priors] = dict(spec.priors)
    scale, anchors = (None, ()) if options["anchors"] is None else cal.read_parameters(options["anchors"])
    if options["grades"] is not None:
        priors |= _grade_priors(options["grades"], anchors, items, priors)
    if options["priors_text"] is not None:
        everywhere = cal.read_priors(options["priors_text"])
        priors["*"] = priors["*"].over(everywhere) if "*" in priors else everywhere
    return {
        "model": model,
        "priors": priors or None,
        "testlets": _item_sets(options, spec.testlets) or None,
        "sets": options["sets"],
        "anchors": anchors,
        "scale": scale,
        "reference": options["reference"],
        "latent": options["latent"],
        "errors": options["errors"],
        "estimate": options["estimate"],
    }


def _item_sets(options: Mapping[str, Any], of_spec: Mapping[str, str]) -> Mapping[str, str]:
    """Item → set, of --item-sets or of --spec."""
    import calibration as cal

    if options["item_sets"] is None:
        return of_spec
    if of_spec:
        raise click.UsageError("item sets stand in --item-sets and in [testlets] of --spec: give one of them")
    return cal.read_item_sets(options["item_sets"])


def _grade_priors(
    path: Path, anchors: tuple[ItemParameters, ...], items: Sequence[str], priors: Mapping[str, Priors]
) -> dict[str, Priors]:
    import calibration as cal

    grades = cal.read_grades(path)
    known = {item.id for item in anchors}
    found = cal.grade_priors(anchors, grades, [item for item in items if item not in known])
    for flag in found.flags:
        click.echo(f"  {flag.code}: {flag.message}", err=True)
    return {item: priors.get(item, cal.NO_PRIORS).over(of_grade) for item, of_grade in found.priors.items()}


def _run(data: Responses, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> Calibration:
    """The calibration, with progress on a terminal; Ctrl-C keeps where it was."""
    import calibration as cal

    digest = cal.digest(data)
    state = _state_of(options)
    start = cal.read_state(options["resume"], digest) if options["resume"] is not None else None
    last: list[Progress] = []
    try:
        return cal.calibrate(
            data,
            **arguments,
            tolerance=options["tolerance"],
            max_iterations=options["max_iterations"],
            threads=options["threads"],
            start=start,
            on_iteration=_watch(last, state, digest),
        )
    except KeyboardInterrupt:
        if state is None or not last:
            raise
        cal.write_state(state, last[-1], digest)
        click.echo(f"\ninterrupted after {last[-1].iteration} iterations; go on with --resume {state}", err=True)
        sys.exit(INTERRUPTED)


def _state_of(options: Mapping[str, Any]) -> Path | None:
    """Where the state of the search is kept: where it was said, where it came from, or beside the parameters."""
    state: Path | None = options["state"] or options["resume"]
    if state is None and options["out"] is not None:
        state = options["out"].with_suffix(".state.json")
    return state


def _watch(last: list[Progress], state: Path | None, digest: str) -> Callable[[Progress], None]:
    """Keeps the last progress, shows it on a terminal, and saves it now and then."""
    import calibration as cal

    shown = sys.stderr.isatty()
    saved = time.monotonic()

    def watch(progress: Progress) -> None:
        nonlocal saved
        last[:] = [progress]
        if shown:
            click.echo(
                f"\riteration {progress.iteration}: log-likelihood {progress.log_likelihood:.3f} ", err=True, nl=False
            )
        if state is not None and time.monotonic() - saved > STATE_SECONDS:
            cal.write_state(state, progress, digest)
            saved = time.monotonic()

    return watch
