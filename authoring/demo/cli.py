"""`tiku demo`: the whole loop on the sample bank, into a folder worth opening."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from authoring.demo.loop import Log
    from engine import RecountLine


@click.command(epilog="Example: tiku demo --out demo-out")
@click.option("--out", default="demo-out", show_default=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--force", is_flag=True, help="Replace the folder even if it holds something else.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def demo(out: Path, force: bool, as_json: bool) -> None:
    """Run the whole loop on the sample bank: import, review, calibrate, release, assemble, simulate."""
    from authoring.demo.folder import refuse_foreign, replaced_whole
    from authoring.demo.loop import summary, timed

    refuse_foreign(out, force=force)
    with replaced_whole(out, force=force) as work:
        log, seconds = timed(work, _progress)
    if as_json:
        click.echo(summary(log, seconds))
        return
    click.echo(_rows("what was done 做了什么", log.steps))
    click.echo(_faulty_rows(log))
    click.echo(_recount(log.recount))
    click.echo(_rows("files to open 打开看看", [(str(out / name), what) for name, what in _first(log.files)]))
    click.echo(f"done in {seconds:.1f} s")


def _progress(line: str) -> None:
    """Say a step on a terminal while the demo runs; files and pipes get the table at the end."""
    if sys.stderr.isatty():
        click.echo(f"… {line}"[:110], err=True)


def _rows(title: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"\n{title}", *(f"  {name:{width}}  {text}" for name, text in rows)])


def _faulty_rows(log: Log) -> str:
    rows = [(f"row {f.line}, {f.column or '-'}", f"{f.severity} {f.code}: {f.message}") for f in log.import_findings]
    return _rows("faulty rows 有问题的行 (items_with_faults.csv)", rows)


def _recount(lines: Sequence[RecountLine]) -> str:
    """Every rule with its bounds and what the recount found on each form."""
    forms = [name for name in dict.fromkeys(line.form for line in lines) if "/" not in name]
    rules: dict[str, dict[str, RecountLine]] = {}
    for line in lines:
        rules.setdefault(line.rule, {})[line.form] = line
    rows = []
    for rule, found in rules.items():
        one = next(iter(found.values()))
        wanted = _wanted(one.min, one.max)
        together = next((line for form, line in found.items() if "/" in form), None)
        values = (
            [f"{together.value:.2f}".rjust(8)]
            if together
            else [f"{found[f].value:8.6g}" if f in found else " " * 8 for f in forms]
        )
        verdict = "ok" if all(line.ok for line in found.values()) else "BROKEN"
        rows.append((rule, f"{wanted:>17} {' '.join(values)}  {verdict}"))
    head = f"{'wanted':>17} {' '.join(name.rjust(8) for name in forms)}"
    return _rows("recount of every rule 逐条复核", [("", head), *rows])


def _wanted(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low == high:
        return f"= {low:g}"
    if low is None:
        return f"<= {high:g}"
    return f">= {low:g}" if high is None else f"{low:.2f} - {high:.2f}"


def _first(files: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The files worth opening first, first."""
    order = ["papers/A.html", "papers/A-key.html", "papers/report.html", "calibration.html", "adaptive.html"]
    rank = {name: n for n, name in enumerate(order)}
    return sorted(files, key=lambda row: rank.get(row[0], len(order)))
