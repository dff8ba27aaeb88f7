"""`tiku link`, `tiku equate` and `tiku drift`: scales joined, marks made comparable, items watched."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from calibration.command_line import FILE, NEW_FILE, json_option, said_to_people

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from calibration.linking.anchors import AnchorRules
    from calibration.linking.equating import EquatingTable
    from calibration.linking.link import Link
    from calibration.models import ItemParameters, Scale

    Matrix = NDArray[np.float64]

Command = Any  # what click's decorators pass on
Parameters = tuple[Sequence["ItemParameters"], "Scale"]
METHODS = ("mean-mean", "mean-sigma", "haebara", "stocking-lord")


class LinkOptions(TypedDict):
    """What `_anchor_options` adds to a verb."""

    anchors: str
    method: str
    symmetric: bool
    weights: str
    keep_all: bool
    robust_z: float
    max_displacement: float
    max_rmsd: float
    min_anchors: int


def _anchor_options(command: Command) -> Command:
    options: list[Callable[[Command], Command]] = [
        click.option(
            "--anchors",
            default="common",
            show_default=True,
            metavar="FILE|common",
            help="Items to link on: all common ones, or those in FILE (one id a line, or a CSV with a column item).",
        ),
        click.option("--method", default="stocking-lord", show_default=True, type=click.Choice(METHODS)),
        click.option("--symmetric", is_flag=True, help="Characteristic-curve criterion on both scales."),
        click.option(
            "--weights",
            default="population",
            show_default=True,
            type=click.Choice(("population", "uniform")),
            help="Weights over theta: the scale's N(mean, sd²), or equal ones on 40 points from -4 to 4.",
        ),
        click.option("--keep-all", is_flag=True, help="Leave out no anchor, whatever it did."),
        click.option(
            "--robust-z",
            default=2.7,
            show_default=True,
            type=click.FloatRange(min=0, min_open=True),
            help="Leave an anchor out beyond this robust z.",
        ),
        click.option(
            "--max-displacement",
            default=0.5,
            show_default=True,
            type=click.FloatRange(min=0),
            help="Leave an anchor out whose b is displaced by more.",
        ),
        click.option(
            "--max-rmsd",
            default=0.1,
            show_default=True,
            type=click.FloatRange(min=0),
            help="Leave an anchor out whose curves are further apart.",
        ),
        click.option(
            "--min-anchors", default=5, show_default=True, type=click.IntRange(1), help="Stop leaving out at this many."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(epilog="Example: tiku link new.json bank.json --anchors common --method stocking-lord --out linked.json")
@click.argument("new", type=FILE)
@click.argument("base", type=FILE)
@_anchor_options
@click.option("--through", multiple=True, type=FILE, help="A calibration between NEW and BASE; several make a chain.")
@click.option("--out", type=NEW_FILE, help="NEW's items on the scale of BASE, as JSON.")
@click.option("--report", type=NEW_FILE, help="Report as one HTML file.")
@json_option
def link(
    new: Path,
    base: Path,
    through: tuple[Path, ...],
    out: Path | None,
    report: Path | None,
    as_json: bool,
    **options: Unpack[LinkOptions],
) -> None:
    """Put the items of NEW on the scale of BASE: theta* = A · theta + B from the items they have in common.

    NEW and BASE are parameter files of any known format.
    """
    from calibration.exchange import parameters_document
    from calibration.files import write_text_whole
    from calibration.linking.link import chain_links
    from calibration.linking.report import write_link_report

    with said_to_people():
        if report is not None and through:
            raise click.UsageError("--report shows one link; make one for each step of a chain")
        files = [_read(path) for path in (new, *through, base)]
        steps = [
            _linked(one, other, names, options)
            for (one, other), names in zip(pairwise(files), _steps((new, *through, base)), strict=True)
        ]
        whole = chain_links(steps) if len(steps) > 1 else steps[0]
        moved = whole.items(files[0][0])
        document = parameters_document(moved, replace(whole.scale, id=files[-1][1].id))
        if out is not None:
            shown = document | {"link": whole.document()}
            write_text_whole(out, json.dumps(shown, ensure_ascii=False, indent=1) + "\n")
        if report is not None:
            write_link_report(report, whole, files[0][0], files[-1][0], lead=f"{new.name} → {base.name}")
    if as_json:
        click.echo(
            json.dumps(
                {"links": [one.document() for one in steps], "whole": whole.document()}
                if through
                else whole.document(),
                ensure_ascii=False,
            )
        )
        return
    for step in steps:
        _print_link(step)
    if len(steps) > 1:
        click.echo(f"whole chain: {_constants(whole)}")
    for path in (out, report):
        if path is not None:
            click.echo(f"wrote {path}")


@click.command(
    epilog="Example: tiku equate form-x.json form-y.json --score observed --errors bootstrap --out table.csv"
)
@click.argument("new", type=FILE)
@click.argument("base", type=FILE)
@click.option("--score", default="true", show_default=True, type=click.Choice(("true", "observed")))
@click.option("--one-scale", is_flag=True, help="NEW and BASE are on one scale already: do not link.")
@click.option(
    "--new-weight",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of NEW's population in the synthetic one (observed scores).",
)
@click.option(
    "--errors",
    default="delta",
    show_default=True,
    type=click.Choice(("delta", "bootstrap", "none")),
    help="Standard errors; observed scores have them by bootstrap only.",
)
@click.option("--replications", default=200, show_default=True, type=click.IntRange(2))
@click.option("--seed", default=0, show_default=True, type=int, help="Of the bootstrap.")
@_anchor_options
@click.option("--out", type=NEW_FILE, help="The table as CSV.")
@json_option
def equate(
    new: Path,
    base: Path,
    score: str,
    one_scale: bool,
    new_weight: float,
    errors: str,
    replications: int,
    seed: int,
    out: Path | None,
    as_json: bool,
    **options: Unpack[LinkOptions],
) -> None:
    """Marks on the form BASE that mean the same as each sum of marks on the form NEW.

    The items of each file are the form.
    """
    from calibration.files import write_text_whole
    from calibration.linking import bootstrap_errors, with_errors

    with said_to_people():
        ours, theirs, names = _read(new), _read(base), (new.name, base.name)
        joined = _one_scale(ours, theirs, names) if one_scale else _linked(ours, theirs, names, options)
        table = _table(score, ours[0], theirs[0], joined, new_weight)
        if errors == "bootstrap":

            def drawn(new_items: Sequence[ItemParameters], base_items: Sequence[ItemParameters]) -> Matrix:
                again = joined
                if not one_scale:
                    again = _linked(
                        (new_items, ours[1]),
                        (base_items, theirs[1]),
                        names,
                        {**options, "keep_all": True},
                        joined.anchors,
                        errors=False,
                    )
                return _table(score, new_items, base_items, again, new_weight).equivalent

            se = bootstrap_errors(ours[0], theirs[0], drawn, replications=replications, seed=seed)
            table = with_errors(table, se, f"standard errors by bootstrap, {replications} draws, seed {seed}")
        elif errors == "none":
            table = replace(table, se=None)
        if out is not None:
            write_text_whole(out, table.csv_text())
    if as_json:
        click.echo(json.dumps(table.document() | {"link": joined.document()}, ensure_ascii=False))
        return
    if not one_scale:
        _print_link(joined)
    click.echo(f"{table.method} equating, {len(table.marks)} sums of marks")
    for note in table.notes:
        click.echo(note)
    if table.se is None and errors == "delta":
        click.echo(
            "no standard errors: " + ("use --errors bootstrap" if score == "observed" else "some items have none")
        )
    click.echo(table.csv_text() if out is None else f"wrote {out}\n", nl=False)


@click.command(epilog="Example: tiku drift 2024.json 2025.json")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@_anchor_options
@click.option(
    "--alpha",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Of the Wald tests, all items together.",
)
@click.option("--out", type=NEW_FILE, help="Every item as CSV.")
@json_option
def drift(old: Path, new: Path, alpha: float, out: Path | None, as_json: bool, **options: Unpack[LinkOptions]) -> None:
    """Items whose parameters moved from OLD to NEW, after linking on those that did not."""
    from calibration.exchange.tables import write_rows
    from calibration.files import write_text_whole
    from calibration.linking import DriftRules, item_drift

    with said_to_people():
        (old_items, old_scale), (new_items, new_scale) = _read(old), _read(new)
        result = item_drift(
            old_items,
            new_items,
            old_scale=replace(old_scale, id=old.name),
            new_scale=replace(new_scale, id=new.name),
            method=options["method"],
            anchors=_anchor_ids(options["anchors"]),
            anchor_rules=_rules(options),
            rules=DriftRules(alpha=alpha, robust_z=options["robust_z"], rmsd=options["max_rmsd"]),
        )
        document = result.document()
        if out is not None:
            rows = [
                {name: "" if value is None else value for name, value in row.items()}
                | {"flags": " ".join(row["flags"])}
                for row in document["items"]
            ]
            write_text_whole(out, write_rows(list(rows[0]), rows))
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    _print_link(result.link)
    for one in result.flagged:
        wald = (
            "" if one.p_adjusted is None else f", Wald {one.wald:.1f} on {one.df} (adjusted p = {one.p_adjusted:.2g})"
        )
        click.echo(
            f"{one.item}: {', '.join(one.flags)}: b {one.displacement:+.3f}, robust z {one.robust_z:.2f}{wald}, "
            f"RMSD {one.rmsd:.3f}"
        )
    for item, reason in result.not_compared.items():
        click.echo(f"{item}: not compared: {reason}")
    click.echo(f"{len(result.flagged)} of {len(result.items)} items flagged")
    if out is not None:
        click.echo(f"wrote {out}")


def _read(path: Path) -> tuple[tuple[ItemParameters, ...], Scale]:
    from calibration.exchange import read_parameter_file

    return read_parameter_file(path)


def _steps(paths: Sequence[Path]) -> list[tuple[str, str]]:
    return list(pairwise(str(path) for path in paths))


def _anchor_ids(anchors: str) -> list[str] | None:
    """Ids of the anchors from a file, None for all common items."""
    from calibration.exchange.tables import read_ids

    return None if anchors == "common" else read_ids(Path(anchors))


def _rules(options: LinkOptions) -> AnchorRules:
    from calibration.linking import AnchorRules

    return AnchorRules(
        robust_z=options["robust_z"],
        displacement=options["max_displacement"],
        rmsd=options["max_rmsd"],
        minimum=options["min_anchors"],
    )


def _linked(
    new: Parameters,
    base: Parameters,
    names: tuple[str, str],
    options: LinkOptions,
    anchors: Sequence[str] | None = None,
    *,
    errors: bool = True,
) -> Link:
    from calibration.linking import ThetaWeights, link_scales

    uniform = ThetaWeights.uniform() if options["weights"] == "uniform" else None
    return link_scales(
        new[0],
        base[0],
        new_scale=replace(new[1], id=names[0]),
        base_scale=replace(base[1], id=names[1]),
        method=options["method"],
        anchors=anchors if anchors is not None else _anchor_ids(options["anchors"]),
        weights=uniform,
        new_weights=uniform,
        symmetric=options["symmetric"],
        rules=None if options["keep_all"] else _rules(options),
        errors=errors,
    )


def _one_scale(new: Parameters, base: Parameters, names: tuple[str, str]) -> Link:
    from calibration.linking import LinkError, identity_link

    if new[1].D != base[1].D:
        raise LinkError(f"{names[0]} has D = {new[1].D:g}, {names[1]} D = {base[1].D:g}: they are not on one scale")
    return replace(identity_link(base[1]), new=replace(new[1], id=base[1].id))


def _table(
    score: str, new: Sequence[ItemParameters], base: Sequence[ItemParameters], join: Link, new_weight: float
) -> EquatingTable:
    from calibration.linking import observed_score_equating, true_score_equating

    if score == "true":
        return true_score_equating(new, base, join)
    return observed_score_equating(new, base, join, new_weight=new_weight)


def _constants(link: Link) -> str:
    se = link.se
    if se is None:
        return f"A = {link.A:.6f}, B = {link.B:.6f}"
    return f"A = {link.A:.6f} (SE {se[0]:.6f}), B = {link.B:.6f} (SE {se[1]:.6f})"


def _print_link(link: Link) -> None:
    from calibration.linking.anchors import reasons_of

    click.echo(f"{link.method}: {link.base.id} = A · {link.new.id} + B")
    click.echo(_constants(link))
    click.echo(f"{len(link.anchors)} anchors kept: {', '.join(link.anchors)}")
    for reason in reasons_of(link.dropped):
        click.echo(f"left out {reason}")
    for note in link.notes:
        click.echo(f"note: {note}")
