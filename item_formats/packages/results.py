"""What candidates did and reached, as QTI reports it: ``assessmentResult`` of 2.x and 3.0 in, 3.0 out.

Values stay the texts of the document; `plain` of a variable reads them by its cardinality and base type. Correct
responses are written only when somebody asks for them: a report goes to more people than a key may.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from item_formats.declarations import outcome_declarations, response_declarations, template_declarations
from item_formats.findings import Finding, ItemError
from item_formats.packages.records import (
    DATE_TIME,
    INTEGER,
    LIST,
    NAME,
    NUMBER,
    Attribute,
    Child,
    Codec,
    Content,
    Record,
    document_bytes,
    read_record,
    words,
    write_record,
)
from item_formats.packages.usage_data import BASE_TYPE
from item_formats.parsing import XML_LANG, line_of, parse, read_source, split_name
from item_formats.processing.values import Plain, plain, read_plain, read_value, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from item_formats.documents import Test
    from item_formats.model import Item

RESULT = "http://www.imsglobal.org/xsd/imsqti_result_v3p0"
_FORMER = frozenset(
    {
        "http://www.imsglobal.org/xsd/imsqti_result_v2p0",
        "http://www.imsglobal.org/xsd/imsqti_result_v2p1",
        "http://www.imsglobal.org/xsd/imsqti_result_v2p2",
        "http://www.imsglobal.org/xsd/imsqti_v2p0",
        "http://www.imsglobal.org/xsd/imsqti_v2p1",
        "http://www.imsglobal.org/xsd/imsqti_v2p2",
        "",
    }
)
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"

# Read as it comes (candidates are numbers in many systems), written only as the schema allows.
_IDENTIFIER = Codec(str, NAME.write, NAME.expected)
_CARDINALITY = words(frozenset({"single", "multiple", "ordered", "record"}))
_STATUS = words(
    frozenset({"final", "initial", "pendingExternalScoring", "pendingResponseProcessing", "pendingSubmission"})
)


@dataclass(frozen=True, slots=True)
class ResultValue(Record):
    """One value; `field` and `base_type` are those of a field of a record."""

    text: Annotated[str, Content()] = ""
    field: Annotated[str | None, Attribute("fieldIdentifier", _IDENTIFIER)] = None
    base_type: Annotated[str | None, Attribute("baseType", BASE_TYPE)] = None


@dataclass(frozen=True, slots=True)
class CandidateResponse(Record):
    values: Annotated[tuple[ResultValue, ...], Child("value")] = ()


@dataclass(frozen=True, slots=True)
class CorrectResponse(Record):
    values: Annotated[tuple[ResultValue, ...], Child("value")] = ()
    interpretation: Annotated[str | None, Attribute("interpretation")] = None


@dataclass(frozen=True, slots=True)
class ResponseVariable(Record):
    """What the candidate answered. `choices` is the order in which shuffled choices were shown."""

    identifier: Annotated[str, Attribute("identifier", _IDENTIFIER)]
    cardinality: Annotated[str, Attribute("cardinality", _CARDINALITY)]
    base_type: Annotated[str | None, Attribute("baseType", BASE_TYPE)] = None
    correct: Annotated[CorrectResponse | None, Child("correctResponse")] = None
    candidate: Annotated[CandidateResponse | None, Child("candidateResponse")] = None
    choices: Annotated[tuple[str, ...], Attribute("choiceSequence", LIST)] = ()
    score_status: Annotated[str | None, Attribute("scoreStatus", words(frozenset({"scored", "notscored"})))] = None
    answered: Annotated[
        str | None,
        Attribute("answeredStatus", words(frozenset({"notpresented", "presented", "attempted", "answered"}))),
    ] = None

    @property
    def values(self) -> tuple[ResultValue, ...]:
        return () if self.candidate is None else self.candidate.values

    @property
    def plain(self) -> Plain:
        """The answer: numbers as numbers, containers as lists, records as dictionaries, nothing as None."""
        return _plain(self.values, self.base_type, self.cardinality, self.identifier)


@dataclass(frozen=True, slots=True)
class OutcomeVariable(Record):
    identifier: Annotated[str, Attribute("identifier", _IDENTIFIER)]
    cardinality: Annotated[str, Attribute("cardinality", _CARDINALITY)]
    base_type: Annotated[str | None, Attribute("baseType", BASE_TYPE)] = None
    values: Annotated[tuple[ResultValue, ...], Child("value")] = ()
    views: Annotated[tuple[str, ...], Attribute("view", LIST)] = ()
    interpretation: Annotated[str | None, Attribute("interpretation")] = None
    long_interpretation: Annotated[str | None, Attribute("longInterpretation")] = None
    normal_maximum: Annotated[float | None, Attribute("normalMaximum", NUMBER)] = None
    normal_minimum: Annotated[float | None, Attribute("normalMinimum", NUMBER)] = None
    mastery_value: Annotated[float | None, Attribute("masteryValue", NUMBER)] = None
    external_scored: Annotated[
        str | None, Attribute("external-scored", words(frozenset({"externalMachine", "human"})))
    ] = None
    refers_to: Annotated[str | None, Attribute("variable-identifier-ref", _IDENTIFIER)] = None

    @property
    def plain(self) -> Plain:
        return _plain(self.values, self.base_type, self.cardinality, self.identifier)


@dataclass(frozen=True, slots=True)
class OtherVariable(Record):
    """A template or context variable."""

    identifier: Annotated[str, Attribute("identifier", _IDENTIFIER)]
    cardinality: Annotated[str, Attribute("cardinality", _CARDINALITY)]
    base_type: Annotated[str | None, Attribute("baseType", BASE_TYPE)] = None
    values: Annotated[tuple[ResultValue, ...], Child("value")] = ()

    @property
    def plain(self) -> Plain:
        return _plain(self.values, self.base_type, self.cardinality, self.identifier)


@dataclass(frozen=True, slots=True)
class Support(Record):
    """A support for candidates with particular needs that the session had."""

    name: Annotated[str, Attribute("name", _IDENTIFIER)]
    assignment: Annotated[
        str, Attribute("assignment", words(frozenset({"assigned", "universal", "prohibited", "inherit"})))
    ]
    value: Annotated[str | None, Attribute("value")] = None
    language: Annotated[str | None, Attribute(XML_LANG)] = None


@dataclass(frozen=True, slots=True)
class SessionIdentifier(Record):
    """What a session is called by the system at `source`, a URI."""

    source: Annotated[str, Attribute("sourceID")]
    identifier: Annotated[str, Attribute("identifier", _IDENTIFIER)]


@dataclass(frozen=True, slots=True)
class ResultContext(Record):
    """`candidate` is the identifier of a person in the systems that exchange the report."""

    candidate: Annotated[str | None, Attribute("sourcedId", _IDENTIFIER)] = None
    sessions: Annotated[tuple[SessionIdentifier, ...], Child("sessionIdentifier")] = ()


@dataclass(frozen=True, slots=True)
class TestResult(Record):
    """The result of a test as a whole."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    identifier: Annotated[str, Attribute("identifier", _IDENTIFIER)]
    datestamp: Annotated[datetime, Attribute("datestamp", DATE_TIME)]
    responses: Annotated[tuple[ResponseVariable, ...], Child("responseVariable")] = ()
    templates: Annotated[tuple[OtherVariable, ...], Child("templateVariable")] = ()
    outcomes: Annotated[tuple[OutcomeVariable, ...], Child("outcomeVariable")] = ()
    contexts: Annotated[tuple[OtherVariable, ...], Child("contextVariable")] = ()
    supports: Annotated[tuple[Support, ...], Child("support")] = ()


