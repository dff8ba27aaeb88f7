"""Reading pages back, strictly enough to notice markup that does not fit together."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

VOID = {"meta", "br", "hr", "input", "col", "img", "link"}


class _Builder(HTMLParser):
    """Builds a tree and refuses what a browser would silently repair."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = ET.TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> where </{self.open[-1]}> was due"
        self.open.pop()
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)


def parse_html(page: str) -> ET.Element:
    """The tree of a page whose every element is closed where it should be."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    assert builder.open == []
    return builder.builder.close()


def text_of(element: ET.Element) -> str:
    return "".join(element.itertext())


def with_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if name in element.get("class", "").split()]
