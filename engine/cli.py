"""`tiku assemble` and `tiku simulate`: files in, files out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.command_line import FILE, FOLDER, plain_errors, print_json, write_rows

if TYPE_CHECKING:
    from engine import Assembly, Blueprint


@click.command(
    epilog="Example: tiku assemble --pool pool.csv --blueprint blueprint.toml --forms 2 --spares 1 --out papers"
)
@click.option("--pool", "pool_file", required=True, type=FILE, help="CSV: id, a, b and attributes.")
@click.option("--blueprint", "blueprint_file", required=True, type=FILE, help="TOML: rules, marks, target.")
@click.option("--forms", default=1, show_default=True, type=click.IntRange(1, 20), help="Parallel forms.")
@click.option("--spares", default=0, show_default=True, type=click.IntRange(0, 6), help="Forms that may share items.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option("--out", required=True, type=FOLDER, help="Folder for one CSV a form and report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def assemble(
    pool_file: Path, blueprint_file: Path, forms: int, spares: int, seed: int, out: Path, as_json: bool
) -> None:
    """Assemble parallel forms to a blueprint; every rule is recounted from the items."""
    import engine
    from engine.reports import write_assembly_report

    with plain_errors():
        pool, blueprint = engine.read_pool(pool_file), engine.read_blueprint(blueprint_file)
        assembly = engine.assemble(pool, blueprint, forms=forms, spares=spares, seed=seed)
        marks = dict(zip(pool.ids, blueprint.item_marks(pool).tolist(), strict=True))
        for form in assembly.forms:
            rows = [[n, item, marks[item]] for n, item in enumerate(form.items, start=1)]
            write_rows(out / f"{form.name}.csv", [["position", "id", "marks"], *rows])
        for stale in _forms_of_an_earlier_run(out, {form.name for form in assembly.forms}):
            stale.unlink()
        write_assembly_report(out / "report.html", assembly, blueprint, lead=pool_file.name)
    if as_json:
        print_json(_assembly_document(assembly, blueprint, marks))
        return
    for form in assembly.forms:
        target = "no target" if blueprint.target is None else f"information within {form.deviation:.2%} of the target"
        click.echo(f"{form.name}: {len(form.items)} items, {target}")
    kept = sum(line.ok for line in assembly.recount)
    click.echo(f"recount: {kept} of {len(assembly.recount)} rules kept; wrote {out}")


def _forms_of_an_earlier_run(out: Path, names: set[str]) -> list[Path]:
    """Forms beside an earlier report that this run did not make: left there they would pass for its papers."""
    if not (out / "report.html").is_file():
        return []
    return [path for path in out.glob("[A-Z].csv") if path.stem not in names]


def _assembly_document(assembly: Assembly, blueprint: Blueprint, marks: dict[str, float]) -> dict[str, Any]:
    cut = min(range(len(assembly.theta)), key=lambda t: abs(assembly.theta[t] - assembly.theta_cut), default=None)
    return {
        "status": "feasible",
        "forms": [
            {
                "name": form.name,
                "items": form.items,
                "deviation": form.deviation,
                "marks": sum(marks[item] for item in form.items),
                "minutes": blueprint.minutes,
                "expected_score_at_cut": form.expected_marks[cut] if cut is not None else None,
                "accuracy": form.accuracy,
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


@click.command(epilog="Example: tiku simulate --pool pool.csv --design design.toml --examinees 500 --seed 7 --out sim")
@click.option("--pool", "pool_file", required=True, type=FILE, help="CSV: id, a, b and attributes.")
@click.option("--design", "design_file", required=True, type=FILE, help="TOML: [start] [content] [exposure] [stop].")
@click.option("--examinees", default=500, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--cut",
    default=0.60,
    show_default=True,
    type=click.FloatRange(min=0, max=1, min_open=True, max_open=True),
    help="Share of the marks that passes.",
)
@click.option("--out", required=True, type=FOLDER, help="Folder for examinees.csv.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Report as one HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def simulate(
    pool_file: Path,
    design_file: Path,
    examinees: int,
    seed: int,
    cut: float,
    out: Path,
    report: Path | None,
    as_json: bool,
) -> None:
    """Simulate an adaptive test: length, precision, exposure, decisions at the cut."""
    import numpy as np

    import engine
    from calibration import ReferenceForm
    from engine.reports import write_adaptive_report

    with plain_errors():
        pool, design = engine.read_pool(pool_file), engine.read_design(design_file)
        result = engine.simulate(pool, design, examinees=examinees, seed=seed)
        known = np.flatnonzero(pool.calibrated)
        reference = ReferenceForm.of_table(pool.parameters.take(known), np.full(len(known), 100 / len(known)))
        theta_cut = reference.cut(cut)
        columns = zip(result.theta, result.estimate, result.standard_error, result.length, strict=True)
        rows = [[i + 1, f"{t:.6f}", f"{e:.6f}", f"{s:.6f}", int(n)] for i, (t, e, s, n) in enumerate(columns)]
        write_rows(out / "examinees.csv", [["examinee", "theta", "estimate", "se", "items"], *rows])
        if report is not None:
            write_adaptive_report(report, result, pool, design, reference, cut_share=cut, lead=pool_file.name)
    summary = {
        "examinees": examinees,
        "mean_length": float(result.length.mean()),
        "bias": result.bias,
        "rmse": result.rmse,
        "mean_se": float(result.standard_error.mean()),
        "highest_exposure": float(result.exposure.max()),
        "never_used": float((result.exposure == 0).mean()),
        "overlap": result.overlap,
        "theta_cut": theta_cut,
        "seed": seed,
        "seconds": result.seconds,
    } | result.decisions(theta_cut)
    if as_json:
        print_json(summary)
        return
    for name, value in summary.items():
        shown = str(value) if isinstance(value, int) else f"{value:.4g}"
        click.echo(f"{name.replace('_', ' '):18} {shown}")
