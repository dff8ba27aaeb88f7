"""Items on the screen or on paper, as a candidate would meet them or with their key."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from lxml import etree

import item_formats.rendering.interactions  # noqa: F401  its modules write the interactions
from item_formats.candidate import CANDIDATE, CandidateProfile, for_candidate
from item_formats.documents import Stimulus
from item_formats.findings import Finding, ItemError
from item_formats.kinds import item_kind, kind_label
from item_formats.model import Item
from item_formats.parsing import qti
from item_formats.rendering.answers import explanation_html, interactions_of
from item_formats.rendering.markup import View, children_html
from item_formats.rendering.page import document, style_sheet
from item_formats.rendering.places import Places
from item_formats.showing import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from item_formats.documents import Document
    from item_formats.processing import ItemState
    from item_formats.showing import PlainValue

_DEEPEST = 80  # levels of elements; writing one takes several calls
_too_deep = etree.XPath(f"boolean(//*[count(ancestor::*) > {_DEEPEST}])")
_UNCLONED = '<p class="not-shown">[本题的模板无法运行，按原样显示]</p>'
WITH_KEY = CandidateProfile(key=True, rationale=True, marking_table=True)


def render_item(
    item: Item,
    *,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
    state: ItemState | None = None,
    stimuli: Mapping[str, Stimulus] | None = None,
) -> str:
    """A page with one item; `answer_key` marks the key and adds the 解析. For the rest see `render_items`."""
    states = None if state is None else {item.identifier: state}
    return render_items(
        [item], answer_key=answer_key, printed=printed, seed=seed, media=media, states=states, stimuli=stimuli
    )


def render_items(
    items: Sequence[Item],
    *,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
    states: Mapping[str, ItemState] | None = None,
    stimuli: Mapping[str, Stimulus] | None = None,
) -> str:
    """A page with items one under the other. Without `answer_key` it holds nothing a candidate may not see.

    `printed` is for paper: lines to write on and lists of letters instead of controls. `seed` shuffles the choices
    that may be shuffled and clones items with template processing; without it choices stand as they are written.
    `media` are the files items refer to, and `stimuli` the stimuli, by the addresses they use. `states` are sessions by
    item identifier: their clone, and after an attempt their feedback, shows. (`render` takes whole packages, in which
    documents of several folders use addresses of their own.) An item that cannot be cloned is shown as it is written;
    `clone_findings` says why.

    Raises
    ------
    ItemError
        Content is nested too deeply.
    """
    places = Places(stimuli or {}, media or {})
    articles = [
        article_html(
            item,
            (states or {}).get(item.identifier) or cloned_if_it_can_be(item, seed),
            answer_key=answer_key,
            view=View(prefix=f"item-{place}", printed=printed, seed=seed),
            places=places,
        )
        for place, item in enumerate(items, start=1)
    ]
    return items_page(items, articles, printed=printed)


def items_page(items: Sequence[Item], articles: Sequence[str], *, printed: bool) -> str:
    """The page of items that have been written."""
    title = items[0].title or items[0].identifier if len(items) == 1 else f"试题 {len(items)} 道"
    heading = f"<h1{' class=unseen' if len(items) == 1 else ''}>{escape(title)}</h1>"
    content = "\n".join(articles)
    return page(title, items[0].language if items else "zh-CN", f"{heading}{content}", printed=printed)


def page(title: str, language: str, content: str, *, printed: bool) -> str:
    """A page in the style of previews."""
    return document(
        title=title,
        language=language,
        styles="\n".join(map(style_sheet, ("preview.css", "interactions.css"))),
        body=f"<main{' class=printed' if printed else ''}>{content}</main>",
    )


def refuse_depth(shown: Document) -> None:
    """Raise for a document nested so deeply that writing it would not end well."""
    if _too_deep(shown.root):
        message = f"content is nested more than {_DEEPEST} levels deep, which no page shows: flatten it"
        raise ItemError(Finding("error", "too-deep", message, item=shown.identifier))


def shown_item(item: Item, state: ItemState | None, *, answer_key: bool) -> Item:
    """The item as it may be shown; nothing of it depends on a template any more."""
    refuse_depth(item)
    profile = WITH_KEY if answer_key else CANDIDATE
    values: dict[str, PlainValue] = {}
    if state is not None:
        values |= state.template_values
        if state.num_attempts and not answer_key:  # before an attempt there is nothing to say about it
            values |= state.outcomes
    return for_candidate(item, profile, values=values)


def cloned(item: Item, seed: int | None) -> ItemState | None:
    """A session with an item that is cloned from a template; None for others, which need none.

    Raises
    ------
    ItemError
        Its declarations or rules cannot be run.
    """
    if not _is_template(item):
        return None
    from item_formats.processing import begin_item  # noqa: PLC0415  few items need it

    return begin_item(item, seed)


def cloned_if_it_can_be(item: Item, seed: int | None) -> ItemState | None:
    """The clone, for a preview: an item that cannot be run is shown as it is written; `clone_findings` says why."""
    try:
        return cloned(item, seed)
    except ItemError:
        return None


def clone_findings(item: Item, seed: int | None) -> list[Finding]:
    """Warnings that say why a preview shows an item with a template as it is written; mostly []."""
    try:
        cloned(item, seed)
    except ItemError as error:
        told = "the preview shows the item as it is written, because it cannot be cloned and scored"
        return [replace(found, severity="warning", message=f"{told}: {found.message}") for found in error.findings]
    return []


def _is_template(item: Item) -> bool:
    return item.root.find(qti("qti-template-declaration")) is not None


def view_of(item: Item, view: View, *, answer_key: bool, state: ItemState | None = None) -> View:
    """The view with what this item declares: types, the numbers of its interactions, and its key if that is shown.

    A clone's key is in its `state`.
    """
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
    for identifier, correct in (state.corrects if state is not None else {}).items() if answer_key else ():
        held = correct if isinstance(correct, list) else [] if correct is None else [correct]
        answers[identifier] = tuple(map(written, held))
    responses = dict.fromkeys(interaction.get("response-identifier", "") for interaction in interactions_of(item))
    return replace(
        view,
        answers=answers if answer_key else None,
        areas=areas,
        declared={
            declaration.get("identifier", ""): (declaration.get("cardinality", ""), declaration.get("base-type", ""))
            for declaration in declarations
        },
        numbers={response: number for number, response in enumerate(responses, start=1)},
    )


def article_html(item: Item, state: ItemState | None, *, answer_key: bool, view: View, places: Places) -> str:
    """One item with what it says it needs: its stimuli first, its key and rationale last."""
    folder = places.folder(item)
    view = replace(view, media=places.media_from(folder))
    shown = shown_item(item, state, answer_key=answer_key)
    seen = view_of(shown, view, answer_key=answer_key, state=state)
    explained = explanation_html(shown, seen, item) if answer_key else ""
    body = "" if shown.body is None else children_html(shown.body, seen)
    holder = "div" if view.printed or answer_key else "form"
    uncloned = _UNCLONED if state is None and _is_template(item) else ""
    return (
        f'<article lang="{escape(shown.language or "zh-CN")}">'
        f'<header><span class="type">{kind_label(item_kind(item))}</span> '
        f'<span class="code">{escape(shown.identifier)}</span>'
        f"</header>{uncloned}{_stimuli(shown, folder, places, view)}"
        f'<{holder} class="body">{body}</{holder}>{explained}</article>'
    )


def stimulus_html(stimulus: Stimulus, view: View, places: Places) -> str:
    """A stimulus, its pictures from its own place."""
    refuse_depth(stimulus)
    language = f' lang="{escape(stimulus.language)}"' if stimulus.language else ""
    seen = replace(view, media=places.media_from(places.folder(stimulus)))
    body = "" if stimulus.body is None else children_html(stimulus.body, seen)
    return f'<div class="stimulus"{language}>{body}</div>'


def _stimuli(item: Item, folder: str, places: Places, view: View) -> str:
    shown = []
    for reference in item.root.iterchildren(qti("qti-assessment-stimulus-ref")):
        path = places.path(reference.get("href", ""), folder)
        stimulus = None if path is None else places.documents[path]
        if isinstance(stimulus, Stimulus):
            shown.append(stimulus_html(stimulus, view, places))
        else:
            named = reference.get("title") or reference.get("href") or ""
            shown.append(f'<p class="not-shown">[材料：{escape(named)}]</p>')
    return "".join(shown)
