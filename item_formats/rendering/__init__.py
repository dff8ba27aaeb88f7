"""Items and papers as self-contained, accessible HTML: no script, no network, nothing that was not asked for."""

from item_formats.rendering.paper import render_paper
from item_formats.rendering.preview import render_item, render_items
from item_formats.rendering.sheet import PaperItem, PaperSection, PaperSheet, paper_sections

__all__ = [
    "PaperItem",
    "PaperSection",
    "PaperSheet",
    "paper_sections",
    "render_item",
    "render_items",
    "render_paper",
]
