"""Outcomes of a skill task from what an examiner wrote down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import qti
from item_formats.processing import compile_rules, plain, read_declarations
from item_formats.processing.scope import Scope
from item_formats.processing.values import single
from item_formats.skill_tasks.reading import read_skill_task
from item_formats.skill_tasks.task import TOTAL
from item_formats.text import plain_marks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from decimal import Decimal

    from item_formats.model import Item


def mark_skill_task(
    item: Item, marks: Mapping[str, float | Decimal], vetoes: Collection[str] = ()
) -> dict[str, float | bool]:
    """Outcomes of a task as an examiner marked it: `marks` by criterion, `vetoes` the codes of those that happened.

    Worked out by the item's own response processing; a criterion that is not marked earns 0.

    Raises
    ------
    ItemError
        An unknown criterion or veto, or marks below 0 or above what the criterion is worth.
    """
    task = read_skill_task(item)
    worth = {criterion.code: criterion.marks for criterion in task.criteria}
    known = {veto.code for veto in task.vetoes}
    faults = []
    unknown = [code for code in marks if code not in worth] + [code for code in vetoes if code not in known]
    for code in unknown:
        has = f"the criteria {', '.join(worth) or 'none'} and the vetoes {', '.join(sorted(known)) or 'none'}"
        faults.append(_error("unknown-criterion", item, f"{code}: the task has {has}"))
    for code, given in marks.items():
        if code in worth and not 0 <= given <= worth[code]:
            message = f"{code}: marked {given}; expected 0 to {plain_marks(worth[code])}"
            faults.append(_error("bad-marks", item, message))
    if faults:
        raise ItemError(*faults)
    declarations = read_declarations(item.root)
    values = {name: declaration.start for name, declaration in declarations.items()}
    values.update({code: single("float", float(marks.get(code, 0))) for code in worth})
    values.update({code: single("boolean", code in vetoes) for code in known})
    scope = Scope(declarations, values, seed=0)
    processing = item.root.find(qti("qti-response-processing"))
    if processing is not None:
        compile_rules(processing)(scope)
    outcomes = {name: plain(scope.values.get(name)) for name in (*worth, *known, TOTAL)}
    return {name: value for name, value in outcomes.items() if isinstance(value, (bool, int, float))}


def _error(code: str, item: Item, message: str) -> Finding:
    return Finding("error", code, message, item=item.identifier)
