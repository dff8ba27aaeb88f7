"""Response processing: outcomes of an item from what a candidate answered.

An item is compiled once, into a function from typed responses to a score; after that scoring it is a few dictionary
look-ups. Processing that is not understood is refused by name: no score is better than a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import qti
from item_formats.values import Scalar, Value, read_value, values_match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from item_formats.model import Item, OutcomeDeclaration, ResponseDeclaration
    from item_formats.model import Mapping as ResponseMapping

Outcome = float | str | list[float | str] | None


@dataclass(frozen=True, slots=True)
class Scoring:
    """An item ready to score: what may be answered, what outcomes start at, and the rule that sets SCORE."""

    item: str
    responses: dict[str, ResponseDeclaration]
    defaults: dict[str, Value]
    options: dict[str, frozenset[str]]
    outcomes: dict[str, Outcome]
    rule: Callable[[dict[str, Value]], float]


def score(item: Item, responses: Mapping[str, str | Sequence[str] | None]) -> dict[str, Outcome]:
    """Outcome values of one attempt; `responses` maps response identifiers to option identifiers or texts.

    A response that is missing, None, "" or [] is NULL: nothing was answered (a declared default value then counts).
    Numbers come back as numbers, multiple and ordered outcomes as lists, NULL as None.

    Raises
    ------
    ItemError
        The item's processing is not understood or it has no key; or a response is not declared, is not of its type,
        or is not an option of the item.
    """
    scoring = compiled(item)
    unknown = [name for name in responses if name not in scoring.responses]
    if unknown:
        message = f"no response is called {', '.join(unknown)}; the item has {', '.join(scoring.responses) or 'none'}"
        raise ItemError(Finding("error", "unknown-response", message, item=scoring.item))
    given: dict[str, Value] = {}
    for name, declaration in scoring.responses.items():
        answer = responses.get(name)
        texts = (answer,) if isinstance(answer, str) else tuple(answer or ())
        value = _typed(declaration, texts) if texts else None
        options = scoring.options.get(name)
        if value is not None and options is not None and not options.issuperset(map(str, value)):
            message = f"{name} is {', '.join(texts)}; the options are {', '.join(sorted(options))}"
            raise ItemError(Finding("error", "response-not-an-option", message, item=scoring.item))
        given[name] = scoring.defaults[name] if value is None else value
    return {**scoring.outcomes, "SCORE": scoring.rule(given)}


_compiled: dict[str, Scoring] = {}
_MOST_COMPILED = 100_000  # about 200 MB; a bank in use is smaller


def compiled(item: Item) -> Scoring:
    """The item's scoring, worked out once for each digest in a process."""
    scoring = _compiled.get(item.digest)
    if scoring is None:
        if len(_compiled) >= _MOST_COMPILED:
            _compiled.clear()
        scoring = _compiled[item.digest] = _compile(item)
    return scoring


def _compile(item: Item) -> Scoring:
    declarations = {declaration.identifier: declaration for declaration in item.response_declarations}
    outcomes = {outcome.identifier: _initial(outcome) for outcome in item.outcome_declarations}
    rule = _rule(item, declarations)
    if "SCORE" not in outcomes:
        message = 'the item declares no outcome SCORE: add <qti-outcome-declaration identifier="SCORE" …>'
        raise ItemError(Finding("error", "missing-outcome", message, item=item.identifier))
    return Scoring(
        item=item.identifier,
        responses=declarations,
        defaults={name: _typed(declaration, declaration.default) for name, declaration in declarations.items()},
        options={
            interaction.response_identifier: frozenset(option.identifier for option in interaction.options)
            for interaction in item.choice_interactions
        },
        outcomes=outcomes,
        rule=rule,
    )


def _typed(declaration: ResponseDeclaration, texts: Sequence[str]) -> Value:
    return read_value(
        texts,
        base_type=declaration.base_type,
        cardinality=declaration.cardinality,
        name=declaration.identifier,
    )


