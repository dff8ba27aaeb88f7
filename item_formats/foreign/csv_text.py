"""The records of a CSV file people made in Excel, WPS or by hand: encoding, mojibake, quotes."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 64 * 1024 * 1024
_MOST_PLACES = 20  # of one kind of damage; after that the reader has understood

SAVE_AS_UTF8 = "In Excel: 文件 → 另存为 → “CSV UTF-8 (逗号分隔)”; in WPS: 另存为 → CSV, 编码 UTF-8"

# Bytes of UTF-8 read as Latin-1 or Windows-1252 look like Ã© or ä¸­: a lead byte and its continuation bytes as letters.
_AS_LATIN = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u203a\u20ac\u2122]{1,3}")
_REPLACED = re.compile("\ufffd|锟斤拷|锟斤|烫烫烫|屯屯屯")


@dataclass(frozen=True, slots=True)
class Record:
    row: int  # as the spreadsheet numbers it: the header is 1
    cells: tuple[str, ...]


def read_records(content: bytes, *, file: str, known_words: Sequence[str]) -> tuple[list[Record], list[Finding]]:
    """Records with any text in them, and findings; no records when the file as a whole must be refused.

    `known_words` are column names: they tell a GB18030 file from a damaged one. Cells get NFC and line feeds.
    """
    text = _decoded(content, file, known_words)
    if isinstance(text, Finding):
        return [], [text]
    records, findings = _records(text, file)
    damaged = mojibake(records, file)
    return ([], damaged) if damaged else (records, findings)


def without_controls(text: str) -> tuple[str, list[str]]:
    """The text without control characters (line feeds and tabs stay), and what was taken out, as U+0000 names."""
    removed = sorted({f"U+{ord(character):04X}" for character in text if _is_control(character)})
    if removed:
        text = "".join(character for character in text if not _is_control(character))
    return text, removed


def _is_control(character: str) -> bool:
    """C0 and C1 controls, and U+FEFF/U+FFFE/U+FFFF, which have no place inside a text."""
    return (unicodedata.category(character) == "Cc" and character not in "\n\t") or character in "\ufeff\ufffe\uffff"


def _decoded(content: bytes, file: str, known_words: Sequence[str]) -> str | Finding:
    if len(content) > MAX_BYTES:
        message = f"{len(content):,} bytes; a table may have {MAX_BYTES:,}: split it"
        return Finding("error", "too-large", message, file=file)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Finding("error", "encoding-utf16", f"the file is UTF-16; save it as UTF-8. {SAVE_AS_UTF8}", file=file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02X}"
    try:
        chinese = content.decode("gb18030")
    except UnicodeDecodeError:
        chinese = ""
    if any(word in chinese for word in known_words):
        message = f"the file is GB18030 (Excel's plain “CSV”), not UTF-8; nothing was read. {SAVE_AS_UTF8}"
        return Finding("error", "encoding-gb18030", message, file=file, line=line)
    message = (
        f"byte {byte} on line {line} is not UTF-8 and the file is not GB18030 either: it is damaged. {SAVE_AS_UTF8}"
    )
    return Finding("error", "encoding", message, file=file, line=line)


def _records(text: str, file: str) -> tuple[list[Record], list[Finding]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[Record] = []
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return records, []
        except csv.Error as error:
            message = (
                f"row {row} cannot be read ({error}); it and the rows after it were left out. "
                'A cell with a quotation mark is written in quotes with the mark doubled: "说""是"""'
            )
            return records, [Finding("error", "broken-csv", message, file=file, line=row)]
        cells = [unicodedata.normalize("NFC", cell.replace("\r\n", "\n").replace("\r", "\n")) for cell in cells]
        if any(cell.strip() for cell in cells):
            records.append(Record(row, tuple(cells)))


def mojibake(records: Sequence[Record], file: str, *, remedy: str = SAVE_AS_UTF8) -> list[Finding]:
    """What shows that text was saved in a wrong encoding: any of it refuses the file."""
    places = [
        (record.row, excerpt) for record in records for cell in record.cells if (excerpt := _damage(cell)) is not None
    ]
    findings = [
        Finding("error", "mojibake", f"the text is damaged (“{excerpt}”): restore it from the original file", file, row)
        for row, excerpt in places[:_MOST_PLACES]
    ]
    if findings:
        message = (
            f"{len(places)} cells hold text that was read in the wrong encoding and saved; nothing was read. "
            f"Go back to the original. {remedy}"
        )
        findings.insert(0, Finding("error", "mojibake", message, file=file))
    return findings


def _damage(cell: str) -> str | None:
    if cell.isascii():
        return None
    replaced = _REPLACED.search(cell)
    if replaced:
        return _around(cell, replaced.start())
    for run in _AS_LATIN.finditer(cell):
        if _was_utf8(run[0], "latin-1") or _was_utf8(run[0], "cp1252"):
            return _around(cell, run.start())
    return _around(cell, 0) if _was_read_as_gbk(cell) else None


def _was_read_as_gbk(cell: str) -> bool:
    """UTF-8 read as GBK: 鐨勪汉 for 的人. Written back as GBK and read as UTF-8 it is mostly Chinese again."""
    try:
        restored = cell.encode("gb18030").decode("utf-8", errors="replace")
    except UnicodeEncodeError:  # a lone surrogate
        return False
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in restored)
    return chinese >= 4 and restored.count("\ufffd") * 4 <= chinese


def _was_utf8(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    return True


def _around(cell: str, place: int) -> str:
    return cell[max(0, place - 6) : place + 12].replace("\n", " ")
