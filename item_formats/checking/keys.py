"""Rules on keys: correct responses and mappings against what a candidate can answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.bindings import BINDINGS, Offer, offer_of
from item_formats.checking.found import Found, error, refused, warning
from item_formats.findings import ItemError
from item_formats.parsing import integer_attribute, local_name, number_attribute, qti
from item_formats.processing.expressions.text import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts, Variable

_PAIRED = frozenset({"pair", "directedPair"})
_ORDERS = frozenset({"qti-order-interaction", "qti-graphic-order-interaction"})


def keys_can_be_answered(facts: Facts) -> Iterator[Found]:
    for interaction in facts.interactions:
        variable = facts.variables.get(interaction.get("response-identifier", ""))
        if variable is None or variable.element is None or variable.kind != "response":
            continue
        binding = BINDINGS[local_name(interaction)]
        if variable.cardinality not in binding.cardinalities or (
            binding.base_types and variable.base_type not in binding.base_types
        ):
            continue  # told already; its values mean nothing here
        offer = offer_of(interaction)
        yield from _keys_are_options(offer, variable)
        yield from _keys_are_in_reach(offer, variable)
        yield from _mapping_covers(offer, variable)


def _element(variable: Variable, name: str) -> etree._Element:
    child = variable.child(name)
    if child is not None:
        return child
    assert variable.element is not None  # noqa: S101  # only declarations come here
    return variable.element


def _keys_are_options(offer: Offer, variable: Variable) -> Iterator[Found]:
    if not offer.binding.choices:
        return
    at = _element(variable, "qti-correct-response")
    for key in dict.fromkeys(variable.correct):
        reason = _no_option(offer, variable.base_type, key.strip())
        if reason and key.strip():
            yield error(at, "key-not-an-option", f'the correct response "{key}" is no option; {reason}')
    mapping = _element(variable, "qti-mapping")
    for entry in mapping.iterchildren(qti("qti-map-entry")):
        key = entry.get("map-key", "").strip()
        reason = _no_option(offer, variable.base_type, key)
        if key and reason:
            yield error(entry, "map-key-not-an-option", f'the map key "{key}" is no option; {reason}')


def _identifiers(elements: tuple[etree._Element, ...]) -> list[str]:
    return [element.get("identifier", "") for element in elements]


def _no_option(offer: Offer, base_type: str, key: str) -> str:
    """Why a text cannot be answered; "" when it can."""
    choices, targets = _identifiers(offer.choices), _identifiers(offer.targets)
    if base_type not in _PAIRED:
        return "" if key in choices else f"the options are {', '.join(choices) or 'none'}"
    parts = key.split()
    if len(parts) != 2:
        return "expected two identifiers with a space between"
    first, second = parts
    if first in choices and second in targets:
        return ""
    if base_type == "pair" and second in choices and first in targets:
        return ""
    if second in choices and first in targets:
        return f'the pair is the wrong way round: write "{second} {first}"'
    return f"first comes one of {', '.join(choices) or 'none'}, then one of {', '.join(targets) or 'none'}"


def _keys_are_in_reach(offer: Offer, variable: Variable) -> Iterator[Found]:
    at, keys = _element(variable, "qti-correct-response"), variable.correct
    if not keys:
        return
    reach = _REACH.get(offer.name)
    if reach is not None:
        yield from reach(offer, at, keys)
    if variable.base_type in _PAIRED:
        yield from _matches_are_in_reach(offer, at, keys)
    if offer.binding.choices:
        for key in [key for key, times in Counter(keys).items() if times > 1]:
            yield error(at, "unreachable-key", f'the correct response names "{key}" more than once: write it once')
    yield from _number_is_allowed(offer, at, len(keys))


def _number_is_allowed(offer: Offer, at: etree._Element, number: int) -> Iterator[Found]:
    if not offer.binding.limits:
        return
    try:
        least, most = offer.limits()
    except ItemError:
        return  # told with the interaction
    what = offer.binding.limits
    if most and number > most:
        message = f"{number} options are correct, but max-{what} allows {most}"
        yield error(at, "unreachable-key", message)
    if number < least:
        message = f"{number} options are correct, but min-{what} asks for {least}"
        yield error(at, "unreachable-key", message)


def _matches_are_in_reach(offer: Offer, at: etree._Element, keys: tuple[str, ...]) -> Iterator[Found]:
    used = Counter(part for key in keys for part in key.split())
    for choice in offer.everything:
        name = choice.get("identifier", "")
        try:
            most = 1 if choice.tag == qti("qti-gap") else integer_attribute(choice, "match-max", 1)
            least = integer_attribute(choice, "match-min", 0)
        except ItemError:
            continue
        says = "match-max" in choice.attrib or choice.tag == qti("qti-gap")
        if says and most and used[name] > most:
            message = f"the correct response uses {name} {used[name]} times, but it may be used {most} times"
            yield error(at, "unreachable-key", message)
        elif used[name] < least:
            message = f"the correct response uses {name} {used[name]} times, but match-min asks for {least}"
            yield error(at, "unreachable-key", message)
    groups = {choice.get("identifier", ""): choice.get("match-group", "").split() for choice in offer.everything}
    for key in keys:
        first, _, second = key.strip().partition(" ")
        for one, other in ((first, second.strip()), (second.strip(), first)):
            if groups.get(one) and other not in groups[one] and other in groups:
                message = f'"{key}" pairs {one} with {other}, which its match-group does not allow'
                yield error(at, "unreachable-key", message)


def _order_is_whole(offer: Offer, at: etree._Element, keys: tuple[str, ...]) -> Iterator[Found]:
    """Without limits the candidate orders every option, so the key names every one."""
    limited = {"min-choices", "max-choices"} & set(offer.interaction.attrib)
    missing = [name for name in _identifiers(offer.choices) if name not in keys]
    if not limited and missing:
        message = (
            f"the candidate orders all options, but the correct response leaves out {', '.join(missing)}: add them"
        )
        yield error(at, "unreachable-key", message)


def _slider_stops_there(offer: Offer, at: etree._Element, keys: tuple[str, ...]) -> Iterator[Found]:
    slider = offer.interaction
    try:
        lower, upper = number_attribute(slider, "lower-bound"), number_attribute(slider, "upper-bound")
        step, key = number_attribute(slider, "step", 1.0) or 1.0, float(keys[0])
    except (ItemError, ValueError):
        return
    if lower is None or upper is None:
        return
    steps = (key - lower) / step
    if not lower <= key <= upper:
        message = f"the correct response {key:g} is off the slider, which goes from {lower:g} to {upper:g}"
        yield error(at, "unreachable-key", message)
    elif abs(steps - round(steps)) > 1e-6:
        message = f"the slider does not stop at {key:g}: it goes from {lower:g} in steps of {step:g}"
        yield error(at, "unreachable-key", message)


def _text_fits_mask(offer: Offer, at: etree._Element, keys: tuple[str, ...]) -> Iterator[Found]:
    mask = offer.interaction.get("pattern-mask")
    if mask is None:
        return
    try:
        fits = compile_pattern(mask)
    except ItemError as failure:
        yield from refused(offer.interaction, failure)
        return
    for key in keys:
        if not fits(key):
            yield error(at, "unreachable-key", f'the correct response "{key}" does not fit pattern-mask="{mask}"')


_REACH: dict[str, Callable[[Offer, etree._Element, tuple[str, ...]], Iterator[Found]]] = {
    "qti-order-interaction": _order_is_whole,
    "qti-graphic-order-interaction": _order_is_whole,
    "qti-slider-interaction": _slider_stops_there,
    "qti-text-entry-interaction": _text_fits_mask,
}


def _mapping_covers(offer: Offer, variable: Variable) -> Iterator[Found]:
    mapping = variable.child("qti-mapping")
    if mapping is None or variable.base_type != "identifier" or offer.name in _ORDERS or not offer.choices:
        return
    mapped = {entry.get("map-key") for entry in mapping.iterchildren(qti("qti-map-entry"))}
    missing = [name for name in _identifiers(offer.choices) if name not in mapped]
    if missing:
        default = mapping.get("default-value", "0")
        message = f"no map entry for {', '.join(missing)}: they score the default {default}"
        yield warning(mapping, "option-without-map-entry", message)
