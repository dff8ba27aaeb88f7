"""Items as documents: QTI 3 in and out, checking, scoring, what a candidate may see, spreadsheets in, HTML out."""

from item_formats.assessment import TestDocument, build_test
from item_formats.candidate import CandidateProfile, for_candidate
from item_formats.checking import check
from item_formats.choice import choice_item, parse_response_code, response_code
from item_formats.documents import Section, Stimulus, Test, read_section, read_stimulus, read_test
from item_formats.findings import Finding, ItemError, errors_among
from item_formats.foreign import ItemRow, ItemTable, read_items_csv, write_items_csv
from item_formats.model import Item, ItemType, Option, read_item, type_label
from item_formats.packages import write_package
from item_formats.processing import score
from item_formats.rendering import (
    PaperItem,
    PaperSection,
    PaperSheet,
    paper_sections,
    render_item,
    render_items,
    render_paper,
)

__all__ = [
    "CandidateProfile",
    "Finding",
    "Item",
    "ItemError",
    "ItemRow",
    "ItemTable",
    "ItemType",
    "Option",
    "PaperItem",
    "PaperSection",
    "PaperSheet",
    "Section",
    "Stimulus",
    "Test",
    "TestDocument",
    "build_test",
    "check",
    "choice_item",
    "errors_among",
    "for_candidate",
    "paper_sections",
    "parse_response_code",
    "read_item",
    "read_items_csv",
    "read_section",
    "read_stimulus",
    "read_test",
    "render_item",
    "render_items",
    "render_paper",
    "response_code",
    "score",
    "type_label",
    "write_items_csv",
    "write_package",
]