@dataclass(frozen=True, slots=True)
class ItemResult(Record):
    """The result of one item; `place` counts from 1 in the order shown."""

    identifier: Annotated[str, Attribute("identifier", _IDENTIFIER)]
    datestamp: Annotated[datetime, Attribute("datestamp", DATE_TIME)]
    status: Annotated[str, Attribute("sessionStatus", _STATUS)] = "final"
    place: Annotated[int | None, Attribute("sequenceIndex", INTEGER)] = None
    responses: Annotated[tuple[ResponseVariable, ...], Child("responseVariable")] = ()
    templates: Annotated[tuple[OtherVariable, ...], Child("templateVariable")] = ()
    outcomes: Annotated[tuple[OutcomeVariable, ...], Child("outcomeVariable")] = ()
    contexts: Annotated[tuple[OtherVariable, ...], Child("contextVariable")] = ()
    comment: Annotated[str | None, Child("candidateComment")] = None
    supports: Annotated[tuple[Support, ...], Child("support")] = ()


@dataclass(frozen=True, slots=True)
class AssessmentResult(Record):
    """The report of one session of one candidate: the test's result, if there was a test, and the items'."""

    context: Annotated[ResultContext | None, Child("context")] = None
    test: Annotated[TestResult | None, Child("testResult")] = None
    items: Annotated[tuple[ItemResult, ...], Child("itemResult")] = ()


