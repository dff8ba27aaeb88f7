"""`tiku assemble`: a pool and a blueprint in, a CSV file a form and a report out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.command_line import FILE, FOLDER, csv_text, plain_errors, print_json, write_files_whole

if TYPE_CHECKING:
    from engine import Assembly, Blueprint, Form

FORM = re.compile("[A-Z]{1,2}")  # the names that forms have


@click.command(
    epilog="Example: tiku assemble --pool pool.csv --blueprint blueprint.toml --forms 2 --spares 1 --out papers"
)
@click.option("--pool", "pool_file", required=True, type=FILE, help="CSV or Parquet: id, parameters and attributes.")
@click.option("--params", "params_file", type=FILE, help="Parameters of the items, as `tiku calibrate --out` writes.")
@click.option("--blueprint", "blueprint_file", required=True, type=FILE, help="TOML: rules, marks, target.")
@click.option("--forms", default=1, show_default=True, type=click.IntRange(1, 100), help="Parallel forms.")
@click.option("--spares", default=0, show_default=True, type=click.IntRange(0, 20), help="Forms that may share items.")
@click.option(
    "--earlier",
    "earlier_files",
    multiple=True,
    metavar="NAME=FILE.csv",
    help="An earlier paper that an overlap rule names: CSV with a column id. Repeatable.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop with the best found; the result cannot be repeated then.",
)
@click.option("--out", required=True, type=FOLDER, help="Folder for one CSV a form and report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def assemble(
    pool_file: Path,
    params_file: Path | None,
    blueprint_file: Path,
    forms: int,
    spares: int,
    earlier_files: tuple[str, ...],
    seed: int,
    time_limit: float | None,
    out: Path,
    as_json: bool,
) -> None:
    """Assemble parallel forms to a blueprint; every rule is recounted from the items."""
    import engine
    from engine.assembly.report import assembly_page, form_rows

    with plain_errors():
        pool, blueprint = engine.read_pool(pool_file, parameters=params_file), engine.read_blueprint(blueprint_file)
        earlier = earlier_papers(earlier_files)
        assembly = engine.assemble(
            pool, blueprint, forms=forms, spares=spares, seed=seed, earlier=earlier, seconds=time_limit
        )
        files = {f"{form.name}.csv": csv_text(form_rows(form, pool, blueprint)) for form in assembly.forms}
        page = assembly_page(assembly, blueprint, pool, lead=pool_file.name)
        write_files_whole(out, files | {"report.html": page}, stale=_of_an_earlier_run(out, files))
    if as_json:
        print_json(assembly_document(assembly))
        return
    for form in assembly.forms:
        click.echo(f"{form.name}: {len(form.items)} items, {_nearness(form, blueprint)}")
    if assembly.predicted:
        click.echo(f"{assembly.predicted} items have predicted parameters")
    kept = sum(line.ok for line in assembly.recount)
    click.echo(f"{assembly.status}; recount: {kept} of {len(assembly.recount)} lines hold; wrote {out}")


def earlier_papers(named: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Item ids of earlier papers, given as NAME=FILE.csv. Raises ValueError for another form or a file without ids."""
    import engine

    papers: dict[str, tuple[str, ...]] = {}
    for one in named:
        name, equals, file = (part.strip() for part in one.partition("="))
        if not (name and equals and file):
            raise ValueError(f"--earlier {one!r}: expected NAME=FILE.csv, NAME being the `forms` of an overlap rule")
        if name in papers:
            raise ValueError(f"--earlier {name}: given twice")
        if not Path(file).is_file():
            raise ValueError(f"--earlier {name}: there is no file {file}")
        papers[name] = engine.read_pool(Path(file)).ids
    return papers


def assembly_document(assembly: Assembly) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "status": assembly.status,
        "forms": [
            {
                "name": form.name,
                "items": form.items,
                "deviation": form.deviation,
                "marks": form.marks,
                "minutes": form.minutes,
                "expected_score_at_cut": form.expected_at_cut,
                "accuracy": form.accuracy,
                "shuffles": dict(form.shuffles),
            }
            for form in assembly.forms
        ],
        "bound": min(form.bound for form in assembly.forms),
        "gap": max(form.deviation - form.bound for form in assembly.forms),
        "seconds": assembly.seconds,
        "seed": assembly.seed,
        "pool_digest": assembly.pool_digest,
        "recount": [asdict(line) for line in assembly.recount],
    }


def _of_an_earlier_run(out: Path, files: Mapping[str, str]) -> list[str]:
    """Forms beside an earlier report that this run did not make: left there they would pass for its papers."""
    if not (out / "report.html").is_file():
        return []
    return [path.name for path in out.glob("*.csv") if FORM.fullmatch(path.stem) and path.name not in files]


def _nearness(form: Form, blueprint: Blueprint) -> str:
    if blueprint.target is None:
        return "no target"
    of, off = blueprint.target.of, f"{form.deviation:.2%}"
    return {
        "information": f"information within {off} of the target"
        if blueprint.target.deviation == "relative"
        else f"information within {form.deviation:.3g} of the target",
        "marks": f"expected marks within {form.deviation:.3f} of the target",
        "maximize": f"information at the cut within {off} of the bound",
        "maximin": f"least information within {off} of the bound",
        "moments": f"mean and spread of {of} within {off} of the target",
    }[blueprint.target.match]
