"""What keeps a task from being an item, and an item from being the task it says it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER
from item_formats.findings import Finding, ItemError
from item_formats.parsing import line_of, qti
from item_formats.skill_tasks.reading import declared_marks, is_skill_task, read_skill_task
from item_formats.skill_tasks.task import MINUTES, SECTIONS, TOTAL
from item_formats.text import forbidden_characters, plain_marks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.model import Item
    from item_formats.skill_tasks.task import Criterion, SkillTask


def task_findings(task: SkillTask) -> list[Finding]:
    """Everything that keeps a task from being an item."""
    found = (*_code_faults(task), *_part_faults(task), *_marks_faults(task))
    return [replace(finding, item=task.identifier or None) for finding in found]


def _fault(code: str, column: str, message: str) -> Finding:
    return Finding("error", code, message, column=column)


def _code_faults(task: SkillTask) -> Iterator[Finding]:
    codes = [criterion.code for criterion in task.criteria] + [veto.code for veto in task.vetoes]
    for code in (task.identifier, *codes):
        if not IDENTIFIER.fullmatch(code) or code == TOTAL:
            message = f"“{code}”; expected a letter first, then letters and digits, such as M1"
            yield _fault("bad-identifier", "细则编号", message)
    for code, count in Counter(codes).items():
        if count > 1:
            message = f"{code} stands {count} times; give every row a code of its own"
            yield _fault("repeated-criterion", "细则编号", message)


def _part_faults(task: SkillTask) -> Iterator[Finding]:
    if not any(text.strip() for text in task.work):
        yield _fault("no-work", SECTIONS["work"], "the task does not say what to do: write the 工作任务")
    if task.minutes < 1:
        yield _fault("bad-minutes", MINUTES, f"{task.minutes} minutes; expected 1 or more")
    for text in _texts(task):
        for character in forbidden_characters(text):
            message = f"“{text[:20]}” holds U+{ord(character):04X}, which XML cannot: remove it"
            yield _fault("control-character", "试题", message)


def _marks_faults(task: SkillTask) -> Iterator[Finding]:
    if not task.criteria:
        yield _fault("no-criteria", "评分细则描述", "the task has no criteria: nobody could mark it")
    for criterion in task.criteria:
        if not criterion.marks.is_finite() or criterion.marks <= 0:
            yield _fault("bad-marks", "配分", f"{criterion.code} is worth {criterion.marks}; expected more than 0")
        if not criterion.description.strip():
            message = f"{criterion.code} does not say what earns its marks"
            yield _fault("empty-criterion", "评分细则描述", message)
    total = sum((criterion.marks for criterion in task.criteria), Decimal(0))
    if task.criteria and total != task.marks:
        added, whole = plain_marks(total), plain_marks(task.marks)
        message = f"the criteria add up to {added} marks, the task has {whole}: correct one of them"
        yield _fault("marks-sum", "配分", message)


def skill_task_findings(item: Item) -> list[Finding]:
    """What is wrong with an item that is laid out as a skill task; [] for one that is right, or is none.

    The rows of the scoring record and the outcomes that hold their marks must say the same. A candidate's copy has
    no rows, and nothing to find.
    """
    if not is_skill_task(item):
        return []
    try:
        task = read_skill_task(item)
    except ItemError as error:
        return list(error.findings)
    outcomes = {outcome.get("identifier", ""): outcome for outcome in item.root.iter(qti("qti-outcome-declaration"))}
    found = task_findings(task)
    for criterion in task.criteria:
        found += _criterion_findings(item, criterion, outcomes.get(criterion.code))
    used = {variable.get("identifier") for variable in item.root.iter(qti("qti-variable"))}
    for veto in task.vetoes:
        outcome = outcomes.get(veto.code)
        if outcome is None or outcome.get("base-type") != "boolean":
            found.append(_error("dangling-criterion", item, f"{veto.code}: there is no boolean outcome of that name"))
        elif veto.code not in used:
            message = f"{veto.code}: the response processing does not look at it, so that it would cost nothing"
            found.append(_error("veto-without-effect", item, message, line_of(outcome)))
    return found


def _criterion_findings(item: Item, criterion: Criterion, outcome: etree._Element | None) -> Iterator[Finding]:
    if outcome is None:
        yield _error("dangling-criterion", item, f"{criterion.code}: there is no outcome of that name")
        return
    most = declared_marks(item).get(criterion.code)
    if most != criterion.marks:
        message = f"{criterion.code}: the row says {plain_marks(criterion.marks)} marks, its outcome {most or 'none'}"
        yield _error("marks-differ", item, message, line_of(outcome))
    if outcome.get("external-scored") != "human":
        message = f'{criterion.code}: nobody scores it: add external-scored="human" to its outcome'
        yield _error("not-scored-by-a-person", item, message, line_of(outcome))


def _error(code: str, item: Item, message: str, line: int | None = None) -> Finding:
    return Finding("error", code, message, line=line, item=item.identifier)


def _texts(task: SkillTask) -> Iterator[str]:
    yield from (task.code, task.title, *task.site, *task.work, *task.skills, *task.quality, *task.preparation_notes)
    for criterion in task.criteria:
        yield from (criterion.description, criterion.nominal)
    yield from (veto.description for veto in task.vetoes)
    for supply in (*task.site_supplies, *task.candidate_supplies):
        yield from (supply.name, supply.specification, supply.quantity, supply.note)
