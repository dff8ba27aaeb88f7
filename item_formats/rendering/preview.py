"""Items on the screen or on paper, as a candidate would meet them or with their key."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import item_formats.rendering.interactions  # noqa: F401  its modules write the interactions
from item_formats.candidate import CandidateProfile, for_candidate
from item_formats.model import Item, type_label
from item_formats.parsing import local_name, qti
from item_formats.rendering.answers import explanation_html, interactions_of
from item_formats.rendering.interactions.controls import INTERACTION_NAMES
from item_formats.rendering.markup import View, children_html
from item_formats.rendering.page import document, style_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from item_formats.showing import PlainValue

WITH_KEY = CandidateProfile(key=True, rationale=True, marking_table=True)


def render_item(
    item: Item,
    *,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
    values: Mapping[str, PlainValue] | None = None,
) -> str:
    """A page with one item; `answer_key` marks the key and adds the 解析. For the rest see `render_items`."""
    known = None if values is None else {item.identifier: values}
    return render_items([item], answer_key=answer_key, printed=printed, seed=seed, media=media, values=known)


def render_items(
    items: Sequence[Item],
    *,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
    values: Mapping[str, Mapping[str, PlainValue]] | None = None,
) -> str:
    """A page with items one under the other. Without `answer_key` it holds nothing a candidate may not see.

    `printed` is for paper: lines to write on and lists of letters instead of controls. `seed` shuffles the choices
    that may be shuffled; without it they stand as they are written. `media` are the files items refer to, by the
    addresses they use. `values` are, by item identifier, the values of template variables (and of outcomes, whose
    feedback then shows).
    """
    articles = "\n".join(
        _article(
            item,
            (values or {}).get(item.identifier, {}),
            answer_key=answer_key,
            view=View(prefix=f"item-{place}", printed=printed, seed=seed, media=media or {}),
        )
        for place, item in enumerate(items, start=1)
    )
    title = items[0].title or items[0].identifier if len(items) == 1 else f"试题 {len(items)} 道"
    heading = f"<h1{' class=unseen' if len(items) == 1 else ''}>{escape(title)}</h1>"
    return document(
        title=title,
        language=items[0].language if items else "zh-CN",
        styles="\n".join(map(style_sheet, ("preview.css", "interactions.css"))),
        body=f"<main{' class=printed' if printed else ''}>{heading}{articles}</main>",
    )


def shown_item(item: Item, values: Mapping[str, PlainValue], *, answer_key: bool) -> Item:
    """The item as it may be shown; nothing of it depends on a template any more."""
    return for_candidate(item, WITH_KEY, values=values) if answer_key else for_candidate(item, values=values)


def view_of(item: Item, view: View, *, answer_key: bool) -> View:
    """The view with what this item declares: types, the numbers of its interactions, and its key if that is shown."""
    declarations = list(item.root.iterchildren(qti("qti-response-declaration")))
    answers = {}
    areas = {}
    for declaration in declarations if answer_key else ():
        identifier = declaration.get("identifier", "")
        answers[identifier] = tuple(
            (value.text or "").strip()
            for value in declaration.iterfind(f"{qti('qti-correct-response')}/{qti('qti-value')}")
        )
        areas[identifier] = tuple(
            (area.get("shape", ""), area.get("coords", ""))
            for area in declaration.iterfind(f"{qti('qti-area-mapping')}/{qti('qti-area-map-entry')}")
        )
    responses = dict.fromkeys(interaction.get("response-identifier", "") for interaction in interactions_of(item))
    return View(
        prefix=view.prefix,
        printed=view.printed,
        seed=view.seed,
        media=view.media,
        answers=answers if answer_key else None,
        areas=areas,
        declared={
            declaration.get("identifier", ""): (declaration.get("cardinality", ""), declaration.get("base-type", ""))
            for declaration in declarations
        },
        numbers={response: number for number, response in enumerate(responses, start=1)},
        blank=view.blank,
        options_apart=view.options_apart,
    )


def kind_label(item: Item) -> str:
    """What kind of item it is, in a word: 单选, 填空, 匹配; 综合 for several kinds."""
    if item.item_type:
        return type_label(item.item_type)
    kinds = dict.fromkeys(local_name(interaction) for interaction in interactions_of(item))
    kinds.pop("qti-end-attempt-interaction", None)
    if len(kinds) == 1:
        return INTERACTION_NAMES.get(next(iter(kinds)), "其他题型")
    return "综合" if kinds else "说明"


def _article(item: Item, values: Mapping[str, PlainValue], *, answer_key: bool, view: View) -> str:
    shown = shown_item(item, values, answer_key=answer_key)
    seen = view_of(shown, view, answer_key=answer_key)
    explained = explanation_html(shown, seen) if answer_key else ""
    body = "" if shown.body is None else children_html(shown.body, seen)
    holder = "div" if view.printed or answer_key else "form"
    return (
        f'<article lang="{escape(shown.language or "zh-CN")}">'
        f'<header><span class="type">{kind_label(shown)}</span> <span class="code">{escape(shown.identifier)}</span>'
        f'</header><{holder} class="body">{body}</{holder}>{explained}</article>'
    )
