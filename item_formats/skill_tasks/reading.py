"""A QTI document as the skill task it holds."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from item_formats.candidate import CRITERION, VETO
from item_formats.findings import Finding, ItemError
from item_formats.parsing import line_of, local_name, number_attribute, qti
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
    Criterion,
    SkillTask,
    Supply,
    Veto,
)
from item_formats.text import visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.model import Item


def read_skill_task(item: Item) -> SkillTask:
    """The task an item holds; also of a candidate's copy, which has no criteria and no marks.

    Raises
    ------
    ItemError
        The item is no skill task, or its parts cannot be read; `skill_task_findings` says the rest.
    """
    body = item.body
    facts = {} if body is None else _facts(body)
    if body is None or CODE not in facts:
        message = f"the item is no skill task: its body has no table with {CODE}, {TITLE} and {MINUTES}"
        raise ItemError(Finding("error", "not-a-skill-task", message, item=item.identifier))
    minutes = facts.get(MINUTES, "").removesuffix("分钟").strip()
    if not minutes.isdigit():
        message = f"{MINUTES} is “{minutes}”; expected whole minutes, such as 30分钟"
        raise ItemError(Finding("error", "bad-minutes", message, item=item.identifier))
    points = {name: _points(body, heading) for name, heading in SECTIONS.items()}
    supplies = {heading: tuple(_supplies(body, heading)) for heading in (SITE, CANDIDATE_OWN)}
    maxima = declared_marks(item)
    return SkillTask(
        identifier=item.identifier,
        code=facts[CODE],
        title=facts.get(TITLE, item.title),
        minutes=int(minutes),
        marks=maxima.get(TOTAL, Decimal(0)),
        criteria=tuple(
            Criterion(row["细则编号"], _decimal(row["配分"], item), row["评分细则描述"], row.get("规定或标称值", ""))
            for row in _rubrics(body, CRITERION, CRITERION_FIELDS, item)
        ),
        vetoes=tuple(Veto(row["编号"], row["否定项"]) for row in _rubrics(body, VETO, VETO_FIELDS, item)),
        site_supplies=supplies[SITE],
        candidate_supplies=supplies[CANDIDATE_OWN],
        preparation_notes=_points(body, NOTES),
        language=item.language or "zh-CN",
        **points,
    )


def is_skill_task(item: Item) -> bool:
    """Whether the item is laid out as a task, whatever else may be wrong with it."""
    return item.body is not None and CODE in _facts(item.body)


def _facts(body: etree._Element) -> dict[str, str]:
    """The rows of the table at the head of the task sheet."""
    table = next((child for child in body.iterchildren(qti("table"))), None)
    facts: dict[str, str] = {}
    for row in () if table is None else table.iter(qti("tr")):
        cells = list(row.iterchildren(qti("th"), qti("td")))
        if len(cells) == 2:
            facts[visible_text(cells[0])] = visible_text(cells[1])
    return facts


def _points(body: etree._Element, heading: str) -> tuple[str, ...]:
    """The numbered points under a heading."""
    for title in body.iter(qti("h2")):
        points = title.getnext()
        if visible_text(title) == heading and points is not None and local_name(points) == "ol":
            return tuple(visible_text(point) for point in points.iterchildren(qti("li")))
    return ()


def _supplies(body: etree._Element, heading: str) -> Iterator[Supply]:
    for title in body.iter(qti("h2")):
        table = title.getnext()
        if visible_text(title) != heading or table is None or local_name(table) != "table":
            continue
        for row in table.iter(qti("tr")):
            cells = [visible_text(cell) for cell in row.iterchildren(qti("td"))]
            if len(cells) == len(SUPPLY_FIELDS):
                yield Supply(*cells)


def _rubrics(body: etree._Element, use: str, fields: tuple[str, ...], item: Item) -> Iterator[dict[str, str]]:
    for block in body.iter(qti("qti-rubric-block")):
        if block.get("use") != use:
            continue
        names = [visible_text(name) for name in block.iter(qti("dt"))]
        row = dict(zip(names, map(visible_text, block.iter(qti("dd"))), strict=False))
        missing = [name for name in fields[:3] if name not in row]
        if missing:
            message = (
                f"a rubric block with use {use} lacks {', '.join(missing)}: expected a list of {', '.join(fields)}"
            )
            raise ItemError(Finding("error", "bad-criterion", message, line=line_of(block), item=item.identifier))
        yield row


def declared_marks(item: Item) -> dict[str, Decimal]:
    maxima = {}
    for outcome in item.root.iter(qti("qti-outcome-declaration")):
        most = number_attribute(outcome, "normal-maximum")
        if most is not None:
            maxima[outcome.get("identifier", "")] = Decimal(outcome.get("normal-maximum", "").strip())
    return maxima


def _decimal(text: str, item: Item) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        message = f"配分 is “{text}”; expected a number such as 5 or 0.5"
        raise ItemError(Finding("error", "bad-marks", message, item=item.identifier)) from None
