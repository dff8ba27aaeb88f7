"""`tiku simulate`: files in, files out."""

from __future__ import annotations

from pathlib import Path

import click

from engine.command_line import FILE, FOLDER, plain_errors, print_json, write_rows


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
