"""One turn of the loop: write → review → pretest → calibrate → release a share → assemble → simulate.

Everything goes through the bank, as six people with a role each; every step leaves its events in the audit trail.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import calibration as cal
import engine
from authoring.audit.chain import link_waiting, verify
from authoring.audit.export import export
from authoring.calibrations.rules import calibrated_pool, key_differences, register_sitting, save_calibration
from authoring.database import open_bank, reading, writing
from authoring.demo.sample import POPULATION, SITTINGS, sample_folder
from authoring.items.rules import ImportReport, import_items
from authoring.migrations.running import upgrade
from authoring.papers.rules import approve_paper, paper_documents, save_paper, standard_blueprint
from authoring.people.actors import SYSTEM, Actor, Role
from authoring.people.rules import add_person
from authoring.releases.rules import public_items, publish
from authoring.reviews.rules import BlindReview, accept, approve, blind_items, review, submit
from authoring.reviews.tables import Verdict
from authoring.standards.outlines import check_outline, read_outline
from authoring.standards.rules import load_outline, view_standard
from item_formats import CandidateProfile, Finding, read_items_csv, render_paper, write_package

if TYPE_CHECKING:
    from authoring.database import Bank

SEED = 20261122
REFERENCE_DATE = datetime(2026, 11, 22, 8, 0)  # noqa: DTZ001  # stands in zips, where times have no zone
TITLE = "人工智能训练师（三级）理论知识试卷"
MINUTES = 90
FORM = {"true_false": (40, 0.5), "single": (140, 0.5), "multiple": (10, 1.0)}
SHARE = 0.10
EXAMINEES = 500
PEOPLE = {
    "li.na": ("李娜", Role.AUTHOR),
    "wang.qiang": ("王强", Role.REVIEWER),
    "zhao.min": ("赵敏", Role.APPROVER),
    "chen.jing": ("陈静", Role.PSYCHOMETRICIAN),
    "zhou.tao": ("周涛", Role.ORGANIZER),
    "sun.li": ("孙丽", Role.ADMINISTRATOR),
}


@dataclass(slots=True)
class Log:
    """What the demo did: (step, result) rows, the files it wrote with what they are, and the recount."""

    say: Callable[[str], None]
    steps: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)
    recount: tuple[engine.RecountLine, ...] = ()
    import_findings: tuple[Finding, ...] = ()

    def step(self, name: str, result: str) -> None:
        self.steps.append((name, result))
        self.say(f"{name}: {result}")


@dataclass(frozen=True, slots=True)
class _Calibrated:
    result: cal.Calibration
    responses: cal.Responses
    statistics: tuple[cal.ItemStatistics, ...]
    flags: tuple[cal.Flag, ...]
    id: int

    @property
    def flagged(self) -> set[str]:
        return {flag.item for flag in self.flags}


def run(out: Path, say: Callable[[str], None]) -> Log:
    """Run the loop into the empty folder `out`."""
    log = Log(say)
    database = out / "bank.db"
    upgrade(database)
    bank = open_bank(database)
    try:
        people = _people(bank, log)
        standard = _standard(bank, people, log)
        _items(bank, people, standard, out, log)
        _review(bank, people, log)
        calibrated = _calibrate(bank, people, standard, log)
        _accept(bank, people, calibrated, log)
        release = _release(bank, people, standard, calibrated, out, log)
        blueprint, pool, assembly = _papers(bank, people, standard, calibrated, out, log)
        reference, _ = engine.reference_form(pool, blueprint)
        _release_report(release, pool, blueprint, assembly, out, log)
        _calibration_report(calibrated, assembly.theta_cut, out, log)
        _adaptive(pool, reference, out, log)
        _audit(bank, out, log)
    finally:
        bank.close()
    log.files.append(("bank.db", "the bank: make serve opens it"))
    return log


def _people(bank: Bank, log: Log) -> dict[Role, Actor]:
    with writing(bank, SYSTEM) as session:
        people = {role: add_person(session, SYSTEM, code, name, [role]) for code, (name, role) in PEOPLE.items()}
    log.step("bank", f"{len(people)} people: " + ", ".join(f"{actor.name} {role}" for role, actor in people.items()))
    return people


def _standard(bank: Bank, people: dict[Role, Actor], log: Log) -> int:
    document = read_outline((sample_folder() / "outline.json").read_bytes())
    with writing(bank, people[Role.ADMINISTRATOR]) as session:
        standard = load_outline(session, people[Role.ADMINISTRATOR], document).id or 0
    with reading(bank) as session:
        view = view_standard(session, standard)
    outline = view.outlines[0]
    weights = ", ".join(f"{row.name} {row.weight:g}" for row in outline.weight_table if row.weight is not None)
    log.step("standard", f"{view.occupation} {view.occupation_code} {view.level}: weights (shares of marks) {weights}")
    log.step("  provenance", f"outline: {outline.provenance}")
    log.step("  provenance", f"weights: {outline.weights_provenance}")
    log.step("  provenance", f"importance X/Y/Z: {document.importance_provenance}")
    for finding in check_outline(document):
        log.step("  outline check", finding.message)
    return standard


def _items(bank: Bank, people: dict[Role, Actor], standard: int, out: Path, log: Log) -> None:
    author = people[Role.AUTHOR]

    def imported(name: str) -> ImportReport:
        table = read_items_csv(sample_folder() / name)
        with writing(bank, author) as session:
            return import_items(session, author, standard, table)

    good, again, bad = imported("items.csv"), imported("items.csv"), imported("items_with_faults.csv")
    if good.errors:
        raise RuntimeError(f"the sample bank has faulty rows: {good.errors[0].message}")
    log.step("items", f"{len(good.created)} drafts from items.csv; a second import adds {len(again.created)}")
    log.import_findings = bad.findings
    log.step(
        "faulty rows", f"items_with_faults.csv: {len(bad.errors)} errors reported, {len(bad.created)} rows taken in"
    )
    rows = [[f.line or "", f.column or "", f.item or "", f.severity, f.code, f.message] for f in bad.findings]
    _write_csv(out / "import-report.csv", [["row", "column", "item", "severity", "code", "message"], *rows])
    log.files.append(("import-report.csv", "each faulty row: column, code, what was expected"))


def _review(bank: Bank, people: dict[Role, Actor], log: Log) -> None:
    """Author, reviewer and approver are three people; the reviewer answers blind, as the sample's second reader did."""
    with (sample_folder() / "second_reading.csv").open(encoding="utf-8", newline="") as file:
        answers = {row["item"]: row["answer"] for row in csv.DictReader(file)}
    codes = list(answers)
    author, reviewer, approver = people[Role.AUTHOR], people[Role.REVIEWER], people[Role.APPROVER]
    with writing(bank, author) as session:
        submit(session, author, codes)
    with reading(bank) as session:
        shown = blind_items(session, reviewer, codes)
    if any(item.correct for item in shown.values()):
        raise RuntimeError("a reviewer was shown a key")
    with writing(bank, reviewer) as session:
        outcomes = review(session, reviewer, [BlindReview(code, answers[code], Verdict.ACCEPT) for code in shown])
    passed = [one.code for one in outcomes if one.verdict is Verdict.ACCEPT]
    with writing(bank, approver) as session:
        approve(session, approver, passed)
    agreed = sum(one.answer_matches for one in outcomes)
    log.step(
        "review",
        f"{author.name} wrote, {reviewer.name} answered blind ({agreed} of {len(outcomes)} agree with the key), "
        f"{approver.name} let {len(passed)} into pretest",
    )


