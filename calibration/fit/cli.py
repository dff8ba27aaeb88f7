"""`tiku fit` and `tiku dif`: do the parameters describe the responses, and do they for everybody?"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from calibration import ItemParameters, Responses, Scale

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
SHOWN = 20  # rows on a terminal; the files have all


@click.command(epilog="Example: tiku fit responses.csv --params params.json --out fit.csv")
@click.argument("responses", type=FILE)
@click.option("--params", required=True, type=FILE, help="Parameters as `tiku calibrate --out` writes them.")
@click.option("--key", "key_file", type=FILE, help="CSV item,key: the file holds options chosen.")
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
@click.option("--out", type=OUT, help="Items as CSV.")
@click.option("--persons", type=OUT, help="Persons as CSV.")
@click.option("--pairs", type=OUT, help="All pairs of items as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fit(
    responses: Path,
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
    """Fit of items, persons, pairs of items and the whole model in RESPONSES, given calibrated parameters."""
    import calibration as cal
    from calibration import fit as f

    try:
        scale, items = cal.read_parameters(params)
        data = _read(responses, key_file, items)
        population = f.group_populations(data, items, scale) if data.group is not None else None
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
                _write_csv(path, rows)
    except (cal.ResponsesError, cal.CalibrationError, cal.ModelError, f.FitError, OSError) as error:
        raise click.ClickException(str(error)) from None
    unusual = [person_rows.persons[i] for i in person_rows.unusual()]
    flagged_pairs = dependence.rows()
    if as_json:
        document = {
            "n_persons": len(data.persons),
            "model": model,
            "model_message": said,
            "items": [row.row() | {"flags": list(row.flags)} for row in item_rows],
            "pairs": {"mean_q3": dependence.mean_q3, "flagged": flagged_pairs},
            "persons": {"method": person_rows.method, "n": len(data.persons), "unusual": unusual},
        }
        click.echo(json.dumps(_finite(document), ensure_ascii=False, allow_nan=False))
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
    _echo_table([row.row() for row in flagged or item_rows], columns)
    click.echo(f"{len(flagged_pairs)} dependent pairs (mean Q3 {dependence.mean_q3:.3f})")
    _echo_table(flagged_pairs, ("first", "second", "n", "q3", "q3_adjusted", "ld_z"))
    click.echo(f"{len(unusual)} of {len(data.persons)} persons answer unlike their ability (lz*)")
    if unusual:
        click.echo("  " + ", ".join(unusual[:SHOWN]) + (" …" if len(unusual) > SHOWN else ""))
    for path in (out, persons, pairs):
        if path is not None:
            click.echo(f"wrote {path}")


@click.command(epilog="Example: tiku dif responses.csv --params params.json --group group --method lr --out dif.csv")
@click.argument("responses", type=FILE)
@click.option("--params", required=True, type=FILE, help="Parameters as `tiku calibrate --out` writes them.")
@click.option("--group", "column", default="group", show_default=True, help="Column that tells groups apart.")
@click.option("--reference", help="Reference group  [default: the first in order]")
@click.option("--focal", help="Focal group  [default: the next]")
@click.option(
    "--method",
    default="lr",
    show_default=True,
    type=click.Choice(["lr", "wald", "rmsd", "mh", "logistic", "sibtest"]),
    help="Likelihood ratio, Wald, observed curves, Mantel-Haenszel, logistic regression, SIBTEST.",
)
@click.option("--key", "key_file", type=FILE, help="CSV item,key: the file holds options chosen.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Of purification, at most.")
@click.option("--out", type=OUT, help="All items as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def dif(
    responses: Path,
    params: Path,
    column: str,
    reference: str | None,
    focal: str | None,
    method: str,
    key_file: Path | None,
    rounds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Items of RESPONSES that say another thing of equally able persons of different groups."""
    import calibration as cal
    from calibration.fit import FitError

    try:
        scale, items = cal.read_parameters(params)
        data = _read_with_groups(responses, column, key_file, items)
        first, second = _two_groups(data.groups, column, reference, focal)
        rows = _dif_rows(data, items, scale, first, second, method, rounds)
        if out is not None:
            _write_csv(out, rows)
    except (cal.ResponsesError, cal.CalibrationError, cal.ModelError, FitError, OSError) as error:
        raise click.ClickException(str(error)) from None
    flagged = [row for row in rows if row.get("flagged") or str(row.get("category", "A"))[0] in "BC"]
    if as_json:
        document = {"method": method, "groups": list(data.groups), "reference": first, "focal": second, "items": rows}
        click.echo(json.dumps(_finite(document), ensure_ascii=False, allow_nan=False))
        return
    click.echo(f"{method}: {second} against {first}, {len(rows)} rows, {len(flagged)} flagged")
    shown = _COLUMNS.get(method, ())
    _echo_table(flagged, shown or tuple(flagged[0] if flagged else ()))
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


