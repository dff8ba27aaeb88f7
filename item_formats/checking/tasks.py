"""Skill tasks: what their rows and outcomes say of each other, and what does not hold for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.checking.found import Found
from item_formats.parsing import line_of
from item_formats.skill_tasks import skill_task_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from item_formats.model import Item

# Nobody answers a task on paper or screen: an examiner sets the outcomes, and the rules add them.
NOT_OF_TASKS = frozenset({"no-interaction", "scored-elsewhere", "maximum-out-of-reach"})


def tasks_add_up(item: Item) -> Iterator[Found]:
    """The faults of a skill task, each at its outcome where it has one."""
    by_line = {line_of(element): element for element in item.root.iterchildren("*")}
    for finding in skill_task_findings(item):
        at = item.root if finding.line is None else by_line.get(finding.line, item.root)
        yield Found(finding.severity, finding.code, finding.message, at)
