"""Results: what a candidate did and reached, from scores to a report and back; keys stay here unless asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError, read_item, score
from item_formats.documents import read_test
from item_formats.packages import (
    AssessmentResult,
    ItemResult,
    OutcomeVariable,
    ResponseVariable,
    ResultContext,
    SessionIdentifier,
    TestResult,
    check_result,
    read_result,
    result_of_item,
    result_of_test,
    write_result,
)
from item_formats.packages.results import (
    CandidateResponse,
    CorrectResponse,
    OtherVariable,
    ResultValue,
    Support,
)
from tests.item_formats.documents import multiple, single
from tests.item_formats.packages.zips import QTI, paper_xml
from tests.shared import shared

MOMENT = datetime(2026, 3, 1, 9, 30, 12, 250000, tzinfo=timezone(timedelta(hours=8)))
KEY = CorrectResponse(values=(ResultValue(text="A"),))

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,10}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=12)
types = st.none() | st.sampled_from(["string", "identifier", "integer", "float", "boolean", "pair", "point"])
cardinalities = st.sampled_from(["single", "multiple", "ordered", "record"])
moments = st.datetimes(timezones=st.none() | st.just(UTC) | st.just(MOMENT.tzinfo))  # type: ignore[arg-type]


def several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(one, max_size=2).map(tuple)


values = several(st.builds(ResultValue, text=texts, field=st.none() | names, base_type=types))
named = {"identifier": names, "cardinality": cardinalities, "base_type": types}
variables = {
    "responses": several(
        st.builds(
            ResponseVariable,
            **named,
            correct=st.none()
            | st.builds(CorrectResponse, values=values, interpretation=st.none() | texts.filter(bool)),
            candidate=st.builds(CandidateResponse, values=values),
            choices=several(names),
            score_status=st.none() | st.just("scored"),
            answered=st.none() | st.sampled_from(["answered", "notpresented"]),
        )
    ),
    "templates": several(st.builds(OtherVariable, **named, values=values)),
    "outcomes": several(
        st.builds(
            OutcomeVariable,
            **named,
            values=values,
            views=several(st.sampled_from(["candidate", "scorer"])),
            normal_maximum=st.none() | st.floats(allow_nan=False),
            external_scored=st.none() | st.just("human"),
        )
    ),
    "contexts": several(st.builds(OtherVariable, **named, values=values)),
    "supports": several(st.builds(Support, name=names, assignment=st.just("assigned"), value=st.none() | names)),
}
results = st.builds(
    AssessmentResult,
    context=st.builds(
        ResultContext,
        candidate=st.none() | names,
        sessions=several(st.builds(SessionIdentifier, source=texts.filter(bool), identifier=names)),
    ),
    test=st.none() | st.builds(TestResult, identifier=names, datestamp=moments, **variables),
    items=several(
        st.builds(
            ItemResult,
            identifier=names,
            datestamp=moments,
            status=st.sampled_from(["final", "initial", "pendingExternalScoring"]),
            place=st.none() | st.integers(0, 500),
            comment=st.none() | texts,
            **variables,
        )
    ),
)


def valid(document: bytes) -> bool:
    schema = etree.XMLSchema(etree.parse(str(shared("qti/schemas/qtiv3p0/imsqti_resultv3p0_v1p0.xsd"))))
    schema.assertValid(etree.fromstring(document))
    return True


@given(results)
def test_results_come_back_as_they_were(result: AssessmentResult) -> None:
    assert read_result(write_result(result, correct_responses=True)) == result


@given(results)
def test_keys_stay_here_unless_asked_for(result: AssessmentResult) -> None:
    written = write_result(result)
    assert b"correctResponse" not in written
    kept = [response for item in read_result(written).items for response in item.responses]
    assert all(response.correct is None for response in kept)
    assert [response.candidate for response in kept] == [
        response.candidate for item in result.items for response in item.responses
    ]


def report() -> AssessmentResult:
    one, other = single(), multiple()
    test = read_test(paper_xml("Q1.xml", "Q2.xml").replace(
        b"<qti-test-part",
        b'<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" normal-maximum="2"/>'
        b"<qti-test-part",
    ))  # fmt: skip
    answers = {"RESPONSE": ["A"]}, {"RESPONSE": ["A", "D"]}
    return AssessmentResult(
        context=ResultContext(
            candidate="C440300", sessions=(SessionIdentifier(source="urn:example:hall-3", identifier="S1"),)
        ),
        test=result_of_test(test, datestamp=MOMENT, outcomes={"SCORE": 1.0}),
        items=(
            result_of_item(
                one,
                datestamp=MOMENT,
                responses={**answers[0], "numAttempts": 1, "duration": 42.5},
                outcomes={**score(one, answers[0]), "completionStatus": "completed"},
                place=1,
                choices={"RESPONSE": ["C", "A", "D", "B"]},
            ),
            result_of_item(
                other, datestamp=MOMENT, responses=answers[1], outcomes=score(other, answers[1]), place=2, comment="难"
            ),
        ),
    )


def test_a_report_of_scored_items_says_what_was_answered_and_reached() -> None:
    result = read_result(write_result(report()))
    assert result.context is not None
    assert (result.context.candidate, result.context.sessions[0].identifier) == ("C440300", "S1")
    assert result.test is not None
    assert (result.test.outcomes[0].plain, result.test.outcomes[0].normal_maximum) == (1.0, 2.0)
    first, second = result.items
    assert {variable.identifier: variable.plain for variable in first.responses} == {
        "RESPONSE": "A",
        "numAttempts": 1,
        "duration": 42.5,
    }
    assert {variable.identifier: variable.plain for variable in first.outcomes} == {
        "SCORE": 1.0,
        "completionStatus": "completed",
    }
    assert first.responses[0].choices == ("C", "A", "D", "B")
    assert second.responses[0].plain == ["A", "D"]
    assert second.outcomes[0].plain == 0.0
    assert (second.comment, second.place, second.datestamp) == ("难", 2, MOMENT)
    assert check_result(result) == []


def test_the_key_goes_along_when_asked_for() -> None:
    result = read_result(write_result(report(), correct_responses=True))
    assert result.items[1].responses[0].correct is not None
    assert [value.text for value in result.items[1].responses[0].correct.values] == ["A", "B", "D"]


@pytest.mark.parametrize("correct_responses", [False, True])
def test_reports_are_valid(correct_responses: bool) -> None:
    assert valid(write_result(report(), correct_responses=correct_responses))


def test_an_empty_report_is_valid() -> None:
    assert valid(write_result(AssessmentResult()))


RECORD = (
    f'<qti-assessment-item xmlns="{QTI}" identifier="R" title="t" time-dependent="false">'
    '<qti-response-declaration identifier="RESPONSE" cardinality="record"/>'
    '<qti-response-declaration identifier="POINTS" cardinality="multiple" base-type="point"/>'
    '<qti-response-declaration identifier="NONE" cardinality="single" base-type="string"/>'
    '<qti-template-declaration identifier="N" cardinality="single" base-type="integer"/>'
    '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" external-scored="human"/>'
    "<qti-item-body><p>甲</p></qti-item-body></qti-assessment-item>"
).encode()


def test_records_points_templates_and_nothing_go_through() -> None:
    result = result_of_item(
        read_item(RECORD),
        datestamp=MOMENT,
        responses={"RESPONSE": {"x": 1, "y": 0.5, "s": "文"}, "POINTS": [[10, 20], [3, 4]], "NONE": None},
        templates={"N": 7},
        outcomes={"SCORE": None},
        status="pendingExternalScoring",
    )
    written = write_result(AssessmentResult(items=(result,)))
    back = read_result(written).items[0]
    assert back.responses[0].plain == {"x": 1, "y": 0.5, "s": "文"}
    assert back.responses[1].plain == ["10 20", "3 4"]
    assert back.responses[2].plain is None
    assert back.templates[0].plain == 7
    assert (back.outcomes[0].plain, back.outcomes[0].external_scored) == (None, "human")
    assert valid(written)


OLD = """<assessmentResult xmlns="http://www.imsglobal.org/xsd/imsqti_result_{version}"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a a.xsd"><context sourcedId="900001"/>
 <itemResult identifier="I-1" sessionStatus="final" datestamp="2019-05-30T21:01:47.4101706Z" sequenceIndex="0">
  <responseVariable identifier="RESPONSE" cardinality="ordered" baseType="identifier"><candidateResponse>
   <value>b</value><value>a</value></candidateResponse></responseVariable>
  <outcomeVariable identifier="SCORE" cardinality="single" baseType="float"><value>{score}</value></outcomeVariable>
 </itemResult></assessmentResult>"""


@pytest.mark.parametrize("version", ["v2p1", "v2p2"])
def test_reports_of_qti_2_are_read(version: str) -> None:
    result = read_result(OLD.format(version=version, score="1.5").encode())
    assert result.items[0].responses[0].plain == ["b", "a"]
    assert result.items[0].outcomes[0].plain == 1.5
    assert result.items[0].datestamp == datetime(2019, 5, 30, 21, 1, 47, 410170, tzinfo=UTC)
    assert result.unknown_attributes == ()
    assert [finding.code for finding in check_result(result)] == ["bad-identifier"]


def test_a_number_as_candidate_is_read_but_not_written() -> None:
    """QTI identifiers begin with a letter or _ (NCName)."""
    result = read_result(OLD.format(version="v2p2", score="1").encode())
    with pytest.raises(ItemError, match="sourcedId cannot be “900001”"):
        write_result(result)


def test_values_of_another_type_are_kept_and_found() -> None:
    result = read_result(OLD.format(version="v2p2", score="1,5").encode())
    assert result.items[0].outcomes[0].values[0].text == "1,5"
    assert [(finding.code, finding.item) for finding in check_result(result) if finding.severity == "error"] == [
        ("bad-value", "I-1")
    ]
    with pytest.raises(ItemError):
        _ = result.items[0].outcomes[0].plain


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (('sessionStatus="final"', 'sessionStatus="done"'), "bad-value"),
        (('datestamp="2019-05-30T21:01:47.4101706Z"', ""), "missing-attribute"),
        (("2019-05-30T21", "2019-02-30T21"), "bad-value"),
        (("2019-05-30T21:01:47.4101706Z", "yesterday"), "bad-value"),
        (('identifier="I-1" ', ""), "missing-attribute"),
        (('cardinality="ordered"', 'cardinality="some"'), "bad-value"),
        (('sequenceIndex="0"', 'sequenceIndex="first"'), "bad-value"),
        (("<value>b</value>", "<value>b<i/></value>"), "bad-value"),
        (("imsqti_result_v2p2", "somewhere"), "not-a-result"),
        (("<assessmentResult", "<assessmentResults"), "not-xml"),
        (("</context>", ""), "not-xml"),
    ],
)
def test_what_is_no_report_is_refused(change: tuple[str, str], code: str) -> None:
    document = OLD.format(version="v2p2", score="1").replace('<context sourcedId="900001"/>', "<context></context>")
    with pytest.raises(ItemError) as caught:
        read_result(document.replace(*change).encode())
    assert caught.value.findings[0].code == code


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2019-08-01T09:33:52:751", datetime(2019, 8, 1, 9, 33, 52, 751000)),  # noqa: DTZ001 - as some engines write
        ("2019-08-01 09:33", datetime(2019, 8, 1, 9, 33)),  # noqa: DTZ001
        ("2019-08-01T09:33:52.1Z", datetime(2019, 8, 1, 9, 33, 52, 100000, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_they_were_meant(written: str, meant: datetime) -> None:
    document = OLD.format(version="v2p2", score="1").replace("2019-05-30T21:01:47.4101706Z", written)
    assert read_result(document.encode()).items[0].datestamp == meant


def test_a_second_key_cannot_slip_through_as_unknown() -> None:
    key = "<correctResponse><value>b</value></correctResponse>"
    document = OLD.format(version="v2p2", score="1").replace("<candidateResponse>", f"{key * 2}<candidateResponse>")
    with pytest.raises(ItemError, match="repeated-element"):
        read_result(document.encode())


def test_a_key_inside_something_unknown_is_taken_out_too() -> None:
    key = '<correctResponse xmlns="{0}"><value>b</value></correctResponse>'
    foreign = f'<v:own xmlns:v="urn:v">{key.format("")}{key.format("urn:v")}<v:kept/></v:own>'
    document = OLD.format(version="v2p2", score="1").replace("</itemResult>", f"{foreign}</itemResult>")
    result = read_result(document.replace("900001", "C1").encode())
    written = write_result(result)
    assert b"correctResponse" not in written
    assert b"<v:kept/></v:own>" in written
    assert write_result(result, correct_responses=True).count(b"value>b<") == 3


def test_reports_of_other_engines_are_read() -> None:
    folder = shared("qti/files/Citolab+qti-scoring-engine/Scoring.Tests/Resources/2x/OutcomeProcessing")
    found = {path.name: read_result(path) for path in sorted(folder.glob("AssessmentResult_*.xml"))}
    assert len(found) == 4
    right = found["AssessmentResult_Correct.xml"]
    scores = [variable.plain for item in right.items for variable in item.outcomes if variable.identifier == "SCORE"]
    assert scores
    assert all(isinstance(one, float) and one > 0 for one in scores)
