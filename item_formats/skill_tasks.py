"""Skill tasks (操作技能考核) as QTI 3: task sheet, preparation notice and marking criteria in one document.

The item body is the task sheet (试题单), a `proctor` rubric block the preparation notice (准备通知单), and every row of
the scoring record (评分记录表) a `scorer` rubric block with an outcome that a person scores. A veto (否定项) is an
outcome that is true or false; the response processing adds the marks, and makes the total 0 when a veto is true.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from html import escape
from typing import TYPE_CHECKING

from item_formats.candidate import CRITERION, PREPARATION, VETO
from item_formats.choice import IDENTIFIER
from item_formats.findings import Finding, ItemError, errors_among
from item_formats.model import Item, item_of
from item_formats.parsing import QTI, line_of, local_name, number_attribute, parse, qti
from item_formats.text import as_markup, forbidden_characters, visible_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lxml import etree

TOTAL = "SCORE"


@dataclass(frozen=True, slots=True)
class Supply:
    """One line of what must be prepared: 名称, 规格, 数量, 备注."""

    name: str
    specification: str = ""
    quantity: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the scoring record. `code` is 细则编号 such as M1, `nominal` 规定或标称值."""

    code: str
    marks: Decimal
    description: str
    nominal: str = ""


@dataclass(frozen=True, slots=True)
class Veto:
    """否定项: when it happened, the task earns nothing."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class SkillTask:
    """A task with everything its three documents say. Texts may have several lines; `marks` is the 配分 of the task.

    `site` 场地设备要求, `work` 工作任务, `skills` 技能要求, `quality` 质量指标: one text for each numbered point.
    """

    identifier: str
    code: str
    title: str
    minutes: int
    marks: Decimal
    work: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    site: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    site_supplies: tuple[Supply, ...] = ()
    candidate_supplies: tuple[Supply, ...] = ()
    preparation_notes: tuple[str, ...] = ()
    language: str = field(default="zh-CN")


_SECTIONS = {"site": "场地设备要求", "work": "工作任务", "skills": "技能要求", "quality": "质量指标"}
_CODE, _TITLE, _MINUTES = "试题代码", "试题名称", "考核时间"
_CRITERION_FIELDS = ("细则编号", "配分", "评分细则描述", "规定或标称值")
_VETO_FIELDS = ("编号", "否定项")
_SITE, _CANDIDATE, _NOTES = "考场准备", "考生准备", "准备要求"
_SUPPLY_FIELDS = ("名称", "规格", "数量", "备注")


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


def read_skill_task(item: Item) -> SkillTask:
    """The task an item holds; also of a candidate's copy, which has no criteria and no marks.

    Raises
    ------
    ItemError
        The item is no skill task, or its parts cannot be read; `skill_task_findings` says the rest.
    """
    body = item.body
    facts = {} if body is None else _facts(body)
    if body is None or _CODE not in facts:
        message = f"the item is no skill task: its body has no table with {_CODE}, {_TITLE} and {_MINUTES}"
        raise ItemError(Finding("error", "not-a-skill-task", message, item=item.identifier))
    minutes = facts.get(_MINUTES, "").removesuffix("分钟").strip()
    if not minutes.isdigit():
        message = f"{_MINUTES} is “{minutes}”; expected whole minutes, such as 30分钟"
        raise ItemError(Finding("error", "bad-minutes", message, item=item.identifier))
    points = {name: _points(body, heading) for name, heading in _SECTIONS.items()}
    supplies = {heading: tuple(_supplies(body, heading)) for heading in (_SITE, _CANDIDATE)}
    maxima = _maxima(item)
    return SkillTask(
        identifier=item.identifier,
        code=facts[_CODE],
        title=facts.get(_TITLE, item.title),
        minutes=int(minutes),
        marks=maxima.get(TOTAL, Decimal(0)),
        criteria=tuple(
            Criterion(row["细则编号"], _decimal(row["配分"], item), row["评分细则描述"], row.get("规定或标称值", ""))
            for row in _rubrics(body, CRITERION, _CRITERION_FIELDS, item)
        ),
        vetoes=tuple(Veto(row["编号"], row["否定项"]) for row in _rubrics(body, VETO, _VETO_FIELDS, item)),
        site_supplies=supplies[_SITE],
        candidate_supplies=supplies[_CANDIDATE],
        preparation_notes=_points(body, _NOTES),
        language=item.language or "zh-CN",
        **points,
    )


def is_skill_task(item: Item) -> bool:
    """Whether the item is laid out as a task, whatever else may be wrong with it."""
    return item.body is not None and _CODE in _facts(item.body)


def task_findings(task: SkillTask) -> list[Finding]:
    """Everything that keeps a task from being an item."""
    return [
        Finding("error", code, message, column=column or None, item=task.identifier or None)
        for code, column, message in (*_code_faults(task), *_part_faults(task), *_marks_faults(task))
    ]


def _code_faults(task: SkillTask) -> Iterator[tuple[str, str, str]]:
    codes = [criterion.code for criterion in task.criteria] + [veto.code for veto in task.vetoes]
    for code in (task.identifier, *codes):
        if not IDENTIFIER.fullmatch(code) or code == TOTAL:
            message = f"“{code}”; expected a letter first, then letters and digits, such as M1"
            yield "bad-identifier", "细则编号", message
    for code, count in Counter(codes).items():
        if count > 1:
            yield "repeated-criterion", "细则编号", f"{code} stands {count} times; give every row a code of its own"


def _part_faults(task: SkillTask) -> Iterator[tuple[str, str, str]]:
    if not any(text.strip() for text in task.work):
        yield "no-work", _SECTIONS["work"], "the task does not say what to do: write the 工作任务"
    if task.minutes < 1:
        yield "bad-minutes", _MINUTES, f"{task.minutes} minutes; expected 1 or more"
    for text in _texts(task):
        for character in forbidden_characters(text):
            message = f"“{text[:20]}” holds U+{ord(character):04X}, which XML cannot: remove it"
            yield "control-character", "", message


def _marks_faults(task: SkillTask) -> Iterator[tuple[str, str, str]]:
    if not task.criteria:
        yield "no-criteria", "评分细则描述", "the task has no criteria: nobody could mark it"
    for criterion in task.criteria:
        if not criterion.marks.is_finite() or criterion.marks <= 0:
            yield "bad-marks", "配分", f"{criterion.code} is worth {criterion.marks}; expected more than 0"
        if not criterion.description.strip():
            yield "empty-criterion", "评分细则描述", f"{criterion.code} does not say what earns its marks"
    total = sum((criterion.marks for criterion in task.criteria), Decimal(0))
    if task.criteria and total != task.marks:
        message = (
            f"the criteria add up to {_plain(total)} marks, the task has {_plain(task.marks)}: correct one of them"
        )
        yield "marks-sum", "配分", message


def skill_task_findings(item: Item) -> list[Finding]:
    """What is wrong with an item that is laid out as a skill task; [] for one that is right, or is none.

    The rows of the scoring record and the outcomes that hold their marks must say the same.
    """
    if not is_skill_task(item):
        return []
    try:
        task = read_skill_task(item)
    except ItemError as error:
        return list(error.findings)
    found = task_findings(task)
    outcomes = {outcome.get("identifier", ""): outcome for outcome in item.root.iter(qti("qti-outcome-declaration"))}
    maxima = _maxima(item)
    for criterion in task.criteria:
        outcome = outcomes.get(criterion.code)
        if outcome is None:
            found.append(_outcome_fault(item, criterion.code, "dangling-criterion", "there is no outcome of that name"))
        elif maxima.get(criterion.code) != criterion.marks:
            wrong = f"the row says {_plain(criterion.marks)} marks, its outcome {maxima.get(criterion.code, 'none')}"
            found.append(_outcome_fault(item, criterion.code, "marks-differ", wrong, line_of(outcome)))
        elif outcome.get("external-scored") != "human":
            wrong = 'nobody scores it: add external-scored="human" to its outcome'
            found.append(_outcome_fault(item, criterion.code, "not-scored-by-a-person", wrong, line_of(outcome)))
    used = {variable.get("identifier") for variable in item.root.iter(qti("qti-variable"))}
    for veto in task.vetoes:
        outcome = outcomes.get(veto.code)
        if outcome is None or outcome.get("base-type") != "boolean":
            wrong = "there is no boolean outcome of that name"
            found.append(_outcome_fault(item, veto.code, "dangling-criterion", wrong))
        elif veto.code not in used:
            wrong = "the response processing does not look at it, so that it would cost nothing"
            found.append(_outcome_fault(item, veto.code, "veto-without-effect", wrong, line_of(outcome)))
    return found


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
    from item_formats.processing import compile_rules, plain, read_declarations  # noqa: PLC0415  documents need none
    from item_formats.processing.scope import Scope  # noqa: PLC0415
    from item_formats.processing.values import single  # noqa: PLC0415

    task = read_skill_task(item)
    worth = {criterion.code: criterion.marks for criterion in task.criteria}
    faults = [
        _outcome_fault(item, code, "bad-marks", f"marked {given}; expected 0 to {_plain(worth[code])}")
        if code in worth
        else _outcome_fault(item, code, "unknown-criterion", f"the task has {', '.join(worth) or 'no criteria'}")
        for code, given in marks.items()
        if not 0 <= given <= worth.get(code, -1)
    ]
    known = {veto.code for veto in task.vetoes}
    faults += [
        _outcome_fault(item, code, "unknown-criterion", f"the task has the vetoes {', '.join(sorted(known)) or 'none'}")
        for code in vetoes
        if code not in known
    ]
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


def _document(task: SkillTask) -> str:
    declared = "".join(
        _CRITERION_OUTCOME.format(code=criterion.code, marks=_plain(criterion.marks)) for criterion in task.criteria
    )
    declared += "".join(_VETO_OUTCOME.format(code=veto.code) for veto in task.vetoes)
    sections = "".join(
        _numbered(heading, getattr(task, name)) for name, heading in _SECTIONS.items() if getattr(task, name)
    )
    criteria = "".join(
        _rubric(
            CRITERION,
            zip(
                _CRITERION_FIELDS,
                (criterion.code, _plain(criterion.marks), criterion.description, criterion.nominal),
                strict=True,
            ),
        )
        for criterion in task.criteria
    )
    vetoes = "".join(
        _rubric(VETO, zip(_VETO_FIELDS, (veto.code, veto.description), strict=True)) for veto in task.vetoes
    )
    return _ITEM.format(
        namespace=QTI,
        identifier=task.identifier,
        title=escape(task.title),
        language=escape(task.language),
        outcomes=declared,
        total=TOTAL,
        marks=_plain(task.marks),
        facts="".join(
            f'<tr><th scope="row">{name}</th><td>{as_markup(text)}</td></tr>'
            for name, text in ((_CODE, task.code), (_TITLE, task.title), (_MINUTES, f"{task.minutes}分钟"))
        ),
        sections=sections,
        preparation=_preparation(task),
        criteria=criteria + vetoes,
        processing=_processing(task),
    )


def _preparation(task: SkillTask) -> str:
    names = "".join(f'<th scope="col">{name}</th>' for name in _SUPPLY_FIELDS)
    tables = "".join(
        f"<h2>{heading}</h2><table><thead><tr>{names}</tr></thead>"
        f"<tbody>{''.join(map(_supply_row, supplies))}</tbody></table>"
        for heading, supplies in ((_SITE, task.site_supplies), (_CANDIDATE, task.candidate_supplies))
        if supplies
    )
    notes = _numbered(_NOTES, task.preparation_notes) if task.preparation_notes else ""
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
            if len(cells) == len(_SUPPLY_FIELDS):
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


def _maxima(item: Item) -> dict[str, Decimal]:
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


def _outcome_fault(item: Item, code: str, kind: str, wrong: str, line: int | None = None) -> Finding:
    return Finding("error", kind, f"{code}: {wrong}", line=line, item=item.identifier)


def _texts(task: SkillTask) -> Iterator[str]:
    yield from (task.code, task.title, *task.site, *task.work, *task.skills, *task.quality, *task.preparation_notes)
    for criterion in task.criteria:
        yield from (criterion.description, criterion.nominal)
    yield from (veto.description for veto in task.vetoes)
    for supply in (*task.site_supplies, *task.candidate_supplies):
        yield from (supply.name, supply.specification, supply.quantity, supply.note)


def _plain(marks: Decimal) -> str:
    """Marks without trailing zeros or exponent: 0.5, 20."""
    return f"{marks.normalize():f}" if marks.is_finite() else str(marks)


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
