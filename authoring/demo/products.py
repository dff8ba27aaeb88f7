"""What comes out of the calibrated bank: a release, papers, an adaptive test, and the reports on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import calibration as cal
import engine
from authoring.calibrations.pools import calibrated_pool
from authoring.database import reading, writing
from authoring.demo.log import Log, write_csv
from authoring.demo.sample import POPULATION, sample_folder
from authoring.papers.rules import approve_paper, paper_documents, save_paper, standard_blueprint
from authoring.people.actors import Actor, Role
from authoring.releases.rules import public_items, publish
from item_formats import read_items_csv, render_paper, write_package

if TYPE_CHECKING:
    from authoring.database import Bank

SEED = 20261122
REFERENCE_DATE = datetime(2026, 11, 22, 8, 0)  # noqa: DTZ001  # stands in zips, where times have no zone
TITLE = "人工智能训练师（三级）理论知识试卷"
MINUTES = 90
FORM = {"true_false": (40, 0.5), "single": (140, 0.5), "multiple": (10, 1.0)}
SHARE = 0.10
STRATA = ("section", "type", "grade")
PAPERS = 2  # that must remain once the release is out
READY = engine.Readiness("孙丽", date(2026, 11, 20), "示例决定 sample decision: theory of 人工智能训练师 level 3")
EXAMINEES = 500
SIMULATED = f"模拟数据 SIMULATED RESPONSES: {POPULATION}"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The pretest calibration and what it saw."""

    result: cal.Calibration
    responses: cal.Responses
    statistics: tuple[cal.ItemStatistics, ...]
    flags: tuple[cal.Flag, ...]
    id: int

    @property
    def flagged(self) -> set[str]:
        return {flag.item for flag in self.flags}


@dataclass(frozen=True, slots=True)
class Plan:
    """A release and the papers that can be made beside it, thought through before anything is published."""

    pool: engine.Pool  # as it is, and as it will be once the release is out
    pool_after: engine.Pool
    policy: engine.ReleasePolicy
    release: engine.Release
    blueprint: engine.Blueprint
    assembly: engine.Assembly


def plan(bank: Bank, standard: int, calibrated: Calibrated) -> Plan:
    """Choose a release and assemble the papers from what stays secret, before anything is published for good."""
    with reading(bank) as session:
        pool = calibrated_pool(session, standard, calibrated.id)
        blueprint = standard_blueprint(
            session, standard, title=TITLE, minutes=MINUTES, types=FORM, target=engine.Target()
        )
    policy = engine.ReleasePolicy(
        SHARE, readiness=(READY,), margins=STRATA, cells=STRATA, withhold=({"flagged": "yes"},)
    )
    release = engine.choose_release(pool, policy, seed=SEED, blueprint=blueprint, papers=PAPERS)
    public = set(release.items)
    rows = [pool.row(j) | ({"published": "yes"} if item in public else {}) for j, item in enumerate(pool.ids)]
    after = engine.Pool.from_rows(rows)
    assembly = engine.assemble(after, blueprint, forms=2, spares=1, seed=SEED)
    return Plan(pool, after, policy, release, blueprint, assembly)


def release_items(bank: Bank, people: dict[Role, Actor], standard: int, planned: Plan, out: Path, log: Log) -> None:
    """Publish the planned release, with its effects on record, and write the public package."""
    owner, chosen = people[Role.ADMINISTRATOR], planned.release
    with writing(bank, owner) as session:
        release_id = publish(session, owner, standard, chosen, planned.policy)
        shown = public_items(session, release_id)
    folder = out / "release"
    folder.mkdir()
    write_package(
        folder / "release.zip",
        identifier="release-1",
        title="人工智能训练师（三级）公开题",
        items=shown,
        modified=REFERENCE_DATE,
    )
    write_csv(folder / "release.csv", [["item", "reason"], *map(list, chosen.reasons.items())])
    engine.write_release_report(folder / "report.html", chosen, lead=SIMULATED)
    log.step(
        "release",
        f"{len(chosen.items)} of {len(planned.pool)} items published without keys: margins at most "
        f"{chosen.worst_margin:.2f} and cells at most {chosen.worst_cell:.2f} items off proportional, "
        f"KS of difficulty {chosen.ks_difficulty:.3f}",
    )
    used = set(chosen.items) & {item for form in planned.assembly.forms for item in form.items}
    log.step("  effect", f"{len(used)} published items in the papers; {_effect(chosen)}")
    log.files += [
        ("release/report.html", "which items, why, how they mirror the bank, what it costs"),
        ("release/release.zip", "public package: stems and options, no keys"),
        ("release/release.csv", "the published items, and why each was chosen"),
    ]


def _effect(release: engine.Release) -> str:
    """What memorised items would do, in a sentence."""
    if release.effects is None:
        return "without parameters their effect cannot be said"
    passes = {(row.share, row.memorised): row.false_passes for row in release.effects.rows}
    return (
        f"were they 10 / 20 % of a paper's marks and known by heart, {passes[0.10, 1.0]:.1%} / {passes[0.20, 1.0]:.1%} "
        f"of true failers would pass ({release.effects.now:.1%} do anyway)"
    )


