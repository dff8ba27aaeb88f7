"""House style of items in Chinese, and stems and options that show nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.checking.found import Found, warning
from item_formats.choice import wording_findings
from item_formats.parsing import qti

if TYPE_CHECKING:
    from collections.abc import Iterator

    from item_formats.model import Item


def items_read_well(item: Item) -> Iterator[Found]:
    if item.item_type is None:
        return
    at = next(item.root.iter(qti("qti-choice-interaction")), item.root)
    if not item.stem_text.strip():
        yield warning(at, "empty-stem", "the item shows no question before its options: write the stem")
    for option in item.options:
        if not option.text.strip():
            message = f"option {option.identifier} has no text: write it, or check that its picture has a description"
            yield warning(at, "empty-option", message)
    if item.language.lower().startswith("zh") and item.stem_text.strip():
        for finding in wording_findings(item.item_type, item.stem_text):
            named = replace(finding, column=None)
            yield Found(named.severity, named.code, named.message, at)
