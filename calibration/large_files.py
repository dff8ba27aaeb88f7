"""`tiku calibrate --stream` and `--cluster`: files that memory does not hold, and files on many machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calibration.classical_stream import streamed_statistics
from calibration.command_line import said_to_people
from calibration.distributed import calibrate_and_screen_files
from calibration.estimation.block_stream import block_stream
from calibration.files import check_writable
from calibration.responses import read_responses, stream_responses
from calibration.responses.arrow import parquet_files
from calibration.screening import screen
from calibration.streaming import calibrate_stream

if TYPE_CHECKING:
    from distributed import Client

    from calibration.calibrating import Progress
    from calibration.responses import Responses
    from calibration.result import Calibration
    from calibration.screening import Flag

# what both go without, by the names of the options
REFUSED = (
    "anchors",
    "grades",
    "report",
    "numbers",
    "form_file",
    "state",
    "resume",
    "reference",
    "sittings_are_groups",
    "group",
)
LOCAL = "local"


def calibrate_large(options: Mapping[str, Any], arguments: Mapping[str, Any], reading: Mapping[str, Any]) -> None:
    """Calibrate by the options of `tiku calibrate`, with `--stream` or `--cluster`.

    `arguments` are model and priors as `calibrate` takes them, `reading` those of `read_responses`.
    """
    way = "--cluster" if options["cluster"] is not None else "--stream"
    if options["cluster"] is not None and options["stream"]:
        raise click.UsageError("--stream and --cluster are two ways for large data: choose one")
    refused = [name for name in REFUSED if options.get(name)]
    usual = {"latent": "normal", "errors": "observed"}
    refused += [name for name, value in usual.items() if options[name] != value]
    if refused:
        raise click.UsageError(f"{way} goes without --{refused[0].removesuffix('_file').replace('_', '-')}")
    if arguments.get("testlets"):
        raise click.UsageError(f"{way} goes without item sets: leave out --item-sets and [testlets] of --spec")
    fitting = {
        "model": arguments["model"],
        "priors": arguments["priors"],
        "estimate": arguments["estimate"],
        "tolerance": options["tolerance"],
        "max_iterations": options["max_iterations"],
        "on_iteration": _shown,
    }
    with said_to_people():
        if options["out"] is not None:
            check_writable(options["out"])
        began = time.perf_counter()
        if way == "--stream":
            result, flags = _streamed(options["responses"], reading, fitting, options["threads"])
        else:
            result, flags = _over_cluster(options["responses"], options["cluster"], reading, fitting)
        seconds = time.perf_counter() - began
        result = replace(result, data_note=options["note"]).with_flags(flags)
        if options["out"] is not None:
            result.save(options["out"])
    if options["as_json"]:
        click.echo(json.dumps(result.document() | {"seconds": round(seconds, 3)}, ensure_ascii=False))
        return
    _end_of_progress()
    click.echo(str(result))
    for said in (*result.warnings, *flags):
        click.echo(f"  {said.item or 'warning'}: {said.code}: {said.message}")
    if options["out"] is not None:
        click.echo(f"wrote {options['out']}")


def _streamed(
    paths: Sequence[Path], reading: Mapping[str, Any], fitting: Mapping[str, Any], threads: int
) -> tuple[Calibration, tuple[Flag, ...]]:
    if len(paths) > 1:
        raise click.UsageError("--stream reads one Parquet file or one folder of them: put the files into a folder")
    streamed = block_stream(_counted(stream_responses(paths[0], **reading)))
    flags = screen(streamed_statistics(streamed))
    return calibrate_stream(streamed, **fitting, threads=threads), flags


def _over_cluster(
    paths: Sequence[Path], address: str, reading: Mapping[str, Any], fitting: Mapping[str, Any]
) -> tuple[Calibration, tuple[Flag, ...]]:
    files = [file for path in paths for file in (parquet_files(path) if path.is_dir() else [path])]
    with _cluster(address) as client:
        read = partial(read_responses, **reading)
        return calibrate_and_screen_files([file.resolve() for file in files], client, read=read, **fitting)


@contextmanager
def _cluster(address: str) -> Iterator[Client]:
    """A client of the dask scheduler at an address, or of one with workers on this machine."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise click.ClickException("--cluster needs dask: pip install 'tiku[distributed]'") from None
    if address == LOCAL:
        with (
            distributed.LocalCluster(threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"--cluster: no scheduler answers at {address!r} ({error})") from None
    with client:
        yield client


def _counted(chunks: Iterable[Responses]) -> Iterator[Responses]:
    """The chunks, with how many persons were read shown on a terminal."""
    persons = 0
    for chunk in chunks:
        yield chunk
        persons += len(chunk.persons)
        _say(f"read {persons:,} persons")


def _shown(progress: Progress) -> None:
    _say(f"iteration {progress.iteration}: log-likelihood {progress.log_likelihood:.3f}")


def _say(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{text}\033[K", err=True, nl=False)


def _end_of_progress() -> None:
    if sys.stderr.isatty():
        click.echo("", err=True)
