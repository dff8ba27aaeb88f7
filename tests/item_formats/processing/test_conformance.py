"""The cases of other engines, where they are: tier A, expressions, sessions and outcomes agree, save by ruling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.item_formats import conformance
from tests.item_formats.rulings import EXPRESSION_RULINGS, ITEM_RULINGS, SESSION_RULINGS
from tests.shared import shared

RULINGS = Path(__file__).parents[3] / "docs" / "qti-rulings.md"


@pytest.mark.parametrize("kind", ["items", "expressions", "outcomes"])
def test_every_case_agrees_or_is_ruled_on(kind: str) -> None:
    found = list(conformance.verdicts(shared("qti"), (kind,)))
    assert found
    assert [verdict.case for verdict in found if verdict.differences and verdict.ruling is None] == []


def test_two_engines_that_agree_are_never_ruled_against() -> None:
    found = [verdict for verdict in conformance.verdicts(shared("qti"), ("items",)) if verdict.tier == "A"]
    assert len(found) > 100
    assert [verdict.case for verdict in found if verdict.differences] == []


def test_every_ruling_is_written_down() -> None:
    written = RULINGS.read_text(encoding="utf-8").replace("`", "")
    assert [words for words in (*EXPRESSION_RULINGS, *ITEM_RULINGS, *SESSION_RULINGS) if words not in written] == []


def test_the_runner_tells_what_agrees_and_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [_sum("one", 3), _sum("two", 4)]
    (tmp_path / "qti_expression_cases.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    assert conformance.main([str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "expressions    1/2 agree" in told
    assert "two\n    expected {" in told
    assert "got single integer 3" in told


def test_a_folder_where_everything_agrees_passes(tmp_path: Path) -> None:
    (tmp_path / "qti_expression_cases.jsonl").write_text(json.dumps(_sum("one", 3)), encoding="utf-8")
    assert conformance.main([str(tmp_path)]) == 0


def test_a_difference_by_ruling_is_a_difference_unless_rulings_are_asked_for(tmp_path: Path) -> None:
    modulus = {**_sum("modulus", 4), "expression": "integerModulus", "expression_xml_2x": _pair("integerModulus")}
    modulus["operands"] = [{"cardinality": "single", "base_type": "integer", "value": number} for number in (49, -5)]
    (tmp_path / "qti_expression_cases.jsonl").write_text(json.dumps(modulus), encoding="utf-8")
    assert conformance.main([str(tmp_path)]) == 1
    assert conformance.main(["--rulings", str(tmp_path)]) == 0


def test_durations_are_compared_as_such(tmp_path: Path) -> None:
    days = {"cardinality": "ordered", "base_type": "duration", "value": ["P2D", "P3D"]}
    case = {**_sum("days", 0), "expression": "ordered", "expression_xml_2x": "<ordered/>", "expected": days}
    case["operands"] = [{"cardinality": "single", "base_type": "duration", "value": text} for text in ("P2D", "PT72H")]
    (tmp_path / "qti_expression_cases.jsonl").write_text(json.dumps(case), encoding="utf-8")
    assert conformance.main([str(tmp_path)]) == 0
    case["operands"] = case["operands"][::-1]
    (tmp_path / "qti_expression_cases.jsonl").write_text(json.dumps(case), encoding="utf-8")
    assert conformance.main([str(tmp_path)]) == 1


def test_a_folder_without_cases_is_no_success(tmp_path: Path) -> None:
    assert conformance.main([str(tmp_path)]) == 2


def _pair(element: str) -> str:
    value = '<baseValue baseType="integer">1</baseValue>'
    return f"<{element}>{value}{value}</{element}>"


def _sum(name: str, expected: int) -> dict[str, object]:
    operands = [{"cardinality": "single", "base_type": "integer", "value": number} for number in (1, 2)]
    return {
        "id": name,
        "expression": "sum",
        "attributes": {},
        "expression_xml_2x": '<sum><baseValue baseType="integer">0</baseValue></sum>',
        "operands": operands,
        "expected": {"cardinality": "single", "base_type": "integer", "value": expected},
    }
