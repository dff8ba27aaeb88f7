"""QTI markup as WordprocessingML: paragraphs, tables, pictures and formulas people can go on editing."""

from __future__ import annotations

import struct
from html import escape
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.foreign.formulas import OMML, mathml_to_omml
from item_formats.foreign.markup import parsed
from item_formats.parsing import local_name
from item_formats.text import BLOCKS, without_formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Finish = Callable[[], None]

_FORMATS = {
    "strong": "b",
    "b": "b",
    "em": "i",
    "i": "i",
    "var": "i",
    "cite": "i",
    "sub": "sub",
    "sup": "sup",
    "code": "code",
    "kbd": "code",
    "samp": "code",
    "tt": "code",
    "pre": "code",
}
_PROPERTIES = {
    "b": "<w:b/>",
    "i": "<w:i/>",
    "code": '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas"/>',
    "u": '<w:u w:val="single"/>',
    "sub": '<w:vertAlign w:val="subscript"/>',
    "sup": '<w:vertAlign w:val="superscript"/>',
}
_ORDER = ("code", "b", "i", "u", "sub", "sup")  # as the schema wants them inside w:rPr
_GAP_WIDTH = 10
_EMU_PER_PIXEL = 9525
_BOLD = frozenset({"b"})  # the cells of a heading
_WIDEST = 5_400_000  # EMU: 15 cm, the text width of the page
_USUAL_SIZE = (240, 160)


def run(text: str, formats: frozenset[str] = frozenset()) -> str:
    """A run; line feeds and tabs become Word's own."""
    inner = "".join(_PROPERTIES[name] for name in _ORDER if name in formats)
    properties = f"<w:rPr>{inner}</w:rPr>" if inner else ""
    pieces: list[str] = []
    for place, line in enumerate(text.split("\n")):
        if place:
            pieces.append("<w:br/>")
        for number, part in enumerate(line.split("\t")):
            if number:
                pieces.append("<w:tab/>")
            if part:
                pieces.append(f'<w:t xml:space="preserve">{escape(part, quote=False)}</w:t>')
    return f"<w:r>{properties}{''.join(pieces)}</w:r>" if pieces else ""