def _initial(outcome: OutcomeDeclaration) -> Outcome:
    """Where an outcome starts: its default, else 0 for a single number and NULL for the rest (QTI 3, 5.2)."""
    value = read_value(
        outcome.default, base_type=outcome.base_type, cardinality=outcome.cardinality, name=outcome.identifier
    )
    if value is None:
        numeric = outcome.cardinality == "single" and outcome.base_type in {"float", "integer"}
        return 0.0 if numeric else None
    plain = [part if isinstance(part, (int, float, str)) else " ".join(part) for part in value]
    return plain[0] if outcome.cardinality == "single" else list(plain)


def _rule(item: Item, declarations: dict[str, ResponseDeclaration]) -> Callable[[dict[str, Value]], float]:
    processing = item.root.find(qti("qti-response-processing"))
    if processing is None:
        message = (
            "the item has no response processing (a candidate's copy, or scored elsewhere): score the bank's version"
        )
        raise ItemError(Finding("error", "no-processing", message, item=item.identifier))
    template = item.template
    if template is None:
        message = (
            "the item has response rules of its own; only the templates match_correct and map_response are run yet"
        )
        raise ItemError(Finding("error", "processing-not-understood", message, item=item.identifier))
    if template not in TEMPLATES:
        message = f"the response-processing template {template} is not known; known are {', '.join(TEMPLATES)}"
        raise ItemError(Finding("error", "processing-not-understood", message, item=item.identifier))
    declaration = declarations.get("RESPONSE")
    if declaration is None:
        message = f"the template {template} scores the response RESPONSE, which the item does not declare"
        raise ItemError(Finding("error", "dangling-response", message, item=item.identifier))
    return TEMPLATES[template](item, declaration)


def _match_correct(item: Item, declaration: ResponseDeclaration) -> Callable[[dict[str, Value]], float]:
    """1 when the response matches the correct response, else 0 (also when nothing was answered)."""
    correct = _typed(declaration, declaration.correct)
    if correct is None:
        message = "match_correct needs a correct response, and the item carries none: add <qti-correct-response>"
        raise ItemError(Finding("error", "no-correct-answer", message, item=item.identifier))
    name, cardinality = declaration.identifier, declaration.cardinality

    def rule(given: dict[str, Value]) -> float:
        return 1.0 if values_match(given[name], correct, cardinality=cardinality) else 0.0

    return rule


def _map_response(item: Item, declaration: ResponseDeclaration) -> Callable[[dict[str, Value]], float]:
    """The sum of what each distinct value of the response maps to, within the mapping's bounds; 0 for no answer."""
    mapping = declaration.mapping
    if mapping is None:
        message = "map_response needs a mapping, and the item carries none: add <qti-mapping>"
        raise ItemError(Finding("error", "no-mapping", message, item=item.identifier))
    exact, folded = _mapping_tables(declaration, mapping)
    name = declaration.identifier

    def gain(value: Scalar) -> float:
        if value in exact:
            return exact[value]
        return folded.get(value.casefold(), mapping.default) if isinstance(value, str) else mapping.default

    def rule(given: dict[str, Value]) -> float:
        value = given[name]
        if value is None:
            return 0.0
        total = sum(gain(part) for part in dict.fromkeys(value))  # duplicates count once (QTI 3, mapResponse)
        if mapping.lower is not None:
            total = max(total, mapping.lower)
        return total if mapping.upper is None else min(total, mapping.upper)

    return rule


def _mapping_tables(
    declaration: ResponseDeclaration, mapping: ResponseMapping
) -> tuple[dict[Scalar, float], dict[str, float]]:
    """What values map to: exactly, and for strings whose entry is not case-sensitive, by their folded text."""
    exact: dict[Scalar, float] = {}
    folded: dict[str, float] = {}
    for entry in mapping.entries:
        if declaration.base_type == "string":
            (folded if not entry.case_sensitive else exact).setdefault(
                entry.key if entry.case_sensitive else entry.key.casefold(), entry.value
            )
            continue
        key = read_value(
            (entry.key,), base_type=declaration.base_type, cardinality="single", name=declaration.identifier
        )
        if key is not None:
            exact.setdefault(key[0], entry.value)
    return exact, folded


TEMPLATES: dict[str, Callable[[Item, ResponseDeclaration], Callable[[dict[str, Value]], float]]] = {
    "match_correct": _match_correct,
    "map_response": _map_response,
}
