"""What the verbs of the engine share: options, one line for what is wrong, JSON, files whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
NO_SOLUTION = 3


class NoSolution(click.ClickException):
    """There is no solution; the message says why."""

    exit_code = NO_SOLUTION


@contextmanager
def plain_errors() -> Iterator[None]:
    """What is wrong with the input as one line: exit 1, or 3 where there is no solution."""
    import engine  # noqa: PLC0415  # a verb's --help loads no solver

    try:
        yield
    except (engine.InfeasibleBlueprintError, engine.InfeasibleReleaseError) as error:
        raise NoSolution(str(error)) from None
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(_plain(document), ensure_ascii=False, allow_nan=False))


def _plain(value: object) -> object:
    """The same data with null where a number does not exist, as JSON has no NaN, and dates as ISO 8601 writes them."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue()


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A CSV file, whole or not at all."""
    write_files_whole(path.parent, {path.name: csv_text(rows)})


def write_files_whole(folder: Path, texts: Mapping[str, str], *, stale: Sequence[str] = ()) -> None:
    """Files of a folder by name: all are written beside their places before the first takes its place.

    Files named in `stale` belonged to an earlier run and are removed with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in texts:
        if (folder / name).is_dir():
            raise IsADirectoryError(f"{folder / name} is a folder: a file should go there")
    waiting: dict[str, Path] = {}
    try:
        for name, text in texts.items():
            handle, path = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            waiting[name] = Path(path)
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            waiting[name].chmod(0o644)
        for name in texts:
            waiting[name].replace(folder / name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
    finally:
        for left in waiting.values():
            left.unlink(missing_ok=True)
