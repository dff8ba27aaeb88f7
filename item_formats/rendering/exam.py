"""Whole documents on one page: a test with its sections, instructions and items; a stimulus; several of any kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from item_formats.documents import Document, Section, Stimulus, Test
from item_formats.model import Item
from item_formats.packages.addresses import folder_of
from item_formats.parsing import local_name, number_attribute, qti
from item_formats.rendering.markup import View, element_html
from item_formats.rendering.places import Places
from item_formats.rendering.preview import (
    article_html,
    cloned_if_it_can_be,
    items_page,
    page,
    refuse_depth,
    stimulus_html,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lxml import etree

_PARTS = frozenset({"qti-test-part", "qti-assessment-section"})
_REFERENCES = frozenset({"qti-assessment-item-ref", "qti-assessment-section-ref"})


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

    What the test or its items refer to and `documents` lacks is named where it would stand. For the rest see `render`.
    """
    return render(test, documents=documents, answer_key=answer_key, printed=printed, seed=seed, media=media)


def render(
    shown: Document | Sequence[Document],
    *,
    documents: Mapping[str, Document] | None = None,
    answer_key: bool = False,
    printed: bool = False,
    seed: int | None = None,
    media: Mapping[str, bytes] | None = None,
) -> str:
    """A self-contained page with an item, a test, a section or a stimulus, or with several of them.

    `documents` are items, sections and stimuli that others refer to, `media` the files, by their paths in a package:
    an address leads from the folder where `documents` has the document that uses it, or from the top if it has it
    not. For the rest see `render_items`.

    Raises
    ------
    ItemError
        Content is nested too deeply.
    """
    every = [shown] if isinstance(shown, Document) else list(shown)
    writing = _Writing(Places(documents or {}, media or {}), printed=printed, seed=seed, answer_key=answer_key)
    items = [one for one in every if isinstance(one, Item)]
    if len(items) == len(every):
        return items_page(items, [writing.item(item) for item in items], printed=printed)
    if len(every) == 1:
        return _page_of_one(every[0], writing)
    title = f"试卷和试题 {len(every)} 份"
    content = "\n".join(
        writing.item(one) if isinstance(one, Item) else f"<h2>{escape(_name(one))}</h2>{_content(one, writing)}"
        for one in every
    )
    return page(title, every[0].language or "zh-CN", f"<h1>{title}</h1>{content}", printed=printed)


def _page_of_one(shown: Document, writing: _Writing) -> str:
    title = _name(shown)
    content = f"<h1>{escape(title)}</h1>{_content(shown, writing)}"
    return page(title, shown.language or "zh-CN", content, printed=writing.printed)


def _name(shown: Document) -> str:
    return shown.title or shown.identifier


def _content(shown: Document, writing: _Writing) -> str:
    if isinstance(shown, Stimulus):
        return stimulus_html(shown, writing.view(), writing.places)
    limit = _minutes(shown.root)
    facts = f'<p class="hint">考试时间：{limit}</p>' if limit else ""
    return facts + writing.inside(shown, writing.places.path_of(shown))


@dataclass(slots=True)
class _Writing:
    """What is the same for the whole page, and how many items have been written."""

    places: Places
    printed: bool
    seed: int | None
    answer_key: bool
    items: int = field(default=0)

    def view(self, folder: str = "") -> View:
        return View(
            prefix=f"item-{self.items}",
            printed=self.printed,
            seed=self.seed,
            media=self.places.media_from(folder),
        )

    def item(self, item: Item) -> str:
        self.items += 1
        state = cloned_if_it_can_be(item, self.seed)
        return article_html(item, state, answer_key=self.answer_key, view=self.view(), places=self.places)

    def inside(self, document: Document, path: str, above: frozenset[str] = frozenset()) -> str:
        """What a test or section tells candidates, and everything it holds; `above` are the sections it stands in."""
        refuse_depth(document)
        return self._inside(document.root, folder_of(path), above | {path})

    def _inside(self, element: etree._Element, folder: str, above: frozenset[str]) -> str:
        view = self.view(folder)
        told = "".join(element_html(one, view) for one in element.iterchildren(qti("qti-rubric-block")))
        return told + "".join(self._part(child, folder, above) for child in _inner(element))

    def _part(self, element: etree._Element, folder: str, above: frozenset[str]) -> str:
        name = local_name(element)
        if name == "qti-assessment-item-ref":
            item = self._referred(element, folder)
            return self.item(item) if isinstance(item, Item) else _missing("试题", element)
        if name == "qti-assessment-section-ref":
            path = self.places.path(element.get("href", ""), folder)
            section = None if path is None else self.places.documents[path]
            if path is None or not isinstance(section, Section) or path in above:  # inside itself it has no end
                return _missing("部分", element)
            return _heading(section.root) + self.inside(section, path, above)
        return _heading(element) + self._inside(element, folder, above)

    def _referred(self, reference: etree._Element, folder: str) -> Document | None:
        path = self.places.path(reference.get("href", ""), folder)
        return None if path is None else self.places.documents[path]


def _heading(part: etree._Element) -> str:
    """The title of a part or section; those that are not visible, and parts without a title, have none."""
    if part.get("visible") in {"false", "0"}:
        return ""
    is_part = local_name(part) == "qti-test-part"
    title = part.get("title") or ("" if is_part else part.get("identifier"))
    return f"<h2>{escape(title)}</h2>" if title else ""


def _inner(element: etree._Element) -> Iterator[etree._Element]:
    for child in element.iterchildren("*"):
        if local_name(child) in _PARTS | _REFERENCES:
            yield child


def _missing(kind: str, reference: etree._Element) -> str:
    return f'<p class="not-shown">[{kind}：{escape(reference.get("href", ""))}]</p>'


def _minutes(element: etree._Element) -> str:
    limits = element.find(qti("qti-time-limits"))
    seconds = None if limits is None else number_attribute(limits, "max-time")
    return "" if seconds is None else f"{seconds / 60:g} 分钟"
