"""`tiku security`: items that became known, candidates who knew them, sittings that passed too many."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration import command_line as shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibration.security import CusumChart

SHOWN = 20
RESULTS_HEADER = ("person", "suspect_items", "observed", "expected", "z", "p", "p_adjusted")

items_option = click.option(
    "--items",
    "items_file",
    required=True,
    type=shell.FILE,
    help="Items in question: ids, one a line, or a CSV column item.",
)
rate_option = click.option(
    "--rate", default=0.05, show_default=True, type=click.FloatRange(0, 1, min_open=True), help="False discovery rate."
)


@click.group()
def security() -> None:
    """Signs that items have become known, and that candidates knew them.

    Example: tiku security cusum 2024-1.csv 2024-2.csv 2024-3.csv --params params.json --items used.csv
    """


@security.command(
    epilog="Example: tiku security cusum 2024-1.csv 2024-2.csv 2024-3.csv --params params.json --items used.csv"
)
@shell.responses_argument
@shell.params_option
@items_option
@shell.key_option
@click.option(
    "--k", default=0.5, show_default=True, type=click.FloatRange(0, min_open=True), help="Half the gain to be found."
)
@click.option(
    "--run-length",
    default=500.0,
    show_default=True,
    type=click.FloatRange(1, min_open=True),
    help="Sittings to a false alarm, on average, for one item.",
)
@click.option("--out", type=shell.NEW_FILE, help="Every item at every sitting as CSV.")
@shell.json_option
def cusum(
    responses: tuple[Path, ...],
    params: Path,
    items_file: Path,
    key_file: Path | None,
    k: float,
    run_length: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Charts of items over sittings: RESPONSES in the order of time, each file a sitting.

    What an item gains beyond what the candidates' other items promise adds up until it signals (Veerkamp & Glas, 2000).
    """
    from calibration.exchange.tables import read_ids
    from calibration.security import cusum_charts

    with shell.said_to_people():
        scale, items = shell.read_params(params)
        sittings = [shell.read_sittings([path], key_file) for path in responses]
        charts = cusum_charts(sittings, read_ids(items_file), items, scale, k=k, run_length=run_length)
        if out is not None:
            shell.write_records(out, _records(charts, responses))
    if as_json:
        shell.print_json({"sittings": [path.name for path in responses], "charts": [asdict(chart) for chart in charts]})
        return
    signals = [chart for chart in charts if chart.signal is not None]
    click.echo(f"{len(signals)} of {len(charts)} items signal over {len(responses)} sittings (h = {charts[0].h:.2f})")
    shell.print_table(
        ("item", "observed", "expected", "sum", "signal"),
        [
            (
                chart.item,
                chart.observed[-1],
                chart.expected[-1],
                chart.sums[-1],
                "" if chart.signal is None else responses[chart.signal].name,
            )
            for chart in charts
        ],
    )
    if out is not None:
        click.echo(f"wrote {out}")


def _records(charts: Sequence[CusumChart], responses: Sequence[Path]) -> list[dict[str, object]]:
    return [
        {
            "item": chart.item,
            "sitting": path.name,
            "n": chart.n[t],
            "observed": chart.observed[t],
            "expected": chart.expected[t],
            "z": chart.z[t],
            "sum": chart.sums[t],
            "signal": int(chart.sums[t] > chart.h),
        }
        for chart in charts
        for t, path in enumerate(responses)
    ]


@security.command(
    epilog="Example: tiku security preknowledge 2024-3.csv --params params.json --items leaked.csv --out persons.csv"
)
@shell.responses_argument
@click.option("--params", type=shell.FILE, help="Parameters as `tiku calibrate --out` writes them; not for regression.")
@items_option
@shell.key_option
@click.option(
    "--method",
    default="predictive",
    show_default=True,
    type=click.Choice(["predictive", "lr", "regression"]),
    help="Exact tail given the secure items, likelihood ratio of two abilities, regression on the secure score.",
)
@rate_option
@click.option("--out", type=shell.NEW_FILE, help="Every person as CSV.")
@shell.json_option
def preknowledge(
    responses: tuple[Path, ...],
    params: Path | None,
    items_file: Path,
    key_file: Path | None,
    method: str,
    rate: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Persons of RESPONSES who did better on the items in question than their other answers promise.

    A small p is a reason to look at a candidate's papers and times, never a proof.
    """
    from calibration.exchange.tables import read_ids
    from calibration.security import likelihood_ratio_check, predictive_check, regression_check

    if params is None and method != "regression":
        raise click.UsageError(f"--method {method} needs --params; regression does without")
    with shell.said_to_people():
        data = shell.read_sittings(responses, key_file)
        suspect = read_ids(items_file)
        if params is None or method == "regression":
            results = regression_check(data, suspect, rate=rate)
        else:
            scale, items = shell.read_params(params)
            check = predictive_check if method == "predictive" else likelihood_ratio_check
            results = check(data, suspect, items, scale, rate=rate)
        records = [asdict(result) for result in results]
        if out is not None:
            shell.write_records(out, records)
    flagged = sorted((record for record in records if record["flagged"]), key=lambda record: record["p"])
    if as_json:
        shell.print_json({"method": method, "items": suspect, "rate": rate, "persons": records})
        return
    click.echo(f"{len(flagged)} of {len(records)} persons stand out on {len(suspect)} items ({method})")
    if flagged:
        shell.print_table(RESULTS_HEADER, [[record[name] for name in RESULTS_HEADER] for record in flagged], most=SHOWN)
    if out is not None:
        click.echo(f"wrote {out}")


@security.command("pass-rates", epilog="Example: tiku security pass-rates sittings.csv")
@click.argument("sittings", type=shell.FILE)
@click.option(
    "--level", default=0.01, show_default=True, type=click.FloatRange(0, 1, min_open=True), help="Of each test."
)
@shell.json_option
def pass_rates(sittings: Path, level: float, as_json: bool) -> None:
    """Sittings whose pass rate jumped, from a CSV sitting,n,passed in the order of time."""
    from calibration.exchange.tables import count, read_rows, read_text
    from calibration.security import pass_rate_jumps

    with shell.said_to_people():
        names, n, passed = [], [], []
        for place, row in read_rows(read_text(sittings), str(sittings), ("sitting", "n", "passed")):
            names.append(row["sitting"])
            n.append(count(row["n"], place, "n"))
            passed.append(count(row["passed"], place, "passed"))
        rates = pass_rate_jumps(n, passed, level=level)
    if as_json:
        shell.print_json({"sittings": [asdict(rate) | {"sitting": names[rate.sitting]} for rate in rates]})
        return
    jumped = [names[rate.sitting] for rate in rates if rate.flagged]
    click.echo(f"{len(jumped)} of {len(rates)} sittings passed more than those before them")
    shell.print_table(
        ("sitting", "n", "rate", "before", "z", "p", ""),
        [(names[r.sitting], r.n, r.rate, r.before, r.z, r.p, "jump" if r.flagged else "") for r in rates],
    )
