"""Typed views of the 22 interactions, by what they take from a candidate.

Every view has `name` (the element's), `response_identifier`, `prompt` (its text, "" without one) and `line`. A limit
of 0 means none. `shuffle` says that the order of what is offered may differ between candidates, `fixed` that an
option keeps its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from item_formats.bindings import BINDINGS, offer_of
from item_formats.parsing import QTI, integer_attribute, is_true, line_of, local_name, number_attribute, qti
from item_formats.text import visible_text
from item_formats.vocabulary import INTERACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

TRUE, FALSE = "T", "F"  # option identifiers that make a single choice a true/false item
OPTION_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `label` is what a person writes down for it: its letter on the paper, or √ and ×."""

    identifier: str
    text: str
    label: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceInteraction:
    """Options to pick: choice, order (`ordered`), inline choice and hot text. `max_choices` 0: as many as there are."""

    response_identifier: str
    prompt: str
    options: tuple[Option, ...]
    max_choices: int
    min_choices: int
    shuffle: bool
    name: str = "qti-choice-interaction"
    orientation: str | None = None
    line: int | None = field(default=None, compare=False)

    @property
    def ordered(self) -> bool:
        return self.name == "qti-order-interaction"


@dataclass(frozen=True, slots=True)
class Associable:
    """Something to pair: a choice, a gap, text or a picture for a gap, a hot spot.

    It takes part in `match_min` to `match_max` pairs (0: any number; a gap takes one). `match_group` names what it
    may be paired with, anything when empty. `shape` and `coords` are those of hot spots.
    """

    identifier: str
    text: str
    kind: str
    match_max: int
    match_min: int
    match_group: tuple[str, ...] = ()
    fixed: bool = False
    shape: str | None = None
    coords: str | None = None


@dataclass(frozen=True, slots=True)
class AssociationInteraction:
    """Pairs: associate, match, gap match, graphic gap match, graphic associate.

    A pair joins one of `sources` with one of `targets`, in this order when `directed`; associating joins any two of
    `sources`, and `targets` is empty.
    """

    name: str
    response_identifier: str
    prompt: str
    sources: tuple[Associable, ...]
    targets: tuple[Associable, ...]
    max_associations: int
    min_associations: int
    shuffle: bool
    line: int | None = field(default=None, compare=False)

    @property
    def directed(self) -> bool:
        return self.name not in {"qti-associate-interaction", "qti-graphic-associate-interaction"}


@dataclass(frozen=True, slots=True)
class Hotspot:
    """An area of a picture: `shape` is circle, rect, poly, ellipse or default, `coords` as HTML's area writes them."""

    identifier: str
    shape: str
    coords: str
    label: str


@dataclass(frozen=True, slots=True)
class HotspotInteraction:
    """Areas of a picture to pick (hotspot) or to put in order (graphic order)."""

    name: str
    response_identifier: str
    prompt: str
    hotspots: tuple[Hotspot, ...]
    max_choices: int
    min_choices: int
    line: int | None = field(default=None, compare=False)

    @property
    def ordered(self) -> bool:
        return self.name == "qti-graphic-order-interaction"


@dataclass(frozen=True, slots=True)
class PointInteraction:
    """Points on a picture: select point, and position object, whose picture has its point at `center_point`."""

    name: str
    response_identifier: str
    prompt: str
    max_choices: int
    min_choices: int
    center_point: str | None = None
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TextInteraction:
    """Text or numbers to write: text entry (in a line) and extended text.

    `base` is that of whole numbers; `string_identifier` names the response that takes the text of a number.
    """

    name: str
    response_identifier: str
    prompt: str
    expected_length: int | None
    expected_lines: int | None
    pattern_mask: str | None
    placeholder: str
    base: int
    string_identifier: str | None
    max_strings: int | None
    min_strings: int
    format: str
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SliderInteraction:
    name: str
    response_identifier: str
    prompt: str
    lower_bound: float
    upper_bound: float
    step: float
    step_label: bool
    orientation: str
    reverse: bool
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class MediaInteraction:
    """Something to play; the response counts how often."""

    name: str
    response_identifier: str
    prompt: str
    autostart: bool
    min_plays: int
    max_plays: int
    loop: bool
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FileInteraction:
    """A file to hand in: upload (of the media `types`, any when empty) and drawing on a picture."""

    name: str
    response_identifier: str
    prompt: str
    types: tuple[str, ...] = ()
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EndAttemptInteraction:
    """A button that ends the attempt; its response is true when it was pressed."""

    name: str
    response_identifier: str
    prompt: str
    title: str
    count_attempt: bool
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CustomInteraction:
    """An interaction of a publisher's own, custom or portable: kept, not understood."""

    name: str
    response_identifier: str
    prompt: str
    type_identifier: str | None = None
    module: str | None = None
    line: int | None = field(default=None, compare=False)


