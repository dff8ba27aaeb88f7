"""Items as questions, for formats that know less than QTI, with what they would lose."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.findings import Finding, ItemError
from item_formats.foreign.building import KINDS, MODEL_ANSWER, build
from item_formats.foreign.markup import GAP, content_markup, element_markup, from_blocks, parsed
from item_formats.foreign.question import Answer, Choice, Kind, Question
from item_formats.model import RATIONALE
from item_formats.parsing import is_true, local_name, qti, split_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from item_formats.model import Item


def question_of(item: Item) -> tuple[Question, list[Finding]]:
    """The question an item asks, and warnings about parts it has beyond that.

    Raises
    ------
    ItemError
        Other interactions than choice, text entry, extended text and match, several of them, or processing that
        gives other scores than the question would.
    """
    try:
        question = _question(item)
        rebuilt = build(question)
    except ItemError as error:
        raise ItemError(
            *(Finding(f.severity, f.code, f.message, item=item.identifier) for f in error.findings)
        ) from None
    if rebuilt == item:
        return question, []
    if _processing(item) != _processing(rebuilt):
        raise _refusal(item, "its response processing is its own")
    lost = Counter(_names(item)) - Counter(_names(rebuilt))
    if not lost:
        return question, []
    listed = ", ".join(f"{name}{f' ({count})' if count > 1 else ''}" for name, count in sorted(lost.items()))
    message = f"the format cannot hold {listed}; the rest was written. Keep the QTI of this item"
    return question, [Finding("warning", "simplified", message, item=item.identifier)]


def _refusal(item: Item, reason: str) -> ItemError:
    message = f"the item cannot be written in this format: {reason}. Write it as QTI instead"
    return ItemError(Finding("error", "not-expressible", message, item=item.identifier))


def _question(item: Item) -> Question:
    if item.body is None:
        raise _refusal(item, "it has no body")
    interactions = [element for element in item.body.iter() if local_name(element).endswith("-interaction")]
    names = {local_name(element) for element in interactions}
    readers: dict[frozenset[str], Callable[[Item, list[etree._Element]], Question]] = {
        frozenset({"qti-choice-interaction"}): _choices,
        frozenset({"qti-text-entry-interaction"}): _entries,
        frozenset({"qti-extended-text-interaction"}): _essay,
        frozenset({"qti-match-interaction"}): _matching,
    }
    reader = readers.get(frozenset(names))
    if reader is None or (len(interactions) > 1 and reader is not _entries):
        raise _refusal(item, f"it has {len(interactions)} interactions ({', '.join(sorted(names)) or 'none'})")
    return reader(item, interactions)


def _stem(item: Item, interaction: etree._Element | None) -> str:
    """What stands before the interaction, and its prompt."""
    without = {"qti-rubric-block"} | ({local_name(interaction)} if interaction is not None else set())
    before = from_blocks(item.body, without=without) if item.body is not None else ""
    prompt = interaction.find(qti("qti-prompt")) if interaction is not None else None
    asked = "" if prompt is None else from_blocks(prompt)
    return f"<p>{before}</p><p>{asked}</p>" if before and asked and "<p" not in before + asked else before + asked


def _rubric(item: Item, use: str) -> str:
    for block in item.root.iter(qti("qti-rubric-block")):
        content = block.find(qti("qti-content-body"))
        if block.get("use") == use and content is not None:
            return from_blocks(content)
    return ""


def _frame(item: Item, kind: Kind, stem: str) -> Question:
    return Question(
        identifier=item.identifier,
        kind=kind,
        stem=stem,
        rationale=_rubric(item, RATIONALE),
        title=None if item.title == item.identifier else item.title,
        language=item.language,
    )


def _with(question: Question, **changes: object) -> Question:
    return replace(question, **changes)  # type: ignore[arg-type]


def _choices(item: Item, interactions: list[etree._Element]) -> Question:
    if item.item_type is None:
        raise _refusal(item, "its choice has no plain key")
    interaction = interactions[0]
    answered = interaction.get("response-identifier")
    mapping = next(d.mapping for d in item.response_declarations if d.identifier == answered)
    maps = item.template == "map_response" or item.root.find(f".//{qti('qti-map-response')}") is not None
    partial = mapping is not None and maps
    feedback = {
        modal.get("identifier", ""): from_blocks(body)
        for modal in item.root.iterchildren(qti("qti-modal-feedback"))
        if (body := modal.find(qti("qti-content-body"))) is not None and modal.get("outcome-identifier") == "FEEDBACK"
    }
    worth = {entry.key: _decimal(entry.value) for entry in mapping.distinct} if mapping is not None and partial else {}
    if not partial:
        worth = dict.fromkeys(item.correct, Decimal(1))
    elements = interaction.iterchildren(qti("qti-simple-choice"))
    choices = tuple(
        Choice(
            content_markup(element, without={"qti-feedback-inline", "qti-feedback-block"}).strip(),
            worth.get(name := element.get("identifier", ""), Decimal(0)),
            feedback.get(name, ""),
        )
        for element in elements
    )
    kind = KINDS[item.item_type]
    if kind is Kind.TRUE_FALSE and [option.identifier for option in item.options] != ["T", "F"]:
        choices = choices[::-1]
    shuffle = kind is Kind.TRUE_FALSE or is_true(interaction, "shuffle")
    question = _frame(item, kind, _stem(item, interaction))
    return _with(question, choices=choices, partial=partial, shuffle=shuffle)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value)).normalize()


def _entries(item: Item, interactions: list[etree._Element]) -> Question:
    declared = {d.identifier: d for d in item.response_declarations}
    names = [interaction.get("response-identifier", "") for interaction in interactions]
    if any(name not in declared for name in names):
        raise _refusal(item, "a gap has no response declaration")
    stem = _stem(item, None)
    for element in interactions:
        stem = stem.replace(element_markup(element), GAP)
    ending = f"<p>{GAP}</p>"
    if len(names) == 1 and stem.endswith(ending):
        head = stem.removesuffix(ending)
        stem = from_blocks(parsed(head))
    numeric = {declared[name].base_type for name in names} <= {"float", "integer"}
    if numeric and len(names) == 1:
        return _with(_frame(item, Kind.NUMBER, stem), answers=(_numbers(item),))
    entries = [declared[name].mapping for name in names]
    answers = tuple(
        tuple(Answer(entry.key, _decimal(entry.value)) for entry in mapping.entries) if mapping is not None else ()
        for mapping in entries
    )
    strict = any(entry.case_sensitive for mapping in entries if mapping is not None for entry in mapping.entries)
    return _with(_frame(item, Kind.GAPS, stem), answers=answers, case_sensitive=strict)


def _numbers(item: Item) -> tuple[Answer, ...]:
    answers = []
    for equal in item.root.iter(qti("qti-equal")):
        rule = equal.getparent()
        values = [(value.text or "").strip() for value in equal.iterchildren(qti("qti-base-value"))]
        path = f"{qti('qti-set-outcome-value')}/{qti('qti-base-value')}"
        marks = [] if rule is None else [(value.text or "").strip() for value in rule.iterfind(path)]
        if len(values) != 1 or len(marks) != 1:
            raise _refusal(item, "its response processing is its own")
        tolerance = equal.get("tolerance", "0").split()[0] if equal.get("tolerance-mode") == "absolute" else "0"
        try:
            answers.append(Answer(values[0], Decimal(marks[0]), Decimal(tolerance)))
        except InvalidOperation:
            raise _refusal(item, "its response processing is its own") from None
    return tuple(answers)


def _essay(item: Item, interactions: list[etree._Element]) -> Question:
    question = _frame(item, Kind.ESSAY, _stem(item, interactions[0]))
    return _with(question, model_answer=_rubric(item, MODEL_ANSWER))


def _matching(item: Item, interactions: list[etree._Element]) -> Question:
    interaction = interactions[0]
    sets = list(interaction.iterchildren(qti("qti-simple-match-set")))
    declaration = next(
        (d for d in item.response_declarations if d.identifier == interaction.get("response-identifier")), None
    )
    if declaration is None or len(sets) != 2:
        raise _refusal(item, "its pairs are not declared")
    sources, targets = (
        {choice.get("identifier", ""): content_markup(choice).strip() for choice in match_set if local_name(choice)}
        for match_set in sets
    )
    pairs = [tuple(value.split()) for value in declaration.correct]
    if any(len(pair) != 2 or pair[0] not in sources or pair[1] not in targets for pair in pairs):
        raise _refusal(item, "its pairs are not declared")
    if [pair[0] for pair in pairs] != list(sources):
        raise _refusal(item, "a thing to match has no pair or several")
    used = {pair[1] for pair in pairs}
    return _with(
        _frame(item, Kind.MATCHING, _stem(item, interaction)),
        pairs=tuple((sources[pair[0]], targets[pair[1]]) for pair in pairs),
        unmatched=tuple(text for name, text in targets.items() if name not in used),
        shuffle=is_true(interaction, "shuffle"),
    )


def _names(item: Item) -> list[str]:
    return [name for element in item.root.iter() if (name := split_name(element)[1])]


def _processing(item: Item) -> tuple[str | None, bytes]:
    processing = item.root.find(qti("qti-response-processing"))
    if processing is None:
        return item.template, b""
    rules = [rule for rule in processing if split_name(rule)[1]]  # libxml2 crashes on a comment in canonical form
    return item.template, b"".join(etree.tostring(rule, method="c14n") for rule in rules)
