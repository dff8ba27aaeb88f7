"""What the schema cannot say about an item: identifiers that dangle, keys that are no options, scores nobody sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.choice import wording_findings
from item_formats.findings import Finding, ItemError
from item_formats.parsing import XML_LANG, line_of, qti
from item_formats.processing import TEMPLATES
from item_formats.values import CARDINALITIES, READERS, read_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from item_formats.model import ChoiceInteraction, Item, OutcomeDeclaration, ResponseDeclaration


def check(item: Item, *, file: str | None = None) -> list[Finding]:
    """Findings on one item, errors first, then in document order; lines are those of the document it was read from."""
    findings: list[Finding] = []
    for question in QUESTIONS:
        try:
            findings.extend(question(item))
        except ItemError as error:  # a view that cannot be read is a finding too, once
            findings.extend(error.findings)
    named = dict.fromkeys(replace(finding, file=file, item=item.identifier) for finding in findings)
    return sorted(named, key=lambda finding: (finding.severity != "error", finding.line or 0))


def _error(code: str, message: str, line: int | None) -> Finding:
    return Finding("error", code, message, line=line)


def _warning(code: str, message: str, line: int | None) -> Finding:
    return Finding("warning", code, message, line=line)


def _attributes_stand(item: Item) -> Iterator[Finding]:
    for attribute in ("title", "time-dependent", XML_LANG):
        if item.root.get(attribute) is None:
            name = attribute.replace("{http://www.w3.org/XML/1998/namespace}", "xml:")
            message = f"qti-assessment-item has no {name}: add it"
            yield _warning("missing-attribute", message, line_of(item.root))


def _names_are_unique(item: Item) -> Iterator[Finding]:
    responses = [declaration.identifier for declaration in item.response_declarations]
    outcomes = [declaration.identifier for declaration in item.outcome_declarations]
    for name, times in Counter(responses + outcomes).items():
        if times > 1:
            message = f"{name or 'the empty identifier'} is declared {times} times: give each variable its own name"
            yield _error("repeated-declaration", message, line_of(item.root))


def _declarations_are_typed(item: Item) -> Iterator[Finding]:
    declared: list[ResponseDeclaration | OutcomeDeclaration] = [*item.response_declarations, *item.outcome_declarations]
    for declaration in declared:
        name, cardinality, base_type = declaration.identifier, declaration.cardinality, declaration.base_type
        if cardinality not in CARDINALITIES:
            message = f'{name} has cardinality="{cardinality}"; expected one of {", ".join(CARDINALITIES)}'
            yield _error("bad-cardinality", message, declaration.line)
        elif cardinality != "record" and base_type not in {*READERS, "point", "file"}:
            message = f'{name} has base-type="{base_type}"; expected one of {", ".join(READERS)}, point, file'
            yield _error("bad-base-type", message, declaration.line)
        else:
            yield from _values_are_typed(declaration)


def _values_are_typed(declaration: ResponseDeclaration | OutcomeDeclaration) -> Iterator[Finding]:
    if declaration.cardinality == "record" or declaration.base_type not in READERS:
        return
    correct = getattr(declaration, "correct", ())
    for what, texts in (("default value", declaration.default), ("correct response", correct)):
        try:
            read_value(
                texts,
                base_type=declaration.base_type,
                cardinality=declaration.cardinality,
                name=f"the {what} of {declaration.identifier}",
            )
        except ItemError as error:
            yield replace(error.findings[0], line=declaration.line)


def _interactions_are_bound(item: Item) -> Iterator[Finding]:
    declared = {declaration.identifier: declaration for declaration in item.response_declarations}
    if not item.choice_interactions and not item.other_interactions:
        yield _warning("no-interaction", "the item asks for no answer: add an interaction", line_of(item.root))
    for name in sorted(set(item.other_interactions)):
        message = f"{name} is kept, but not checked, scored or shown yet"
        yield _warning("interaction-not-understood", message, line_of(item.root))
    for interaction in item.choice_interactions:
        declaration = declared.get(interaction.response_identifier)
        if declaration is None:
            message = (
                f'the interaction answers "{interaction.response_identifier}", which no response declaration has; '
                f"declared are {', '.join(declared) or 'none'}"
            )
            yield _error("dangling-response", message, interaction.line)
        else:
            yield from _choice_fits(interaction, declaration)
    if not item.other_interactions:
        answered = {interaction.response_identifier for interaction in item.choice_interactions}
        for name in declared.keys() - answered:
            message = f"no interaction answers the response {name}: remove the declaration or bind an interaction"
            yield _warning("unanswered-response", message, declared[name].line)


def _choice_fits(interaction: ChoiceInteraction, declaration: ResponseDeclaration) -> Iterator[Finding]:
    name = declaration.identifier
    if declaration.base_type != "identifier" or declaration.cardinality not in {"single", "multiple"}:
        message = (
            f"{name} is {declaration.cardinality} {declaration.base_type}; a choice interaction needs single or "
            "multiple identifier"
        )
        yield _error("cardinality-against-interaction", message, declaration.line)
    if declaration.cardinality == "single" and interaction.max_choices != 1:
        message = f'max-choices="{interaction.max_choices}" allows several answers, but {name} is single: use multiple'
        yield _error("cardinality-against-interaction", message, interaction.line)
    if interaction.max_choices and interaction.min_choices > interaction.max_choices:
        message = f'min-choices="{interaction.min_choices}" is more than max-choices="{interaction.max_choices}"'
        yield _error("impossible-choices", message, interaction.line)
    yield from _options_stand(interaction)
    yield from _keys_are_options(interaction, declaration)


def _options_stand(interaction: ChoiceInteraction) -> Iterator[Finding]:
    if len(interaction.options) < 2:
        message = f"the interaction offers {len(interaction.options)} options; expected 2 or more"
        yield _error("option-count", message, interaction.line)
    for identifier, times in Counter(option.identifier for option in interaction.options).items():
        if times > 1 or not identifier:
            message = f'{times} options have the identifier "{identifier}": give each its own'
            yield _error("repeated-option-identifier", message, interaction.line)


def _keys_are_options(interaction: ChoiceInteraction, declaration: ResponseDeclaration) -> Iterator[Finding]:
    identifiers = [option.identifier for option in interaction.options]
    offered = f"the options are {', '.join(identifiers) or 'none'}"
    for key in declaration.correct:
        if key not in identifiers:
            yield _error("key-not-an-option", f'the correct response "{key}" is no option; {offered}', declaration.line)
    if interaction.max_choices and len(declaration.correct) > interaction.max_choices:
        message = f"{len(declaration.correct)} options are correct, but max-choices allows {interaction.max_choices}"
        yield _error("unreachable-key", message, declaration.line)
    if declaration.mapping is None:
        return
    mapped = [entry.key for entry in declaration.mapping.entries]
    for key in mapped:
        if key not in identifiers:
            yield _error("map-key-not-an-option", f'the map key "{key}" is no option; {offered}', declaration.line)
    missing = [identifier for identifier in identifiers if identifier not in mapped]
    if missing:
        message = f"no map entry for {', '.join(missing)}: they score the default {declaration.mapping.default:g}"
        yield _warning("option-without-map-entry", message, declaration.line)


def _score_is_set(item: Item) -> Iterator[Finding]:
    line = line_of(item.root)
    processing = item.root.find(qti("qti-response-processing"))
    human = any(outcome.external_scored for outcome in item.outcome_declarations)
    if processing is None:
        if not human:
            message = "the item has no response processing: it is a candidate's copy, or cannot be scored"
            yield _warning("no-processing", message, line)
        return
    if item.template not in TEMPLATES:
        what = f"the template {item.template}" if item.template else "the item's own response rules"
        message = f"{what} cannot be run yet; they are kept, and scoring the item is refused"
        yield _warning("processing-not-understood", message, line_of(processing))
        return
    if all(outcome.identifier != "SCORE" for outcome in item.outcome_declarations):
        message = f"{item.template} sets SCORE, which is not declared: add a qti-outcome-declaration (single, float)"
        yield _error("missing-outcome", message, line)
    response = next((one for one in item.response_declarations if one.identifier == "RESPONSE"), None)
    if response is None:
        message = f"{item.template} scores RESPONSE, which is not declared: name the response RESPONSE"
        yield _error("dangling-response", message, line_of(processing))
    elif item.template == "match_correct" and not response.correct:
        message = "RESPONSE has no correct response, so every answer would be wrong: add qti-correct-response"
        yield _error("no-correct-answer", message, response.line)
    elif item.template == "map_response" and response.mapping is None:
        message = "RESPONSE has no mapping, so every answer would score nothing: add qti-mapping"
        yield _error("no-mapping", message, response.line)


def _reads_well(item: Item) -> Iterator[Finding]:
    line = item.choice_interactions[0].line if item.choice_interactions else line_of(item.root)
    if item.item_type is None:
        return
    if not item.stem_text.strip():
        yield _warning("empty-stem", "the item shows no question before its options: write the stem", line)
    for option in item.options:
        if not option.text.strip():
            message = f"option {option.identifier} has no text: write it, or check that its picture has a description"
            yield _warning("empty-option", message, line)
    if item.language.lower().startswith("zh") and item.stem_text.strip():
        for finding in wording_findings(item.item_type, item.stem_text):
            yield replace(finding, line=line, column=None)


QUESTIONS: tuple[Callable[[Item], Iterator[Finding]], ...] = (
    _attributes_stand,
    _names_are_unique,
    _declarations_are_typed,
    _interactions_are_bound,
    _score_is_set,
    _reads_well,
)
