"""One turn of the loop: write → review → pretest → calibrate → release a share → assemble → simulate.

Everything goes through the bank, as six people with a role each; every step leaves its events in the audit trail.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import calibration as cal
from authoring.audit.chain import link_waiting, verify
from authoring.audit.export import export
from authoring.calibrations.rules import key_differences, register_sitting, save_calibration
from authoring.database import open_bank, reading, writing
from authoring.demo.log import Log, summary, write_csv
from authoring.demo.products import (
    Calibrated,
    plan,
    release_items,
    report_calibration,
    save_papers,
    simulate_adaptive,
)
from authoring.demo.sample import POPULATION, SITTINGS, sample_folder
from authoring.items.rules import ImportReport, import_items
from authoring.migrations.running import upgrade
from authoring.people.actors import SYSTEM, Actor, Role
from authoring.people.rules import add_person
from authoring.reviews.rules import BlindReview, accept, approve, blind_items, review, submit
from authoring.reviews.tables import Verdict
from authoring.standards.outlines import check_outline, read_outline
from authoring.standards.rules import load_outline, view_standard
from item_formats import read_items_csv

if TYPE_CHECKING:
    from authoring.database import Bank

__all__ = ["Log", "run", "summary", "timed"]

PEOPLE = {
    "li.na": ("李娜", Role.AUTHOR),
    "wang.qiang": ("王强", Role.REVIEWER),
    "zhao.min": ("赵敏", Role.APPROVER),
    "chen.jing": ("陈静", Role.PSYCHOMETRICIAN),
    "zhou.tao": ("周涛", Role.ORGANIZER),
    "sun.li": ("孙丽", Role.ADMINISTRATOR),
}


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
        planned = plan(bank, standard, calibrated)
        release_items(bank, people, standard, planned, out, log)
        save_papers(bank, people, standard, planned, out, log)
        report_calibration(calibrated, planned.assembly.theta_cut, out, log)
        simulate_adaptive(planned, out, log)
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
    write_csv(out / "import-report.csv", [["row", "column", "item", "severity", "code", "message"], *rows])
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


def _calibrate(bank: Bank, people: dict[Role, Actor], standard: int, log: Log) -> Calibrated:
    psychometrician = people[Role.PSYCHOMETRICIAN]
    folder = sample_folder() / "sittings"
    key = cal.read_key(folder / "keys.csv")
    files = [folder / f"{number}.csv" for number in SITTINGS]
    parts = [cal.read_responses(file, key=key) for file in files]
    responses = cal.pool_responses(parts)
    statistics = cal.item_statistics(responses)
    flags = cal.screen(statistics)
    result = cal.calibrate(responses, model="2PL", priors=cal.DEFAULT_PRIORS).with_flags(flags)
    result = replace(result, data_note=POPULATION)
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
    return Calibrated(result, responses, statistics, flags, saved)


def _accept(bank: Bank, people: dict[Role, Actor], calibrated: Calibrated, log: Log) -> None:
    approver = people[Role.APPROVER]
    sound = [s.item for s in calibrated.statistics if s.item not in calibrated.flagged]
    with writing(bank, approver) as session:
        accept(session, approver, sound)
    log.step("accepted", f"{len(sound)} items enter the bank, {len(calibrated.flagged)} flagged ones stay in pretest")


def _audit(bank: Bank, out: Path, log: Log) -> None:
    link_waiting(bank)
    with reading(bank) as session:
        report = verify(session)
        count = export(session, out / "audit.jsonl")
    if not report.ok:
        raise RuntimeError(f"the audit trail does not verify: {report.faults[0].message}")
    log.step("audit", f"{count} events in one hash chain, verified; head {report.head[:16]}")
    log.files.append(("audit.jsonl", "the audit trail, one event a line"))


def timed(out: Path, say: Callable[[str], None]) -> tuple[Log, float]:
    """`run`, and how many seconds it took."""
    begun = time.perf_counter()
    log = run(out, say)
    return log, time.perf_counter() - begun
