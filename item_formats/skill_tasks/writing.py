"""A skill task as a QTI document."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.candidate import CRITERION, PREPARATION, VETO
from item_formats.findings import ItemError, errors_among
from item_formats.model import Item, item_of
from item_formats.parsing import QTI, parse
from item_formats.skill_tasks.faults import task_findings
from item_formats.skill_tasks.task import (
    CANDIDATE_OWN,
    CODE,
    CRITERION_FIELDS,
    MINUTES,
    NOTES,
    SECTIONS,
    SITE,
    SUPPLY_FIELDS,
    TITLE,
    TOTAL,
    VETO_FIELDS,
)
from item_formats.text import as_markup, plain_marks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from item_formats.skill_tasks.task import SkillTask, Supply


def skill_task(task: SkillTask) -> Item:
    """The task as an item.

    Raises
    ------
    ItemError
        With one finding for each fault: codes, empty parts, and marks that do not add up to the task's.
    """
    faults = task_findings(task)
    if errors_among(faults):
        raise ItemError(*faults)
    return item_of(parse(_document(task).encode()))


def _document(task: SkillTask) -> str:
    declared = "".join(
        _CRITERION_OUTCOME.format(code=criterion.code, marks=plain_marks(criterion.marks))
        for criterion in task.criteria
    )
    declared += "".join(_VETO_OUTCOME.format(code=veto.code) for veto in task.vetoes)
    sections = "".join(
        _numbered(heading, getattr(task, name)) for name, heading in SECTIONS.items() if getattr(task, name)
    )
    criteria = "".join(
        _rubric(
            CRITERION,
            zip(
                CRITERION_FIELDS,
                (criterion.code, plain_marks(criterion.marks), criterion.description, criterion.nominal),
                strict=True,
            ),
        )
        for criterion in task.criteria
    )
    vetoes = "".join(
        _rubric(VETO, zip(VETO_FIELDS, (veto.code, veto.description), strict=True)) for veto in task.vetoes
    )
    return _ITEM.format(
        namespace=QTI,
        identifier=task.identifier,
        title=escape(task.title),
        language=escape(task.language),
        outcomes=declared,
        total=TOTAL,
        marks=plain_marks(task.marks),
        facts="".join(
            f'<tr><th scope="row">{name}</th><td>{as_markup(text)}</td></tr>'
            for name, text in ((CODE, task.code), (TITLE, task.title), (MINUTES, f"{task.minutes}分钟"))
        ),
        sections=sections,
        preparation=_preparation(task),
        criteria=criteria + vetoes,
        processing=_processing(task),
    )


def _preparation(task: SkillTask) -> str:
    names = "".join(f'<th scope="col">{name}</th>' for name in SUPPLY_FIELDS)
    tables = "".join(
        f"<h2>{heading}</h2><table><thead><tr>{names}</tr></thead>"
        f"<tbody>{''.join(map(_supply_row, supplies))}</tbody></table>"
        for heading, supplies in ((SITE, task.site_supplies), (CANDIDATE_OWN, task.candidate_supplies))
        if supplies
    )
    notes = _numbered(NOTES, task.preparation_notes) if task.preparation_notes else ""
    if not tables and not notes:
        return ""
    return (
        f'\n    <qti-rubric-block view="proctor" use="{PREPARATION}"><qti-content-body>{tables}{notes}'
        "</qti-content-body></qti-rubric-block>"
    )


def _supply_row(supply: Supply) -> str:
    cells = (supply.name, supply.specification, supply.quantity, supply.note)
    return f"<tr>{''.join(f'<td>{as_markup(cell)}</td>' for cell in cells)}</tr>"


def _numbered(heading: str, texts: tuple[str, ...]) -> str:
    points = "".join(f"<li>{as_markup(text)}</li>" for text in texts)
    return f"\n    <h2>{heading}</h2><ol>{points}</ol>"


def _rubric(use: str, fields: Iterator[tuple[str, str]] | zip[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{name}</dt><dd>{as_markup(text)}</dd>" for name, text in fields)
    return (
        f'\n    <qti-rubric-block view="scorer" use="{use}"><qti-content-body><dl>{rows}</dl></qti-content-body>'
        "</qti-rubric-block>"
    )


def _processing(task: SkillTask) -> str:
    total = "".join(f'<qti-variable identifier="{criterion.code}"/>' for criterion in task.criteria)
    add = f'<qti-set-outcome-value identifier="{TOTAL}"><qti-sum>{total}</qti-sum></qti-set-outcome-value>'
    if not task.vetoes:
        return add
    happened = "".join(f'<qti-variable identifier="{veto.code}"/>' for veto in task.vetoes)
    return (
        f"<qti-response-condition><qti-response-if><qti-or>{happened}</qti-or>"
        f'<qti-set-outcome-value identifier="{TOTAL}"><qti-base-value base-type="float">0</qti-base-value>'
        f"</qti-set-outcome-value></qti-response-if><qti-response-else>{add}</qti-response-else>"
        "</qti-response-condition>"
    )


_ITEM = """<qti-assessment-item xmlns="{namespace}" identifier="{identifier}" title="{title}" adaptive="false" \
time-dependent="false" xml:lang="{language}">{outcomes}
  <qti-outcome-declaration identifier="{total}" cardinality="single" base-type="float" normal-maximum="{marks}" \
normal-minimum="0">
    <qti-default-value><qti-value>0</qti-value></qti-default-value>
  </qti-outcome-declaration>
  <qti-item-body>
    <table><tbody>{facts}</tbody></table>{sections}{preparation}{criteria}
  </qti-item-body>
  <qti-response-processing>{processing}</qti-response-processing>
</qti-assessment-item>"""
_CRITERION_OUTCOME = """
  <qti-outcome-declaration identifier="{code}" cardinality="single" base-type="float" external-scored="human" \
normal-maximum="{marks}" normal-minimum="0">
    <qti-default-value><qti-value>0</qti-value></qti-default-value>
  </qti-outcome-declaration>"""
_VETO_OUTCOME = """
  <qti-outcome-declaration identifier="{code}" cardinality="single" base-type="boolean" external-scored="human">
    <qti-default-value><qti-value>false</qti-value></qti-default-value>
  </qti-outcome-declaration>"""
