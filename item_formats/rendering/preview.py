"""Items on the screen, as a candidate would meet them or with their key."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.candidate import for_candidate
from item_formats.model import ItemType, type_label
from item_formats.rendering.content import document, option_html, stem_html, style_sheet, text_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from item_formats.model import Item, Option


def render_item(item: Item, *, answer_key: bool = False) -> str:
    """A page with one item; `answer_key` marks the key and adds the 解析."""
    return render_items([item], answer_key=answer_key)


def render_items(items: Sequence[Item], *, answer_key: bool = False) -> str:
    """A page with items one under the other. Without `answer_key` it holds nothing a candidate may not see."""
    articles = "\n".join(_article(item, place, answer_key=answer_key) for place, item in enumerate(items, start=1))
    title = items[0].title or items[0].identifier if len(items) == 1 else f"试题 {len(items)} 道"
    heading = "" if len(items) == 1 else f"<h1>{escape(title)}</h1>"
    return document(
        title=title,
        language=items[0].language if items else "zh-CN",
        styles=style_sheet("preview.css"),
        body=f"<main>{heading}{articles}</main>",
    )


def _article(item: Item, place: int, *, answer_key: bool) -> str:
    shown = item if answer_key else for_candidate(item)
    label = type_label(shown.item_type) if shown.item_type else "其他题型"
    explained = _explanation(shown) if answer_key else ""
    return (
        f'<article lang="{escape(shown.language or "zh-CN")}">'
        f'<header><span class="type">{label}</span> <span class="code">{escape(shown.identifier)}</span></header>'
        f"{_question(shown, place, answer_key=answer_key)}{explained}</article>"
    )


def _question(item: Item, place: int, *, answer_key: bool) -> str:
    stem = f'<div class="stem" id="stem-{place}">{stem_html(item)}</div>'
    if not item.options:
        return stem
    rows = "".join(_choice(item, option, f"item-{place}", answer_key=answer_key) for option in item.options)
    return f'<fieldset aria-labelledby="stem-{place}">{stem}<ol class="options" role="list">{rows}</ol></fieldset>'


def _choice(item: Item, option: Option, group: str, *, answer_key: bool) -> str:
    right = answer_key and option.identifier in item.correct
    kind = "checkbox" if item.item_type is ItemType.MULTIPLE else "radio"
    state = f"{' checked' if right else ''}{' disabled' if answer_key else ''}"
    control = f'<input type="{kind}" name="{group}" value="{escape(option.identifier)}"{state}>'
    text = f'<span class="label">{escape(option.label)}</span> <span>{option_html(item, option)}</span>'
    opening = '<li class="right">' if right else "<li>"
    tick = '<strong class="tick">✓ 正确答案</strong>' if right else ""
    return f"{opening}<label>{control}{text}</label>{tick}</li>"


def _explanation(item: Item) -> str:
    rationale = f"<dt>解析</dt><dd>{text_html(item.rationale)}</dd>" if item.rationale else ""
    return f'<dl class="explanation"><dt>答案</dt><dd>{escape(item.key) or "无"}</dd>{rationale}</dl>'
