"""Response, outcome and template rules, compiled to functions of a context."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import is_qti, line_of, local_name
from item_formats.processing.context import Assignable
from item_formats.processing.expressions import Expression, compile_expression
from item_formats.processing.expressions.registry import number_of, refusal, truth_of

if TYPE_CHECKING:
    from lxml import etree

Rules = Callable[[Assignable], None]
Rule = Callable[[Assignable], bool]  # True: an exit rule was met, nothing after it runs

_CONDITIONS = frozenset({"qti-response-condition", "qti-outcome-condition", "qti-template-condition"})
_FRAGMENTS = frozenset({"qti-response-processing-fragment", "qti-outcome-processing-fragment"})
_EXITS = frozenset({"qti-exit-response", "qti-exit-template", "qti-exit-test"})
_KINDS_SET = {"qti-set-outcome-value": "outcome", "qti-set-template-value": "template"}


def compile_rules(element: etree._Element, *, refuse_late: bool = False) -> Rules:
    """The rules inside a processing element as one function; an exit rule ends it.

    With `refuse_late` a rule that cannot be run is only an error of the function, for those whose answers lead to it;
    `check` names such rules beforehand.

    Raises
    ------
    ItemError
        A rule or expression QTI does not have, or an inclusion (xi:include), which is never followed.
    """
    run = compile_block(list(element), refuse_late=refuse_late)

    def rules(context: Assignable) -> None:
        run(context)

    return rules


def compile_block(elements: list[etree._Element], *, refuse_late: bool = False) -> Rule:
    """Rules one after the other."""
    rules: list[Rule] = []
    for element in elements:
        if not local_name(element):
            continue  # a comment
        try:
            rules.append(_compile_rule(element, refuse_late=refuse_late))
        except ItemError as error:
            if not refuse_late:
                raise
            rules.append(_refused(error))
    if len(rules) == 1:
        return rules[0]

    def block(context: Assignable) -> bool:
        return any(rule(context) for rule in rules)

    return block


def compile_guard(element: etree._Element) -> Callable[[Assignable], bool]:
    """Whether the single expression inside an element is true; NULL is not."""
    children = [child for child in element if local_name(child)]
    if not children:
        message = f"{local_name(element)} is empty: begin it with an expression"
        raise refusal(element, "wrong-operands", message)
    return _guard(element, compile_expression(children[0]))


def _guard(element: etree._Element, expression: Expression) -> Callable[[Assignable], bool]:
    return lambda context: truth_of(element, expression(context)) is True


def _compile_rule(element: etree._Element, *, refuse_late: bool) -> Rule:
    name = local_name(element)
    if name == "include" and not is_qti(element):
        message = f"the rules of {element.get('href')} are included from elsewhere: copy them into the document"
        raise refusal(element, "include-not-followed", message)
    if is_qti(element):
        if name in _CONDITIONS:
            return _condition(element, refuse_late=refuse_late)
        if name in _FRAGMENTS:
            return compile_block(list(element), refuse_late=refuse_late)
        if name in _EXITS:
            return lambda _: True
        if name in SETTERS:
            return _located(element, SETTERS[name](element))
    raise refusal(element, "unknown-rule", f"<{name}> is no rule of QTI 3")


def _refused(error: ItemError) -> Rule:
    def rule(_: Assignable) -> bool:
        raise ItemError(*error.findings)

    return rule


def _condition(element: etree._Element, *, refuse_late: bool) -> Rule:
    """The rules of the first branch whose expression is true, else those of the else branch."""
    branches: list[tuple[Callable[[Assignable], bool], Rule]] = []
    otherwise: Rule | None = None
    for child in element:
        name = local_name(child)
        if name.endswith(("-if", "-else-if")):
            if otherwise is not None:
                raise refusal(child, "unknown-rule", f"{name} stands after the else branch: put it before")
            inside = [one for one in child if local_name(one)]
            branches.append((compile_guard(child), compile_block(inside[1:], refuse_late=refuse_late)))
        elif name.endswith("-else"):
            otherwise = compile_block(list(child), refuse_late=refuse_late)
        elif name:
            raise refusal(child, "unknown-rule", f"<{name}> is no branch of a condition")
    if not branches and otherwise is None:
        message = f"{local_name(element)} has no branch: begin it with an if branch"
        raise refusal(element, "processing-not-understood", message)

    def condition(context: Assignable) -> bool:
        for applies, rules in branches:
            if applies(context):
                return rules(context)
        return otherwise is not None and otherwise(context)

    return condition


def _set_variable(element: etree._Element) -> Rules:
    identifier, expression = _target(element)
    kind = _KINDS_SET[local_name(element)]

    def rule(context: Assignable) -> None:
        value = expression(context)
        declaration = context.declaration(identifier)
        if declaration is None or declaration.kind != kind:
            message = f"{local_name(element)} sets {identifier}, which is declared as no {kind} variable"
            raise refusal(element, "dangling-variable", message)
        context.assign(identifier, value)

    return rule


def _set_default(element: etree._Element) -> Rules:
    identifier, expression = _target(element)
    return lambda context: context.assign_default(identifier, expression(context))


def _set_correct(element: etree._Element) -> Rules:
    identifier, expression = _target(element)

    def rule(context: Assignable) -> None:
        value = expression(context)
        declaration = context.declaration(identifier)
        if declaration is None or declaration.kind != "response":
            message = f"set-correct-response names {identifier}, which is declared as no response"
            raise refusal(element, "dangling-response", message)
        context.assign_correct(identifier, value)

    return rule


def _look_up(element: etree._Element) -> Rules:
    """Sets an outcome to what its table gives for a number; NULL gives the table's default."""
    identifier, expression = _target(element)

    def rule(context: Assignable) -> None:
        value = expression(context)
        declaration = context.declaration(identifier)
        if declaration is None or declaration.lookup is None:
            message = f"lookup-outcome-value needs a table in the declaration of {identifier}: add a match table"
            raise refusal(element, "no-table", message)
        number = None if value is None else number_of(element, value)
        context.assign(identifier, declaration.lookup.look_up(number))

    return rule


SETTERS: dict[str, Callable[[etree._Element], Rules]] = {
    "qti-set-outcome-value": _set_variable,
    "qti-set-template-value": _set_variable,
    "qti-set-default-value": _set_default,
    "qti-set-correct-response": _set_correct,
    "qti-lookup-outcome-value": _look_up,
}


def _target(element: etree._Element) -> tuple[str, Expression]:
    identifier = element.get("identifier")
    children = [child for child in element if local_name(child)]
    if not identifier or len(children) != 1:
        message = f"{local_name(element)} needs an identifier and one expression, has {len(children)}"
        raise refusal(element, "wrong-operands", message)
    return identifier, compile_expression(children[0])


def _located(element: etree._Element, rule: Rules) -> Rule:
    """The rule, its errors with the line of the document."""

    def located(context: Assignable) -> bool:
        try:
            rule(context)
        except ItemError as error:
            first = error.findings[0]
            if first.line is not None:
                raise
            raise ItemError(Finding("error", first.code, first.message, line=line_of(element))) from None
        return False

    return located