Variable = ResponseVariable | OutcomeVariable | OtherVariable


def read_result(source: bytes | Path, *, file: str | None = None) -> AssessmentResult:
    """An assessment result of any version; values are kept as they are, `check_result` says which are wrong.

    Raises
    ------
    ItemError
        Not XML, not an assessment result, or an identifier, status or date that is missing or none.
    """
    content, path = read_source(source)
    file = file or path
    root = parse(content, file=file)
    namespace, name = split_name(root)
    if name != "assessmentResult" or (namespace != RESULT and namespace not in _FORMER):
        message = f'the document is <{name} xmlns="{namespace}">; expected <assessmentResult xmlns="{RESULT}">'
        raise ItemError(Finding("error", "not-a-result", message, file=file, line=line_of(root)))
    result = read_record(AssessmentResult, root, file=file)
    kept = tuple(
        (name, value) for name, value in result.unknown_attributes if not name.startswith(_SCHEMA_INSTANCE)
    )  # where the schema of another version lies
    return replace(result, unknown_attributes=kept)


def write_result(result: AssessmentResult, *, correct_responses: bool = False) -> bytes:
    """The report as QTI 3; keys only with `correct_responses`.

    Raises
    ------
    ItemError
        An identifier that cannot be one in QTI (a candidate's number needs a letter or _ before it), a value that
        XML cannot hold, an answer without candidate response.
    """
    items = tuple(replace(item, responses=_reported(item.responses)) for item in result.items)
    test = result.test
    if test is not None:
        test = replace(test, responses=_reported(test.responses))
    whole = replace(result, context=result.context or ResultContext(), test=test, items=items)
    root = write_record(whole, "assessmentResult", RESULT)
    if not correct_responses:
        for key in list(root.iter("{*}correctResponse")):  # also where it is part of something unknown
            parent = key.getparent()
            if parent is not None:
                parent.remove(key)
    return document_bytes(root)


def check_result(result: AssessmentResult, *, file: str | None = None) -> list[Finding]:
    """Values that are not of their variable's type, and identifiers that QTI 3 does not allow."""
    found: list[Finding] = []
    results: list[tuple[str, TestResult | ItemResult]] = [(item.identifier, item) for item in result.items]
    if result.test is not None:
        results.append((result.test.identifier, result.test))
    candidate = result.context.candidate if result.context is not None else None
    names = [candidate] if candidate is not None else []
    for identifier, one in results:
        variables: list[Variable] = [*one.responses, *one.templates, *one.outcomes, *one.contexts]
        names += [identifier, *(variable.identifier for variable in variables)]
        for variable in variables:
            try:
                _ = variable.plain
            except ItemError as error:
                found += [replace(finding, file=file, item=identifier) for finding in error.findings]
    for name in dict.fromkeys(names):
        try:
            NAME.read(name)
        except ValueError:
            message = f"“{name}” is no identifier in QTI 3; expected {NAME.expected}"
            found.append(Finding("warning", "bad-identifier", message, file=file))
    return found


