"""`tiku fit` and `tiku dif`: do the parameters describe the responses, and do they for everybody?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.command_line import (
    NEW_FILE,
    group_option,
    json_option,
    key_option,
    params_option,
    print_json,
    print_table,
    read_params,
    read_sittings,
    responses_argument,
    said_to_people,
    write_records,
)

if TYPE_CHECKING:
    from calibration import ItemParameters, Responses, Scale

SHOWN = 20  # rows on a terminal; the files have all


@click.command(epilog="Example: tiku fit responses.csv --params params.json --out fit.csv")
@responses_argument
@params_option
@key_option
@click.option(
    "--kind", type=click.Choice(["M2", "M2*", "C2"]), help="Fit of the model  [default: what the items allow]"
)
@click.option(
    "--mean-squares",
    default="marginal",
    show_default=True,
    type=click.Choice(["marginal", "eap", "map", "wle"]),
    help="Infit and outfit over the posterior, or at an estimate of ability.",
)
@click.option("--least-set", default=100, show_default=True, type=click.IntRange(2), help="Persons in a set for S-X².")
@click.option("--draws", default=20, show_default=True, type=click.IntRange(0), help="Plausible values for PV-Q1.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the plausible values.")
@click.option("--out", type=NEW_FILE, help="Items as CSV.")
@click.option("--persons", type=NEW_FILE, help="Persons as CSV.")
@click.option("--pairs", type=NEW_FILE, help="All pairs of items as CSV.")
@json_option
def fit(
    responses: tuple[Path, ...],
    params: Path,
    key_file: Path | None,
    kind: str | None,
    mean_squares: str,
    least_set: int,
    draws: int,
    seed: int,
    out: Path | None,
    persons: Path | None,
    pairs: Path | None,
    as_json: bool,
) -> None:
    """Fit of items, persons, pairs and the whole model in RESPONSES (each file a sitting), given parameters.

    Ability is normal in every group, with a mean and a standard deviation that are estimated from these responses.
    """
    from calibration import fit as f

    with said_to_people():
        scale, items = read_params(params)
        data = _read(responses, key_file, items)
        population = f.group_populations(data, items, scale)
        item_rows = f.item_fit(
            data, items, scale, population, mean_squares=mean_squares, least_set=least_set, draws=draws, seed=seed
        )
        person_rows = f.person_fit(data, items, scale, population)
        dependence = f.local_dependence(data, items, scale, population)
        try:
            model: dict[str, object] | None = None
            whole = f.model_fit(data, items, scale, population, kind=kind)  # type: ignore[arg-type]
            model, said = whole.row(), str(whole)
        except f.FitError as error:
            if kind is not None:
                raise
            said = f"fit of the model: {error}"
        for path, rows in (
            (out, [row.row() for row in item_rows]),
            (persons, person_rows.rows()),
            (pairs, dependence.rows(all_pairs=True)),
        ):
            if path is not None:
                write_records(path, rows)
    unusual = [person_rows.persons[i] for i in person_rows.unusual()]
    flagged_pairs = dependence.rows()
    if as_json:
        document = {
            "n_persons": len(data.persons),
            "groups": [
                {"name": name, "mean": float(mean), "sd": float(sd)}
                for name, mean, sd in zip(data.groups or ("",), *population, strict=True)
            ],
            "model": model,
            "model_message": said,
            "items": [row.row() | {"flags": list(row.flags)} for row in item_rows],
            "pairs": {"mean_q3": dependence.mean_q3, "flagged": flagged_pairs},
            "persons": {"method": person_rows.method, "n": len(data.persons), "unusual": unusual},
        }
        print_json(document)
        return
    click.echo(said)
    flagged = [row for row in item_rows if row.flags]
    click.echo(f"{len(item_rows)} items, {len(flagged)} flagged")
    columns = (
        "item",
        "n",
        "s_x2",
        "s_x2_df",
        "s_x2_p",
        "s_x2_n",
        "residual_p",
        "outfit",
        "infit",
        "item_rest",
        "rmsd",
        "flags",
    )
    _print([row.row() for row in flagged or item_rows], columns)
    click.echo(f"{len(flagged_pairs)} dependent pairs (mean Q3 {dependence.mean_q3:.3f})")
    _print(flagged_pairs, ("first", "second", "n", "q3", "q3_adjusted", "ld_z"))
    click.echo(f"{len(unusual)} of {len(data.persons)} persons answer unlike their ability (lz*)")
    if unusual:
        click.echo("  " + ", ".join(unusual[:SHOWN]) + (" …" if len(unusual) > SHOWN else ""))
    for path in (out, persons, pairs):
        if path is not None:
            click.echo(f"wrote {path}")


@click.command(epilog="Example: tiku dif responses.csv --params params.json --group group --method lr --out dif.csv")
@responses_argument
@params_option
@group_option
@click.option("--reference", help="Reference group  [default: the first in order]")
@click.option("--focal", help="Focal group  [default: the next]")
@click.option(
    "--method",
    default="lr",
    show_default=True,
    type=click.Choice(["lr", "wald", "rmsd", "mh", "logistic", "sibtest"]),
    help="Likelihood ratio, Wald, observed curves, Mantel-Haenszel, logistic regression, SIBTEST.",
)
@key_option
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Of purification, at most.")
@click.option("--out", type=NEW_FILE, help="All items as CSV.")
@json_option
def dif(
    responses: tuple[Path, ...],
    params: Path,
    group: str | None,
    reference: str | None,
    focal: str | None,
    method: str,
    key_file: Path | None,
    rounds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Items of RESPONSES that say another thing of equally able persons of different groups."""
    with said_to_people():
        scale, items = read_params(params)
        data = _read(responses, key_file, items, group)
        groups = sorted(data.groups)
        first, second = _two_groups(groups, group or "group", reference, focal)
        rows = _dif_rows(data, items, scale, first, second, method, rounds)
        if out is not None:
            write_records(out, rows)
    flagged = [row for row in rows if row.get("flagged") or str(row.get("category", "A"))[0] in "BC"]
    if as_json:
        document = {"method": method, "groups": groups, "reference": first, "focal": second, "items": rows}
        print_json(document)
        return
    click.echo(f"{method}: {second} against {first}, {len(rows)} rows, {len(flagged)} flagged")
    if any(row.get("independent") for row in rows):
        click.echo(
            "more than 500 parameters: the groups' estimates are taken as independent, without the error of the "
            "anchors that link them; take --method lr where a result is close"
        )
    shown = _COLUMNS.get(method, ())
    _print(flagged, shown or tuple(flagged[0] if flagged else ()))
    if out is not None:
        click.echo(f"wrote {out}")


