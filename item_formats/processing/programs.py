"""Items compiled to functions over typed variables, once for each digest in a process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import is_true, line_of, local_name, qti
from item_formats.processing.rules import Rules, compile_rules
from item_formats.processing.templates import TEMPLATES, compile_template_processing
from item_formats.processing.variables import Declaration, read_declarations

if TYPE_CHECKING:
    from collections.abc import Callable

    from item_formats.model import Item
    from item_formats.processing.scope import Scope
    from item_formats.processing.values import Value


@dataclass(frozen=True, slots=True)
class Program:
    """An item ready to run.

    `options` are the identifiers a response to a choice interaction can hold, `typed` the responses candidates type.
    """

    identifier: str
    declarations: dict[str, Declaration]
    responses: tuple[Declaration, ...]
    outcomes: tuple[Declaration, ...]
    templates: tuple[Declaration, ...]
    start: dict[str, Value | None]
    options: dict[str, frozenset[str]]
    typed: frozenset[str]
    clone: Callable[[Scope], None] | None
    rules: Rules | None
    adaptive: bool
    has_modal_feedback: bool
    needs_person: tuple[str, ...]
    unscorable: Finding | None


_compiled: dict[str, Program] = {}
_MOST_COMPILED = 100_000  # about 400 MB; a bank in use is smaller


def compiled(item: Item) -> Program:
    """The item's functions, worked out once for each digest in a process.

    Raises
    ------
    ItemError
        Declarations or rules that cannot be run.
    """
    found = _compiled.get(item.digest)
    if found is None:
        if len(_compiled) >= _MOST_COMPILED:
            _compiled.clear()
        try:
            found = _compile(item)
        except ItemError as error:
            raise named(error, item.identifier) from None
        _compiled[item.digest] = found
    return found


def person_findings(item: Item) -> list[Finding]:
    """A warning for each outcome a person sets: scoring leaves it at its default."""
    found: list[Finding] = []
    for element in item.root.iterchildren(qti("qti-outcome-declaration")):
        if element.get("external-scored") == "human":
            name = element.get("identifier", "")
            message = f"{name} is set by a person (external-scored): scoring leaves it at its default"
            found.append(Finding("warning", "scored-by-a-person", message, line=line_of(element), item=item.identifier))
    return found


def _compile(item: Item) -> Program:
    declarations = read_declarations(item.root)
    by_kind = {
        kind: tuple(one for one in declarations.values() if one.kind == kind)
        for kind in ("response", "outcome", "template", "context")
    }
    template_processing = item.root.find(qti("qti-template-processing"))
    start = {name: None if one.kind == "response" else one.start for name, one in declarations.items()}
    needs_person = tuple(one.identifier for one in by_kind["outcome"] if one.external_scored == "human")
    program = Program(
        identifier=item.identifier,
        declarations=declarations,
        responses=by_kind["response"],
        outcomes=by_kind["outcome"],
        templates=by_kind["template"],
        start=start,
        options=_options(item),
        typed=frozenset(element.get("response-identifier", "") for element in item.root.iter(*_TEXT_INTERACTIONS)),
        clone=None if template_processing is None else compile_template_processing(template_processing),
        rules=_rules(item),
        adaptive=is_true(item.root, "adaptive"),
        has_modal_feedback=item.root.find(qti("qti-modal-feedback")) is not None,
        needs_person=needs_person,
        unscorable=None,
    )
    fault = _unscorable(item, program)
    return program if fault is None else replace(program, unscorable=replace(fault, item=item.identifier))


_TEXT_INTERACTIONS = (qti("qti-text-entry-interaction"), qti("qti-extended-text-interaction"))


def _options(item: Item) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for interaction in item.root.iter(qti("qti-choice-interaction")):
        choices = interaction.iterchildren(qti("qti-simple-choice"))
        found[interaction.get("response-identifier", "")] = frozenset(
            choice.get("identifier", "") for choice in choices
        )
    return found


def _rules(item: Item) -> Rules | None:
    """The item's own rules, else those of its template; None for an item without response processing."""
    processing = item.root.find(qti("qti-response-processing"))
    if processing is None:
        return None
    if item.template is None or any(local_name(child) for child in processing):
        return compile_rules(processing, refuse_late=True)
    if item.template not in TEMPLATES:
        message = f"the response-processing template {item.template} is not known; known are {', '.join(TEMPLATES)}"
        raise ItemError(Finding("error", "processing-not-understood", message, line=line_of(processing)))
    return TEMPLATES[item.template]


def _unscorable(item: Item, program: Program) -> Finding | None:
    """Why scoring the item would score everybody wrongly, where it would."""
    if program.rules is None:
        if program.needs_person or any(one.default is not None for one in program.outcomes):
            return None  # its outcomes stay what they are declared to be: nobody answers it, or somebody else scores
        message = (
            "the item has no response processing (a candidate's copy, or scored elsewhere): score the bank's version"
        )
        return Finding("error", "no-processing", message)
    return _template_fault(item.template or "", program) if program.rules in TEMPLATES.values() else None


def _template_fault(template: str, program: Program) -> Finding | None:
    """What a standard template needs and the item has not."""
    response, outcome = program.declarations.get("RESPONSE"), program.declarations.get("SCORE")
    if response is None or response.kind != "response":
        message = f"the template {template} scores the response RESPONSE, which the item does not declare"
        return Finding("error", "dangling-response", message)
    if outcome is None or outcome.kind != "outcome":
        message = 'the item declares no outcome SCORE: add <qti-outcome-declaration identifier="SCORE" …>'
        return Finding("error", "missing-outcome", message)
    if template == "match_correct" and response.unclear_correct is not None and program.clone is None:
        return response.unclear_correct
    needed: dict[str, tuple[object, str, str, str]] = {
        "match_correct": (
            response.correct or program.clone,
            "no-correct-answer",
            "correct response",
            "correct-response",
        ),
        "map_response": (response.mapping, "no-mapping", "a mapping", "mapping"),
        "map_response_point": (response.area_mapping, "no-mapping", "an area mapping", "area-mapping"),
    }
    held, code, what, element = needed[template]
    message = f"{template} needs {what}, and the item carries none: add <qti-{element}>"
    return None if held is not None else Finding("error", code, message)


def named(error: ItemError, item: str) -> ItemError:
    """The error with the item's identifier in its findings."""
    return ItemError(*(finding if finding.item else replace(finding, item=item) for finding in error.findings))
