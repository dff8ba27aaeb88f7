"""Items, papers and skill tasks as self-contained, accessible HTML: no network, nothing that was not asked for."""

from item_formats.rendering.exam import render, render_test
from item_formats.rendering.forms import read_form
from item_formats.rendering.paper import render_paper
from item_formats.rendering.preview import clone_findings, render_item, render_items
from item_formats.rendering.sanitising import sanitised
from item_formats.rendering.sheet import PaperItem, PaperSection, PaperSheet, paper_sections
from item_formats.rendering.skill_documents import (
    render_preparation_notice,
    render_scoring_record,
    render_task_sheet,
)

__all__ = [
    "PaperItem",
    "PaperSection",
    "PaperSheet",
    "clone_findings",
    "paper_sections",
    "read_form",
    "render",
    "render_item",
    "render_items",
    "render_paper",
    "render_preparation_notice",
    "render_scoring_record",
    "render_task_sheet",
    "render_test",
    "sanitised",
]
