"""The header of a table of items: the columns people use and the other names they give them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.findings import Finding, Severity, errors_among

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from item_formats.foreign.csv_text import Record

REQUIRED = ("题型", "知识点", "难度", "题干", "答案")
OPTIONS = ("选项A", "选项B", "选项C", "选项D", "选项E")
COLUMNS = ("编号", "题型", "知识点", "难度", "题干", *OPTIONS, "答案", "解析", "出处", "互斥")
EXTRA_COLUMNS = ("分数", "一致性")
SURPLUS_OPTIONS = ("选项F", "选项G", "选项H")  # read, so that a sixth option is a finding and not lost
LEVELS = tuple(f"知识点{number}级" for number in "一二三四五六")

_HEADER_ROWS = 10  # a title and notes may stand above the header
_OTHER_NAMES = {
    "试题编号": "编号",
    "题目编号": "编号",
    "试题类型": "题型",
    "题目类型": "题型",
    "题目": "题干",
    "试题内容": "题干",
    "题目内容": "题干",
    "正确答案": "答案",
    "参考答案": "答案",
    "标准答案": "答案",
    "鉴定点": "知识点",
    "考点": "知识点",
    "难易度": "难度",
    "难度等级": "难度",
    "难易程度": "难度",
    "分值": "分数",
    "试题解析": "解析",
    "答案解析": "解析",
    "试题来源": "出处",
    "来源": "出处",
}
_GUID_NAMES = frozenset({"试题GUID", "GUID", "试题guid", "guid"})
_REMARK = re.compile(r"\s*[*＊]|[(（](必填|选填|必填项|可选)[)）]")


@dataclass(frozen=True, slots=True)
class Header:
    """Where each known column stands, and how many cells a row may have.

    `levels` are the places of 知识点一级 … 六级; `guid` says that the codes are GUIDs, which a row may lack, or
    that the table has no codes at all.
    """

    places: dict[str, int]
    width: int
    levels: tuple[int, ...] = ()
    guid: bool = False


def find_header(records: Sequence[Record]) -> int:
    """Which record is the header: the first of the top rows with 题干 and 答案 in it, or the first of all."""
    for place, record in enumerate(records[:_HEADER_ROWS]):
        names = {column_of(cell)[0] for cell in record.cells}
        if {"题干", "答案"} <= names:
            return place
    return 0


def read_header(record: Record) -> tuple[Header | None, list[Finding]]:
    """The header, or None when rows cannot be read by it."""
    findings: list[Finding] = []
    places: dict[str, int] = {}
    levels: dict[str, int] = {}
    guid = False

    def found(severity: Severity, code: str, message: str, column: str | None = None) -> None:
        findings.append(Finding(severity, code, message, line=record.row, column=column))

    names = [cell.strip() for cell in record.cells]
    if len(names) == 1 and "题干" in names[0]:
        found("error", "separator", "the columns are not separated by commas: save the table as CSV with commas")
        return None, findings
    for place, name in enumerate(names):
        column, as_typed = column_of(name)
        if column in LEVELS:
            levels.setdefault(column, place)
            continue
        if column not in _KNOWN:
            if name:
                message = f"the column {name} is not known and was not read; known are {', '.join(_KNOWN)}"
                found("warning", "unknown-column", message, name)
            continue
        if not as_typed:
            found("error", "full-width", f"the column is called “{name}”; type “{column}” in half width", name)
        if column in places:
            found("error", "repeated-column", f"two columns are called {column}: remove one", column)
            return None, findings
        places[column] = place
        guid = guid or (column == "编号" and _bare(name) in _GUID_NAMES)
    ordered = tuple(levels[level] for level in LEVELS if level in levels)
    header = Header(places, len(names), ordered, guid or "编号" not in places)
    lacking = list(_lacking(header, record.row))
    return (None if errors_among(lacking) else header), [*findings, *lacking]


def _lacking(header: Header, row: int) -> Iterator[Finding]:
    """What the header lacks: columns nothing can be read without, else the one for codes."""
    missing = [column for column in REQUIRED if column not in header.places]
    missing = [column for column in missing if column != "知识点" or not header.levels]
    for column in missing:
        message = f"there is no column {column}: add it to the header"
        yield Finding("error", "missing-column", message, line=row, column=column)
    if not missing and "编号" not in header.places:
        message = "there is no column 编号: codes are made from the wording, the same each time it is read"
        yield Finding("warning", "code-made", message, line=row, column="编号")


_KNOWN = (*COLUMNS, *EXTRA_COLUMNS, *SURPLUS_OPTIONS)


def column_of(name: str) -> tuple[str, bool]:
    """The column a heading means, and whether it was typed in half width."""
    bare = _bare(name)
    plain = unicodedata.normalize("NFKC", bare)
    if plain in _GUID_NAMES:
        return "编号", plain == bare
    option = re.fullmatch(r"(?:选项|答案选项)?\s*([A-Ha-h])", plain) or re.fullmatch(r"([A-H])\s*选项", plain)
    if option:
        return f"选项{option[1].upper()}", plain == bare
    return _OTHER_NAMES.get(plain, plain), plain == bare


def _bare(name: str) -> str:
    """The heading without the remarks of form makers: 题型(必填), 题干*."""
    return _REMARK.sub("", name).strip()
