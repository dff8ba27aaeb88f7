"""A Word document as numbered lines of rich text and tables."""

from __future__ import annotations

import hashlib
import posixpath
import unicodedata
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.findings import Finding, Severity
from item_formats.foreign.csv_text import without_controls
from item_formats.foreign.formulas import OMML, omml_to_mathml
from item_formats.foreign.markup import element_markup
from item_formats.foreign.word.numbering import Numbering, W
from item_formats.foreign.word.rich import OBJECT, Piece, Rich, joined
from item_formats.parsing import local_name, split_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from item_formats.foreign.zip_parts import Parts

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_V = "{urn:schemas-microsoft-com:vml}"
_SHOWN = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "bmp": "bmp", "webp": "webp"}
_EMU_PER_PIXEL = 9525
_OFF = {"0", "false", "off", "none"}
# Check marks people take from the symbol fonts, as font and character.
_SYMBOLS = {
    ("wingdings", "FC"): "√",
    ("wingdings", "FB"): "×",
    ("wingdings", "FE"): "√",
    ("wingdings", "FD"): "×",
    ("wingdings 2", "50"): "√",
    ("wingdings 2", "4F"): "×",
    ("wingdings 2", "52"): "√",
    ("wingdings 2", "51"): "×",
    ("symbol", "B4"): "×",
    ("symbol", "D6"): "√",
    ("symbol", "A3"): "≤",
    ("symbol", "B3"): "≥",
    ("symbol", "B9"): "≠",
    ("symbol", "B1"): "±",
    ("symbol", "B8"): "÷",
    ("symbol", "B0"): "°",
}
_CONTAINERS = frozenset(
    {"ins", "moveTo", "hyperlink", "smartTag", "fldSimple", "sdt", "sdtContent", "customXml", "dir", "bdo"}
)
_BREAKS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: its number in the document from 1, its automatic number, and whether it looks like a heading."""

    number: int
    rich: Rich
    label: str = ""
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: each cell the lines in it; `markup` is the table as QTI content."""

    number: int
    rows: tuple[tuple[tuple[Line, ...], ...], ...]
    markup: str


@dataclass(slots=True)
class WordDocument:
    """What was read. Findings have a paragraph as their line; those in `broken` make a question unusable."""

    blocks: list[Line | Grid] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_document(parts: Parts, *, file: str) -> WordDocument:
    """The body of ``word/document.xml`` with its pictures.

    Raises
    ------
    ItemError
        A part that is damaged or not XML.
    """
    reader = _Reader(parts, file)
    body = parts.xml(reader.main).find(f"{W}body")
    reader.document.blocks.extend(reader.blocks(body) if body is not None else ())
    return reader.document


def main_part(parts: Parts) -> str | None:
    """The name of the part that holds the text, whatever it is called."""
    if "word/document.xml" in parts.names:
        return "word/document.xml"
    if "_rels/.rels" not in parts.names:
        return None
    for relation in parts.xml("_rels/.rels"):
        target = relation.get("Target", "").lstrip("/")
        if relation.get("Type", "").endswith("/officeDocument") and target in parts.names and target.startswith("word"):
            return target
    return None


