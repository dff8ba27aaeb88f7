"""Items as documents: QTI 2.0 to 3.0 in and out, checking, scoring, sessions, packages, other formats, HTML.

Names are imported from their modules when they are first used, so that importing the package takes a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from item_formats.assessment import TestDocument as TestDocument
    from item_formats.assessment import build_test as build_test
    from item_formats.candidate import CandidateProfile as CandidateProfile
    from item_formats.candidate import for_candidate as for_candidate
    from item_formats.checking import check as check
    from item_formats.checking import validate as validate
    from item_formats.choice import choice_item as choice_item
    from item_formats.choice import parse_response_code as parse_response_code
    from item_formats.choice import response_code as response_code
    from item_formats.conversion import convert as convert
    from item_formats.conversion import converted as converted
    from item_formats.conversion import read_document as read_document
    from item_formats.documents import Section as Section
    from item_formats.documents import Stimulus as Stimulus
    from item_formats.documents import Test as Test
    from item_formats.documents import read_section as read_section
    from item_formats.documents import read_stimulus as read_stimulus
    from item_formats.documents import read_test as read_test
    from item_formats.findings import Finding as Finding
    from item_formats.findings import ItemError as ItemError
    from item_formats.findings import errors_among as errors_among
    from item_formats.foreign import ItemRow as ItemRow
    from item_formats.foreign import ItemTable as ItemTable
    from item_formats.foreign import Placing as Placing
    from item_formats.foreign import read_aiken as read_aiken
    from item_formats.foreign import read_excel as read_excel
    from item_formats.foreign import read_gift as read_gift
    from item_formats.foreign import read_items_csv as read_items_csv
    from item_formats.foreign import read_moodle as read_moodle
    from item_formats.foreign import read_placings as read_placings
    from item_formats.foreign import read_word as read_word
    from item_formats.foreign import write_aiken as write_aiken
    from item_formats.foreign import write_excel as write_excel
    from item_formats.foreign import write_gift as write_gift
    from item_formats.foreign import write_items_csv as write_items_csv
    from item_formats.foreign import write_moodle as write_moodle
    from item_formats.foreign import write_word as write_word
    from item_formats.kinds import ItemKind as ItemKind
    from item_formats.kinds import item_kind as item_kind
    from item_formats.kinds import kind_label as kind_label
    from item_formats.kinds import shown_choices as shown_choices
    from item_formats.model import Item as Item
    from item_formats.model import ItemType as ItemType
    from item_formats.model import Option as Option
    from item_formats.model import read_item as read_item
    from item_formats.model import type_label as type_label
    from item_formats.packages import Package as Package
    from item_formats.packages import iter_package as iter_package
    from item_formats.packages import open_package as open_package
    from item_formats.packages import read_package as read_package
    from item_formats.packages import save_package as save_package
    from item_formats.packages import write_package as write_package
    from item_formats.packages.stimuli import copied_stimulus as copied_stimulus
    from item_formats.packages.usage_data import ItemStatistic as ItemStatistic
    from item_formats.packages.usage_data import StatisticValue as StatisticValue
    from item_formats.packages.usage_data import Target as Target
    from item_formats.packages.usage_data import read_usage_data as read_usage_data
    from item_formats.packages.usage_data import usage_data as usage_data
    from item_formats.packages.usage_data import write_usage_data as write_usage_data
    from item_formats.processing import ItemState as ItemState
    from item_formats.processing import attempt as attempt
    from item_formats.processing import begin_item as begin_item
    from item_formats.processing import score as score
    from item_formats.rendering import PaperItem as PaperItem
    from item_formats.rendering import PaperSection as PaperSection
    from item_formats.rendering import PaperSheet as PaperSheet
    from item_formats.rendering import paper_sections as paper_sections
    from item_formats.rendering import render as render
    from item_formats.rendering import render_item as render_item
    from item_formats.rendering import render_items as render_items
    from item_formats.rendering import render_paper as render_paper
    from item_formats.sessions import TestState as TestState
    from item_formats.sessions import begin_test as begin_test
    from item_formats.sessions import step as step
    from item_formats.skill_tasks import is_skill_task as is_skill_task
    from item_formats.skill_tasks import read_skill_task as read_skill_task
    from item_formats.sources import Content as Content
    from item_formats.sources import read_content as read_content
    from item_formats.standalone import picture_addresses as picture_addresses
    from item_formats.standalone import self_contained as self_contained

# The same names by module, for `__getattr__`; a test holds both lists together.
_NAMES = {
    "assessment": "TestDocument build_test",
    "candidate": "CandidateProfile for_candidate",
    "checking": "check validate",
    "choice": "choice_item parse_response_code response_code",
    "conversion": "convert converted read_document",
    "documents": "Section Stimulus Test read_section read_stimulus read_test",
    "findings": "Finding ItemError errors_among",
    "foreign": (
        "ItemRow ItemTable Placing read_aiken read_excel read_gift read_items_csv read_moodle read_placings read_word "
        "write_aiken write_excel write_gift write_items_csv write_moodle write_word"
    ),
    "kinds": "ItemKind item_kind kind_label shown_choices",
    "model": "Item ItemType Option read_item type_label",
    "packages": "Package iter_package open_package read_package save_package write_package",
    "packages.stimuli": "copied_stimulus",
    "packages.usage_data": "ItemStatistic StatisticValue Target read_usage_data usage_data write_usage_data",
    "processing": "ItemState attempt begin_item score",
    "rendering": "PaperItem PaperSection PaperSheet paper_sections render render_item render_items render_paper",
    "sessions": "TestState begin_test step",
    "skill_tasks": "is_skill_task read_skill_task",
    "sources": "Content read_content",
    "standalone": "picture_addresses self_contained",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = list(_HOMES)

if not TYPE_CHECKING:  # or mypy would believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=__name__)
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return [*globals(), *_HOMES]