def paragraph(content: str, *, style: str = "", properties: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    before = f"<w:pPr>{named}{properties}</w:pPr>" if named or properties else ""
    return f"<w:p>{before}{content}</w:p>"


class Converter:
    """Turns markup into blocks of WordprocessingML and collects the pictures they show."""

    def __init__(self, media: Mapping[str, bytes]) -> None:
        self.media = media
        self.shown: dict[str, str] = {}  # path → relationship id
        self._drawn = 0

    def blocks(self, markup: str, *, before: str = "", after: str = "", properties: str = "") -> list[str]:
        """Paragraphs and tables of markup, with text before the first and after the last of its paragraphs."""
        root = parsed(markup)
        made: list[str] = []
        line: list[str] = [run(before)] if before else []
        opening = list(line)

        def finish() -> None:
            if (
                not made and [piece for piece in line if piece] == opening and not ended
            ):  # a number stands in the line of what it numbers
                return
            content = "".join(line)
            if content:
                made.append(paragraph(content, properties=properties))
            line.clear()

        ended = False
        self._flow(root, frozenset(), line, made, finish)
        ended = True
        if after and not line and made and made[-1].startswith("<w:p>"):
            made[-1] = made[-1].removesuffix("</w:p>") + run(after) + "</w:p>"
        elif after:
            line.append(run(after))
        finish()
        return made

    def inline(self, markup: str) -> str:
        """Markup as runs, blocks parted by line breaks."""
        return self._inline(parsed(markup), frozenset())

    def _inline(self, element: etree._Element, formats: frozenset[str]) -> str:
        line: list[str] = []
        made: list[str] = []

        def finish() -> None:
            if line:
                made.append("".join(line))
            line.clear()

        self._flow(element, formats, line, made, finish)
        finish()
        return run("\n").join(made)

    def _flow(
        self, element: etree._Element, formats: frozenset[str], line: list[str], made: list[str], finish: Finish
    ) -> None:
        preformatted = local_name(element) == "pre"
        line.append(run(_text(element.text, preformatted=preformatted), formats))
        for child in element:
            self._node(child, formats, line, made, finish)
            line.append(run(_text(child.tail, preformatted=preformatted), formats))
        line[:] = [piece for piece in line if piece]

    def _node(
        self, child: etree._Element, formats: frozenset[str], line: list[str], made: list[str], finish: Finish
    ) -> None:
        name = local_name(child)
        if name == "math":
            line.append(formula(child))
        elif name == "img":
            line.append(self.picture(child))
        elif name == "br":
            line.append(run("\n"))
        elif name == "qti-text-entry-interaction":
            line.append(run(" " * _GAP_WIDTH, formats | {"u"}))
        elif name == "table":
            finish()
            made.append(self.table(child))
        elif name in BLOCKS:
            finish()
            if name == "li":
                line.append(run("• "))
            self._flow(child, formats | _format(child), line, made, finish)
            finish()
        elif name:
            self._flow(child, formats | _format(child), line, made, finish)

    def table(self, element: etree._Element) -> str:
        rows = [row for row in element.iter() if local_name(row) == "tr"]
        width = max((sum(int(cell.get("colspan", "1")) for cell in row) for row in rows), default=1)
        grid = "".join(f'<w:gridCol w:w="{9000 // max(width, 1)}"/>' for _ in range(width))
        open_cells: dict[int, tuple[int, int]] = {}  # column → rows still covered, columns
        written = "".join(f"<w:tr>{self._row(row, open_cells)}</w:tr>" for row in rows)
        return f"<w:tbl><w:tblPr>{_BORDERS}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{written}</w:tbl>"

    def _row(self, row: etree._Element, open_cells: dict[int, tuple[int, int]]) -> str:
        column = 0
        pieces: list[str] = []

        def covered() -> int:
            left, columns = open_cells[column]
            open_cells[column] = (left - 1, columns)
            if left <= 1:
                del open_cells[column]
            pieces.append(_cell("<w:p/>", columns, "<w:vMerge/>"))
            return columns

        for cell in (cell for cell in row if local_name(cell) in {"td", "th"}):
            while column in open_cells:
                column += covered()
            columns, height = int(cell.get("colspan", "1")), int(cell.get("rowspan", "1"))
            content = self._inline(cell, _BOLD if local_name(cell) == "th" else frozenset())
            pieces.append(_cell(f"<w:p>{content}</w:p>", columns, '<w:vMerge w:val="restart"/>' if height > 1 else ""))
            if height > 1:
                open_cells[column] = (height - 1, columns)
            column += columns
        while column in open_cells:
            column += covered()
        return "".join(pieces)

    def picture(self, element: etree._Element) -> str:
        path = element.get("src", "").removeprefix("../")
        content = self.media.get(path)
        if content is None:
            raise KeyError(path)
        relation = self.shown.setdefault(path, f"rIdImage{len(self.shown) + 1}")
        self._drawn += 1
        width, height = (int(element.get(side, "0") or 0) for side in ("width", "height"))
        if not width or not height:
            width, height = picture_size(content) or _USUAL_SIZE
        across, down = width * _EMU_PER_PIXEL, height * _EMU_PER_PIXEL
        if across > _WIDEST:
            across, down = _WIDEST, down * _WIDEST // across
        return _DRAWING.format(
            across=across,
            down=down,
            number=self._drawn,
            alt=escape(element.get("alt", "")),
            name=escape(path.rpartition("/")[2]),
            relation=relation,
        )


def formula(math: etree._Element) -> str:
    text = etree.tostring(mathml_to_omml(math), encoding="unicode")
    return f'<m:oMathPara xmlns:m="{OMML}">{text}</m:oMathPara>' if math.get("display") == "block" else text


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF or JPEG."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if content.startswith(b"GIF8") and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
        return width, height
    place = 2
    while content.startswith(b"\xff\xd8") and place + 9 < len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return None


def _text(text: str | None, *, preformatted: bool) -> str:
    return (text or "") if preformatted else without_formatting(text or "")


def _format(element: etree._Element) -> frozenset[str]:
    name = local_name(element)
    if name == "span" and "qti-underline" in element.get("class", "").split():
        return frozenset({"u"})
    return frozenset({_FORMATS[name]}) if name in _FORMATS else frozenset()


def _cell(content: str, columns: int, merge: str) -> str:
    span = f'<w:gridSpan w:val="{columns}"/>' if columns > 1 else ""
    return f"<w:tc><w:tcPr>{span}{merge}</w:tcPr>{content}</w:tc>"


_SIDES = ("top", "left", "bottom", "right", "insideH", "insideV")
_BORDERS = "<w:tblBorders>{}</w:tblBorders>".format(
    "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>' for side in _SIDES)
)
_DRAWING = (
    '<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{across}" cy="{down}"/>'
    '<wp:docPr id="{number}" name="{name}" descr="{alt}"/><a:graphic><a:graphicData '
    'uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
    '<pic:cNvPr id="{number}" name="{name}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
    '<a:blip r:embed="{relation}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>'
    '<a:off x="0" y="0"/><a:ext cx="{across}" cy="{down}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
    "</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
)
