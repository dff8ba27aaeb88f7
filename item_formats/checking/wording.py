"""What is asked of items of a kind: skill tasks, house style in Chinese, stems and options that show something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.checking.found import Found, warning
from item_formats.choice import wording_findings
from item_formats.parsing import line_of, qti
from item_formats.skill_tasks.faults import skill_task_findings

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


def skill_tasks_add_up(item: Item) -> Iterator[Found]:
    """The marks of a skill task against its outcomes; see `skill_task_findings`."""
    for finding in skill_task_findings(item):
        at = item.root
        if finding.line is not None:
            at = next((one for one in item.root.iter("*") if line_of(one) == finding.line), at)
        yield Found(finding.severity, finding.code, finding.message, at)