Interaction = (
    ChoiceInteraction
    | AssociationInteraction
    | HotspotInteraction
    | PointInteraction
    | TextInteraction
    | SliderInteraction
    | MediaInteraction
    | FileInteraction
    | EndAttemptInteraction
    | CustomInteraction
)


def interactions_in(root: etree._Element) -> tuple[Interaction, ...]:
    """Views of all interactions below an element, in document order."""
    return tuple(interaction_of(element) for element in root.iter(*_TAGS))


def interaction_of(element: etree._Element) -> Interaction:
    """The view of one interaction.

    Raises
    ------
    ItemError
        An attribute that is not what its type allows.
    """
    return _VIEWS[local_name(element)](element)


def _prompt(element: etree._Element) -> str:
    prompt = element.find(qti("qti-prompt"))
    return "" if prompt is None else visible_text(prompt)


def _response(element: etree._Element) -> str:
    return element.get("response-identifier", "")


def _choice(element: etree._Element) -> ChoiceInteraction:
    name = local_name(element)
    choices = offer_of(element).choices
    identifiers = [choice.get("identifier", "") for choice in choices]
    labels: list[str]
    if set(identifiers) == {TRUE, FALSE}:
        labels = ["√" if identifier == TRUE else "×" for identifier in identifiers]
    elif len(choices) <= len(OPTION_LETTERS):
        labels = list(OPTION_LETTERS[: len(choices)])
    else:
        labels = identifiers
    return ChoiceInteraction(
        response_identifier=_response(element),
        prompt=_prompt(element),
        options=tuple(
            Option(identifier, visible_text(choice), label, fixed=is_true(choice, "fixed"))
            for identifier, choice, label in zip(identifiers, choices, labels, strict=True)
        ),
        max_choices=_most(element, "max-choices"),
        min_choices=integer_attribute(element, "min-choices", 0),
        shuffle=is_true(element, "shuffle"),
        name=name,
        orientation=element.get("orientation"),
        line=line_of(element),
    )


def _associable(element: etree._Element) -> Associable:
    kind = local_name(element)
    return Associable(
        identifier=element.get("identifier", ""),
        text=_shown(element, kind),
        kind=kind,
        match_max=integer_attribute(element, "match-max", 1),
        match_min=integer_attribute(element, "match-min", int(kind == "qti-gap" and is_true(element, "required"))),
        match_group=tuple(element.get("match-group", "").split()),
        fixed=is_true(element, "fixed"),
        shape=element.get("shape"),
        coords=element.get("coords"),
    )


def _shown(element: etree._Element, kind: str) -> str:
    if kind == "qti-gap-img":
        picture = element.find(qti("img"))
        return element.get("object-label", "") or ("" if picture is None else picture.get("alt", ""))
    if kind == "qti-associable-hotspot":
        return element.get("hotspot-label", "")
    return visible_text(element)


def _association(element: etree._Element) -> AssociationInteraction:
    name = local_name(element)
    if name == "qti-match-interaction":
        sets = [
            tuple(map(_associable, one.iterchildren(qti("qti-simple-associable-choice"))))
            for one in element.iterchildren(qti("qti-simple-match-set"))
        ]
        sources, targets = (*sets, (), ())[:2]
    else:
        offer = offer_of(element)
        sources = tuple(map(_associable, offer.choices))
        targets = tuple(map(_associable, offer.targets)) if offer.targets != offer.choices else ()
    return AssociationInteraction(
        name=name,
        response_identifier=_response(element),
        prompt=_prompt(element),
        sources=sources,
        targets=targets,
        max_associations=_most(element, "max-associations"),
        min_associations=integer_attribute(element, "min-associations", 0),
        shuffle=is_true(element, "shuffle"),
        line=line_of(element),
    )


def _hotspots(element: etree._Element) -> HotspotInteraction:
    name = local_name(element)
    return HotspotInteraction(
        name=name,
        response_identifier=_response(element),
        prompt=_prompt(element),
        hotspots=tuple(
            Hotspot(
                spot.get("identifier", ""),
                spot.get("shape", ""),
                spot.get("coords", ""),
                spot.get("hotspot-label", ""),
            )
            for spot in element.iterchildren(qti("qti-hotspot-choice"))
        ),
        max_choices=_most(element, "max-choices"),
        min_choices=integer_attribute(element, "min-choices", 0),
        line=line_of(element),
    )


