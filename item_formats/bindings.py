"""What each of the 22 interactions binds to, what it offers, and how many answers it takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from item_formats.parsing import integer_attribute, local_name, qti
from item_formats.vocabulary import CARDINALITIES

if TYPE_CHECKING:
    from lxml import etree


@dataclass(frozen=True, slots=True)
class Binding:
    """What an interaction binds to (no base type: any), its choices, and how many answers may be given.

    `limits` says what its attributes min-… and max-… count, "" without such. `most` is how many may be given when the
    document does not say: 0 for any number, None where QTI says nothing.
    """

    cardinalities: frozenset[str]
    base_types: frozenset[str]
    choices: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    limits: str = ""
    most: int | None = None


_ANY, _SEVERAL = frozenset(CARDINALITIES), frozenset({"single", "multiple"})
_SINGLE, _ORDERED = frozenset({"single"}), frozenset({"ordered"})
_TEXT, _FILE, _POINT = frozenset({"string", "integer", "float"}), frozenset({"file"}), frozenset({"point"})
_NAMES, _PAIRS, _DIRECTED = frozenset({"identifier"}), frozenset({"pair"}), frozenset({"directedPair"})
_ASSOCIABLE, _SPOTS = ("qti-simple-associable-choice",), ("qti-associable-hotspot",)
_FOR_GAPS = ("qti-gap-text", "qti-gap-img")
# Gap matches: the XSD says 1 where max-associations is absent, but QTI 2 had none, and one answer fills one gap only.
BINDINGS = {
    "qti-associate-interaction": Binding(_SEVERAL, _PAIRS, _ASSOCIABLE, _ASSOCIABLE, "associations", 1),
    "qti-choice-interaction": Binding(_SEVERAL, _NAMES, ("qti-simple-choice",), (), "choices", 1),
    "qti-custom-interaction": Binding(_ANY, frozenset()),
    "qti-drawing-interaction": Binding(_SINGLE, _FILE),
    "qti-end-attempt-interaction": Binding(_SINGLE, frozenset({"boolean"})),
    "qti-extended-text-interaction": Binding(_ANY, _TEXT),
    "qti-gap-match-interaction": Binding(_SEVERAL, _DIRECTED, _FOR_GAPS, ("qti-gap",), "associations"),
    "qti-graphic-associate-interaction": Binding(_SEVERAL, _PAIRS, _SPOTS, _SPOTS, "associations", 1),
    "qti-graphic-gap-match-interaction": Binding(_SEVERAL, _DIRECTED, _FOR_GAPS, _SPOTS, "associations"),
    "qti-graphic-order-interaction": Binding(_ORDERED, _NAMES, ("qti-hotspot-choice",), (), "choices"),
    "qti-hotspot-interaction": Binding(_SEVERAL, _NAMES, ("qti-hotspot-choice",), (), "choices", 1),
    "qti-hottext-interaction": Binding(_SEVERAL, _NAMES, ("qti-hottext",), (), "choices", 1),
    "qti-inline-choice-interaction": Binding(_SINGLE, _NAMES, ("qti-inline-choice",), most=1),
    "qti-match-interaction": Binding(_SEVERAL, _DIRECTED, _ASSOCIABLE, _ASSOCIABLE, "associations", 1),
    "qti-media-interaction": Binding(_SINGLE, frozenset({"integer"})),
    "qti-order-interaction": Binding(_ORDERED, _NAMES, ("qti-simple-choice",), (), "choices"),
    "qti-portable-custom-interaction": Binding(_ANY, frozenset()),
    "qti-position-object-interaction": Binding(_SEVERAL, _POINT, (), (), "choices", 1),
    "qti-select-point-interaction": Binding(_SEVERAL, _POINT, (), (), "choices", 0),
    "qti-slider-interaction": Binding(_SINGLE, frozenset({"integer", "float"})),
    "qti-text-entry-interaction": Binding(frozenset({"single", "record"}), _TEXT),
    "qti-upload-interaction": Binding(_SINGLE, _FILE),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one interaction offers: choices and, where answers are pairs, what they are paired with."""

    interaction: etree._Element
    binding: Binding
    choices: tuple[etree._Element, ...]
    targets: tuple[etree._Element, ...]

    @property
    def name(self) -> str:
        return local_name(self.interaction)

    @property
    def everything(self) -> dict[etree._Element, None]:
        return dict.fromkeys(chain(self.choices, self.targets))

    def limits(self) -> tuple[int, int | None]:
        """The least and the most answers; most 0 is any number, None is not said."""
        least = integer_attribute(self.interaction, f"min-{self.binding.limits}", 0)
        if f"max-{self.binding.limits}" not in self.interaction.attrib:
            return least, self.binding.most
        return least, integer_attribute(self.interaction, f"max-{self.binding.limits}", 0)


def offer_of(interaction: etree._Element) -> Offer:
    name = local_name(interaction)
    binding = BINDINGS[name]
    if name == "qti-match-interaction":
        sets = list(interaction.iterchildren(qti("qti-simple-match-set")))
        if len(sets) == 2:
            first, second = (tuple(one.iterchildren(qti(_ASSOCIABLE[0]))) for one in sets)
            return Offer(interaction, binding, first, second)
    return Offer(interaction, binding, _inside(interaction, binding.choices), _inside(interaction, binding.targets))


def _inside(interaction: etree._Element, names: tuple[str, ...]) -> tuple[etree._Element, ...]:
    return tuple(interaction.iter(*map(qti, names))) if names else ()  # iter() without names gives everything
