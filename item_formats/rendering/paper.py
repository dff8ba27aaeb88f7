"""The printed paper, and the paper with its key."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from item_formats.choice import TRUE_FALSE_TEXTS
from item_formats.model import ItemType
from item_formats.parsing import qti
from item_formats.rendering.answers import explanation_html, rationale_html
from item_formats.rendering.markup import WRITE_IN, View, children_html
from item_formats.rendering.page import document, style_sheet
from item_formats.rendering.preview import cloned, shown_item, view_of
from item_formats.rendering.sheet import chinese_numeral
from item_formats.text import plain_marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from item_formats.model import Item, Option
    from item_formats.rendering.sheet import PaperItem, PaperSection, PaperSheet

# An A4 page with these margins holds about 46 characters of 10.5 pt (五号) a line, two of them the item's number.
_LINE = 44.0
_LABEL_AND_GAP = 2.6
_COLUMNS = {2: (2, 1), 3: (3, 1), 4: (4, 2, 1), 5: (5, 3, 2, 1)}


def render_paper(paper: PaperSheet, *, answer_key: bool = False, media: Mapping[str, bytes] | None = None) -> str:
    """The paper for print on A4, or with `answer_key` the examiner's copy: key table, then items with key and 解析.

    `media` are the files items refer to, by the addresses they use.
    """
    name = f"{paper.title}{_code(paper)}" + ("　参考答案" if answer_key else "")
    body = _key_copy(paper, media or {}) if answer_key else _candidate_copy(paper, media or {})
    first_language = next((entry.item.language for section in paper.sections for entry in section.items), "zh-CN")
    sheets = "\n".join(map(style_sheet, ("paper.css", "interactions.css")))
    styles = f"{sheets}\n@page {{ @bottom-left {{ content: {_css_string(name)}; }} }}"
    return document(title=name, language=first_language, styles=styles, body=body)


def option_columns(item: Item) -> int:
    """How many options stand side by side: as many as the longest leaves room for."""
    texts = [option.text for option in item.options]
    longest = max((max(map(_width, text.split("\n"))) for text in texts), default=0.0)
    for columns in _COLUMNS.get(len(texts), (2, 1)):
        if longest <= _LINE / columns - _LABEL_AND_GAP:
            return columns
    return 1


def _width(text: str) -> float:
    """Width in full-width characters."""
    return sum(1.0 if unicodedata.east_asian_width(character) in "WFA" else 0.55 for character in text)


def _candidate_copy(paper: PaperSheet, media: Mapping[str, bytes]) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in paper.printed_notes)
    sections = "".join(
        f"{_section_heading(place, section, scored=True)}{_items(section, start, media)}"
        for place, start, section in _numbered(paper)
    )
    return (
        f'<main class="paper printed">{_SEAL}{_masthead(paper)}'
        f'<section class="notes" aria-labelledby="notes"><h2 id="notes">注　意　事　项</h2><ol>{notes}</ol></section>'
        f"{_score_table(paper)}{sections}</main>"
    )


def _key_copy(paper: PaperSheet, media: Mapping[str, bytes]) -> str:
    tables = "".join(
        _key_table(section, start)
        for _, start, section in _numbered(paper)
        if any(entry.item.key for entry in section.items)
    )
    sections = "".join(
        f"{_section_heading(place, section, scored=False)}{_items(section, start, media, answer_key=True)}"
        for place, start, section in _numbered(paper)
    )
    return (
        f'<main class="paper printed key">{_masthead(paper, answer_key=True)}'
        f'<section aria-label="答案表">{tables}</section>'
        f'<h2 class="part">试题、答案与解析</h2>{sections}</main>'
    )


def _masthead(paper: PaperSheet, *, answer_key: bool = False) -> str:
    secrecy = f'<p class="secrecy">{escape(paper.secrecy)}</p>' if paper.secrecy else ""
    series = f'<p class="series">{escape(paper.series)}</p>' if paper.series else ""
    kind = '<p class="kind">参考答案</p>' if answer_key else ""
    facts = f"考试时间：{paper.minutes}分钟　　满分：{plain_marks(paper.total_marks)}分"
    return (
        f'<header class="masthead">{secrecy}{series}<h1>{escape(paper.title)}</h1>{kind}'
        f'<p class="facts">{_code(paper)}　　{facts}</p></header>'
    )


def _code(paper: PaperSheet) -> str:
    return f"（{escape(paper.code)}卷）" if paper.code else ""


def _score_table(paper: PaperSheet) -> str:
    parts = "".join(f'<th scope="col">{chinese_numeral(place)}</th>' for place, _, _ in _numbered(paper))
    blanks = "<td></td>" * (len(paper.sections) + 1)
    return (
        '<table class="scores"><caption class="unseen">得分登记</caption>'
        f'<thead><tr><th scope="col">题　号</th>{parts}<th scope="col">总　分</th></tr></thead>'
        f'<tbody><tr><th scope="row">得　分</th>{blanks}</tr>'
        f'<tr><th scope="row">评分人</th>{blanks}</tr></tbody></table>'
    )


def _numbered(paper: PaperSheet) -> Iterator[tuple[int, int, PaperSection]]:
    """Each section with its place and the number of its first item."""
    start = 1
    for place, section in enumerate(paper.sections, start=1):
        yield place, start, section
        start += len(section.items)


def _section_heading(place: int, section: PaperSection, *, scored: bool) -> str:
    scores = _SECTION_SCORE if scored else ""
    return (
        f'<header class="section">{scores}<h2 id="section-{place}">{escape(section.heading)}</h2>'
        f'<p class="instruction">{escape(section.instruction)}</p></header>'
    )


def _items(section: PaperSection, start: int, media: Mapping[str, bytes], *, answer_key: bool = False) -> str:
    uniform = len({entry.marks for entry in section.items}) <= 1
    entries = "".join(
        _entry(entry, number, media, answer_key=answer_key, show_marks=not uniform)
        for number, entry in enumerate(section.items, start)
    )
    return f'<ol class="items" role="list" start="{start}">{entries}</ol>'


def _entry(entry: PaperItem, number: int, media: Mapping[str, bytes], *, answer_key: bool, show_marks: bool) -> str:
    state = cloned(entry.item, None)
    item = shown_item(entry.item, state, answer_key=answer_key)
    marks = f"（{plain_marks(entry.marks)}分）" if show_marks else ""
    view = view_of(item, View(prefix=f"q{number}", printed=True, media=media), answer_key=answer_key, state=state)
    if item.item_type is None:
        body = "" if item.body is None else children_html(item.body, view)
        head = f'<div class="stem other"><span class="number">{number}.</span>{body}{marks}</div>'
        return f'<li value="{number}">{head}{explanation_html(item, view, entry.item) if answer_key else ""}</li>'
    answer = f'<span class="blank">（ <b class="answer">{escape(item.key)}</b> ）</span>' if answer_key else WRITE_IN
    leading = answer if item.item_type is ItemType.TRUE_FALSE else ""  # 判断题 are answered before their number
    view = replace(view, blank=answer if not leading else WRITE_IN, options_apart=True)
    stem = "" if item.body is None else children_html(item.body, view)
    head = f'<div class="stem">{leading}<span class="number">{number}.</span>{stem}{marks}</div>'
    options = "" if leading else _options(item, view, answer_key=answer_key)
    explained = _explanation(item, view) if answer_key else ""
    return f'<li value="{number}">{head}{options}{explained}</li>'


def _options(item: Item, view: View, *, answer_key: bool) -> str:
    if not item.options:
        return ""
    rows = []
    for option in item.options:
        right = answer_key and option.identifier in item.correct
        opening, closing = ('<li class="right">', '<span class="tick">✓<span class="unseen">正确</span></span></li>')
        rows.append(
            f"{opening if right else '<li>'}"
            f'<span class="label">{escape(option.label)}.</span><span>{option_html(item, option, view)}</span>'
            f"{closing if right else '</li>'}"
        )
    return f'<ol class="options columns-{option_columns(item)}" role="list">{"".join(rows)}</ol>'


def option_html(item: Item, option: Option, view: View) -> str:
    if item.item_type is ItemType.TRUE_FALSE:
        return TRUE_FALSE_TEXTS[option.identifier]
    for element in item.root.iter(qti("qti-simple-choice")):
        if element.get("identifier") == option.identifier:
            return children_html(element, replace(view, blank=WRITE_IN))
    return escape(option.text)


def _explanation(item: Item, view: View) -> str:
    why = rationale_html(item, replace(view, blank=WRITE_IN))
    rationale = f'　<span class="why">解析：</span>{why}' if why else ""
    return f'<div class="explanation"><span class="why">答案：</span><b>{escape(item.key) or "无"}</b>{rationale}</div>'


def _key_table(section: PaperSection, start: int) -> str:
    keys = [escape(entry.item.key) or "见后" for entry in section.items]
    in_a_row = 20 if all(len(entry.item.key) <= 1 for entry in section.items) else 10
    rows = []
    for offset in range(0, len(keys), in_a_row):
        row = keys[offset : offset + in_a_row]
        filling = in_a_row - len(row)
        numbers = "".join(f'<th scope="col">{start + offset + place}</th>' for place in range(len(row)))
        answers = "".join(f"<td>{key}</td>" for key in row)
        empty = f'<td class="none" colspan="{filling}"></td>' if filling else ""
        rows.append(
            f'<tbody><tr class="numbers"><th scope="row">题号</th>{numbers}{empty}</tr>'
            f'<tr><th scope="row">答案</th>{answers}{empty}</tr></tbody>'
        )
    columns = f'<colgroup><col class="names"><col span="{in_a_row}"></colgroup>'
    return f'<table class="keys"><caption>{escape(section.heading)}</caption>{columns}{"".join(rows)}</table>'


def _css_string(text: str) -> str:
    """A CSS string that cannot leave the style element either."""
    return (
        '"'
        + "".join(f"\\{ord(character):x} " if character in '"\\\n\r\f<>&' else character for character in text)
        + '"'
    )


_SEAL = (
    '<aside class="seal" aria-label="密封线：考生填写">'
    '<p class="fields"><span>单位：<i></i></span><span>姓名：<i></i></span><span>准考证号：<i></i></span></p>'
    '<p class="warning">密封线内不要答题</p>'
    '<p class="line"><span>密</span><span>封</span><span>线</span></p></aside>'
)
_SECTION_SCORE = (
    '<table class="section-score" aria-label="本题得分">'
    '<tr><th scope="row">得　分</th><td></td></tr><tr><th scope="row">评分人</th><td></td></tr></table>'
)
