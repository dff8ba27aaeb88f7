"""The item: canonical QTI 3 bytes that never change, and typed views parsed from them when somebody looks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import (
    QTI,
    XML_LANG,
    canonical_bytes,
    integer_attribute,
    is_qti,
    line_of,
    local_name,
    number_attribute,
    parse,
    qti,
    read_source,
)
from item_formats.text import visible_text

if TYPE_CHECKING:
    from pathlib import Path

    from lxml import etree

RATIONALE = "ext:rationale"  # the `use` of the rubric block that holds the 解析
TRUE, FALSE = "T", "F"  # option identifiers that make a single choice a true/false item
OPTION_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class ItemType(StrEnum):
    TRUE_FALSE = "true_false"
    SINGLE = "single"
    MULTIPLE = "multiple"


_TYPE_LABELS = {ItemType.TRUE_FALSE: "判断", ItemType.SINGLE: "单选", ItemType.MULTIPLE: "多选"}


def type_label(item_type: ItemType) -> str:
    """The word of the 题型 column: 判断, 单选 or 多选."""
    return _TYPE_LABELS[item_type]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `label` is what a person writes down for it: its letter on the paper, or √ and ×."""

    identifier: str
    text: str
    label: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceInteraction:
    """`max_choices` 0 means as many as there are."""

    response_identifier: str
    prompt: str
    options: tuple[Option, ...]
    max_choices: int
    min_choices: int
    shuffle: bool
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class MapEntry:
    key: str
    value: float
    case_sensitive: bool


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[MapEntry, ...]
    default: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class ResponseDeclaration:
    identifier: str
    cardinality: str
    base_type: str
    correct: tuple[str, ...]
    default: tuple[str, ...]
    mapping: Mapping | None
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class OutcomeDeclaration:
    identifier: str
    cardinality: str
    base_type: str
    default: tuple[str, ...]
    normal_maximum: float | None
    external_scored: str | None
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False, repr=False)
class Item:
    """An assessment item: `xml` are its canonical QTI 3 bytes, `digest` their SHA-256 in hex.

    Items are equal when their digests are. Made by `read_item` and `choice_item`. A view raises `ItemError` when the
    part of the document it reads is not QTI; `check` lists everything of that kind at once.
    """

    xml: bytes
    digest: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Item({self.identifier!r}, {self.item_type or 'other'}, {self.digest[:8]})"

    def __getstate__(self) -> dict[str, object]:
        return {"xml": self.xml, "digest": self.digest}  # trees and views do not travel

    @cached_property
    def root(self) -> etree._Element:
        """The tree behind the views. Not to be changed: changing an item means making another."""
        return parse(self.xml)

    @property
    def identifier(self) -> str:
        return self.root.get("identifier", "")

    @property
    def title(self) -> str:
        return self.root.get("title", "")

    @property
    def language(self) -> str:
        return self.root.get(XML_LANG, "")

    @cached_property
    def body(self) -> etree._Element | None:
        return self.root.find(qti("qti-item-body"))

    @cached_property
    def interactions(self) -> tuple[ChoiceInteraction, ...]:
        """The choice interactions, in document order; `other_interactions` names the rest."""
        found = self.root.iter(qti("qti-choice-interaction"))
        return tuple(_choice_interaction(element) for element in found)

    @cached_property
    def other_interactions(self) -> tuple[str, ...]:
        """Element names of the interactions that are kept but have no view here."""
        names = (local_name(element) for element in self.root.iter(f"{{{QTI}}}*"))
        return tuple(name for name in names if name.endswith("-interaction") and name != "qti-choice-interaction")

    @cached_property
    def response_declarations(self) -> tuple[ResponseDeclaration, ...]:
        return tuple(
            _response_declaration(element) for element in self.root.iterchildren(qti("qti-response-declaration"))
        )

    @cached_property
    def outcome_declarations(self) -> tuple[OutcomeDeclaration, ...]:
        return tuple(
            _outcome_declaration(element) for element in self.root.iterchildren(qti("qti-outcome-declaration"))
        )

    @cached_property
    def item_type(self) -> ItemType | None:
        """Recognised from the structure: one choice interaction and nothing else to answer; None otherwise."""
        if len(self.interactions) != 1 or self.other_interactions:
            return None
        declaration = self._answered
        if declaration is None or declaration.base_type != "identifier":
            return None
        if declaration.cardinality == "multiple":
            return ItemType.MULTIPLE
        if declaration.cardinality != "single":
            return None
        identifiers = {option.identifier for option in self.options}
        return ItemType.TRUE_FALSE if identifiers == {TRUE, FALSE} else ItemType.SINGLE

    @cached_property
    def stem_text(self) -> str:
        """Everything the candidate reads before the options, the prompt included."""
        return "" if self.body is None else visible_text(self.body, without=frozenset({"qti-simple-choice"}))

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of the first choice interaction."""
        return self.interactions[0].options if self.interactions else ()

    @cached_property
    def correct(self) -> tuple[str, ...]:
        """Identifiers of the correct options, in the order of the options; () when the item carries no key."""
        declaration = self._answered
        if declaration is None:
            return ()
        places = {option.identifier: place for place, option in enumerate(self.options)}
        return tuple(sorted(declaration.correct, key=lambda identifier: places.get(identifier, len(places))))

    @cached_property
    def key(self) -> str:
        """The key as people write it: "B", "ABD", "√" or "×"; "" when the item carries none."""
        labels = {option.identifier: option.label for option in self.options}
        return "".join(labels.get(identifier, identifier) for identifier in self.correct)

    @cached_property
    def rationale(self) -> str | None:
        """The 解析: why the key is right."""
        for block in self.root.iter(qti("qti-rubric-block")):
            content = block.find(qti("qti-content-body"))
            if block.get("use") == RATIONALE and content is not None:
                return visible_text(content)
        return None

    @cached_property
    def max_score(self) -> float | None:
        """The most SCORE can be before weights: declared, or worked out from the key or the mapping."""
        for outcome in self.outcome_declarations:
            if outcome.identifier == "SCORE" and outcome.normal_maximum is not None:
                return outcome.normal_maximum
        declaration = self._answered
        if declaration is None:
            return None
        if declaration.mapping is not None and self.template == "map_response":
            return _best_mapped(declaration, self.interactions[0])
        return 1.0 if declaration.correct and self.template == "match_correct" else None

    @cached_property
    def template(self) -> str | None:
        """Name of the standard response-processing template, e.g. ``match_correct``, or the address given."""
        processing = self.root.find(qti("qti-response-processing"))
        address = None if processing is None else processing.get("template")
        if address is None:
            return None
        host, _, name = address.removesuffix("/").rpartition("/rptemplates/")
        return name.removesuffix(".xml") if "imsglobal.org/" in host else address

    @cached_property
    def _answered(self) -> ResponseDeclaration | None:
        """The declaration the first choice interaction is bound to."""
        for declaration in self.response_declarations:
            if self.interactions and declaration.identifier == self.interactions[0].response_identifier:
                return declaration
        return None


def read_item(source: bytes | Path, *, file: str | None = None) -> Item:
    """A QTI 3 item from bytes or a file; `file` is the name findings give to bytes.

    Nothing of the document is lost: the item's bytes are the canonical form of all of it.

    Raises
    ------
    ItemError
        Not XML, hostile XML (see `parsing`), another QTI version or document, or no identifier.
    """
    content, path = read_source(source)
    file = file or path
    root = parse(content, file=file)
    if root.tag != qti("qti-assessment-item"):
        raise ItemError(_not_an_item(root, file))
    if not root.get("identifier"):
        message = 'the item has no identifier: add identifier="…" to qti-assessment-item'
        raise ItemError(Finding("error", "no-identifier", message, file=file, line=line_of(root)))
    return item_of(root, file=file)


def item_of(root: etree._Element, *, file: str | None = None) -> Item:
    """The item of a tree nobody else will change."""
    xml = canonical_bytes(root, file=file)
    item = Item(xml, hashlib.sha256(xml).hexdigest())
    item.__dict__["root"] = root  # the cache of `root`: what was just parsed is not parsed again
    return item


def _not_an_item(root: etree._Element, file: str | None) -> Finding:
    name = local_name(root)
    if name == "assessmentItem":
        code, message = "qti-version", "this is a QTI 1 or 2 item; only QTI 3 is read yet: export it as QTI 3.0"
    elif name == "qti-assessment-item":
        namespace = str(root.tag).rpartition("}")[0][1:] or "none"
        code, message = "wrong-namespace", f'the namespace is {namespace}; expected xmlns="{QTI}"'
    else:
        code, message = "not-an-item", f"the document is <{name}>; expected <qti-assessment-item>"
    return Finding("error", code, message, file=file, line=line_of(root))


def _choice_interaction(element: etree._Element) -> ChoiceInteraction:
    choices = [child for child in element if is_qti(child) and local_name(child) == "qti-simple-choice"]
    identifiers = [choice.get("identifier", "") for choice in choices]
    labels: list[str]
    if set(identifiers) == {TRUE, FALSE}:
        labels = ["√" if identifier == TRUE else "×" for identifier in identifiers]
    elif len(choices) <= len(OPTION_LETTERS):
        labels = list(OPTION_LETTERS[: len(choices)])
    else:
        labels = identifiers
    prompt = element.find(qti("qti-prompt"))
    return ChoiceInteraction(
        response_identifier=element.get("response-identifier", ""),
        prompt="" if prompt is None else visible_text(prompt),
        options=tuple(
            Option(identifier, visible_text(choice), label, fixed=choice.get("fixed") in {"true", "1"})
            for identifier, choice, label in zip(identifiers, choices, labels, strict=True)
        ),
        max_choices=integer_attribute(element, "max-choices", 1),
        min_choices=integer_attribute(element, "min-choices", 0),
        shuffle=element.get("shuffle") in {"true", "1"},
        line=line_of(element),
    )


def _texts(parent: etree._Element | None) -> tuple[str, ...]:
    if parent is None:
        return ()
    return tuple((value.text or "").strip() for value in parent.iterchildren(qti("qti-value")))


def _response_declaration(element: etree._Element) -> ResponseDeclaration:
    mapping = element.find(qti("qti-mapping"))
    return ResponseDeclaration(
        identifier=element.get("identifier", ""),
        cardinality=element.get("cardinality", ""),
        base_type=element.get("base-type", ""),
        correct=_texts(element.find(qti("qti-correct-response"))),
        default=_texts(element.find(qti("qti-default-value"))),
        mapping=None if mapping is None else _mapping(mapping),
        line=line_of(element),
    )


def _mapping(element: etree._Element) -> Mapping:
    return Mapping(
        entries=tuple(
            MapEntry(
                key=entry.get("map-key", ""),
                value=number_attribute(entry, "mapped-value") or 0.0,
                case_sensitive=entry.get("case-sensitive") in {"true", "1"},
            )
            for entry in element.iterchildren(qti("qti-map-entry"))
        ),
        default=number_attribute(element, "default-value") or 0.0,
        lower=number_attribute(element, "lower-bound"),
        upper=number_attribute(element, "upper-bound"),
    )


def _outcome_declaration(element: etree._Element) -> OutcomeDeclaration:
    return OutcomeDeclaration(
        identifier=element.get("identifier", ""),
        cardinality=element.get("cardinality", ""),
        base_type=element.get("base-type", ""),
        default=_texts(element.find(qti("qti-default-value"))),
        normal_maximum=number_attribute(element, "normal-maximum"),
        external_scored=element.get("external-scored"),
        line=line_of(element),
    )


def _best_mapped(declaration: ResponseDeclaration, interaction: ChoiceInteraction) -> float | None:
    """The largest mapped score a candidate can reach within max-choices."""
    mapping = declaration.mapping
    if mapping is None:
        return None
    mapped = {entry.key: entry.value for entry in reversed(mapping.entries)}
    gains = sorted((mapped.get(option.identifier, mapping.default) for option in interaction.options), reverse=True)
    if declaration.cardinality == "single":
        best = max(gains, default=mapping.default)
    else:
        best = sum(gain for gain in gains[: interaction.max_choices or len(gains)] if gain > 0)
    if mapping.lower is not None:
        best = max(best, mapping.lower)
    return best if mapping.upper is None else min(best, mapping.upper)
