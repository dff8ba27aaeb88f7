"""`tiku release`: a pool and a policy in, the list to publish and its report out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.command_line import FILE, FOLDER, csv_text, plain_errors, print_json, write_files_whole

if TYPE_CHECKING:
    from engine.release.result import Release


@click.command(
    epilog="Example: tiku release --pool pool.csv --policy policy.toml --blueprint blueprint.toml --papers 10 --seed 7 "
    "--out release"
)
@click.option("--pool", "pool_file", required=True, type=FILE, help="CSV: id, parameters and attributes.")
@click.option("--policy", "policy_file", required=True, type=FILE, help="TOML: shares, readiness, margins, limits.")
@click.option("--blueprint", "blueprint_file", type=FILE, help="TOML: what a future paper must be.")
@click.option("--papers", type=click.IntRange(1, 100), help="Papers that must remain, with --blueprint  [default: 1]")
@click.option(
    "--papers-limit",
    type=click.IntRange(1, 1000),
    help="Look for how many papers are left up to this number  [default: twice --papers]",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--out", required=True, type=FOLDER, help="Folder for release.csv, report.html and papers.csv.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def release(
    pool_file: Path,
    policy_file: Path,
    blueprint_file: Path | None,
    papers: int | None,
    papers_limit: int | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Choose a share of the bank to publish that mirrors it, and show that papers can still be made."""
    if blueprint_file is None and (papers or papers_limit):
        raise click.UsageError("--papers needs --blueprint: what must a future paper be?")
    import engine
    from engine.release.report import release_page

    with plain_errors():
        wanted = papers or 1
        chosen = engine.choose_release(
            engine.read_pool(pool_file),
            engine.read_policy(policy_file),
            seed=seed,
            blueprint=engine.read_blueprint(blueprint_file) if blueprint_file else None,
            papers=wanted if blueprint_file else 0,
            papers_limit=papers_limit or 2 * wanted,
        )
        page = release_page(chosen, lead=f"{pool_file.name}, {policy_file.name}")
        _write(out, chosen, page)
    if as_json:
        print_json(release_document(chosen))
        return
    click.echo(
        f"{len(chosen.items)} items, {chosen.public} of {chosen.counted} public; "
        f"worst margin {chosen.worst_margin:.2f}, worst cell {chosen.worst_cell:.2f} items off its quota; "
        f"KS of difficulty {chosen.ks_difficulty:.3f}"
    )
    if chosen.papers is not None:
        more = "at least " if chosen.papers.left == chosen.papers.limit else ""
        click.echo(f"{len(chosen.papers.forms)} papers assembled of secret items; {more}{chosen.papers.left} are left")
    for note in chosen.notes:
        click.echo(f"note: {note}")
    click.echo(f"wrote {out}")


def _write(out: Path, chosen: Release, page: str) -> None:
    """All files, or none of them; the papers of an earlier run are no proof of this one."""
    texts = {"release.csv": csv_text([["id", "reason"], *chosen.reasons.items()]), "report.html": page}
    if chosen.papers is not None:
        rows = [
            (paper, position, item)
            for paper, form in enumerate(chosen.papers.forms, start=1)
            for position, item in enumerate(form, start=1)
        ]
        texts["papers.csv"] = csv_text([("paper", "position", "id"), *rows])
    ours = (out / "report.html").is_file() and (out / "release.csv").is_file()
    write_files_whole(out, texts, stale=("papers.csv",) if ours and chosen.papers is None else ())


def release_document(chosen: Release) -> dict[str, Any]:
    """The release as plain JSON data."""
    return {
        "status": "feasible",
        **asdict(chosen),
        "public": chosen.public,
        "counted": chosen.counted,
        "share": chosen.public / chosen.counted,
        "worst_margin": chosen.worst_margin,
        "worst_cell": chosen.worst_cell,
    }
