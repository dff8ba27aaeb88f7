"""What the verbs of this package share: files read, tables and JSON shown, errors in one line."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.files import write_text_whole

if TYPE_CHECKING:
    from calibration.models import ItemParameters, Scale
    from calibration.responses import Responses

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE_OR_FOLDER = click.Path(exists=True, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
MOST_SCORE = 249

responses_argument = click.argument("responses", nargs=-1, required=True, type=FILE_OR_FOLDER)
params_option = click.option(
    "--params", required=True, type=FILE, help="Parameters as `tiku calibrate --out` writes them."
)
key_option = click.option("--key", "key_file", type=FILE, help="CSV item,key: the files hold options chosen.")
group_option = click.option("--group", help="Column that tells groups apart  [default: group]")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def read_sittings(
    paths: Sequence[Path], key_file: Path | None = None, *, group: str | None = None, max_score: int = MOST_SCORE
) -> Responses:
    """The responses of CSV and Parquet files, each a sitting, as one. Raises ResponsesError, OSError."""
    from calibration.responses import pool_responses, read_key, read_responses  # noqa: PLC0415  (`tiku --help` is quick)

    key = read_key(key_file) if key_file is not None else None
    parts = [read_responses(path, key=key, group=group, max_score=max_score) for path in paths]
    return pool_responses(parts) if len(parts) > 1 else parts[0]


def read_severities(path: Path) -> dict[str, float]:
    """Severities of raters (rater → logits) that stand with parameters; none where the file has none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("raters", {})
        return {name: float(one["value"]) for name, one in found.items()}
    except (ValueError, AttributeError, KeyError, TypeError):  # another format, which has no raters
        return {}


def read_params(path: Path) -> tuple[Scale, tuple[ItemParameters, ...]]:
    """Scale and parameters of `--params`; says so on stderr where they are of a run that did not converge.

    Raises CalibrationError, OSError.
    """
    from calibration.result import read_parameters  # noqa: PLC0415  (`tiku --help` is quick)

    scale, items = read_parameters(path)
    try:
        converged = json.loads(path.read_text(encoding="utf-8")).get("converged", True)
    except (ValueError, AttributeError):  # another format, which does not say
        converged = True
    if not converged:
        click.echo(f"{path}: the calibration did not converge: its parameters are where it stopped", err=True)
    return scale, items


@contextmanager
def said_to_people() -> Iterator[None]:
    """Errors that say what a person did wrong, as one line and exit code 1."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        raise click.ClickException(message) from None
    except ValueError as error:
        if not type(error).__module__.startswith("calibration."):
            raise
        raise click.ClickException(str(error)) from None


def print_json(document: object) -> None:
    """One JSON document, with null for numbers that do not exist."""
    click.echo(json.dumps(finite(document), ensure_ascii=False, allow_nan=False))


def finite(value: Any) -> Any:  # noqa: ANN401  (whatever JSON can hold)
    """The same data with null for NaN and infinity, which JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return value


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]], *, most: int | None = None) -> None:
    """Rows below a header, in columns, the numbers to the right; at most so many, and how many more there are."""
    shown = rows if most is None else rows[:most]
    cells = [list(header), *([cell_text(value) for value in row] for row in shown)]
    width = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        words = (text.ljust(w) if c == 0 else text.rjust(w) for c, (text, w) in enumerate(zip(row, width, strict=True)))
        click.echo("  ".join(words).rstrip())
    if len(rows) > len(shown):
        click.echo(f"… {len(rows) - len(shown)} more")


def cell_text(value: object) -> str:
    """A value as a table shows it: three digits behind the point, none for counts, – for what does not exist."""
    if value is None:
        return "–"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "–"
        return f"{value:.0f}" if value == round(value) and abs(value) >= 2 else f"{value:z.3f}"
    return str(value)


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows as CSV, whole or not at all; cells are empty for numbers that do not exist."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if _is_none(value) else value for value in row] for row in rows)
    write_text_whole(path, text.getvalue())


def write_records(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Records of the same names as CSV; an empty file for none."""
    names = list(records[0]) if records else []
    write_table(path, names, [[record[name] for name in names] for record in records])


def _is_none(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))
