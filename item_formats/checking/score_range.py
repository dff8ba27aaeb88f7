"""The range SCORE can reach, worked out from the processing before anybody answers, against its normal maximum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from item_formats.bindings import BINDINGS, offer_of
from item_formats.checking.found import Found, warning
from item_formats.declarations import area_mapping_of, mapping_of
from item_formats.findings import ItemError
from item_formats.mapped_scores import Range, mapped_range
from item_formats.parsing import is_true, local_name, number_attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts, Variable

_ANYTHING: Range = (-math.inf, math.inf)
_CLOSE = 1e-9


def score_stays_in_range(facts: Facts) -> Iterator[Found]:
    """Outcomes with a declared normal range against what the rules can reach."""
    if facts.processing is None:
        return
    try:
        reached = _reached(facts)
    except (ItemError, RecursionError):  # told by the rules on declarations and processing
        return
    for outcome in facts.of_kind("outcome"):
        element = outcome.element
        if element is None or outcome.identifier not in reached:
            continue
        try:
            least, most = number_attribute(element, "normal-minimum"), number_attribute(element, "normal-maximum")
        except ItemError:
            continue
        low, high = reached[outcome.identifier]
        name = outcome.identifier
        if most is not None and math.isfinite(high) and high > most + _CLOSE:
            message = f"{name} can reach {high:g}, above its normal-maximum {most:g}: raise that or lower the score"
            yield warning(element, "score-above-maximum", message)
        if most is not None and high < most - _CLOSE:
            message = f"{name} reaches {high:g} at most, below its normal-maximum {most:g}: nobody can get full marks"
            yield warning(element, "maximum-out-of-reach", message)
        if least is not None and math.isfinite(low) and low < least - _CLOSE:
            message = f"{name} can fall to {low:g}, below its normal-minimum {least:g}: lower that or raise the score"
            yield warning(element, "score-below-minimum", message)


def _reached(facts: Facts) -> dict[str, Range]:
    """Ranges of the numeric outcomes after response processing; those a machine cannot bound are left out."""
    ranges = {
        outcome.identifier: _start(outcome)
        for outcome in facts.of_kind("outcome")
        if outcome.cardinality == "single" and outcome.base_type in {"integer", "float"}
    }
    processing = facts.processing
    if processing is None:
        return {}
    if facts.template is not None and not len(processing):
        return _by_template(facts, ranges)
    scored = {name for name in ranges if name in facts.sets}
    adaptive = is_true(facts.root, "adaptive")
    after = _Reach(facts).rules(list(processing), ranges)
    if adaptive:  # every attempt starts from what the last one left: only bounds that do not move are certain
        again = _Reach(facts).rules(list(processing), after)
        after = {name: after[name] if again[name] == after[name] else _ANYTHING for name in after}
    return {name: found for name, found in after.items() if name in scored and found != _ANYTHING}


def _start(outcome: Variable) -> Range:
    try:
        value = float(outcome.default[0]) if outcome.default else 0.0
    except ValueError:
        return _ANYTHING
    return (value, value)


def _by_template(facts: Facts, ranges: dict[str, Range]) -> dict[str, Range]:
    if "SCORE" not in ranges:
        return {}
    response = facts.variables.get("RESPONSE")
    if facts.template == "match_correct":
        return {"SCORE": (0.0, 1.0)}
    if response is None:
        return {}
    if facts.template == "map_response":
        return {"SCORE": _mapped(facts, response, "qti-mapping", unanswered=0.0)}
    return {"SCORE": _mapped(facts, response, "qti-area-mapping", unanswered=0.0)}


def _mapped(facts: Facts, response: Variable, name: str, *, unanswered: float | None = None) -> Range:
    """The least and the most the mapping of a response can give; bounded by the choices that may be made."""
    element = response.child(name)
    if element is None:
        return _ANYTHING
    most: float = math.inf
    choices: list[str] = []
    for interaction in facts.interactions:
        if interaction.get("response-identifier") == response.identifier:
            most = _most_answers(interaction)
            if response.base_type == "identifier":
                choices = [choice.get("identifier", "") for choice in offer_of(interaction).choices]
    mapping = mapping_of(element) if name == "qti-mapping" else area_mapping_of(element)
    single = response.cardinality == "single"
    return mapped_range(mapping, single=single, most=most, choices=choices, unanswered=unanswered)


def _most_answers(interaction: etree._Element) -> float:
    binding = BINDINGS[local_name(interaction)]
    if not binding.limits:
        return math.inf
    _, most = offer_of(interaction).limits()
    return most or math.inf


class _Reach:
    """One reading of the rules with ranges for values: branches are joined, what is not a number is anything."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def rules(self, rules: list[etree._Element], before: dict[str, Range]) -> dict[str, Range]:
        ranges = dict(before)
        for rule in rules:
            name = local_name(rule)
            if name in {"qti-set-outcome-value", "qti-lookup-outcome-value"}:
                identifier = rule.get("identifier", "")
                if identifier in ranges:
                    children = [child for child in rule if local_name(child)]
                    known = name == "qti-set-outcome-value" and len(children) == 1
                    ranges[identifier] = self.expression(children[0], ranges) if known else _ANYTHING
            elif name.endswith("-condition"):
                ranges = self._condition(rule, ranges)
            elif name.endswith("-fragment"):
                ranges = self.rules(list(rule), ranges)
            elif name.startswith("qti-exit"):
                # What follows may not run: every later value is joined with this one by giving nothing away.
                return dict.fromkeys(ranges, _ANYTHING)
        return ranges

    def _condition(self, condition: etree._Element, before: dict[str, Range]) -> dict[str, Range]:
        ends, has_else = [], False
        for branch in condition:
            name = local_name(branch)
            children = [child for child in branch if local_name(child)]
            if name.endswith("-else") and name:
                has_else = True
                ends.append(self.rules(children, before))
            elif name:
                ends.append(self.rules(children[1:], before))
        if not has_else:
            ends.append(before)
        return {name: (min(end[name][0] for end in ends), max(end[name][1] for end in ends)) for name in before}

    def expression(self, element: etree._Element, ranges: dict[str, Range]) -> Range:
        name = local_name(element)
        if name == "qti-base-value":
            try:
                value = float(element.text or "")
            except ValueError:
                return _ANYTHING
            return (value, value)
        if name == "qti-variable":
            return ranges.get(element.get("identifier", ""), _ANYTHING)
        if name in {"qti-map-response", "qti-map-response-point"}:
            response = self._facts.variables.get(element.get("identifier", ""))
            holder = "qti-mapping" if name == "qti-map-response" else "qti-area-mapping"
            return _ANYTHING if response is None else _mapped(self._facts, response, holder)
        combine = _COMBINE.get(name)
        if combine is None:
            return _ANYTHING
        operands = [self.expression(child, ranges) for child in element if local_name(child)]
        return combine(operands) if operands else _ANYTHING


