"""Rules on the 22 interactions: what variable each needs, and what a candidate can answer at all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.bindings import Offer, offer_of
from item_formats.checking.declarations import area_stands, identifier_stands
from item_formats.checking.facts import BUILT_IN
from item_formats.checking.found import Found, error, refused, warning
from item_formats.findings import ItemError
from item_formats.parsing import integer_attribute, local_name, number_attribute, qti

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts, Variable

_KEPT = {
    "qti-custom-interaction": "custom-interaction",
    "qti-portable-custom-interaction": "portable-custom-interaction",
}


def interactions_are_bound(facts: Facts) -> Iterator[Found]:
    if not facts.interactions:
        yield warning(facts.root, "no-interaction", "the item asks for no answer: add an interaction")
    answered: Counter[str] = Counter()
    for interaction in facts.interactions:
        name, identifier = local_name(interaction), interaction.get("response-identifier", "")
        if name in _KEPT:
            kind = interaction.get("custom-interaction-type-identifier") or interaction.get("class") or "without a type"
            message = f"{name} ({kind}) is kept and scored as declared, but needs a player that knows it"
            yield warning(interaction, _KEPT[name], message)
        answered[identifier] += 1
        if answered[identifier] == 2:
            message = f"several interactions answer {identifier}: give each a response of its own"
            yield error(interaction, "response-bound-twice", message)
        yield from _is_bound(facts, interaction, identifier)
    as_typed = {interaction.get("string-identifier") for interaction in facts.interactions}
    for variable in facts.of_kind("response"):
        is_answered = variable.identifier in answered or variable.identifier in as_typed | BUILT_IN.keys()
        if variable.element is not None and not is_answered:
            message = f"no interaction answers the response {variable.identifier}: remove it or bind an interaction"
            yield warning(variable.element, "unanswered-response", message)


def _is_bound(facts: Facts, interaction: etree._Element, identifier: str) -> Iterator[Found]:
    offer = offer_of(interaction)
    yield from _offers_well(offer)
    variable = facts.variables.get(identifier)
    if variable is None:
        message = (
            f'the interaction answers "{identifier}", which no response declaration has; declared are '
            f"{facts.names('response')}"
        )
        yield error(interaction, "dangling-response", message)
    elif variable.kind != "response":
        message = (
            f"the interaction answers {identifier}, which is no response but an {variable.kind}: declare a response"
        )
        yield error(interaction, "dangling-response", message)
    else:
        yield from _fits(offer, variable)


def _fits(offer: Offer, variable: Variable) -> Iterator[Found]:
    at = offer.interaction if variable.element is None else variable.element
    binding, name = offer.binding, variable.identifier
    fits_type = not binding.base_types or variable.base_type in binding.base_types or variable.cardinality == "record"
    if variable.cardinality not in binding.cardinalities or not fits_type:
        needed = f"{_words(binding.cardinalities)} {_words(binding.base_types)}".strip()
        message = f"{name} is {variable.cardinality} {variable.base_type}; {offer.name} needs {needed}"
        yield error(at, "cardinality-against-interaction", message)
        return
    if not binding.limits:
        return
    try:
        _, most = offer.limits()
    except ItemError:
        return  # told by _offers_well
    if variable.cardinality == "single" and most is not None and most != 1:
        message = f'max-{binding.limits}="{most}" allows several answers, but {name} is single: use multiple'
        if f"max-{binding.limits}" in offer.interaction.attrib:
            yield error(offer.interaction, "cardinality-against-interaction", message)


def _words(given: frozenset[str]) -> str:
    return " or ".join(sorted(given))


def _offers_well(offer: Offer) -> Iterator[Found]:
    interaction, binding = offer.interaction, offer.binding
    if binding.choices and not offer.choices:
        yield error(interaction, "option-count", "the interaction offers no options: add some")
    elif binding.choices and not binding.targets and len(offer.choices) == 1:
        yield warning(interaction, "option-count", "the interaction offers 1 option, which is no choice: add another")
    if binding.targets and not offer.targets:
        message = f"the interaction has nothing to pair its options with: add {' or '.join(binding.targets)}"
        yield error(interaction, "option-count", message)
    yield from _options_are_named(offer)
    for choice in offer.everything:
        if "coords" in choice.attrib or "shape" in choice.attrib:
            yield from area_stands(choice)
        yield from _matches_stand(choice, offer)
    yield from _limits_stand(offer)
    if offer.name == "qti-slider-interaction":
        yield from _slider_stands(interaction)
    if offer.name == "qti-match-interaction" and len(list(interaction.iterchildren(qti("qti-simple-match-set")))) != 2:
        yield error(interaction, "match-sets", "a match interaction needs exactly two qti-simple-match-set")


def _options_are_named(offer: Offer) -> Iterator[Found]:
    for identifier, times in Counter(one.get("identifier", "") for one in offer.everything).items():
        if times > 1 or not identifier:
            message = f'{times} options have the identifier "{identifier}": give each its own'
            yield error(offer.interaction, "repeated-option-identifier", message)
    for choice in offer.everything:
        if choice.get("identifier"):
            yield from identifier_stands(choice, choice.get("identifier", ""))


def _matches_stand(choice: etree._Element, offer: Offer) -> Iterator[Found]:
    if not offer.binding.targets or choice.tag == qti("qti-gap"):
        return
    try:
        most, least = integer_attribute(choice, "match-max", 1), integer_attribute(choice, "match-min", 0)
    except ItemError as failure:
        yield from refused(choice, failure)
        return
    if "match-max" not in choice.attrib:
        yield warning(choice, "missing-attribute", f"{local_name(choice)} has no match-max: add it (0 is any number)")
    if most and least > most:
        yield error(choice, "impossible-choices", f'match-min="{least}" is more than match-max="{most}"')


def _limits_stand(offer: Offer) -> Iterator[Found]:
    if not offer.binding.limits:
        return
    what = offer.binding.limits
    try:
        least, most = offer.limits()
    except ItemError as failure:
        yield from refused(offer.interaction, failure)
        return
    if most and least > most:
        yield error(offer.interaction, "impossible-choices", f'min-{what}="{least}" is more than max-{what}="{most}"')
    if what == "choices" and offer.choices:
        for limit, number in (("min", least), ("max", most or 0)):
            if number > len(offer.choices):
                message = f'{limit}-choices="{number}", but there are {len(offer.choices)} options: lower it'
                severity = error if limit == "min" else warning
                yield severity(offer.interaction, "impossible-choices", message)


def _slider_stands(slider: etree._Element) -> Iterator[Found]:
    try:
        lower, upper = number_attribute(slider, "lower-bound"), number_attribute(slider, "upper-bound")
        step = number_attribute(slider, "step", 1.0)
    except ItemError as failure:
        yield from refused(slider, failure)
        return
    if lower is None or upper is None:
        yield error(slider, "missing-attribute", "the slider needs lower-bound and upper-bound: add them")
    elif lower >= upper or not step or step < 0:
        message = f"the slider goes from {lower:g} to {upper:g} in steps of {step:g}: nothing can be chosen"
        yield error(slider, "impossible-choices", message)
