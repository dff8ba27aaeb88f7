"""The item: canonical QTI 3 bytes that never change, and typed views parsed from them when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from item_formats.declarations import (
    ContextDeclaration,
    Mapping,
    OutcomeDeclaration,
    ResponseDeclaration,
    TemplateDeclaration,
    context_declarations,
    outcome_declarations,
    response_declarations,
    template_declarations,
)
from item_formats.documents import Document, document_of, read_as
from item_formats.interactions import (
    FALSE,
    OPTION_LETTERS,
    TRUE,
    ChoiceInteraction,
    Interaction,
    Option,
    interaction_of,
    interactions_in,
)
from item_formats.mapped_scores import mapped_range
from item_formats.parsing import QTI, is_true, local_name, qti
from item_formats.text import visible_text
from item_formats.vocabulary import template_name

if TYPE_CHECKING:
    from pathlib import Path

    from lxml import etree

__all__ = [
    "FALSE",
    "OPTION_LETTERS",
    "RATIONALE",
    "TRUE",
    "ChoiceInteraction",
    "Interaction",
    "Item",
    "ItemType",
    "Mapping",
    "Option",
    "OutcomeDeclaration",
    "ResponseDeclaration",
    "TemplateDeclaration",
    "item_of",
    "read_item",
    "type_label",
]

RATIONALE = "ext:rationale"  # the `use` of the rubric block that holds the 解析


class ItemType(StrEnum):
    TRUE_FALSE = "true_false"
    SINGLE = "single"
    MULTIPLE = "multiple"


_TYPE_LABELS = {ItemType.TRUE_FALSE: "判断", ItemType.SINGLE: "单选", ItemType.MULTIPLE: "多选"}


def type_label(item_type: ItemType) -> str:
    """The word of the 题型 column: 判断, 单选 or 多选."""
    return _TYPE_LABELS[item_type]


@dataclass(frozen=True, eq=False, repr=False)
class Item(Document):
    """An assessment item: `xml` are its canonical QTI 3 bytes, `digest` their SHA-256 in hex.

    Items are equal when their digests are. Made by `read_item` and `choice_item`. A view raises `ItemError` when the
    part of the document it reads is not QTI; `check` lists everything of that kind at once.
    """

    def __repr__(self) -> str:
        return f"Item({self.identifier!r}, {self.item_type or 'other'}, {self.digest[:8]})"

    @cached_property
    def body(self) -> etree._Element | None:
        return self.root.find(qti("qti-item-body"))

    @cached_property
    def interactions(self) -> tuple[Interaction, ...]:
        """Views of all interactions, in document order."""
        return interactions_in(self.root)

    @cached_property
    def choice_interactions(self) -> tuple[ChoiceInteraction, ...]:
        """The choice interactions (qti-choice-interaction) alone."""
        found = self.root.iter(qti("qti-choice-interaction"))
        return tuple(one for one in map(interaction_of, found) if isinstance(one, ChoiceInteraction))

    @cached_property
    def other_interactions(self) -> tuple[str, ...]:
        """Element names of the interactions that are no choice interactions, unknown ones too."""
        names = (local_name(element) for element in self.root.iter(f"{{{QTI}}}*"))
        return tuple(name for name in names if name.endswith("-interaction") and name != "qti-choice-interaction")

    @cached_property
    def response_declarations(self) -> tuple[ResponseDeclaration, ...]:
        return response_declarations(self.root)

    @cached_property
    def outcome_declarations(self) -> tuple[OutcomeDeclaration, ...]:
        return outcome_declarations(self.root)

    @cached_property
    def template_declarations(self) -> tuple[TemplateDeclaration, ...]:
        return template_declarations(self.root)

    @cached_property
    def context_declarations(self) -> tuple[ContextDeclaration, ...]:
        return context_declarations(self.root)

    @property
    def adaptive(self) -> bool:
        return is_true(self.root, "adaptive")

    @property
    def time_dependent(self) -> bool:
        return is_true(self.root, "time-dependent")

    @cached_property
    def item_type(self) -> ItemType | None:
        """Recognised from the structure: one choice interaction and nothing else to answer; None otherwise."""
        if len(self.choice_interactions) != 1 or self.other_interactions:
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
        return self.choice_interactions[0].options if self.choice_interactions else ()

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
            interaction = self.choice_interactions[0]
            _, most = mapped_range(
                declaration.mapping,
                single=declaration.cardinality == "single",
                most=interaction.max_choices or len(interaction.options),
                choices=[option.identifier for option in interaction.options],
                unanswered=0.0,
            )
            return most
        return 1.0 if declaration.correct and self.template == "match_correct" else None

    @cached_property
    def template(self) -> str | None:
        """Name of the standard response-processing template, e.g. ``match_correct``, or the address given."""
        processing = self.root.find(qti("qti-response-processing"))
        address = None if processing is None else processing.get("template")
        return None if address is None else template_name(address)

    @cached_property
    def _answered(self) -> ResponseDeclaration | None:
        """The declaration the first choice interaction is bound to."""
        for declaration in self.response_declarations:
            if self.choice_interactions and declaration.identifier == self.choice_interactions[0].response_identifier:
                return declaration
        return None


def read_item(source: bytes | Path, *, file: str | None = None) -> Item:
    """An item from bytes or a file, of QTI 3.0, or of 2.0, 2.1 or 2.2 and upgraded; `file` names bytes in findings.

    Nothing of the document is lost: the item's bytes are the canonical form of all of it. What an upgrade had to say
    otherwise is in the item's `reading_findings`.

    Raises
    ------
    ItemError
        Not XML, hostile XML (see `parsing`), QTI 1 or another document, or no identifier.
    """
    return read_as(Item, "qti-assessment-item", source, file=file)


def item_of(root: etree._Element, *, file: str | None = None) -> Item:
    """The item of a tree nobody else will change."""
    return document_of(Item, root, file=file)
