"""Questions as QTI 3 items, with markup, pictures and formulas in their content."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER, MATCH_CORRECT, choice_document, option_identifiers
from item_formats.findings import Finding, ItemError
from item_formats.foreign.markup import GAP, as_blocks, readable_text
from item_formats.foreign.question import Kind, Question
from item_formats.model import OPTION_LETTERS, RATIONALE, ItemType, item_of
from item_formats.parsing import parse
from item_formats.vocabulary import QTI

if TYPE_CHECKING:
    from collections.abc import Sequence

    from item_formats.foreign.question import Answer
    from item_formats.model import Item

MAP_RESPONSE = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/map_response.xml"
MODEL_ANSWER = "ext:model-answer"  # the `use` of the rubric block that holds what a scorer expects
ITEM_TYPES = {
    Kind.TRUE_FALSE: ItemType.TRUE_FALSE,
    Kind.SINGLE: ItemType.SINGLE,
    Kind.MULTIPLE: ItemType.MULTIPLE,
}
KINDS = {item_type: kind for kind, item_type in ITEM_TYPES.items()}


def build(question: Question) -> Item:
    """The item of a question. A plain choice question gives the very bytes of `choice_item`.

    Raises
    ------
    ItemError
        With a finding for each part that is missing or contradicts another.
    """
    faults = question_faults(question)
    if faults:
        raise ItemError(*faults)
    if question.kind in ITEM_TYPES:
        return _choice(question)
    return {Kind.GAPS: _gaps, Kind.NUMBER: _number, Kind.ESSAY: _essay, Kind.MATCHING: _matching}[question.kind](
        question
    )


def question_faults(question: Question) -> list[Finding]:
    """Everything that keeps a question from being an item; columns are named as in the table."""
    faults: list[tuple[str, str, str]] = []
    if not IDENTIFIER.fullmatch(question.identifier):
        faults.append(("bad-identifier", "编号", f"the code is “{question.identifier}”; expected such as Q0001"))
    if not readable_text(question.stem).strip():
        faults.append(("empty-stem", "题干", "the question has no text: write it"))
    if question.kind in ITEM_TYPES:
        faults += _choice_faults(question)
    elif question.kind in {Kind.GAPS, Kind.NUMBER}:
        faults += _answer_faults(question)
    elif question.kind is Kind.MATCHING and (len(question.pairs) < 2 or not all(map(all, question.pairs))):
        faults.append(("too-few-pairs", "选项A", "a matching question needs two pairs or more, both sides written"))
    return [
        Finding("error", code, message, column=column, item=question.identifier or None)
        for code, column, message in faults
    ]


def _choice_faults(question: Question) -> list[tuple[str, str, str]]:
    faults: list[tuple[str, str, str]] = []
    count = len(question.choices)
    if not 2 <= count <= len(OPTION_LETTERS):
        faults.append(("option-count", "选项A", f"the question has {count} options; expected 2 to 26"))
    seen: dict[str, str] = {}
    for letter, choice in zip(OPTION_LETTERS, question.choices, strict=False):
        text = "".join(readable_text(choice.markup).split())
        if not text:
            faults.append(("empty-option", f"选项{letter}", f"option {letter} is empty: write it"))
        elif choice.markup in seen:
            faults.append(("repeated-option", f"选项{letter}", f"option {letter} repeats {seen[choice.markup]}"))
        seen.setdefault(choice.markup, letter)
    if not question.keys:
        faults.append(("empty-key", "答案", "no option is right: name the answer"))
    if question.kind is not Kind.MULTIPLE and not question.partial:
        full = sum(choice.fraction > 0 for choice in question.choices)
        if full > 1:
            faults.append(("too-many-keys", "答案", f"{full} options are right, but only one may be chosen"))
    return faults


def _answer_faults(question: Question) -> list[tuple[str, str, str]]:
    gaps = question.stem.count(GAP)
    if not question.answers or not all(question.answers):
        return [("empty-key", "答案", "the question has a gap without an answer: write one for each")]
    if gaps not in {0, len(question.answers)} or (gaps == 0 and len(question.answers) > 1):
        return [("gap-count", "答案", f"the question has {gaps or 1} gaps and {len(question.answers)} answers")]
    if any(not answer.text.strip() for answers in question.answers for answer in answers):
        return [("empty-key", "答案", "an answer is empty: write it")]
    if max(answer.fraction for answers in question.answers for answer in answers) <= 0:
        return [("empty-key", "答案", "no answer gets marks: name the right one")]
    return []


def number(value: Decimal) -> str:
    """A number without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _choice(question: Question) -> Item:
    item_type = ITEM_TYPES[question.kind]
    names = option_identifiers(item_type, len(question.choices))
    mapped = question.partial
    mapping = ""
    if mapped:
        entries = {
            name: number(choice.fraction)
            for name, choice in zip(names, question.choices, strict=True)
            if choice.fraction
        }
        mapping = _mapping(entries, bounds=question.kind is Kind.MULTIPLE)
    feedback = [
        (name, choice.feedback) for name, choice in zip(names, question.choices, strict=True) if choice.feedback
    ]
    cardinality = "multiple" if item_type is ItemType.MULTIPLE else "single"
    template = MAP_RESPONSE if mapped else MATCH_CORRECT
    return choice_document(
        identifier=question.identifier,
        item_type=item_type,
        stem=as_blocks(question.stem),
        options=[choice.markup for choice in question.choices],
        correct=[names[place] for place in question.keys],
        rationale=as_blocks(question.rationale) if question.rationale else "",
        title=question.title,
        language=question.language,
        shuffle=question.shuffle,
        mapping=mapping,
        outcomes=_FEEDBACK_OUTCOME.format(cardinality=cardinality) if feedback else "",
        processing=_scoring_and_feedback(mapped=mapped) if feedback else _TEMPLATE.format(template=template),
        feedback="".join(_FEEDBACK.format(name=name, text=as_blocks(text)) for name, text in feedback),
    )


