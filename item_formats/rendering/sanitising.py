"""HTML from elsewhere, made harmless: an allow list (ammonia, through nh3), pictures embedded only, formulas kept."""

from __future__ import annotations

import nh3

_HTML_NAMES = """
    a abbr b bdi bdo blockquote br caption cite code col colgroup dd del dfn div dl dt em figcaption figure h1 h2 h3 h4
    h5 h6 hr i img ins kbd li ol p pre q rp rt ruby s samp small span strong sub sup table tbody td tfoot th thead tr
    u ul var wbr
"""
_MATH_NAMES = """
    math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom mfenced menclose
    msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr semantics
"""
_TAGS = frozenset((_HTML_NAMES + _MATH_NAMES).split())
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
    "math": {"display"},
    "mi": {"mathvariant"},
    "mo": {"stretchy", "fence", "separator"},
    "mfrac": {"linethickness"},
    "mfenced": {"open", "close", "separators"},
}
_DATA_PICTURES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;")


def sanitised(html: str) -> str:
    """The HTML without scripts, handlers, styles, forms and addresses of any kind but embedded pictures."""
    return nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "template", "annotation", "annotation-xml"},
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        url_schemes={"data"},
        link_rel=None,
        strip_comments=True,
    )


def _filtered(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if value.lower().startswith(_DATA_PICTURES) else None
    return value