def save_papers(bank: Bank, people: dict[Role, Actor], standard: int, planned: Plan, out: Path, log: Log) -> None:
    """Keep the assembled forms as papers, have them approved, and write them."""
    organizer, approver = people[Role.ORGANIZER], people[Role.APPROVER]
    assembly, blueprint = planned.assembly, planned.blueprint
    for form in assembly.forms:
        with writing(bank, organizer) as session:
            save_paper(session, organizer, standard, form, assembly, blueprint, code=form.name, title=TITLE)
        with writing(bank, approver) as session:
            approve_paper(session, approver, form.name)
        _write_paper(bank, form.name, out / "papers", spare=form.spare, log=log)
    planned.pool_after.write_csv(out / "pool.csv")
    report = out / "papers" / "report.html"
    engine.write_assembly_report(report, assembly, blueprint, planned.pool_after, lead=f"{TITLE}。{SIMULATED}")
    log.recount = assembly.recount
    shared = engine.form_overlaps(assembly)
    kept = sum(line.ok for line in assembly.recount)
    log.step(
        "papers",
        f"A and B parallel, C spare, {blueprint.length} items each; shared items "
        + ", ".join(f"{one}/{other} {count}" for (one, other), count in shared.items())
        + f"; {kept} of {len(assembly.recount)} recounted rules kept",
    )
    middle = assembly.theta.index(min(assembly.theta, key=lambda t: abs(t - assembly.theta_cut)))
    log.step(
        "  at the cut",
        f"theta {assembly.theta_cut:.3f}: expected marks "
        + ", ".join(f"{form.name} {form.expected_marks[middle]:.2f}" for form in assembly.forms)
        + "; information off target at most "
        + ", ".join(f"{form.name} {form.deviation:.1%}" for form in assembly.forms),
    )
    log.files += [
        ("papers/report.html", "how parallel the papers are, and every rule recounted"),
        ("pool.csv", "the pool with its parameters, for tiku assemble"),
    ]


def _write_paper(bank: Bank, code: str, folder: Path, *, spare: bool, log: Log) -> None:
    with reading(bank) as session:
        paper = paper_documents(session, code)
        secret = paper_documents(session, code, secrecy="机密")
    cal.write_text_whole(folder / f"{code}.html", render_paper(paper.sheet))
    cal.write_text_whole(folder / f"{code}-key.html", render_paper(secret.sheet, answer_key=True))
    write_package(
        folder / f"{code}.zip",
        identifier=f"package-{code}",
        title=f"{TITLE} {code}",
        items=paper.items,
        test=paper.test,
        modified=REFERENCE_DATE,
    )
    kind = "spare" if spare else "parallel"
    log.files += [
        (f"papers/{code}.html", f"{kind} paper {code}, to print"),
        (f"papers/{code}-key.html", "its key with rationales"),
        (f"papers/{code}.zip", f"paper {code} as QTI 3 package"),
    ]


def report_calibration(calibrated: Calibrated, cut: float, out: Path, log: Log) -> None:
    """Every item with its curve and flags, and the parameters as JSON."""
    table = read_items_csv(sample_folder() / "items.csv")
    labels = {row.identifier: _short(row.item.stem_text) for row in table.rows}
    calibrated.result.save(out / "params.json")
    cal.write_report(
        out / "calibration.html",
        calibrated.result,
        calibrated.responses,
        calibrated.statistics,
        calibrated.flags,
        lead=f"人工智能训练师三级试测。{SIMULATED}",
        cut=cut,
        labels=labels,
    )
    log.files += [
        ("calibration.html", "every item with curve and flags, test information with the cut"),
        ("params.json", "item parameters with standard errors"),
    ]


def _short(text: str, length: int = 36) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def simulate_adaptive(planned: Plan, out: Path, log: Log) -> None:
    """The adaptive version of the exam on the secret items, on simulated examinees."""
    pool = planned.pool_after
    reference = engine.reference_form(pool, planned.blueprint)
    design = engine.read_design(sample_folder() / "design.toml")
    secret = [pool.row(j) for j in range(len(pool)) if pool.attributes["published"][j] == "no"]
    simulation = engine.simulate(engine.Pool.from_rows(secret), design, examinees=EXAMINEES, seed=SEED)
    engine.write_adaptive_report(
        out / "adaptive.html",
        simulation,
        pool,
        design,
        reference,
        lead=f"人工智能训练师三级。{EXAMINEES} 名模拟考生 SIMULATED EXAMINEES, theta ~ N(0, 1), seed {SEED}",
    )
    decisions = simulation.decisions(reference.cut())
    log.step(
        "adaptive",
        f"{EXAMINEES} simulated examinees: {simulation.length.mean():.1f} items on average "
        f"({simulation.length.min()}-{simulation.length.max()}), SE {simulation.standard_error.mean():.2f}, "
        f"highest exposure {simulation.exposure.max():.0%}, pass/fail right for {decisions['accuracy']:.1%}",
    )
    log.files.append(("adaptive.html", "the adaptive version simulated: length, precision, exposure, decisions"))
