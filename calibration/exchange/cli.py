"""`tiku params convert`: parameters from one program's file to another's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.command_line import FILE, NEW_FILE, json_option, said_to_people
from calibration.exchange.formats import FORMATS, Format

if TYPE_CHECKING:
    from calibration.models import ItemParameters


def params_group(formats: Mapping[str, Format]) -> click.Group:
    """The verb `params` for these formats."""

    @click.group()
    def params() -> None:
        """Item parameters in the files of other programs."""

    listed = "".join(f"\n  {name:9} {one.summary}" for name, one in formats.items())

    @params.command(
        epilog="Example: tiku params convert params.json params-prm.txt",
        help="Convert item parameters from SRC to DST.\n\n"
        "The format of SRC is told by its content, that of DST by its name (.json, mirt.csv, irtq.csv, .csv, "
        f"-prm.txt) unless --from and --to say it.\n\n\b\nFormats:{listed}",
    )
    @click.argument("src", type=FILE)
    @click.argument("dst", type=NEW_FILE)
    @click.option("--from", "source", type=click.Choice(list(formats)), help="Format of SRC.")
    @click.option("--to", "target", type=click.Choice(list(formats)), help="Format of DST.")
    @click.option("--group", help="Which group to read, where SRC holds several.")
    @click.option(
        "--constant",
        "constant",
        default=1.0,
        show_default=True,
        type=click.FloatRange(min=0, min_open=True),
        help="D of SRC, where its format does not say (irtq).",
    )
    @json_option
    def convert(
        src: Path, dst: Path, source: str | None, target: str | None, group: str | None, constant: float, as_json: bool
    ) -> None:
        from calibration.exchange.formats import read_parameter_file, write_parameter_file

        with said_to_people():
            items, scale = read_parameter_file(src, source, group=group, D=constant, formats=formats)
            kind = write_parameter_file(dst, items, scale, target, formats=formats)
            lost = _lost(items, read_parameter_file(dst, kind, formats=formats)[0])
        models: dict[str, int] = {}
        for item in items:
            models[item.model] = models.get(item.model, 0) + 1
        if as_json:
            document = {"file": str(dst), "format": kind, "items": len(items), "models": models, "lost": lost}
            click.echo(json.dumps(document, ensure_ascii=False))
            return
        counts = ", ".join(f"{count} {model}" for model, count in models.items())
        click.echo(f"wrote {dst} ({kind}): {len(items)} items ({counts}); D of {src.name} is {scale.D:g}")
        if lost:
            click.echo(f"not in this format: {', '.join(lost)}")

    return params


def _lost(items: Sequence[ItemParameters], again: Sequence[ItemParameters]) -> list[str]:
    """What the items had and do not have after a round through the format."""
    has: dict[str, Callable[[ItemParameters], object]] = {
        "standard errors": lambda item: item.se,
        "covariances": lambda item: item.covariance,
        "marks of categories": lambda item: item.marks,
        "scores of categories": lambda item: item.scores,
        "numbers of persons": lambda item: item.n,
        "versions": lambda item: item.version,
    }
    return [what for what, of in has.items() if any(map(of, items)) and not any(map(of, again))]


params = params_group(FORMATS)
