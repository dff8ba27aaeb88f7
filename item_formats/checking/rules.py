"""Rules on processing: every rule sets something that is declared, to a value of its type, on a true or false."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.checking.expressions import BOOLEAN, NUMBER, Type, type_of, type_of_variable
from item_formats.checking.facts import PROCESSING, SETTERS
from item_formats.checking.found import Found, error, warning
from item_formats.parsing import is_qti, is_true, local_name, qti
from item_formats.vocabulary import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts, Variable

# Processing by kind: response, outcome, template. What its conditions, fragments and exit are called.
_BRANCHES = ("-if", "-else-if", "-else")
_EXITS = frozenset({"qti-exit-response", "qti-exit-template", "qti-exit-test"})


def processing_is_sound(facts: Facts) -> Iterator[Found]:
    found: list[Found] = []
    for name in PROCESSING:
        for processing in facts.root.iterchildren(qti(name)):
            for rule in processing:
                _rule(rule, facts, found)
    for element in facts.root.iter(qti("qti-template-default"), qti("qti-pre-condition"), qti("qti-branch-rule")):
        _decides(element, facts, found)
    yield from found


def _rule(rule: etree._Element, facts: Facts, found: list[Found]) -> None:
    name = local_name(rule)
    if not name:
        return
    if name in SETTERS:
        _setter(rule, name, facts, found)
    elif name.endswith("-condition"):
        for branch in rule:
            _branch(branch, facts, found)
    elif name.endswith("-processing-fragment"):
        for child in rule:
            _rule(child, facts, found)
    elif name == "qti-template-constraint":
        _decides(rule, facts, found)
    elif name not in _EXITS or not is_qti(rule):
        found.append(error(rule, "unknown-rule", f"<{name}> is no rule of QTI 3: it would never run"))


def _decides(holder: etree._Element, facts: Facts, found: list[Found]) -> None:
    """One expression alone: a precondition, a branch, a constraint; of a template default any value."""
    children = [child for child in holder if local_name(child)]
    if len(children) != 1:
        message = f"{local_name(holder)} holds {len(children)} expressions; expected 1"
        found.append(error(holder, "wrong-operands", message))
    elif local_name(holder) == "qti-template-default":
        type_of(children[0], facts, found)
    else:
        _condition(holder, children[0], facts, found)


def _branch(branch: etree._Element, facts: Facts, found: list[Found]) -> None:
    name = local_name(branch)
    if not name:
        return
    if not name.endswith(_BRANCHES):
        found.append(
            error(branch, "unknown-rule", f"<{name}> is no branch of a condition: expected if, else-if or else")
        )
        return
    children = [child for child in branch if local_name(child)]
    if not name.endswith("-else"):
        if not children:
            found.append(error(branch, "wrong-operands", f"{name} has no expression to decide on: add one"))
            return
        _condition(branch, children[0], facts, found)
        children = children[1:]
    for child in children:
        _rule(child, facts, found)


def _condition(at: etree._Element, expression: etree._Element, facts: Facts, found: list[Found]) -> None:
    given = type_of(expression, facts, found)
    if not given.meets(BOOLEAN):
        message = f"{local_name(at)} decides on a single boolean, but {local_name(expression)} gives {given}"
        found.append(error(expression, "wrong-type", message))


def _setter(rule: etree._Element, name: str, facts: Facts, found: list[Found]) -> None:
    identifier, kind = rule.get("identifier", ""), SETTERS[name]
    children = [child for child in rule if local_name(child)]
    given = type_of(children[0], facts, found) if children else None
    if len(children) != 1:
        found.append(error(rule, "wrong-operands", f"{name} holds {len(children)} expressions; expected 1"))
    variable = facts.variables.get(identifier)
    if variable is None or kind not in {variable.kind, "any"}:
        declared = facts.names(kind) if kind != "any" else ", ".join(facts.variables)
        message = f'{name} sets "{identifier}", which is not declared as {_a(kind)}; declared are {declared}'
        found.append(error(rule, f"dangling-{kind if kind != 'any' else 'variable'}", message))
    elif name == "qti-lookup-outcome-value":
        _lookup(rule, variable, given, found)
    elif given is not None:
        wanted = type_of_variable(variable)
        if not _assignable(given, wanted):
            message = f"{identifier} is {wanted}, but {local_name(children[0])} gives {given}"
            found.append(error(rule, "wrong-type", message))


def _a(kind: str) -> str:
    return {"outcome": "an outcome", "template": "a template variable", "response": "a response"}.get(
        kind, "a variable"
    )


_TEXTUAL = frozenset({"string", "identifier", "uri"})
_NUMERIC = frozenset({"integer", "float", "duration"})


def _assignable(given: Type, wanted: Type) -> bool:
    """What a variable may take: its own type, numbers for numbers, texts for texts, one value for a container."""
    cardinalities = given.cardinalities | ({"multiple", "ordered"} if "single" in given.cardinalities else set())
    base_types = set(given.base_types)
    if base_types & _NUMERIC:
        base_types |= _NUMERIC
    if base_types & _TEXTUAL or "string" in wanted.base_types:
        base_types |= _TEXTUAL
    return Type(frozenset(cardinalities), frozenset(base_types)).meets(wanted)


def _lookup(rule: etree._Element, variable: Variable, given: Type | None, found: list[Found]) -> None:
    if variable.child("qti-match-table") is None and variable.child("qti-interpolation-table") is None:
        message = f"{variable.identifier} has no table to look up: add qti-match-table or qti-interpolation-table"
        found.append(error(rule, "no-table", message))
    if given is not None and not given.meets(NUMBER):
        found.append(error(rule, "wrong-type", f"a look-up takes a single number, got {given}"))


def score_is_set(facts: Facts) -> Iterator[Found]:
    """Whether the item can be scored at all, and by what."""
    processing = facts.processing
    outcomes = [one.element for one in facts.of_kind("outcome") if one.element is not None]
    elsewhere = any(element.get("external-scored") for element in outcomes)
    if processing is None:
        if not elsewhere:
            message = "the item has no response processing: it is a candidate's copy, or cannot be scored"
            yield warning(facts.root, "no-processing", message)
        return
    own_rules = any(local_name(child) for child in processing)
    if facts.template is None or own_rules:
        if not own_rules and facts.template is None and not elsewhere:
            message = "qti-response-processing is empty, so every answer scores nothing: add rules or a template"
            yield warning(processing, "no-processing", message)
        return
    if facts.template not in TEMPLATES:
        message = (
            f"the template {facts.template} is not one of {', '.join(TEMPLATES)}; it is kept, and scoring is refused"
        )
        yield warning(processing, "processing-not-understood", message)
        return
    if "SCORE" not in facts.variables:
        message = f"{facts.template} sets SCORE, which is not declared: add a qti-outcome-declaration (single, float)"
        yield error(facts.root, "missing-outcome", message)
    yield from _template_has_its_key(facts, processing)


def _template_has_its_key(facts: Facts, processing: etree._Element) -> Iterator[Found]:
    response = facts.variables.get("RESPONSE")
    if response is None or response.kind != "response" or response.element is None:
        message = f"{facts.template} scores RESPONSE, which is not declared: name the response RESPONSE"
        yield error(processing, "dangling-response", message)
    elif facts.template == "match_correct":
        is_set = any(local_name(one) == "qti-set-correct-response" for one in facts.sets.get("RESPONSE", ()))
        if not response.correct and not is_set and response.child("qti-correct-response") is None:
            message = "RESPONSE has no correct response, so every answer would be wrong: add qti-correct-response"
            yield error(response.element, "no-correct-answer", message)
    elif facts.template == "map_response" and response.child("qti-mapping") is None:
        message = "RESPONSE has no mapping, so every answer would score nothing: add qti-mapping"
        yield error(response.element, "no-mapping", message)
    elif facts.template == "map_response_point" and response.child("qti-area-mapping") is None:
        message = "RESPONSE has no area mapping, so every point would score nothing: add qti-area-mapping"
        yield error(response.element, "no-mapping", message)


def adaptive_items_end(facts: Facts) -> Iterator[Found]:
    adaptive = is_true(facts.root, "adaptive")
    if adaptive and facts.processing is not None and "completionStatus" not in facts.sets:
        message = (
            "the item is adaptive, but nothing sets completionStatus, so attempts never end: set it to completed in "
            "the response processing"
        )
        yield error(facts.root, "adaptive-never-ends", message)
