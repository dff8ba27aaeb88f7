"""Word documents and questions for the tests here, made with python-docx, which knows nothing of this package."""

from __future__ import annotations

import struct
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING

import docx

from item_formats.foreign import ItemRow, ItemTable, read_word
from item_formats.foreign.building import build
from item_formats.foreign.question import Choice, Kind, Question

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPTIONS = ("A．图像分类", "B．聚类", "C．降维", "D．关联规则挖掘")


def word(folder: Path, *lines: str | Callable[[docx.document.Document], None]) -> ItemTable:
    """What is read from a document of these paragraphs; a function adds more than text."""
    document = docx.Document()
    for line in lines:
        if isinstance(line, str):
            document.add_paragraph(line)
        else:
            line(document)
    path = folder / "questions.docx"
    document.save(str(path))
    return read_word(path)


def errors(table: ItemTable) -> list[tuple[str, int | None, str | None]]:
    return [(f.code, f.line, f.column) for f in table.findings if f.severity == "error"]


def warnings(table: ItemTable) -> list[str]:
    """Codes of the warnings, without those that say what a list need not have."""
    return [f.code for f in table.findings if f.severity == "warning" and f.code != "not-said"]


def told(table: ItemTable) -> list[tuple[str, list[str], str]]:
    """Stem, options and key of each question."""
    return [(row.item.stem_text, [option.text for option in row.item.options], row.item.key) for row in table.rows]


def png(width: int = 40, height: int = 20) -> bytes:
    """A red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = (b"\0" + b"\xff\0\0" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def choice(
    identifier: str = "Q1", stem: str = "下列属于有监督学习的是（ ）。", key: str = "B", **changes: object
) -> Question:
    usual: dict[str, object] = {
        "identifier": identifier,
        "kind": Kind.MULTIPLE if len(key) > 1 else Kind.SINGLE,
        "stem": stem,
        "choices": tuple(Choice(text, Decimal(letter in key)) for letter, text in zip("ABCD", "甲乙丙丁", strict=True)),
    }
    return Question(**usual | changes)  # type: ignore[arg-type]


def row(question: Question, **changes: object) -> ItemRow:
    return ItemRow(question.identifier, build(question), **changes)  # type: ignore[arg-type]
