"""One candidate's session with one item: begun (and cloned) with a seed, then attempt by attempt.

What is not understood is refused by name: no score is better than a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.processing.feedback import modal_feedback
from item_formats.processing.programs import Program, compiled, named
from item_formats.processing.scope import BUILT_IN, COMPLETION_STATES, COMPLETION_STATUS, DURATION, NUM_ATTEMPTS, Scope
from item_formats.processing.values import Plain, Value, plain, single
from item_formats.processing.variables import typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.model import Item
    from item_formats.processing.context import CustomOperator
    from item_formats.processing.variables import Declaration

DEFAULT_SEED = 0  # of a clone nobody gave a seed


@dataclass(frozen=True, slots=True)
class ItemState:
    """A session with an item at rest, as plain data (see `values.plain`): it can be stored and taken up again.

    `outcomes`, `responses` and `template_values` by identifier; `corrects` and `defaults` what template processing
    set; `feedback` the identifiers of the modal feedback shown; `needs_person` the outcomes a person scores
    (``external-scored="human"``). `duration` is in seconds.
    """

    seed: int
    outcomes: dict[str, Plain]
    responses: dict[str, Plain]
    template_values: dict[str, Plain] = field(default_factory=dict)
    corrects: dict[str, Plain] = field(default_factory=dict)
    defaults: dict[str, Plain] = field(default_factory=dict)
    num_attempts: int = 0
    completion_status: str = "not_attempted"
    duration: float = 0.0
    feedback: tuple[str, ...] = ()
    needs_person: tuple[str, ...] = ()


def begin_item(
    item: Item,
    seed: int | None = None,
    *,
    template_defaults: Mapping[str, Plain] | None = None,
    custom_operators: Mapping[str, CustomOperator] | None = None,
) -> ItemState:
    """A session before its first attempt; an item with template processing is cloned, the same for the same seed.

    `template_defaults` replaces the declared defaults of template variables (a test can set them). For
    `custom_operators` see `score`.

    Raises
    ------
    ItemError
        The item cannot be run, or a template default is not of its type or names no template variable.
    """
    program = compiled(item)
    seed = DEFAULT_SEED if seed is None else seed
    try:
        scope = _begun(program, seed, template_defaults, custom_operators)
    except ItemError as error:
        raise named(error, program.identifier) from None
    return ItemState(
        seed=seed,
        outcomes=_plain_of(program.outcomes, scope.values),
        responses={declaration.identifier: None for declaration in program.responses},
        template_values=_plain_of(program.templates, scope.values),
        corrects={name: plain(value) for name, value in scope.corrects.items()},
        defaults={name: plain(value) for name, value in scope.defaults.items()},
        needs_person=program.needs_person,
    )


def attempt(
    item: Item,
    state: ItemState,
    responses: Mapping[str, object],
    *,
    seconds: float = 0.0,
    custom_operators: Mapping[str, CustomOperator] | None = None,
) -> ItemState:
    """The session after one more attempt, `seconds` longer than before.

    `responses` maps response identifiers to texts, numbers, lists of them, or dictionaries for records. A response that
    is not named keeps the value of the attempt before; None, "" or [] is no answer, and then the default counts.
    Outcomes of an adaptive item build on the attempts before, those of others start anew (QTI 3, *item session*). For
    `custom_operators` see `score`.

    Raises
    ------
    ItemError
        A response that is not declared, not of its type or no option of its interaction; or rules that cannot be run.
    """
    program = compiled(item)
    try:
        scope = _resumed(program, state, responses, seconds, custom_operators)
        if program.rules is not None:
            program.rules(scope)
    except ItemError as error:
        raise named(error, program.identifier) from None
    outcomes = _plain_of(program.outcomes, scope.values)
    return replace(
        state,
        outcomes=outcomes,
        responses=_plain_of(program.responses, scope.values),
        num_attempts=state.num_attempts + 1,
        completion_status=_completion(program, scope),
        duration=state.duration + seconds,
        feedback=modal_feedback(item.root, outcomes) if program.has_modal_feedback else (),
    )


def score(
    item: Item,
    responses: Mapping[str, object],
    *,
    seed: int | None = None,
    custom_operators: Mapping[str, CustomOperator] | None = None,
) -> dict[str, Plain]:
    """Outcome values of one attempt; `responses` maps response identifiers to option identifiers, texts or numbers.

    A response that is missing, None, "" or [] is NULL: nothing was answered (a declared default value then counts).
    Numbers come back as numbers, multiple and ordered outcomes as lists, records as dictionaries, NULL as None. The
    seed makes the clone of an item with template processing.

    `custom_operators` are functions by the class or definition of a custom operator: they get a `processing.Value`, or
    None for NULL, for each sub-expression and give one back. Without them an item whose score depends on such an
    operator is refused.

    Raises
    ------
    ItemError
        The item's processing is not understood or it has no key; or a response is not declared, is not of its type,
        or is not an option of the item.
    """
    program = compiled(item)
    if program.unscorable is not None:
        raise ItemError(program.unscorable)
    try:
        begun = _begun(program, DEFAULT_SEED if seed is None else seed, None, custom_operators)
        scope = _answered(program, begun, responses)
        if program.rules is not None:
            program.rules(scope)
    except ItemError as error:
        raise named(error, program.identifier) from None
    return _plain_of(program.outcomes, scope.values)


def _begun(
    program: Program,
    seed: int,
    template_defaults: Mapping[str, Plain] | None,
    operators: Mapping[str, CustomOperator] | None,
) -> Scope:
    scope = Scope(program.declarations, dict(program.start), seed=seed, custom_operators=operators)
    for name, given in (template_defaults or {}).items():
        declaration = program.declarations.get(name)
        if declaration is None or declaration.kind != "template":
            message = f"a template default names {name}; the item has no such template variable"
            raise ItemError(Finding("error", "dangling-variable", message))
        scope.assign_default(name, typed(declaration, given))
    if program.clone is not None:
        program.clone(scope)
    return scope


def _resumed(
    program: Program,
    state: ItemState,
    responses: Mapping[str, object],
    seconds: float,
    operators: Mapping[str, CustomOperator] | None,
) -> Scope:
    declarations = program.declarations
    values = dict(program.start)
    for name, held in state.template_values.items():
        values[name] = typed(declarations[name], held)
    defaults = {name: typed(declarations[name], held) for name, held in state.defaults.items()}
    corrects = {name: typed(declarations[name], held) for name, held in state.corrects.items()}
    values.update({name: value for name, value in defaults.items() if declarations[name].kind == "outcome"})
    if program.adaptive and state.num_attempts:
        values.update({name: typed(declarations[name], held) for name, held in state.outcomes.items()})
    # a seed of its own for each attempt, so that it scores the same when it is scored again
    seed = f"{state.seed}/{state.num_attempts + 1}"
    scope = Scope(declarations, values, seed=seed, defaults=defaults, corrects=corrects, custom_operators=operators)
    kept = {name: held for name, held in state.responses.items() if held is not None} if state.num_attempts else {}
    _answered(program, scope, {**kept, **responses})
    values[NUM_ATTEMPTS] = single("integer", state.num_attempts + 1)
    values[DURATION] = single("duration", float(state.duration + seconds))
    status = state.completion_status if program.adaptive and state.num_attempts else "unknown"
    values[COMPLETION_STATUS] = single("identifier", status)
    return scope


def _answered(program: Program, scope: Scope, responses: Mapping[str, object]) -> Scope:
    """The scope with the responses in it, checked, and the built-in variables of a first attempt."""
    values = scope.values
    for name in responses:
        declaration = program.declarations.get(name) or BUILT_IN.get(name)
        if declaration is None or declaration.kind != "response":
            declared = ", ".join(one.identifier for one in program.responses) or "none"
            message = f"no response is called {name}; the item has {declared}"
            raise ItemError(Finding("error", "unknown-response", message))
    values[COMPLETION_STATUS], values[NUM_ATTEMPTS], values[DURATION] = _FIRST
    for declaration in program.responses:
        name = declaration.identifier
        value = _response(program, declaration, responses.get(name))
        options = program.options.get(name)
        if value is not None and options is not None and not options.issuperset(map(str, value.items)):
            given, offered = ", ".join(map(str, value.items)), ", ".join(sorted(options))
            message = f"{name} is {given}; the options are {offered}"
            raise ItemError(Finding("error", "response-not-an-option", message))
        values[name] = scope.default(name) if value is None else value
    for name in (NUM_ATTEMPTS, DURATION):
        if name in responses:
            values[name] = typed(BUILT_IN[name], responses[name])
    return scope


def _response(program: Program, declaration: Declaration, given: object) -> Value | None:
    """A response as a value; what a candidate typed where a number was asked for, and is none, is no value: NULL."""
    try:
        return typed(declaration, given)
    except ItemError as error:
        written = isinstance(given, str) and declaration.identifier in program.typed
        if written and error.findings[0].code == "bad-value":
            return None
        raise


_FIRST = (single("identifier", "unknown"), single("integer", 1), single("duration", 0.0))


def _plain_of(declarations: tuple[Declaration, ...], values: Mapping[str, Value | None]) -> dict[str, Plain]:
    return {declaration.identifier: plain(values.get(declaration.identifier)) for declaration in declarations}


def _completion(program: Program, scope: Scope) -> str:
    """What the rules set; else processing completes the item, or leaves an adaptive one incomplete."""
    status = str(plain(scope.variable(COMPLETION_STATUS)))
    if status not in COMPLETION_STATES:
        message = f"the rules set completionStatus to {status}; expected one of {', '.join(COMPLETION_STATES)}"
        raise ItemError(Finding("error", "bad-value", message, item=program.identifier))
    if status != "unknown" or program.rules is None:
        return status
    return "incomplete" if program.adaptive else "completed"