class _Reader:
    def __init__(self, parts: Parts, file: str) -> None:
        self.parts, self.file = parts, file
        self.main = main_part(parts) or "word/document.xml"
        self.document = WordDocument()
        self.paragraph = 0
        folder, name = posixpath.split(self.main)
        self.folder = folder
        relations = f"{folder}/_rels/{name}.rels"
        self.targets = (
            {relation.get("Id", ""): relation for relation in parts.xml(relations)} if relations in parts.names else {}
        )
        styles = self._optional("styles.xml")
        self.numbering = Numbering(self._optional("numbering.xml"), styles)
        self.headings = _heading_styles(styles)

    def _optional(self, name: str) -> etree._Element | None:
        path = f"{self.folder}/{name}"
        return self.parts.xml(path) if path in self.parts.names else None

    def found(self, severity: Severity, code: str, message: str) -> None:
        finding = Finding(severity, code, message, file=self.file, line=self.paragraph)
        if finding not in self.document.findings:
            self.document.findings.append(finding)

    def blocks(self, parent: etree._Element) -> Iterator[Line | Grid]:
        for child in parent:
            name = local_name(child)
            if name == "p":
                yield self.line(child)
            elif name == "tbl":
                yield self.grid(child)
            elif name in _CONTAINERS:
                yield from self.blocks(child)
            elif name == "altChunk":
                self.found("error", "alternative-content", "the document includes another file: paste its text instead")

    def line(self, paragraph: etree._Element) -> Line:
        self.paragraph += 1
        number = self.paragraph
        properties = paragraph.find(f"{W}pPr")
        label = self.numbering.label(properties)
        rich = Rich(tuple(self.pieces(paragraph))).strip()
        return Line(number, rich, label, heading=self._is_heading(properties))

    def _is_heading(self, properties: etree._Element | None) -> bool:
        if properties is None:
            return False
        style, centred = properties.find(f"{W}pStyle"), properties.find(f"{W}jc")
        named = style is not None and style.get(f"{W}val", "") in self.headings
        return named or (centred is not None and centred.get(f"{W}val") == "center")

    def pieces(self, parent: etree._Element) -> Iterator[Piece]:
        fields: list[bool] = []  # for each open field, whether its instruction is being read and not yet its result
        for child in parent:
            namespace, name = split_name(child)
            if namespace == OMML and name in {"oMath", "oMathPara"}:
                yield Piece(OBJECT, markup=element_markup(omml_to_mathml(child)))
            elif name == "r" and namespace == W[1:-1]:
                _follow_fields(child, fields)
                if not any(fields):
                    yield from self.run(child)
                elif any("EQ " in (code.text or "").upper() for code in child.iter(f"{W}instrText")):
                    message = "the paragraph holds a formula made with an EQ field: type it with Word's formula editor"
                    self.found("error", "formula-field", message)
            elif name in _CONTAINERS:
                yield from self.pieces(child)
            elif name == "AlternateContent":
                yield from self.pieces(_preferred(child))

    def run(self, run: etree._Element) -> Iterator[Piece]:
        properties = run.find(f"{W}rPr")
        if _is_on(properties, "vanish"):
            self.found("warning", "hidden-text", "hidden text was not read: show it, or delete it")
            return
        formats = _formats(properties)
        for child in run:
            name = local_name(child)
            if name == "t":
                yield from self.text(child.text or "", formats)
            elif name == "br":
                yield from [Piece("\n")] if child.get(f"{W}type") not in {"page", "column"} else []
            elif name in _BREAKS:
                yield Piece(_BREAKS[name], formats)
            elif name == "sym":
                yield Piece(self.symbol(child), formats)
            else:
                yield from self.embedded(child, name)

    def text(self, text: str, formats: frozenset[str]) -> Iterator[Piece]:
        text, removed = without_controls(unicodedata.normalize("NFC", text))
        if removed:
            self.found("warning", "control-character", f"control characters were taken out: {', '.join(removed)}")
        if text:
            yield Piece(text, formats)

    def embedded(self, child: etree._Element, name: str) -> Iterator[Piece]:
        if name == "AlternateContent":
            yield from self.run(_preferred(child))
        elif name in {"drawing", "pict", "object"}:
            yield from self.drawing(child)
        elif name == "ruby":
            for base in child.iter(f"{W}rubyBase"):
                yield from self.pieces(base)
        elif name in {"footnoteReference", "endnoteReference"}:
            self.found("warning", "note-left-out", "a footnote was not read: put its text into the question")

    def symbol(self, element: etree._Element) -> str:
        font, code = element.get(f"{W}font", "").lower(), element.get(f"{W}char", "").upper()
        known = _SYMBOLS.get((font, code[-2:]))
        if known is None:
            message = f"a sign of the font {element.get(f'{W}font')} (number {code}) cannot be read: type it as text"
            self.found("error", "symbol-font", message)
            return "\u25a1"
        return known

    def drawing(self, element: etree._Element) -> Iterator[Piece]:
        if element.find(f".//{W}txbxContent") is not None:
            self.found("error", "text-box", "a text box was not read: put its text into the paragraph")
        described = element.find(f".//{_WP}docPr")
        alt = "" if described is None else described.get("descr") or ""
        extent = element.find(f".//{_WP}extent")
        sizes = "" if extent is None else _sizes(extent)
        embedded = [picture.get(f"{_R}embed") for picture in element.iter(f"{_A}blip")]
        embedded += [picture.get(f"{_R}id") for picture in element.iter(f"{_V}imagedata")]
        if local_name(element) == "object":
            kind = next(
                (made.get("ProgID", "") for made in element.iter() if local_name(made) == "OLEObject"), "object"
            )
            message = f"an embedded {kind or 'object'} cannot be read: type formulas with Word's own formula editor"
            self.found("error", "embedded-object", message)
            return
        if not embedded and element.find(f".//{W}txbxContent") is None:
            self.found("error", "drawing", "a drawing or chart cannot be read: paste it as a picture")
        for relation in embedded:
            piece = self.picture(relation or "", alt, sizes)
            if piece is not None:
                yield piece

    def picture(self, relation: str, alt: str, sizes: str) -> Piece | None:
        target = self.targets.get(relation)
        address = "" if target is None else target.get("Target", "")
        if target is None or target.get("TargetMode") == "External":
            self.found("error", "linked-picture", "a picture is only linked, not in the document: paste it itself")
            return None
        path = address.lstrip("/") if address.startswith("/") else posixpath.normpath(f"{self.folder}/{address}")
        ending = _SHOWN.get(path.rpartition(".")[2].lower())
        if path not in self.parts.names:
            self.found("error", "missing-picture", f"the picture {address} is not in the document: paste it again")
            return None
        if ending is None:
            message = (
                f"a picture is in the format {path.rpartition('.')[2]}, which browsers cannot show: paste it as PNG"
            )
            self.found("error", "picture-format", message)
            return None
        content = self.parts.read(path)
        name = f"media/{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
        self.document.media[name] = content
        if not alt:
            message = "the picture has no alternative text: describe it (right click → 编辑可选文字)"
            self.found("warning", "missing-alt", message)
        return Piece(OBJECT, markup=f'<img src="../{name}" alt="{escape(alt)}"{sizes}/>')

    def grid(self, table: etree._Element) -> Grid:
        number = self.paragraph + 1
        rows: list[tuple[tuple[Line, ...], ...]] = []
        cells: list[list[_Cell]] = []
        for row in (row for row in _inside(table, "tr")):
            lines_of_row = []
            places: list[_Cell] = []
            for cell in _inside(row, "tc"):
                blocks = list(self.blocks(cell))
                lines = tuple(block for block in blocks if isinstance(block, Line))
                if len(lines) < len(blocks):
                    self.found("error", "nested-table", "a table inside a table cannot be read: take it apart")
                lines_of_row.append(lines)
                places.append(_cell(cell, lines))
            rows.append(tuple(lines_of_row))
            cells.append(places)
        return Grid(number, tuple(rows), _table_markup(cells))