def _calibrate(bank: Bank, people: dict[Role, Actor], standard: int, log: Log) -> _Calibrated:
    psychometrician = people[Role.PSYCHOMETRICIAN]
    folder = sample_folder() / "sittings"
    key = cal.read_key(folder / "keys.csv")
    files = [folder / f"{number}.csv" for number in SITTINGS]
    parts = [cal.read_responses(file, key=key) for file in files]
    responses = cal.pool_responses(parts)
    statistics = cal.item_statistics(responses)
    flags = cal.screen(statistics)
    result = cal.calibrate(responses, model="2PL", priors=cal.DEFAULT_PRIORS).with_flags(flags)
    with writing(bank, psychometrician) as session:
        sittings = [
            register_sitting(
                session,
                psychometrician,
                standard,
                f"pretest-{file.stem}",
                file,
                part,
                simulated=True,
                population=POPULATION,
            )
            for file, part in zip(files, parts, strict=True)
        ]
        saved = save_calibration(session, psychometrician, standard, sittings, result, statistics, flags)
        differing = key_differences(session, key)
    each = sorted({len(part.persons) for part in parts})
    log.step(
        "pretest",
        f"{len(parts)} SIMULATED sittings of {each[0]}: {responses.counts['answered']:,} answers; {POPULATION}",
    )
    log.step("calibration", str(result))
    for flag in flags:
        log.step("  flag", f"{flag.item} {flag.code}: {flag.message}")
    for item, (then, now) in differing.items():
        log.step("  key check", f"{item} was scored by key {then} in the sittings, the bank's key is {now}")
    return _Calibrated(result, responses, statistics, flags, saved)


def _accept(bank: Bank, people: dict[Role, Actor], calibrated: _Calibrated, log: Log) -> None:
    approver = people[Role.APPROVER]
    sound = [s.item for s in calibrated.statistics if s.item not in calibrated.flagged]
    with writing(bank, approver) as session:
        accept(session, approver, sound)
    log.step("accepted", f"{len(sound)} items enter the bank, {len(calibrated.flagged)} flagged ones stay in pretest")


def _release(
    bank: Bank, people: dict[Role, Actor], standard: int, calibrated: _Calibrated, out: Path, log: Log
) -> tuple[engine.Release, engine.Pool]:
    owner = people[Role.ADMINISTRATOR]
    with reading(bank) as session:
        pool = calibrated_pool(session, standard, calibrated.id)
    policy = engine.ReleasePolicy(SHARE)
    chosen = engine.choose_release(pool, policy, seed=SEED)
    with writing(bank, owner) as session:
        release_id = publish(
            session,
            owner,
            standard,
            chosen,
            policy,
            readiness=f"{owner.name}: theory of 人工智能训练师 level 3 is ready for disclosure (sample decision)",
            profile=CandidateProfile(),
        )
        shown = public_items(session, release_id)
    (out / "release").mkdir()
    package = out / "release" / "release.zip"
    write_package(
        package, identifier="release-1", title="人工智能训练师（三级）公开题", items=shown, modified=REFERENCE_DATE
    )
    _write_csv(out / "release" / "release.csv", [["item", "reason"], *map(list, chosen.reasons.items())])
    log.step(
        "release",
        f"{len(chosen.items)} of {len(pool)} items published without keys: margins at most {chosen.worst(1):.2f} and "
        f"cells at most {chosen.worst(2):.2f} items off proportional, KS of difficulty {chosen.ks_difficulty:.3f}",
    )
    log.files += [
        ("release/release.zip", "public package: stems and options, no keys"),
        ("release/release.csv", "the published items, and why each was chosen"),
    ]
    return chosen, pool


def _papers(
    bank: Bank, people: dict[Role, Actor], standard: int, calibrated: _Calibrated, out: Path, log: Log
) -> tuple[engine.Blueprint, engine.Pool, engine.Assembly]:
    organizer, approver = people[Role.ORGANIZER], people[Role.APPROVER]
    with reading(bank) as session:
        pool = calibrated_pool(session, standard, calibrated.id)
        blueprint = standard_blueprint(
            session, standard, title=TITLE, minutes=MINUTES, types=FORM, target=engine.Target()
        )
    assembly = engine.assemble(pool, blueprint, forms=2, spares=1, seed=SEED)
    for form in assembly.forms:
        with writing(bank, organizer) as session:
            save_paper(session, organizer, standard, form, assembly, blueprint, code=form.name, title=TITLE)
        with writing(bank, approver) as session:
            approve_paper(session, approver, form.name)
        _write_paper(bank, form.name, out / "papers", spare=form.spare, log=log)
    pool.write_csv(out / "pool.csv")
    engine.write_assembly_report(out / "papers" / "report.html", assembly, blueprint, lead=TITLE)
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
    return blueprint, pool, assembly


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


def _release_report(
    release: tuple[engine.Release, engine.Pool],
    pool: engine.Pool,
    blueprint: engine.Blueprint,
    assembly: engine.Assembly,
    out: Path,
    log: Log,
) -> None:
    """What knowing the published items would do on paper A, if papers held them; these papers hold none."""
    chosen, bank_pool = release
    at = {item: j for j, item in enumerate(pool.ids)}
    positions = np.array([at[item] for item in assembly.form("A").items])
    table = pool.parameters.take(positions)
    marks = blueprint.item_marks(pool)[positions]
    effects = [
        engine.effect_of_knowing(table, marks, cal.Scale(), assembly.theta_cut, share)
        for share in (0.0, 0.10, 0.20, 0.30, 0.50)
    ]
    engine.write_release_report(out / "release" / "report.html", chosen, bank_pool, effects)
    used = set(chosen.items) & {item for form in assembly.forms for item in form.items}
    log.step(
        "  effect",
        f"{len(used)} published items in the papers; were they 10 / 20 % of a paper's marks and known by heart, "
        f"{effects[1].false_passes:.1%} / {effects[2].false_passes:.1%} of true failers would pass "
        f"({effects[0].false_passes:.1%} do anyway)",
    )
    log.files.append(("release/report.html", "which items, why, how they mirror the bank, what it costs"))


def _calibration_report(calibrated: _Calibrated, cut: float, out: Path, log: Log) -> None:
    table = read_items_csv(sample_folder() / "items.csv")
    labels = {row.identifier: _short(row.item.stem_text) for row in table.rows}
    calibrated.result.save(out / "params.json")
    cal.write_report(
        out / "calibration.html",
        calibrated.result,
        calibrated.responses,
        calibrated.statistics,
        calibrated.flags,
        lead=f"人工智能训练师三级试测。模拟数据 SIMULATED RESPONSES: {POPULATION}",
        cut=cut,
        labels=labels,
    )
    log.files += [
        ("calibration.html", "every item with curve and flags, test information with the cut"),
        ("params.json", "item parameters with standard errors"),
    ]


def _short(text: str, length: int = 36) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _adaptive(pool: engine.Pool, reference: cal.ReferenceForm, out: Path, log: Log) -> None:
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


def _audit(bank: Bank, out: Path, log: Log) -> None:
    link_waiting(bank)
    with reading(bank) as session:
        report = verify(session)
        count = export(session, out / "audit.jsonl")
    if not report.ok:
        raise RuntimeError(f"the audit trail does not verify: {report.faults[0].message}")
    log.step("audit", f"{count} events in one hash chain, verified; head {report.head[:16]}")
    log.files.append(("audit.jsonl", "the audit trail, one event a line"))


def _write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def summary(log: Log, seconds: float) -> str:
    """The run as JSON, for `--json`."""
    return json.dumps(
        {
            "steps": [{"step": step.strip(), "result": result} for step, result in log.steps],
            "files": [{"file": name, "what": what} for name, what in log.files],
            "recount": [
                {"form": line.form, "rule": line.rule, "value": line.value, "ok": line.ok} for line in log.recount
            ],
            "seconds": round(seconds, 2),
        },
        ensure_ascii=False,
    )


def timed(out: Path, say: Callable[[str], None]) -> tuple[Log, float]:
    """`run`, and how many seconds it took."""
    begun = time.perf_counter()
    log = run(out, say)
    return log, time.perf_counter() - begun