_MODEL_COLUMNS = ("item", "n_reference", "n_focal", "statistic", "df", "p", "signed_area", "essd", "size", "anchor")
_COLUMNS = {
    "lr": _MODEL_COLUMNS,
    "wald": _MODEL_COLUMNS,
    "rmsd": ("item", "focal", "n_focal", "rmsd", "md", "anchor"),
    "sibtest": ("item", "n_reference", "n_focal", "beta", "se", "p", "size"),
}


def _dif_rows(
    data: Responses, items: Sequence[ItemParameters], scale: Scale, first: str, second: str, method: str, rounds: int
) -> list[dict[str, object]]:
    from calibration.fit.methods import dif as dif_by

    rows = dif_by(data, items, scale, method=method, reference=first, focal=second, rounds=rounds)
    return [row.row() if hasattr(row, "row") else asdict(row) for row in rows]


def _two_groups(groups: Sequence[str], column: str, reference: str | None, focal: str | None) -> tuple[str, str]:
    from calibration.fit import FitError

    if not groups:
        raise FitError(f"no column {column} in the responses; --group names the one that tells groups apart")
    for name in (reference, focal):
        if name is not None and name not in groups:
            raise FitError(f"no group {name!r} in column {column}; the groups are {', '.join(groups)}")
    if len(groups) < 2:
        raise FitError(f"column {column} holds one group, {groups[0]!r}; two are needed")
    first = reference or next(name for name in groups if name != focal)
    second = focal or next(name for name in groups if name != first)
    if first == second:
        raise FitError(f"reference and focal group are both {first!r}; name two different ones")
    return first, second


def _read(
    paths: Sequence[Path], key_file: Path | None, items: Sequence[ItemParameters], group: str | None = None
) -> Responses:
    most = max((max(item.category_scores) for item in items), default=1)
    from calibration.item_sets import with_sums_of

    return with_sums_of(items, read_sittings(paths, key_file, group=group, max_score=most))


def _print(rows: Sequence[dict[str, object]], columns: Sequence[str]) -> None:
    if rows:
        print_table(columns, [[row.get(name) for name in columns] for row in rows], most=SHOWN)
