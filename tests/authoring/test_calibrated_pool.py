"""The pool of a calibration, and the anchors of the next: every parameter, and only what the bank knows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, update

import calibration as cal
from authoring.audit.chain import record
from authoring.calibrations.pools import anchor_parameters, calibrated_pool, calibration_of
from authoring.calibrations.tables import Calibration, ItemStatistics
from authoring.cli import main
from authoring.columns import now
from authoring.database import reading, writing
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.items.rules import import_items
from authoring.items.states import PUBLISH, standings, take_step
from authoring.papers.tables import Paper, PaperItem, PaperState
from authoring.people.actors import SYSTEM
from authoring.reviews.rules import accept, withdraw
from authoring.standards.rules import load_outline
from item_formats import ItemType, read_item
from item_formats.skill_tasks import skill_task
from tests.authoring.calibration_bank import register, result, revised, save, statistics
from tests.authoring.sample import accepted, add_items, outline, pretest, row, table
from tests.calibration.simulated import draw, responses_to, some_items
from tests.item_formats.test_skill_tasks import ANNOTATION

if TYPE_CHECKING:
    from pathlib import Path

    from authoring.database import Bank
    from authoring.people.actors import Actor
    from tests.authoring.conftest import Staff

STATISTICS = ItemStatistics.__table__
CALIBRATION = Calibration.__table__
PAPER = Paper.__table__

# one item of every model, with everything its model may have
EVERY_MODEL = (
    cal.ItemParameters("Q0", "Rasch", 1.0, (-0.25,), se={"b": 0.07}, n=301.5),
    cal.ItemParameters("Q1", "1PL", 1.2, (0.1,), se={"a": 0.05, "b": 0.1}, n=210),
    cal.ItemParameters("Q2", "2PL", 0.7, (1 / 3,), covariance=((0.04, 0.001), (0.001, 0.02)), n=210, version="1"),
    cal.ItemParameters("Q3", "3PL", 1.5, (0.5,), c=0.21, se={"a": 0.2, "b": 0.1, "c": 0.03}, n=800),
    cal.ItemParameters("Q4", "4PL", 1.1, (-0.5,), c=0.15, d=0.96, se={"d": 0.02}, n=800),
    cal.ItemParameters("Q5", "GRM", 1.4, (-1.0, 0.2, 1.1), se={"a": 0.1, "b1": 0.1, "b2": 0.1, "b3": 0.2}, n=500),
    cal.ItemParameters("Q6", "GPCM", 0.9, (0.4, -0.4), marks=(0.0, 0.5, 2.0), scores=(0, 1, 4), n=500),
    cal.ItemParameters("Q7", "PCM", 1.0, (-0.3, 0.6), n=500),
    cal.ItemParameters("Q8", "RSM", 1.0, (-0.5, 0.9), location=0.2, steps=(-0.7, 0.7), se={"location": 0.1}, n=500),
    cal.ItemParameters("Q9", "NRM", slopes=(0.0, 0.6, 1.3), intercepts=(0.0, 0.2, -0.4), n=500),
)
SCALE = cal.Scale("bank", D=1.702, mean=0.3, sd=1.1, anchors=("Q2", "Q3"))


@pytest.fixture
def calibrated(bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path) -> int:
    """Ten accepted items, each of another model; the id of their calibration."""
    codes = accepted(bank, staff, standard_id, *(row(item.id) for item in EVERY_MODEL))
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *codes)
    run = result(*EVERY_MODEL, model="mixed", scale=SCALE)
    return save(bank, analyst, standard_id, [sitting], run, *map(statistics, codes))


def paper_with(bank: Bank, staff: Staff, standard_id: int, code: str, items: list[str], state: PaperState) -> None:
    """A paper as `save_paper` would leave it."""
    with writing(bank, staff.approver) as session:
        versions = {item.code: item.version_id for item in standings(session, items)}
        paper = Paper(
            code=code,
            standard_id=standard_id,
            title="t",
            minutes=1,
            total_marks=len(items),
            seed=1,
            blueprint_digest="",
            blueprint="{}",
            state=state,
            created_by_id=staff.approver.person(),
            created_at=now(),
        )
        session.add(paper)
        session.flush()
        places = [
            {
                "paper_id": paper.id,
                "position": n,
                "section": "",
                "item_type": ItemType.SINGLE,
                "version_id": v,
                "marks": 1,
            }
            for n, v in enumerate(versions.values(), start=1)
        ]
        session.execute(insert(PaperItem.__table__), places)
        record(session, staff.approver, "test.paper", ("paper", code))


def test_a_pool_has_every_parameter_of_every_model(bank: Bank, standard_id: int, calibrated: int) -> None:
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, calibrated)
    assert pool.scale == SCALE
    assert pool.parameters.D == 1.702
    assert pool.calibrated.all()
    assert pool.parameters.c.tolist()[:5] == [0, 0, 0, 0.21, 0.15]
    assert pool.parameters.d.tolist()[:5] == [1, 1, 1, 1, 0.96]
    assert dict(pool.curves) == dict(enumerate(EVERY_MODEL[5:], start=5))
    theta = np.linspace(-2, 2, 5)
    assert pool.information(theta) == pytest.approx(cal.Curves.of(EVERY_MODEL, SCALE).information(theta))


def test_anchors_are_the_items_as_they_were_calibrated(bank: Bank, calibrated: int) -> None:
    with reading(bank) as session:
        anchors, scale = anchor_parameters(session, calibrated, [item.id for item in EVERY_MODEL])
    assert anchors == EVERY_MODEL  # covariances, errors, marks, scores, steps, n: all of it
    assert scale == SCALE


def test_an_item_that_has_no_classical_statistics_is_kept_too(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    accepted(bank, staff, standard_id, row("Q0"), row("Q1"))
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    saved = save(bank, analyst, standard_id, [sitting], result(*EVERY_MODEL[:2]), statistics("Q1", n=99.0))
    with reading(bank) as session:
        anchors, _ = anchor_parameters(session, saved, ["Q1", "Q0"])
        pool = calibrated_pool(session, standard_id, saved)
    assert anchors == EVERY_MODEL[:2]
    assert pool.column("n") == (301.5, 210)  # behind the parameters
    assert pool.column("p") == (None, 0.7)


def test_parameters_that_nobody_could_read_again_are_refused(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    accepted(bank, staff, standard_id, row("Q5"))
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q5")
    disordered = replace(EVERY_MODEL[5], b=(0.2, -1.0, 1.1))
    with pytest.raises(BankError, match="item Q5: the thresholds of GRM must increase") as refused:
        save(bank, analyst, standard_id, [sitting], result(disordered), statistics("Q5"))
    assert refused.value.rule == "bad-parameters"
    with reading(bank) as session:
        assert session.execute(select(CALIBRATION.c.model).where(CALIBRATION.c.log_likelihood < -1)).all() == []


def test_columns_to_ask_for_stand_beside_the_document(bank: Bank, calibrated: int) -> None:
    columns = (STATISTICS.c.model, STATISTICS.c.a, STATISTICS.c.b, STATISTICS.c.se_a, STATISTICS.c.se_b)
    with reading(bank) as session:
        rows = session.execute(select(*columns).where(STATISTICS.c.calibration_id == calibrated)).all()
    by_model = {one[0]: tuple(one)[1:] for one in rows}
    assert by_model["3PL"] == (1.5, 0.5, 0.2, 0.1)
    assert by_model["GRM"] == (1.4, pytest.approx(0.1), 0.1, None)
    assert by_model["NRM"] == (None, None, None, None)  # it has no difficulty: NULL on both databases, not NaN


USES = {
    "pool": calibrated_pool,
    "anchors": lambda session, _, calibration: anchor_parameters(session, calibration, ["Q0"]),
}


@pytest.mark.parametrize("used", list(USES))
def test_a_calibration_that_lost_its_parameters_is_not_used_without_them(
    bank: Bank, standard_id: int, calibrated: int, used: str
) -> None:
    with writing(bank, SYSTEM) as session:  # as a bank of revision 0002 has them after the upgrade
        later = STATISTICS.c.model.in_(["3PL", "GRM"])
        session.execute(update(STATISTICS).where(later).values(parameters=None))
        record(session, SYSTEM, "test.done", ("test", "1"))
    with reading(bank) as session, pytest.raises(ConflictError, match=r"of Q3 \(3PL\) and 1 more") as refused:
        USES[used](session, standard_id, calibrated)
    assert refused.value.rule == "parameters-not-kept"


def test_an_anchor_is_the_very_version_that_was_calibrated_and_sound(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    codes = accepted(bank, staff, standard_id, *(row(item.id) for item in EVERY_MODEL[:4]), row("Q9"))
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *codes)
    flags = [cal.Flag("Q1", "key-suspect", "")]
    run = result(*EVERY_MODEL[:4], scale=SCALE)
    saved = save(bank, analyst, standard_id, [sitting], run, *map(statistics, codes[:4]), flags=flags)
    revised(bank, staff, "Q2")
    with reading(bank) as session:  # the draft of Q2 is not what candidates meet
        assert [item.id for item in anchor_parameters(session, saved, codes)[0]] == ["Q0", "Q2", "Q3"]
    pretest(bank, staff, ["Q2"])
    with reading(bank) as session:
        assert [item.id for item in anchor_parameters(session, saved, codes)[0]] == ["Q0", "Q3"]
        with pytest.raises(ConflictError, match="sound parameters of none of these items") as refused:
            anchor_parameters(session, saved, ["Q2", "Q9"])
        assert refused.value.rule == "no-anchors"
        with pytest.raises(UnknownError, match="the bank has no item Q7"):
            anchor_parameters(session, saved, ["Q7"])
        with pytest.raises(UnknownError, match="there is no calibration 99"):
            anchor_parameters(session, 99, ["Q0"])
    with writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, ["Q3"], "leaked")
    with reading(bank) as session:
        assert anchor_parameters(session, saved)[0] == (EVERY_MODEL[0],)
        with pytest.raises(ConflictError, match="Q3 was answered, but never let into pretest"):
            anchor_parameters(session, saved, ["Q0", "Q3"])


def test_a_new_sitting_lands_on_the_scale_of_the_bank(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    """Fixed-item calibration (Kim, 2006): a group drawn from N(0.8, 1) is found there, not at 0; anchors stay whole."""
    old = [*some_items("3PL", J=6), *some_items("GRM", J=4)]
    known = [replace(item, id=f"K{j}", n=900) for j, item in enumerate(old)]
    new = [replace(item, id=f"N{j}") for j, item in enumerate(some_items("2PL", J=4))]
    codes = accepted(bank, staff, standard_id, *(row(item.id) for item in (*known, *new)))
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *codes[: len(known)])
    run = result(*known, model="mixed")
    saved = save(bank, analyst, standard_id, [sitting], run, *(statistics(item.id) for item in known))

    rng = np.random.default_rng(20261128)
    items = [*known, *new]
    later = responses_to(items, draw(rng, items, rng.normal(0.8, 1.0, 3000)))
    with reading(bank) as session:
        anchors, scale = anchor_parameters(session, saved, later.items)
    models = {item.id: item.model for item in items}
    found = cal.calibrate(later, model=models, anchors=anchors, scale=scale)
    second = save(bank, analyst, standard_id, [sitting], found, *cal.item_statistics(later))

    assert found.groups[0].mean.value == pytest.approx(0.8, abs=3 * (found.groups[0].mean.se or 0))
    assert found.groups[0].mean.se == pytest.approx(0.02, abs=0.01)
    with reading(bank) as session:
        kept, _ = anchor_parameters(session, second, [item.id for item in known])
        pool = calibrated_pool(session, standard_id, second)
    assert kept == tuple(known)
    assert dict(zip(pool.ids, pool.column("anchor"), strict=True)) == {
        item.id: "yes" if item in known else "no" for item in items
    }
    fresh = {item.id: item for item in found.items if item.id.startswith("N")}
    for item in new:
        assert fresh[item.id].difficulty == pytest.approx(item.difficulty, abs=4 * fresh[item.id].se["b"])


def test_anchors_go_into_the_file_that_tiku_calibrate_takes(
    staff: Staff, analyst: Actor, standard_id: int, calibrated: int, bank: Bank, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "anchors.json"
    arguments = ["bank", "anchors", "--standard", "4-04-05-05", "--out", str(file), "--database", database]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{file}: 10 anchors of calibration {calibrated}, on the scale 'bank'\n",
    )
    assert cal.read_parameters(file) == (SCALE, EVERY_MODEL)
    sitting = register(bank, analyst, standard_id, tmp_path / "2.csv", "Q1", code="2026-2")
    newest = save(bank, analyst, standard_id, [sitting], result(EVERY_MODEL[1]), statistics("Q1"))
    told = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert told == {"calibration": newest, "scale": "theta", "anchors": ["Q1"]}
    told = json.loads(CliRunner().invoke(main, [*arguments, "--calibration", str(calibrated), "--json"]).stdout)
    assert (told["calibration"], len(told["anchors"])) == (calibrated, 10)
    with writing(bank, staff.author) as session:
        other = load_outline(session, staff.author, outline(edition="2030")).id or 0
    bare = CliRunner().invoke(main, ["bank", "anchors", "--standard", str(other), *arguments[4:]])
    assert (bare.exit_code, bare.stderr) == (1, f"tiku: the standard {other} has no calibration yet\n")
    with reading(bank) as session, pytest.raises(UnknownError, match=f"standard {other} has no calibration {newest}"):
        calibration_of(session, other, newest)


def test_the_pool_says_how_often_items_were_used(bank: Bank, staff: Staff, standard_id: int, calibrated: int) -> None:
    paper_with(bank, staff, standard_id, "A", ["Q0", "Q1"], PaperState.DRAFT)
    paper_with(bank, staff, standard_id, "B", ["Q0"], PaperState.APPROVED)
    paper_with(bank, staff, standard_id, "C", ["Q0", "Q2"], PaperState.WITHDRAWN)
    revised(bank, staff, "Q0")
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, calibrated)
    assert pool.column("uses") == (2, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    assert pool.column("anchor") == ("no", "no", "yes", "yes", *["no"] * 6)


def test_the_pool_says_what_the_documents_of_items_say(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    def with_stimulus(code: str, words: str) -> bytes:
        block = f'<div class="stimulus"><p>{words}</p></div>'.encode()
        return row(code).item.xml.replace(b"<qti-item-body>", b"<qti-item-body>" + block, 1)

    fixed = row("Q1").item.xml.replace(b'shuffle="true"', b'shuffle="false"')
    singles = [
        row("Q0", marks=2),
        replace(row("Q1"), item=read_item(fixed)),
        *(replace(row(code), item=read_item(with_stimulus(code, "同一段材料"))) for code in ("Q2", "Q3")),
        replace(row("Q4"), item=read_item(with_stimulus("Q4", "另一段材料"))),
    ]
    accepted(bank, staff, standard_id, *singles)
    accepted(bank, staff, standard_id, row("Q5", item_type=ItemType.MULTIPLE), key="ACD")
    accepted(bank, staff, standard_id, row("Q6", item_type=ItemType.TRUE_FALSE), key="×")
    task = replace(row("Q7"), item=skill_task(replace(ANNOTATION, identifier="Q7")))
    accepted(bank, staff, standard_id, task, key="-")
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q0")
    saved = save(bank, analyst, standard_id, [sitting], result(), statistics("Q0", n=55, p_value=0.625))
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, saved)
    assert pool.column("key") == ("B", "B", "B", "B", "B", ("A", "C", "D"), "×", None)
    assert pool.column("shuffle") == ("yes", "no", "yes", "yes", "yes", "yes", "no", "no")
    assert pool.column("marks") == (2.0, None, None, None, None, None, None, 15.0)
    assert pool.column("minutes") == (None,) * 7 + (20,)
    assert pool.column("type")[-1] == "skill_task"
    none, _, second, third, fourth, *_ = pool.column("stimulus")
    assert (none, second) == (None, third)
    assert len({second, fourth, None}) == 3
    assert pool.column("n") == (55, *[None] * 7)
    assert pool.column("p") == (0.625, *[None] * 7)
    assert not pool.calibrated.any()


def test_the_pool_has_a_column_for_everything_papers_and_releases_choose_by(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    accepted(bank, staff, standard_id, row("Q1", enemies=("Q2",)), row("Q2", point="B-B-A-004", grade=5), row("Q3"))
    accepted(bank, staff, standard_id, row("Q4", item_type=ItemType.TRUE_FALSE), key="×")
    add_items(bank, staff, standard_id, row("Q9"))
    with writing(bank, analyst) as session:
        take_step(session, analyst, PUBLISH, standings(session, ["Q3"]))
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1", "Q2", "Q3")
    parameters = [cal.ItemParameters(f"Q{n}", "2PL", a=n + 0.5, b=(-float(n),)) for n in (1, 2)]
    run = result(*parameters, scale=cal.Scale(D=1.702))
    found = [statistics(code) for code in ("Q1", "Q2", "Q3")]
    flags = [cal.Flag("Q2", "key-suspect", "")]
    saved = save(bank, analyst, standard_id, [sitting], run, *found, flags=flags)
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, saved)
    assert pool.ids == ("Q1", "Q2", "Q3", "Q4")  # Q9 is a draft
    assert pool.row(0) == {
        "id": "Q1",
        "model": "2PL",
        "a": 1.5,
        "b": -1.0,
        "c": 0.0,
        "d": 1.0,
        "type": "single",
        "point": "A-A-A-001",
        "section": "A-A",
        "function": "A-A",
        "grade": "2",
        "importance": "X",
        "enemies": ("Q2",),
        "flagged": "no",
        "published": "no",
        "version": "1",
        "n": 210,
        "p": 0.7,
        "key": "B",
        "shuffle": "yes",
        "anchor": "no",
        "uses": 0,
    }  # and no marks, minutes or stimulus, which the bank knows of none of them
    q2 = pool.row(1)
    assert (q2["point"], q2["section"], q2["function"], q2["importance"]) == ("B-B-A-004", "B-B", "B", "Y")
    assert (q2["grade"], q2["enemies"], q2["flagged"]) == ("5", ("Q1",), "yes")
    assert pool.column("published") == ("no", "no", "yes", "no")
    assert pool.column("type") == ("single", "single", "single", "true_false")
    assert pool.calibrated.tolist() == [True, True, False, False]  # of Q3 there are classical statistics alone
    assert pool.parameters.D == 1.702


def test_unknown_importance_is_said_to_be_unknown(bank: Bank, staff: Staff, analyst: Actor, tmp_path: Path) -> None:
    bare = outline(edition="2030")
    del bare["areas"][0]["sections"][0]["points"][0]["importance"]
    with writing(bank, staff.author) as session:
        other = load_outline(session, staff.author, bare).id or 0
        import_items(session, staff.author, other, table(row("Q1")))
    pretest(bank, staff, ["Q1"])
    sitting = register(bank, analyst, other, tmp_path / "1.csv", "Q1")
    saved = save(bank, analyst, other, [sitting], result(), statistics("Q1"))
    with writing(bank, staff.approver) as session:
        accept(session, staff.approver, ["Q1"])
    with reading(bank) as session:
        assert calibrated_pool(session, other, saved).column("importance") == ("unknown",)


def test_a_pool_of_no_calibration_is_refused(bank: Bank, standard_id: int) -> None:
    with reading(bank) as session, pytest.raises(UnknownError, match="there is no calibration 9"):
        calibrated_pool(session, standard_id, 9)
