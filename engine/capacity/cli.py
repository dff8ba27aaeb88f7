"""`tiku capacity`: how many more papers a bank gives, what runs out first, and what to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.assembly.cli import earlier_papers
from engine.command_line import FILE, csv_text, plain_errors, print_json

if TYPE_CHECKING:
    from engine.capacity.measuring import Capacity

SHOWN = 8  # rules, cells and kinds of items that the text names


@click.command(epilog="Example: tiku capacity --pool pool.csv --blueprint blueprint.toml --out to-write.csv")
@click.option("--pool", "pool_file", required=True, type=FILE, help="CSV or Parquet: id, a, b and attributes.")
@click.option("--params", "params_file", type=FILE, help="Parameters of the items, as `tiku calibrate --out` writes.")
@click.option("--blueprint", "blueprint_file", required=True, type=FILE, help="TOML: rules, marks, target.")
@click.option("--up-to", default=20, show_default=True, type=click.IntRange(1, 200), help="Papers that are enough.")
@click.option("--ahead", default=2, show_default=True, type=click.IntRange(0, 20), help="Papers to order items for.")
@click.option("--cells", default="", metavar="COLUMNS", help="Columns, apart by commas  [default: point,type,grade]")
@click.option("--earlier", multiple=True, metavar="NAME=FILE.csv", help="An earlier paper that overlap rules name.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV of the items to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def capacity(
    pool_file: Path,
    params_file: Path | None,
    blueprint_file: Path,
    up_to: int,
    ahead: int,
    cells: str,
    earlier: tuple[str, ...],
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say how many more papers without a common item a bank gives, what runs out first, and what to write next."""
    import engine
    from calibration import write_text_whole
    from engine.capacity.measuring import capacity as capacity_of

    columns = tuple(filter(None, (name.strip() for name in cells.split(","))))
    with plain_errors():
        pool, blueprint = engine.read_pool(pool_file, parameters=params_file), engine.read_blueprint(blueprint_file)
        papers = earlier_papers(earlier)
        result = capacity_of(pool, blueprint, up_to=up_to, ahead=ahead, cells=columns, earlier=papers, seed=seed)
        if out is not None:
            write_text_whole(out, csv_text(order_rows(result)))
    if as_json:
        print_json(document_of(result))
        return
    click.echo(text_of(result))
    if out is not None:
        click.echo(f"wrote {out}")


def order_rows(result: Capacity) -> list[list[object]]:
    """The items to write as a table: for which paper, the cell, how many, whether the paper was assembled with them."""
    columns = list(dict.fromkeys(name for step in result.steps for line in step.lines for name in line.cell))
    rows: list[list[object]] = [["paper", *columns, "items", "assembled"]]
    for step in result.steps:
        done = "yes" if step.assembled else "no"
        rows += [[step.papers, *(line.cell.get(name, "") for name in columns), line.items, done] for line in step.lines]
    return rows


def document_of(result: Capacity) -> dict[str, Any]:
    """A capacity as JSON data."""
    document = asdict(result)
    for step, held in zip(document["steps"], result.steps, strict=True):
        step["items"] = held.items
        step["papers_per_item"] = 1 / held.items if held.items else None
    return document


def text_of(result: Capacity) -> str:
    """A capacity as a person reads it."""
    lines = [f"{_papers(result.papers)} assembled that share no item; {_most(result)}"]
    lines += ["", "Rules that run out first (supply / need of a paper = papers):"]
    lines += [f"  {one.rule}: {one.supply:g} / {one.need:g} = {one.papers}" for one in result.rules[:SHOWN]]
    scarce = [one for one in result.cells if isfinite(one.papers)][:SHOWN]
    if scarce:
        lines += ["", "Cells that run out first (supply, left, taken by a paper):"]
        lines += [f"  {_cell(one.cell)}: {one.supply}, {one.left}, {one.need:.2f}" for one in scarce]
    for step in result.steps:
        done = "assembled with drafts of them" if step.assembled else "not confirmed: no assembly was found"
        lines += ["", f"To write for paper {step.papers}: {step.items} items, at least {step.fewest} ({done})"]
        lines += [f"  {line.items} × {_cell(line.cell)}" for line in step.lines[:SHOWN]]
        if len(step.lines) > SHOWN:
            lines.append(f"  and {step.items - sum(one.items for one in step.lines[:SHOWN])} more")
        if step.prices:
            priced = ", ".join(f"{name} {price:g}" for name, price in list(step.prices.items())[:SHOWN])
            lines.append(f"  items saved if a rule asked for one less: {priced}")
    return "\n".join(lines)


def _papers(count: int) -> str:
    return f"{count} paper{'' if count == 1 else 's'}"


def _most(result: Capacity) -> str:
    if result.papers == result.up_to:
        return "more were not asked for"
    if result.papers == result.bound:
        return "more there cannot be"
    return f"more than {result.bound} there cannot be, those between were not found"


def _cell(cell: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cell.items())