def _mapping(entries: dict[str, str], *, bounds: bool, case: str = "") -> str:
    limits = ' lower-bound="0" upper-bound="1"' if bounds else ""
    written = "".join(
        f'<qti-map-entry map-key="{escape(key)}" mapped-value="{value}"{case}/>' for key, value in entries.items()
    )
    return f'<qti-mapping{limits} default-value="0">{written}</qti-mapping>'


def _scoring_and_feedback(*, mapped: bool) -> str:
    if mapped:
        rule = _IF_ANSWERED.format(name="RESPONSE", value='<qti-map-response identifier="RESPONSE"/>')
    else:
        rule = _IF_CORRECT
    return (
        f"<qti-response-processing>{rule}"
        '<qti-set-outcome-value identifier="FEEDBACK"><qti-variable identifier="RESPONSE"/></qti-set-outcome-value>'
        "</qti-response-processing>"
    )


def _with_gaps(question: Question) -> str:
    """The body with a numbered interaction in each gap."""
    stem = as_blocks(question.stem)
    if GAP not in stem:
        stem = f"{stem}<p>{GAP}</p>"
    if len(question.answers) == 1:
        return stem
    first, *others = stem.split(GAP)
    return first + "".join(
        GAP.replace("RESPONSE", f"RESPONSE{place}") + text for place, text in enumerate(others, start=1)
    )


def _gaps(question: Question) -> Item:
    case = f' case-sensitive="{"true" if question.case_sensitive else "false"}"'
    names = ["RESPONSE"] if len(question.answers) == 1 else [f"RESPONSE{n + 1}" for n in range(len(question.answers))]
    declared = "".join(
        _declaration(
            name,
            "string",
            [_best(answers).text],
            _mapping({answer.text: number(answer.fraction) for answer in answers}, bounds=False, case=case),
        )
        for name, answers in zip(names, question.answers, strict=True)
    )
    if len(names) == 1:
        processing = _TEMPLATE.format(template=MAP_RESPONSE)
    else:
        share = f'<qti-base-value base-type="float">{len(names)}</qti-base-value>'
        rules = (
            _IF_ANSWERED.format(
                name=name,
                value='<qti-sum><qti-variable identifier="SCORE"/>'
                f'<qti-divide><qti-map-response identifier="{name}"/>{share}</qti-divide></qti-sum>',
            )
            for name in names
        )
        processing = f"<qti-response-processing>{''.join(rules)}</qti-response-processing>"
    return _document(question, declared, _with_gaps(question), processing)


def _best(answers: Sequence[Answer]) -> Answer:
    return max(answers, key=lambda answer: answer.fraction)


def _number(question: Question) -> Item:
    answers = question.answers[0]
    rules = "".join(
        _NUMBER_RULE.format(
            rule="qti-response-else-if" if place else "qti-response-if",
            mode='tolerance-mode="exact"'
            if not answer.tolerance
            else f'tolerance-mode="absolute" tolerance="{number(answer.tolerance)} {number(answer.tolerance)}"',
            value=answer.text,
            fraction=number(answer.fraction),
        )
        for place, answer in enumerate(answers)
    )
    processing = (
        f"<qti-response-processing><qti-response-condition>{rules}</qti-response-condition></qti-response-processing>"
    )
    declared = _declaration("RESPONSE", "float", [_best(answers).text])
    return _document(question, declared, _with_gaps(question), processing)


def _essay(question: Question) -> Item:
    body = as_blocks(question.stem) + '<qti-extended-text-interaction response-identifier="RESPONSE"/>'
    if question.model_answer:
        body += _rubric("scorer", MODEL_ANSWER, question.model_answer)
    return _document(question, _declaration("RESPONSE", "string", []), body, "", human=True)