def _sum(operands: list[Range]) -> Range:
    low, high = sum(one[0] for one in operands), sum(one[1] for one in operands)
    return (-math.inf if math.isnan(low) else low, math.inf if math.isnan(high) else high)


def _product(operands: list[Range]) -> Range:
    low, high = operands[0]
    for other in operands[1:]:
        corners = [x * y for x in (low, high) for y in other]
        if any(map(math.isnan, corners)):
            return _ANYTHING
        low, high = min(corners), max(corners)
    return (low, high)


def _subtract(operands: list[Range]) -> Range:
    if len(operands) != 2:
        return _ANYTHING
    (low, high), (less, more) = operands
    return _sum([(low, high), (-more, -less)])


def _divide(operands: list[Range]) -> Range:
    if len(operands) != 2 or operands[1][0] <= 0 <= operands[1][1]:
        return _ANYTHING
    return _product([operands[0], (1 / operands[1][1], 1 / operands[1][0])])


_COMBINE: dict[str, Callable[[list[Range]], Range]] = {
    "qti-sum": _sum,
    "qti-product": _product,
    "qti-subtract": _subtract,
    "qti-divide": _divide,
    "qti-min": lambda operands: (min(one[0] for one in operands), min(one[1] for one in operands)),
    "qti-max": lambda operands: (max(one[0] for one in operands), max(one[1] for one in operands)),
    "qti-integer-to-float": lambda operands: operands[0],
}
