"""`tiku diagnose`: why a blueprint cannot be met from a pool, and the least change that can."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.assembly.cli import earlier_papers
from engine.command_line import FILE, plain_errors, print_json

if TYPE_CHECKING:
    from engine.diagnosis.examining import Diagnosis

NO_SOLUTION = 3


@click.command(epilog="Example: tiku diagnose --pool pool.csv --blueprint blueprint.toml --forms 4")
@click.option("--pool", "pool_file", required=True, type=FILE, help="CSV or Parquet: id, a, b and attributes.")
@click.option("--params", "params_file", type=FILE, help="Parameters of the items, as `tiku calibrate --out` writes.")
@click.option("--blueprint", "blueprint_file", required=True, type=FILE, help="TOML: rules, marks, target.")
@click.option("--forms", default=1, show_default=True, type=click.IntRange(1, 100), help="Parallel forms.")
@click.option("--earlier", multiple=True, metavar="NAME=FILE.csv", help="An earlier paper that overlap rules name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def diagnose(
    ctx: click.Context,
    pool_file: Path,
    params_file: Path | None,
    blueprint_file: Path,
    forms: int,
    earlier: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say whether a blueprint can be met, which rules stand in the way, and the least change that helps.

    Exits with 0 when it can be met, with 3 when it cannot (or no paper was found).
    """
    import engine

    with plain_errors():
        pool, blueprint = engine.read_pool(pool_file, parameters=params_file), engine.read_blueprint(blueprint_file)
        diagnosis = engine.diagnose(pool, blueprint, forms=forms, earlier=earlier_papers(earlier))
    if as_json:
        print_json(document_of(diagnosis))
    else:
        click.echo(text_of(diagnosis))
    if not diagnosis.feasible:
        ctx.exit(NO_SOLUTION)


def text_of(diagnosis: Diagnosis) -> str:
    """A diagnosis as a person reads it."""
    papers = "the paper" if diagnosis.forms == 1 else f"{diagnosis.forms} papers"
    if diagnosis.feasible:
        made = "a paper was found that keeps" if diagnosis.forms == 1 else f"{papers} were found that keep"
        return f"can be met: {made} every rule"
    cannot = diagnosis.status == "cannot be met"
    lines = [f"{diagnosis.status}: {papers}" if cannot else f"{papers} not found, and no proof that there is none"]
    if diagnosis.shortages:
        lines += ["", "What the pool holds and what is wanted:"]
        lines += [f"  {one.message}" for one in diagnosis.shortages]
        if 1 < diagnosis.forms > diagnosis.most_forms:
            lines.append(f"  By these counts there are at most {diagnosis.most_forms} such papers.")
    if diagnosis.conflict:
        lines += [
            "",
            "Rules that cannot all be kept:" if len(diagnosis.conflict) > 1 else "A rule that cannot be kept:",
        ]
        lines += [f"  {name}" for name in diagnosis.conflict]
        if diagnosis.irreducible and len(diagnosis.conflict) > 1:
            lines.append("  Without any one of them the others can be.")
    elif cannot:
        lines += ["", "Rules that contradict each other: not found beyond these counts."]
    if diagnosis.changes:
        how = "The least change" if diagnosis.least else "A change"
        done = "assembled, every rule kept" if diagnosis.witness else "not confirmed: no paper was found with it"
        lines += ["", f"{how} ({done}):", *(f"  {one.text}" for one in diagnosis.changes)]
    else:
        lines += ["", "No change was found within the work allowed."]
    return "\n".join(lines)


def document_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON data."""
    return {
        "status": diagnosis.status,
        "forms": diagnosis.forms,
        "most_forms": diagnosis.most_forms,
        "shortages": [asdict(one) for one in diagnosis.shortages],
        "conflict": list(diagnosis.conflict),
        "irreducible": diagnosis.irreducible,
        "changes": [asdict(one) for one in diagnosis.changes],
        "cost": diagnosis.cost,
        "least": diagnosis.least,
        "proposal": None if diagnosis.proposal is None else diagnosis.proposal.document(),
        "papers": [list(items) for items in diagnosis.witness],
    }