def _matching(question: Question) -> Item:
    targets = list(dict.fromkeys([*(target for _, target in question.pairs), *question.unmatched]))
    pairs = {f"S{place} T{targets.index(target) + 1}": "" for place, (_, target) in enumerate(question.pairs, start=1)}
    share = repr(1 / len(pairs))
    declared = _declaration(
        "RESPONSE",
        "directedPair",
        list(pairs),
        _mapping(dict.fromkeys(pairs, share), bounds=True),
        cardinality="multiple",
    )
    sources = _match_set("S", [source for source, _ in question.pairs], most=1)
    body = (
        f'<qti-match-interaction response-identifier="RESPONSE" shuffle="{"true" if question.shuffle else "false"}" '
        f'max-associations="{len(pairs)}"><qti-prompt>{as_blocks(question.stem)}</qti-prompt>'
        f"{sources}{_match_set('T', targets, most=0)}</qti-match-interaction>"
    )
    return _document(question, declared, body, _TEMPLATE.format(template=MAP_RESPONSE))


def _match_set(letter: str, texts: Sequence[str], *, most: int) -> str:
    choices = "".join(
        f'<qti-simple-associable-choice identifier="{letter}{place}" match-max="{most}">{text}'
        "</qti-simple-associable-choice>"
        for place, text in enumerate(texts, start=1)
    )
    return f"<qti-simple-match-set>{choices}</qti-simple-match-set>"


def _declaration(
    name: str, base_type: str, correct: Sequence[str], mapping: str = "", *, cardinality: str = "single"
) -> str:
    values = "".join(f"<qti-value>{escape(value, quote=False)}</qti-value>" for value in correct)
    values = f"<qti-correct-response>{values}</qti-correct-response>" if values else ""
    return (
        f'<qti-response-declaration identifier="{name}" cardinality="{cardinality}" base-type="{base_type}">'
        f"{values}{mapping}</qti-response-declaration>"
    )


def _rubric(view: str, use: str, markup: str) -> str:
    content = f"<qti-content-body>{as_blocks(markup)}</qti-content-body>"
    return f'<qti-rubric-block view="{view}" use="{use}">{content}</qti-rubric-block>'


def _document(question: Question, declared: str, body: str, processing: str, *, human: bool = False) -> Item:
    if question.rationale:
        body += _rubric("scorer tutor", RATIONALE, question.rationale)
    xml = _ITEM.format(
        namespace=QTI,
        identifier=question.identifier,
        title=escape(question.title if question.title is not None else question.identifier),
        language=escape(question.language),
        declared=declared,
        scored=' external-scored="human"' if human else "",
        body=body,
        processing=processing,
    )
    return item_of(parse(xml.encode()))


_TEMPLATE = '<qti-response-processing template="{template}"/>'
_ITEM = """<qti-assessment-item xmlns="{namespace}" identifier="{identifier}" title="{title}" adaptive="false" \
time-dependent="false" xml:lang="{language}">
  {declared}
  <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" normal-maximum="1"{scored}>
    <qti-default-value><qti-value>0</qti-value></qti-default-value>
  </qti-outcome-declaration>
  <qti-item-body>{body}</qti-item-body>
  {processing}
</qti-assessment-item>"""
_IF_ANSWERED = (
    '<qti-response-condition><qti-response-if><qti-not><qti-is-null><qti-variable identifier="{name}"/></qti-is-null>'
    '</qti-not><qti-set-outcome-value identifier="SCORE">{value}</qti-set-outcome-value></qti-response-if>'
    "</qti-response-condition>"
)
_IF_CORRECT = (
    '<qti-response-condition><qti-response-if><qti-match><qti-variable identifier="RESPONSE"/>'
    '<qti-correct identifier="RESPONSE"/></qti-match><qti-set-outcome-value identifier="SCORE">'
    '<qti-base-value base-type="float">1</qti-base-value></qti-set-outcome-value></qti-response-if>'
    "</qti-response-condition>"
)
_NUMBER_RULE = (
    '<{rule}><qti-equal {mode}><qti-variable identifier="RESPONSE"/><qti-base-value base-type="float">{value}'
    '</qti-base-value></qti-equal><qti-set-outcome-value identifier="SCORE"><qti-base-value base-type="float">'
    "{fraction}</qti-base-value></qti-set-outcome-value></{rule}>"
)
_FEEDBACK_OUTCOME = """
  <qti-outcome-declaration identifier="FEEDBACK" cardinality="{cardinality}" base-type="identifier"/>"""
_FEEDBACK = """
  <qti-modal-feedback outcome-identifier="FEEDBACK" identifier="{name}" show-hide="show">\
<qti-content-body>{text}</qti-content-body></qti-modal-feedback>"""