def _points(element: etree._Element) -> PointInteraction:
    name = local_name(element)
    return PointInteraction(
        name=name,
        response_identifier=_response(element),
        prompt=_prompt(element),
        max_choices=_most(element, "max-choices"),
        min_choices=integer_attribute(element, "min-choices", 0),
        center_point=element.get("center-point"),
        line=line_of(element),
    )


def _most(element: etree._Element, attribute: str) -> int:
    return integer_attribute(element, attribute, BINDINGS[local_name(element)].most or 0)


def _optional(element: etree._Element, name: str) -> int | None:
    return integer_attribute(element, name, 0) if element.get(name) is not None else None


def _text(element: etree._Element) -> TextInteraction:
    return TextInteraction(
        name=local_name(element),
        response_identifier=_response(element),
        prompt=_prompt(element),
        expected_length=_optional(element, "expected-length"),
        expected_lines=_optional(element, "expected-lines"),
        pattern_mask=element.get("pattern-mask"),
        placeholder=element.get("placeholder-text", ""),
        base=integer_attribute(element, "base", 10),
        string_identifier=element.get("string-identifier"),
        max_strings=_optional(element, "max-strings"),
        min_strings=integer_attribute(element, "min-strings", 0),
        format=element.get("format", "plain"),
        line=line_of(element),
    )


def _slider(element: etree._Element) -> SliderInteraction:
    return SliderInteraction(
        name=local_name(element),
        response_identifier=_response(element),
        prompt=_prompt(element),
        lower_bound=number_attribute(element, "lower-bound", 0.0) or 0.0,
        upper_bound=number_attribute(element, "upper-bound", 0.0) or 0.0,
        step=number_attribute(element, "step", 1.0) or 1.0,
        step_label=is_true(element, "step-label"),
        orientation=element.get("orientation", "horizontal"),
        reverse=is_true(element, "reverse"),
        line=line_of(element),
    )


def _media(element: etree._Element) -> MediaInteraction:
    return MediaInteraction(
        name=local_name(element),
        response_identifier=_response(element),
        prompt=_prompt(element),
        autostart=is_true(element, "autostart"),
        min_plays=integer_attribute(element, "min-plays", 0),
        max_plays=integer_attribute(element, "max-plays", 0),
        loop=is_true(element, "loop"),
        line=line_of(element),
    )


def _file(element: etree._Element) -> FileInteraction:
    types = tuple(element.get("type", "").split())
    return FileInteraction(local_name(element), _response(element), _prompt(element), types, line_of(element))


def _end_attempt(element: etree._Element) -> EndAttemptInteraction:
    return EndAttemptInteraction(
        name=local_name(element),
        response_identifier=_response(element),
        prompt="",
        title=element.get("title", ""),
        count_attempt=is_true(element, "count-attempt", default=True),
        line=line_of(element),
    )


def _custom(element: etree._Element) -> CustomInteraction:
    return CustomInteraction(
        name=local_name(element),
        response_identifier=_response(element),
        prompt=_prompt(element),
        type_identifier=element.get("custom-interaction-type-identifier"),
        module=element.get("module"),
        line=line_of(element),
    )


_TAGS = tuple(f"{{{QTI}}}{name}" for name in INTERACTIONS)
_VIEWS: dict[str, Callable[[etree._Element], Interaction]] = {
    "qti-choice-interaction": _choice,
    "qti-order-interaction": _choice,
    "qti-inline-choice-interaction": _choice,
    "qti-hottext-interaction": _choice,
    "qti-associate-interaction": _association,
    "qti-match-interaction": _association,
    "qti-gap-match-interaction": _association,
    "qti-graphic-associate-interaction": _association,
    "qti-graphic-gap-match-interaction": _association,
    **dict.fromkeys(["qti-hotspot-interaction", "qti-graphic-order-interaction"], _hotspots),
    **dict.fromkeys(["qti-select-point-interaction", "qti-position-object-interaction"], _points),
    **dict.fromkeys(["qti-text-entry-interaction", "qti-extended-text-interaction"], _text),
    **dict.fromkeys(["qti-upload-interaction", "qti-drawing-interaction"], _file),
    **dict.fromkeys(["qti-custom-interaction", "qti-portable-custom-interaction"], _custom),
    "qti-slider-interaction": _slider,
    "qti-media-interaction": _media,
    "qti-end-attempt-interaction": _end_attempt,
}
