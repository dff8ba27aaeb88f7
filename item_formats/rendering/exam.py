"""A whole test on one page: its parts and sections with their instructions, and the items in them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.documents import Document, Section, Stimulus, Test
from item_formats.model import Item
from item_formats.parsing import local_name, number_attribute, qti
from item_formats.rendering.markup import View, element_html
from item_formats.rendering.preview import article_html, cloned, page, render_items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml import etree

_PARTS = frozenset({"qti-test-part", "qti-assessment-section"})


def render_test(
    test: Test,
    documents: Mapping[str, Document],
    *,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
) -> str:
    """A page with everything a test can show, in document order; selection and ordering belong to sessions.

    `documents` are the items, sections and stimuli, by the addresses (`href`) that the test and its items use. What
    is not among them is named where it would stand. For the rest see `render_items`.
    """
    numbered = _Numbers()
    view = View(printed=printed, seed=seed, media=media or {})
    parts = [_part(part, documents, view, numbered, answer_key=answer_key) for part in _inner(test.root)]
    limit = _minutes(test.root)
    facts = f'<p class="hint">考试时间：{limit}</p>' if limit else ""
    title = test.title or test.identifier
    content = f"<h1>{escape(title)}</h1>{facts}{''.join(parts)}"
    return page(title, test.language or "zh-CN", content, printed=printed)


def render(
    shown: Item | Test | Sequence[Item],
    *,
    documents: Mapping[str, Document] | None = None,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
) -> str:
    """An item, several, or a test as a self-contained page; see `render_items` and `render_test`."""
    known = documents or {}
    if isinstance(shown, Test):
        return render_test(shown, known, answer_key=answer_key, printed=printed, seed=seed, media=media)
    items = [shown] if isinstance(shown, Item) else shown
    stimuli = {address: one for address, one in known.items() if isinstance(one, Stimulus)}
    return render_items(items, answer_key=answer_key, printed=printed, seed=seed, media=media, stimuli=stimuli)


class _Numbers:
    """Places of items on the page, from 1."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last


def _part(
    element: etree._Element,
    documents: Mapping[str, Document],
    view: View,
    numbers: _Numbers,
    *,
    answer_key: bool,
    above: frozenset[str] = frozenset(),
) -> str:
    """A test part or section with its heading, what candidates are told, and what it holds."""
    name = local_name(element)
    if name == "qti-assessment-item-ref":
        return _item(element, documents, view, numbers, answer_key=answer_key)
    if name == "qti-assessment-section-ref":
        address = element.get("href", "")
        section = documents.get(address)
        if not isinstance(section, Section) or address in above:  # a section inside itself has no end
            return _missing("部分", element)
        element, above = section.root, above | {address}
    hidden = name == "qti-test-part" or element.get("visible") in {"false", "0"}
    heading = "" if hidden else f"<h2>{escape(element.get('title') or element.get('identifier') or '')}</h2>"
    told = "" if hidden else "".join(element_html(one, view) for one in element.iterchildren(qti("qti-rubric-block")))
    held = "".join(
        _part(child, documents, view, numbers, answer_key=answer_key, above=above) for child in _inner(element)
    )
    return f"{heading}{told}{held}"


def _inner(element: etree._Element) -> Iterator[etree._Element]:
    for child in element.iterchildren("*"):
        name = local_name(child)
        if name in _PARTS or name in {"qti-assessment-item-ref", "qti-assessment-section-ref"}:
            yield child


def _item(
    reference: etree._Element, documents: Mapping[str, Document], view: View, numbers: _Numbers, *, answer_key: bool
) -> str:
    item = documents.get(reference.get("href", ""))
    if not isinstance(item, Item):
        return _missing("试题", reference)
    place = numbers.next()
    seen = View(prefix=f"item-{place}", printed=view.printed, seed=view.seed, media=view.media)
    stimuli = {address: one for address, one in documents.items() if isinstance(one, Stimulus)}
    return article_html(item, cloned(item, view.seed), answer_key=answer_key, view=seen, stimuli=stimuli)


def _missing(kind: str, reference: etree._Element) -> str:
    return f'<p class="not-shown">[{kind}：{escape(reference.get("href", ""))}]</p>'


def _minutes(element: etree._Element) -> str:
    limits = element.find(qti("qti-time-limits"))
    seconds = None if limits is None else number_attribute(limits, "max-time")
    return "" if seconds is None else f"{seconds / 60:g} 分钟"