def _read(path: Path, key_file: Path | None, items: Sequence[ItemParameters]) -> Responses:
    import calibration as cal

    key = cal.read_key(key_file) if key_file is not None else None
    most = max((item.categories for item in items), default=2) - 1
    return cal.read_responses(path, key=key, max_score=most)


def _read_with_groups(path: Path, column: str, key_file: Path | None, items: Sequence[ItemParameters]) -> Responses:
    """Responses whose groups are in any column of the CSV file: a reader of scores would take it for an item."""
    import numpy as np

    from calibration import ResponsesError

    try:
        header, *lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
        at = [name.strip() for name in header].index(column)
    except UnicodeDecodeError:
        raise ResponsesError(f"{path}: not UTF-8; save the file as UTF-8 CSV") from None
    except ValueError:
        raise ResponsesError(
            f"{path}, row 1: no column {column!r}; --group names the one that tells groups apart"
        ) from None
    persons = [name.strip().lower() for name in header].index("person") if "person" in map(str.lower, header) else None
    group_of: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if line and len(line) == len(header):
            person = line[persons].strip() if persons is not None else str(number)
            if group_of.setdefault(person, line[at].strip()) != line[at].strip():
                raise ResponsesError(f"{path}, row {number + 1}: person {person!r} is in another group than before")
    with TemporaryDirectory() as folder:
        without = Path(folder) / path.name
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [*line[:at], *line[at + 1 :]] if line else [] for line in (header, *lines)
        )
        without.write_text(text.getvalue(), encoding="utf-8")
        try:
            data = _read(without, key_file, items)
        except ResponsesError as error:
            raise ResponsesError(str(error).replace(str(without), str(path))) from None
    nobody = [person for person in data.persons if not group_of.get(person)]
    if nobody:
        raise ResponsesError(f"{path}: person {nobody[0]!r} has an empty cell in column {column}")
    names = tuple(sorted(set(group_of.values())))
    number_of = {name: g for g, name in enumerate(names)}
    return replace(data, group=np.array([number_of[group_of[p]] for p in data.persons], np.int32), groups=names)


def _write_csv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    from calibration import write_text_whole

    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: "" if _unknown(value) else value for name, value in row.items()} for row in rows)
    write_text_whole(path, text.getvalue())


def _unknown(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _finite(value: object) -> object:
    """The same document with null for numbers that are none, which JSON has no word for."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if _unknown(value) else value


def _echo_table(rows: Sequence[dict[str, object]], columns: Sequence[str]) -> None:
    if not rows:
        return
    cells = [[_cell(row.get(name)) for name in columns] for row in rows[:SHOWN]]
    widths = [max(len(name), *(len(line[n]) for line in cells)) for n, name in enumerate(columns)]
    for line in (list(columns), *cells):
        click.echo("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    if len(rows) > SHOWN:
        click.echo(f"  … {len(rows) - SHOWN} more")


def _cell(value: object) -> str:
    if _unknown(value):
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if value == round(value) and abs(value) >= 10 else f"{value:.3f}"
    return str(value)