def _follow_fields(run: etree._Element, fields: list[bool]) -> None:
    for mark in run.iter(f"{W}fldChar"):
        kind = mark.get(f"{W}fldCharType")
        if kind == "begin":
            fields.append(True)
        elif fields and kind == "separate":
            fields[-1] = False
        elif fields:
            fields.pop()


@dataclass(slots=True)
class _Cell:
    content: str
    columns: int
    merge: str  # "" | "restart" | "continue"


def _inside(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    for child in parent:
        if local_name(child) == name:
            yield child
        elif local_name(child) in _CONTAINERS:
            yield from _inside(child, name)


def _cell(cell: etree._Element, lines: tuple[Line, ...]) -> _Cell:
    properties = cell.find(f"{W}tcPr")
    span = properties.find(f"{W}gridSpan") if properties is not None else None
    merge = properties.find(f"{W}vMerge") if properties is not None else None
    columns = span.get(f"{W}val", "1") if span is not None else "1"
    content = joined(Rich.plain(line.label) + line.rich for line in lines).markup(lambda *_: None)
    kind = "" if merge is None else merge.get(f"{W}val", "continue")
    return _Cell(content, int(columns) if columns.isdigit() else 1, kind)


def _table_markup(rows: list[list[_Cell]]) -> str:
    written = []
    for number, row in enumerate(rows):
        column = 0
        cells = []
        for cell in row:
            if cell.merge != "continue":
                spans = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
                height = _height(rows, number, column) if cell.merge == "restart" else 1
                spans += f' rowspan="{height}"' if height > 1 else ""
                cells.append(f"<td{spans}>{cell.content}</td>")
            column += cell.columns
        written.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tbody>{''.join(written)}</tbody></table>"


def _height(rows: list[list[_Cell]], number: int, column: int) -> int:
    """How many rows a cell that is merged downwards covers."""
    height = 1
    for row in rows[number + 1 :]:
        place = 0
        for cell in row:
            if place == column:
                break
            place += cell.columns
        else:
            return height
        if cell.merge != "continue":
            return height
        height += 1
    return height


def _sizes(extent: etree._Element) -> str:
    sides = [(extent.get(name, ""), side) for name, side in (("cx", "width"), ("cy", "height"))]
    if not all(value.isdigit() and int(value) >= _EMU_PER_PIXEL for value, _ in sides):
        return ""
    return "".join(f' {side}="{round(int(value) / _EMU_PER_PIXEL)}"' for value, side in sides)


def _preferred(alternatives: etree._Element) -> etree._Element:
    for name in ("Choice", "Fallback"):
        for child in alternatives:
            if local_name(child) == name:
                return child
    return alternatives


def _is_on(properties: etree._Element | None, name: str) -> bool:
    found = properties.find(f"{W}{name}") if properties is not None else None
    return found is not None and found.get(f"{W}val", "1") not in _OFF


def _formats(properties: etree._Element | None) -> frozenset[str]:
    if properties is None:
        return frozenset()
    raised = properties.find(f"{W}vertAlign")
    found = {
        fmt
        for name, fmt in (("b", "strong"), ("i", "em"), ("em", "em"), ("u", "underline"))
        if _is_on(properties, name)
    }
    position = "" if raised is None else raised.get(f"{W}val", "")
    return frozenset(found | {"sub" if position == "subscript" else "sup"} if position.endswith("script") else found)


def _heading_styles(styles: etree._Element | None) -> frozenset[str]:
    found = set()
    for style in styles.iter(f"{W}style") if styles is not None else ():
        name = style.find(f"{W}name")
        if name is not None and name.get(f"{W}val", "").lower().startswith(("heading", "title", "subtitle", "标题")):
            found.add(style.get(f"{W}styleId", ""))
    return frozenset(found)
