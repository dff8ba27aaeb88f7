"""What an item says, as safe HTML: known elements and attributes are written anew, everything else is left out."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from item_formats.choice import BLANK, TRUE_FALSE_TEXTS
from item_formats.model import RATIONALE, ItemType
from item_formats.parsing import MATHML, qti, split_name
from item_formats.text import ASIDES, visible_text, without_formatting

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.model import Item, Option

WRITE_IN = '<span class="blank">（\u3000\u3000\u3000）</span>'  # room to write a letter by hand

_HTML_NAMES = """
    p div span strong em b i u small sub sup code pre kbd samp var q abbr cite dfn blockquote
    ul ol li dl dt dd table caption thead tbody tfoot tr td th ruby rt rp bdo bdi
"""
_MATH_NAMES = """
    math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom mfenced menclose
    msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr semantics
"""
_HTML = frozenset(_HTML_NAMES.split())
_MATH = frozenset(_MATH_NAMES.split())
_VOID = frozenset({"br", "hr"})
_ATTRIBUTES = frozenset({"lang", "dir", "colspan", "rowspan", "scope"})
_MATH_ATTRIBUTES = frozenset(
    {
        "display",
        "mathvariant",
        "displaystyle",
        "accent",
        "accentunder",
        "stretchy",
        "fence",
        "separator",
        "open",
        "close",
    }
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = (ASIDES - {"qti-rubric-block"}) | {
    "script",
    "style",
    "object",
    "iframe",
    "template",
    "annotation-xml",
    "qti-simple-choice",
}

TYPE_HEADINGS = {
    ItemType.TRUE_FALSE: "判断题",
    ItemType.SINGLE: "单项选择题",
    ItemType.MULTIPLE: "多项选择题",
}


@cache
def style_sheet(name: str) -> str:
    return (files("item_formats.rendering") / name).read_text(encoding="utf-8")


def document(*, title: str, language: str, styles: str, body: str) -> str:
    """A whole page that may load nothing and run nothing."""
    return _DOCUMENT.format(title=escape(title), language=escape(language or "zh-CN"), styles=styles, body=body)


def stem_html(item: Item, *, blank: str = WRITE_IN) -> str:
    """Everything before the options; `blank` is the HTML that stands for each （ ）."""
    return "" if item.body is None else _children(item.body, blank)


def option_html(item: Item, option: Option) -> str:
    if item.item_type is ItemType.TRUE_FALSE:
        return TRUE_FALSE_TEXTS[option.identifier]
    for element in item.root.iter(qti("qti-simple-choice")):
        if element.get("identifier") == option.identifier:
            return _children(element, WRITE_IN)
    return escape(option.text)


def text_html(text: str) -> str:
    """Plain text with its line breaks and runs of spaces."""
    return _spaced(escape(text, quote=False)).replace("\n", "<br>")


def _children(element: etree._Element, blank: str) -> str:
    pieces = [_text(element.text, blank)]
    for child in element:
        pieces.append(_element(child, blank))
        pieces.append(_text(child.tail, blank))
    return "".join(pieces).strip()


def _element(element: etree._Element, blank: str) -> str:
    namespace, name = split_name(element)
    if _is_silent(element, namespace, name):
        return ""
    if namespace == MATHML:
        return _written(element, name, _MATH_ATTRIBUTES, blank)
    if name in _VOID:
        return f"<{name}>"
    if name in _HTML:
        return _written(element, name, _ATTRIBUTES, blank)
    # Headings lose their rank (the page has an outline of its own); unknown wrappers go and what they hold stays.
    return _stand_in(element, name, blank) or _children(element, blank)


def _is_silent(element: etree._Element, namespace: str, name: str) -> bool:
    if name == "qti-rubric-block":
        return not _for_candidates(element)
    return not name or name in _SILENT or (namespace == MATHML and name not in _MATH)


def _stand_in(element: etree._Element, name: str, blank: str) -> str:
    """What stands where something is that this page does not show."""
    if name == "img":
        return f'<span class="not-shown">[图：{escape(element.get("alt") or "无说明")}]</span>'
    if name.endswith("-interaction") and name != "qti-choice-interaction":
        return f'<span class="not-shown">[{escape(name)}]</span>'
    return f'<p class="heading">{_children(element, blank)}</p>' if name in _HEADINGS else ""


def _for_candidates(rubric: etree._Element) -> bool:
    return rubric.get("use") != RATIONALE and "candidate" in rubric.get("view", "").split()


def _written(element: etree._Element, name: str, allowed: frozenset[str], blank: str) -> str:
    attributes = "".join(
        f' {attribute}="{escape(element.get(attribute, ""))}"' for attribute in sorted(allowed & set(element.attrib))
    )
    inner = _children(element, blank) if name != "pre" else escape(visible_text(element))
    return f"<{name}{attributes}>{inner}</{name}>"


def _text(text: str | None, blank: str) -> str:
    if not text:
        return ""
    return BLANK.sub(lambda _: blank, _spaced(escape(without_formatting(text), quote=False)))


def _spaced(text: str) -> str:
    """Runs of spaces are code or a table drawn by hand: browsers would make one space of them."""
    return text.replace("  ", "\u00a0 ")


_DOCUMENT = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{styles}
</style>
</head>
<body>
{body}
</body>
</html>
"""
