"""Reading the pages that reports are: whole documents that need nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from lxml import html

Page = html.HtmlElement


def written(path: Path, write: Callable[[Path], None]) -> tuple[str, Page]:
    write(path)
    text = path.read_text(encoding="utf-8")
    return text, html.fromstring(text.encode())


def rows_under(page: Page, heading: str) -> list[list[str]]:
    """The body rows of the first table after the heading that contains `heading`."""
    (table,) = page.xpath(f"(//h2[contains(., '{heading}')]/following::table)[1]")
    return [[cell.text_content() for cell in row] for row in table.xpath("./tbody/tr")]


def facts_of(page: Page) -> dict[str, str]:
    return {item.text: item.find("b").text for item in page.xpath("//ul[@class='facts']/li")}


def assert_whole(text: str, page: Page) -> None:
    assert text.startswith("<!DOCTYPE html>")
    assert page.get("lang") == "zh-CN"
    assert page.xpath("//link | //img | //iframe | //*[@src]") == []
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert not re.search(r"https?://|src=|url\((?!#)|@import", without_names)
    ids = page.xpath("//@id")
    assert all(target in ids for target in re.findall(r"url\(#([^)]+)\)", text))
