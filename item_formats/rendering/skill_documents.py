"""The documents of a skill task: 试题单 for the candidate, 准备通知单 for the site, 评分记录表 for the examiners."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.candidate import for_candidate
from item_formats.parsing import local_name
from item_formats.rendering.markup import View, children_html, element_html, text_html
from item_formats.rendering.page import document, style_sheet
from item_formats.rendering.preview import view_of
from item_formats.skill_tasks import read_skill_task
from item_formats.text import plain_marks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.model import Item
    from item_formats.skill_tasks import SkillTask, Supply

_SERIES = "职业技能等级认定操作技能考核"


def render_task_sheet(item: Item, *, series: str = _SERIES, media: Mapping[str, bytes] | None = None) -> str:
    """试题单: what the candidate gets. It is made from the candidate's copy and holds no criteria.

    Raises
    ------
    ItemError
        The item is no skill task.
    """
    copy = for_candidate(item)
    task = read_skill_task(copy)
    fields = '<p class="fields"><span>姓名：<i></i></span><span>准考证号：<i></i></span><span>工位：<i></i></span></p>'
    return _document(task, series, "试题单", fields + _facts(task) + _sections(copy, media or {}))


def render_preparation_notice(item: Item, *, series: str = _SERIES) -> str:
    """准备通知单: what the site and the candidate must have ready."""
    task = read_skill_task(item)
    tables = "".join(
        _supply_table(heading, supplies)
        for heading, supplies in (("考场准备", task.site_supplies), ("考生准备", task.candidate_supplies))
        if supplies
    )
    notes = _list("准备要求", task.preparation_notes)
    if not task.site_supplies and not notes:
        notes = _list("场地设备要求", task.site) or "<p>无须特别准备。</p>"
    return _document(task, series, "准备通知单", _facts(task) + tables + notes)


def render_scoring_record(item: Item, *, series: str = _SERIES) -> str:
    """评分记录表: criteria with room for what was measured and the marks given, vetoes, signatures."""
    task = read_skill_task(item)
    rows = "".join(
        f"<tr><td>{escape(criterion.code)}</td><td>{plain_marks(criterion.marks)}</td>"
        f'<td class="text">{text_html(criterion.description)}</td><td>{text_html(criterion.nominal)}</td>'
        "<td></td><td></td></tr>"
        for criterion in task.criteria
    )
    table = (
        '<table class="record"><caption class="unseen">评分细则</caption><thead><tr><th scope="col">细则编号</th>'
        '<th scope="col">配分</th><th scope="col" class="wide">评分细则描述</th><th scope="col">规定或标称值</th>'
        '<th scope="col">结果或实测值</th><th scope="col">得分</th></tr></thead>'
        f'<tbody>{rows}</tbody><tfoot><tr><th scope="row">合计配分</th><td>{plain_marks(task.marks)}</td>'
        '<th scope="row" colspan="3" class="sum">合计得分</th><td></td></tr></tfoot></table>'
    )
    signatures = '<p class="fields"><span>考评员：<i></i></span><span>日期：<i></i></span></p>'
    fields = '<p class="fields"><span>准考证号：<i></i></span><span>工位：<i></i></span></p>'
    return _document(task, series, "评分记录表", fields + _facts(task) + table + _veto_table(task) + signatures)


def _document(task: SkillTask, series: str, kind: str, body: str) -> str:
    title = f"{task.code} {task.title} {kind}"
    sheets = "\n".join(map(style_sheet, ("paper.css", "interactions.css", "skill_documents.css")))
    head = f'<header class="masthead"><p class="series">{escape(series)}</p><h1>{kind}</h1></header>'
    return document(
        title=title,
        language=task.language,
        styles=sheets,
        body=f'<main class="paper printed task">{head}{body}</main>',
    )


def _facts(task: SkillTask) -> str:
    marks = f'<th scope="row">配分</th><td>{plain_marks(task.marks)}分</td>' if task.marks else ""
    return (
        '<table class="facts"><caption class="unseen">试题</caption><tbody>'
        f'<tr><th scope="row">试题代码</th><td>{escape(task.code)}</td>'
        f'<th scope="row">考核时间</th><td>{task.minutes}分钟</td>{marks}</tr>'
        f'<tr><th scope="row">试题名称</th><td colspan="{5 if marks else 3}">{text_html(task.title)}</td></tr>'
        "</tbody></table>"
    )


def _sections(copy: Item, media: Mapping[str, bytes]) -> str:
    """The body of the task sheet as it is written, pictures and formulas too, under numbered headings."""
    if copy.body is None:
        return ""
    view = view_of(copy, View(prefix="task", printed=True, media=media, blank="（\u3000）"), answer_key=False)
    first_table = next((child for child in copy.body if local_name(child) == "table"), None)
    parts = []
    number = 0
    for child in copy.body:
        if child is first_table:
            continue
        if local_name(child) == "h2":
            number += 1
            parts.append(f"<h2>{number}. {children_html(child, view)}</h2>")
        else:
            parts.append(element_html(child, view))
    return "".join(parts)


def _list(heading: str, texts: tuple[str, ...]) -> str:
    if not texts:
        return ""
    points = "".join(f"<li>{text_html(text)}</li>" for text in texts)
    return f"<h2>{heading}</h2><ol>{points}</ol>"


def _supply_table(heading: str, supplies: tuple[Supply, ...]) -> str:
    rows = "".join(
        f"<tr><td>{number}</td><td>{text_html(supply.name)}</td><td>{text_html(supply.specification)}</td>"
        f"<td>{text_html(supply.quantity)}</td><td>{text_html(supply.note)}</td></tr>"
        for number, supply in enumerate(supplies, start=1)
    )
    names = "".join(f'<th scope="col">{name}</th>' for name in ("序号", "名称", "规格", "数量", "备注"))
    return (
        f'<h2>{heading}</h2><table class="record"><caption class="unseen">{heading}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _veto_table(task: SkillTask) -> str:
    if not task.vetoes:
        return ""
    rows = "".join(
        f'<tr><td>{escape(veto.code)}</td><td class="text">{text_html(veto.description)}</td><td>□ 是　□ 否</td></tr>'
        for veto in task.vetoes
    )
    return (
        '<h2>否定项（出现任何一项，本题得分为 0）</h2><table class="record"><caption class="unseen">否定项</caption>'
        '<thead><tr><th scope="col">编号</th><th scope="col" class="wide">否定项</th><th scope="col">是否出现</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )
