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
    from engine import Assembly, Blueprint, Form, PanelDesign, Pool, RecountLine

PROVED = 1e-6  # a gap that is none
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
@click.option("--prove", is_flag=True, help="Say how near any form could come: slow, the whole model is branched.")
@click.option(
    "--on-the-fly",
    "fresh",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="N forms, one for each candidate, in one forms.csv.",
)
@click.option("--panel", "panel_file", type=FILE, help="TOML: modules of a multistage test, and its paths.")
@click.option("--panels", type=click.IntRange(1, 100), help="Panels that share no item.  [default: 1]")
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
    prove: bool,
    fresh: int | None,
    panel_file: Path | None,
    panels: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Assemble forms to a blueprint: parallel, on the fly, or panels; every rule is recounted from the items."""
    import engine
    from engine.assembly.report import assembly_page, form_rows

    plain = forms > 1 or spares > 0 or time_limit is not None or prove
    if (fresh is not None) + (panel_file is not None) + plain > 1:
        raise click.UsageError(
            "--on-the-fly, --panel and parallel forms (--forms, --spares, --time-limit, --prove) exclude each other"
        )
    if panels is not None and panel_file is None:
        raise click.UsageError("--panels needs --panel, the design of a panel")
    with plain_errors():
        pool, blueprint = engine.read_pool(pool_file, parameters=params_file), engine.read_blueprint(blueprint_file)
        earlier = earlier_papers(earlier_files)
        if fresh is not None:
            forms_on_the_fly(pool, blueprint, fresh, seed, earlier, out, as_json=as_json, lead=pool_file.name)
            return
        if panel_file is not None:
            design, lead = engine.read_panel(panel_file), pool_file.name
            panels_of(pool, blueprint, design, panels or 1, seed, earlier, out, as_json=as_json, lead=lead)
            return
        assembly = engine.assemble(
            pool, blueprint, forms=forms, spares=spares, seed=seed, earlier=earlier, seconds=time_limit, prove=prove
        )
        refuse_broken(assembly.recount)
        files = {f"{form.name}.csv": csv_text(form_rows(form, pool, blueprint)) for form in assembly.forms}
        page = assembly_page(assembly, blueprint, pool, lead=pool_file.name)
        write_files_whole(out, files | {"report.html": page}, stale=_of_an_earlier_run(out, files))
    if as_json:
        print_json(assembly_document(assembly))
        return
    for form in assembly.forms:
        click.echo(f"{form.name}: {len(form.items)} items, {_nearness(form, blueprint)}{_proof(form) if prove else ''}")
    if assembly.predicted:
        click.echo(f"{assembly.predicted} items have predicted parameters")
    kept = sum(line.ok for line in assembly.recount)
    click.echo(f"{assembly.status}; recount: {kept} of {len(assembly.recount)} lines hold; wrote {out}")


def refuse_broken(recount: Sequence[RecountLine]) -> None:
    """No file is written of forms that the recount finds wanting: the search was wrong, or the recount is."""
    broken = [line for line in recount if not line.ok]
    if broken:
        told = "; ".join(f"form {line.form}, rule {line.rule!r}: counted {line.value:g}" for line in broken[:5])
        raise click.ClickException(
            f"{len(broken)} of {len(recount)} lines of the recount do not hold, so nothing was written: {told}. This "
            "is a fault of tiku, not of your files: please report it with pool, blueprint and seed"
        )


def forms_on_the_fly(
    pool: Pool,
    blueprint: Blueprint,
    count: int,
    seed: int,
    earlier: Mapping[str, Sequence[str]],
    out: Path,
    *,
    as_json: bool,
    lead: str,
) -> None:
    """`--on-the-fly`: one table of all forms, and a page of them together."""
    import engine
    from engine.assembly.exposure import exposure
    from engine.assembly.fresh_report import fresh_page
    from engine.assembly.report import form_rows

    assembly = engine.assemble_on_the_fly(pool, blueprint, count, seed=seed, earlier=earlier)
    refuse_broken(assembly.recount)
    tables = [form_rows(form, pool, blueprint) for form in assembly.forms]
    names = list(dict.fromkeys(str(name) for head, *_ in tables for name in head))
    rows: list[list[object]] = [["form", *names]]
    for form, (head, *items) in zip(assembly.forms, tables, strict=True):
        cells = [dict(zip(map(str, head), item, strict=True)) for item in items]
        rows += [[form.name, *(one.get(name, "") for name in names)] for one in cells]
    page = fresh_page(assembly, blueprint, pool, lead=lead)
    write_files_whole(out, {"forms.csv": csv_text(rows), "report.html": page})
    if as_json:
        print_json(assembly_document(assembly))
        return
    used = exposure(assembly)
    worst = max(assembly.forms, key=lambda form: form.deviation)
    kept = sum(line.ok for line in assembly.recount)
    click.echo(f"{count} forms of {blueprint.length} items, each with {_nearness(worst, blueprint)}")
    shared = f"; two forms share {used.overlap:.1%} on average" if count > 1 else ""
    click.echo(f"{used.used} items used, none on more than {used.most:.1%} of the forms{shared}")
    click.echo(f"{assembly.status}; recount: {kept} of {len(assembly.recount)} lines hold; wrote {out}")


def panels_of(
    pool: Pool,
    blueprint: Blueprint,
    design: PanelDesign,
    panels: int,
    seed: int,
    earlier: Mapping[str, Sequence[str]],
    out: Path,
    *,
    as_json: bool,
    lead: str,
) -> None:
    """`--panel`: a CSV of the modules of each panel, one of the routes, and a page."""
    import engine
    from engine.assembly.panel_report import module_rows, panels_document, panels_page, route_rows

    built = engine.assemble_panels(pool, blueprint, design, panels=panels, seed=seed, earlier=earlier)
    refuse_broken([line for panel in built for line in panel.recount])
    files = {
        f"panel{n}.csv": csv_text(module_rows(panel, pool, blueprint, design)) for n, panel in enumerate(built, start=1)
    }
    files["routes.csv"] = csv_text(route_rows(built))
    page = panels_page(built, design, blueprint, pool, lead=lead)
    stale = [path.name for path in out.glob("panel*.csv") if path.name not in files] if out.is_dir() else []
    write_files_whole(out, files | {"report.html": page}, stale=stale)
    if as_json:
        print_json(panels_document(built))
        return
    for number, panel in enumerate(built, start=1):
        kept = sum(line.ok for line in panel.recount)
        modules = ", ".join(f"{name} {len(items)}" for name, items in panel.items.items())
        click.echo(f"panel {number}: {modules}; {len(design.ways)} paths; {panel.share_of_bound:.1%} of the bound")
        click.echo(f"  recount: {kept} of {len(panel.recount)} lines hold")
    click.echo(f"wrote {out}")


def _proof(form: Form) -> str:
    if not form.deviation - form.bound > PROVED:
        return "; proved: none comes nearer"
    if form.bound <= 0:
        return "; how near one could come was not proved within the work allowed"
    return f"; none comes nearer than {form.bound:.3%}"


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
