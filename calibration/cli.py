"""`tiku calibrate`: responses in, parameters out."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import click


@click.command(
    epilog="Example: tiku calibrate responses.csv --model 2PL --priors default --out params.json --report report.html"
)
@click.argument("responses", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", default="2PL", show_default=True, help="2PL, 1PL or Rasch, in any case.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV item,key: the files hold options chosen.",
)
@click.option(
    "--priors",
    "priors_name",
    default="none",
    show_default=True,
    help="none, or default: log a ~ N(floating mean, 0.5²).",
)
@click.option(
    "--tolerance",
    default=1e-5,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Largest change of a parameter at the end.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Parameters as JSON.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Report as one HTML file.")
@click.option("--note", default="", help="Whose responses these are; stands in the parameters and the report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def calibrate(
    responses: tuple[Path, ...],
    model: str,
    key_file: Path | None,
    priors_name: str,
    tolerance: float,
    out: Path | None,
    report: Path | None,
    note: str,
    as_json: bool,
) -> None:
    """Calibrate items from one or more files of RESPONSES (each file a sitting), by marginal maximum likelihood."""
    import calibration as cal

    try:
        key = cal.read_key(key_file) if key_file is not None else None
        parts = [cal.read_responses(path, key=key) for path in responses]
        data = cal.pool_responses(parts) if len(parts) > 1 else parts[0]
        statistics = cal.item_statistics(data)
        flags = cal.screen(statistics)
        begun = time.perf_counter()
        result = cal.calibrate(data, model=model, priors=cal.read_priors(priors_name), tolerance=tolerance)
        seconds = time.perf_counter() - begun
        result = replace(result.with_flags(flags), data_note=note)
        if out is not None:
            result.save(out)
        if report is not None:
            files = ", ".join(path.name for path in responses)
            cal.write_report(report, result, data, statistics, flags, lead=f"{note} {files}".strip())
    except (cal.ResponsesError, cal.CalibrationError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(result.document() | {"seconds": round(seconds, 4)}, ensure_ascii=False))
        return
    click.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in data.counts.items()))
    click.echo(str(result))
    for flag in flags:
        click.echo(f"{flag.item}: {flag.code}: {flag.message}")
    for path in (out, report):
        if path is not None:
            click.echo(f"wrote {path}")
