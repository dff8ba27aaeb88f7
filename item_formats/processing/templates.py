"""The three standard response-processing templates, and the cloning of items by template processing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.parsing import QTI, local_name, parse
from item_formats.processing.rules import Rule, Rules, compile_block, compile_guard, compile_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.processing.context import Assignable
    from item_formats.processing.scope import Scope

MOST_TRIALS = 100  # of a template constraint (QTI 3, *template-constraint*)

_SET = '<qti-set-outcome-value identifier="SCORE">{}</qti-set-outcome-value>'
_NUMBER = '<qti-base-value base-type="float">{}</qti-base-value>'
_RESPONSE = '<qti-variable identifier="RESPONSE"/>'
_CONDITION = (
    f'<qti-response-processing xmlns="{QTI}"><qti-response-condition><qti-response-if>{{}}{{}}</qti-response-if>'
    "<qti-response-else>{}</qti-response-else></qti-response-condition></qti-response-processing>"
)


def _standard(test: str, then: str, otherwise: str) -> Rules:
    return compile_rules(parse(_CONDITION.format(test, _SET.format(then), _SET.format(otherwise)).encode()))


_IS_NULL = f"<qti-is-null>{_RESPONSE}</qti-is-null>"
_MATCHES = f'<qti-match>{_RESPONSE}<qti-correct identifier="RESPONSE"/></qti-match>'
# By the name at the end of the template's address; they score the response RESPONSE into the outcome SCORE.
TEMPLATES: dict[str, Rules] = {
    "match_correct": _standard(_MATCHES, _NUMBER.format(1), _NUMBER.format(0)),
    "map_response": _standard(_IS_NULL, _NUMBER.format(0), '<qti-map-response identifier="RESPONSE"/>'),
    "map_response_point": _standard(_IS_NULL, _NUMBER.format(0), '<qti-map-response-point identifier="RESPONSE"/>'),
}


def compile_template_processing(element: etree._Element) -> Callable[[Scope], None]:
    """Template rules as a function that makes a clone: it sets template variables, defaults and correct responses.

    A constraint that does not hold starts everything again, with the next numbers of the same random sequence; after
    100 trials the template variables take their defaults and processing goes on after the constraint.
    """
    steps: list[tuple[Rule, Callable[[Assignable], bool] | None]] = []
    pending: list[etree._Element] = []
    for child in element:
        if local_name(child) == "qti-template-constraint":
            steps.append((compile_block(pending), compile_guard(child)))
            pending = []
        else:
            pending.append(child)
    steps.append((compile_block(pending), None))

    def clone(scope: Scope) -> None:
        held = (scope.values, scope.defaults, scope.corrects)
        start = tuple(dict(values) for values in held)
        trials = 0
        place = 0
        while place < len(steps):
            rules, holds = steps[place]
            if rules(scope):
                return
            place += 1
            if holds is not None and not holds(scope):
                trials += 1
                for values, first in zip(held, start, strict=True):
                    values.clear()
                    values.update(first)
                if trials < MOST_TRIALS:
                    place = 0

    return clone