def result_of_item(
    item: Item,
    *,
    datestamp: datetime,
    responses: Mapping[str, object],
    outcomes: Mapping[str, object],
    templates: Mapping[str, object] | None = None,
    status: str = "final",
    place: int | None = None,
    comment: str | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
    corrects: Mapping[str, object] | None = None,
) -> ItemResult:
    """The result of one item, its variables as the item declares them, with the key (see `write_result`).

    Values are plain as `score` gives them. ``numAttempts`` and ``duration`` (seconds) go with the responses,
    ``completionStatus`` with the outcomes, where they are given. `place` counts from 1 in the order shown; `corrects`
    are the keys of a cloned item, which go before the declared ones.

    Raises
    ------
    ItemError
        A value that is not of its declared type.
    """
    shown, cloned = choices or {}, corrects or {}
    answered = [
        ResponseVariable(
            identifier=one.identifier,
            cardinality=one.cardinality,
            base_type=one.base_type or None,
            correct=_correct(
                _values(cloned[one.identifier], one.base_type, one.cardinality, one.identifier)
                if one.identifier in cloned
                else [ResultValue(text=text) for text in one.correct]
            ),
            candidate=CandidateResponse(
                values=_values(responses.get(one.identifier), one.base_type, one.cardinality, one.identifier)
            ),
            choices=tuple(shown.get(one.identifier, ())),
        )
        for one in response_declarations(item.root)
    ]
    for name, base_type in (("numAttempts", "integer"), ("duration", "duration")):
        if responses.get(name) is not None:
            response = CandidateResponse(values=_values(responses[name], base_type, "single", name))
            built_in = ResponseVariable(identifier=name, cardinality="single", base_type=base_type, candidate=response)
            answered.append(built_in)
    given = templates or {}
    return ItemResult(
        identifier=item.identifier,
        datestamp=datestamp,
        status=status,
        place=place,
        responses=tuple(answered),
        templates=tuple(
            OtherVariable(
                identifier=one.identifier,
                cardinality=one.cardinality,
                base_type=one.base_type or None,
                values=_values(given.get(one.identifier), one.base_type, one.cardinality, one.identifier),
            )
            for one in template_declarations(item.root)
        ),
        outcomes=_outcomes(item, outcomes),
        comment=comment,
    )


def result_of_test(test: Test, *, datestamp: datetime, outcomes: Mapping[str, object]) -> TestResult:
    """The result of a test, its outcomes as the test declares them. Raises as `result_of_item`."""
    return TestResult(identifier=test.identifier, datestamp=datestamp, outcomes=_outcomes(test, outcomes))


def _outcomes(document: Item | Test, outcomes: Mapping[str, object]) -> tuple[OutcomeVariable, ...]:
    variables = [
        OutcomeVariable(
            identifier=one.identifier,
            cardinality=one.cardinality,
            base_type=one.base_type or None,
            values=_values(outcomes.get(one.identifier), one.base_type, one.cardinality, one.identifier),
            views=one.views,
            interpretation=one.interpretation,
            normal_maximum=one.normal_maximum,
            normal_minimum=one.normal_minimum,
            mastery_value=one.mastery_value,
            external_scored=one.external_scored,
        )
        for one in outcome_declarations(document.root)
    ]
    name = "completionStatus"
    if outcomes.get(name) is not None and all(one.identifier != name for one in variables):
        values = _values(outcomes[name], "identifier", "single", name)
        variables.append(OutcomeVariable(identifier=name, cardinality="single", base_type="identifier", values=values))
    return tuple(variables)


def _correct(values: Iterable[ResultValue]) -> CorrectResponse | None:
    found = tuple(values)
    return CorrectResponse(values=found) if found else None


def _reported(responses: Iterable[ResponseVariable]) -> tuple[ResponseVariable, ...]:
    """Every response with its answer, an empty one when there was none, as the schema wants it."""
    return tuple(replace(response, candidate=response.candidate or CandidateResponse()) for response in responses)


def _values(given: object, base_type: str, cardinality: str, name: str) -> tuple[ResultValue, ...]:
    value = read_plain(given, base_type=base_type or None, cardinality=cardinality, name=name)
    if value is None:
        return ()
    if value.cardinality == "record":
        return tuple(
            ResultValue(field=key)
            if part is None
            else ResultValue(text=written(part.items[0]), field=key, base_type=part.base_type)
            for key, part in value.fields.items()
        )
    return tuple(ResultValue(text=written(part)) for part in value.items)


def _plain(values: tuple[ResultValue, ...], base_type: str | None, cardinality: str, name: str) -> Plain:
    if cardinality != "record":
        texts = [value.text for value in values]
        return plain(read_value(texts, base_type=base_type or "string", cardinality=cardinality, name=name))
    fields = {
        value.field or "": plain(
            read_value(
                [value.text],
                base_type=value.base_type or base_type or "string",
                cardinality="single",
                name=f"{name}.{value.field}",
            )
        )
        for value in values
    }
    return fields or None
