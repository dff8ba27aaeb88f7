"""What the lines of a Chinese question list look like: headings, numbers, options, answers, 解析 and the like."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.foreign.question import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE_WORDS = (
    ("判断", Kind.TRUE_FALSE),
    ("是非", Kind.TRUE_FALSE),
    ("单项选择", Kind.SINGLE),
    ("单选", Kind.SINGLE),
    ("多项选择", Kind.MULTIPLE),
    ("多选", Kind.MULTIPLE),
    ("不定项", Kind.MULTIPLE),
    ("选择题", None),
    ("填空", Kind.GAPS),
    *(
        (word, Kind.ESSAY)
        for word in ("简答", "论述", "问答", "计算", "案例", "材料分析", "综合", "名词解释", "分析题")
    ),
)
_TYPE = "|".join(word for word, _ in _TYPE_WORDS)
_CHINESE_NUMBER = "[一二三四五六七八九十]{1,3}"
_HEADING = re.compile(
    rf"\s*(?:第?{_CHINESE_NUMBER}(?:部分|大题)?\s*[、．.:：，,\s]|[（(]{_CHINESE_NUMBER}[)）]、?)\s*(?P<title>.{{0,40}}?(?:{_TYPE}).*)",
    re.DOTALL,
)
_BARE_HEADING = re.compile(rf"\s*[【\[]?(?:{_TYPE})[选择]*题?[】\]]?\s*(?P<note>[（(].*[)）])?\s*[:：]?\s*", re.DOTALL)
_MARKS_EACH = re.compile(r"每(?:小)?[题空]\s*(\d+(?:\.\d+)?)\s*分")
_ANSWER_HEADING = re.compile(
    r"\s*[附附：:]{0,2}.{0,30}?(?:参考答案|标准答案|正确答案|答案)(?:及|与|和)?(?:解析|评分标准|详解|评分参考)?\s*",
    re.DOTALL,
)
_FIGURES = "[0-9０-９]{1,4}"
_NUMBER = re.compile(
    rf"\s*(?:第\s*(?P<named>{_FIGURES})\s*题\s*[.．、:：]?|(?P<dotted>{_FIGURES})\s*(?P<sign>[.．、)）])(?![0-9])"
    rf"|[（(]\s*(?P<bracketed>{_FIGURES})\s*[)）]\s*[.．、]?)\s*"
)
_BLANK_FIRST = re.compile(r"\s*[（(]\s*(?P<mark>[^（）()]{0,4}?)\s*[)）]\s*(?=[0-9０-９]{1,4}\s*[.．、])")
_LABEL = r"[A-HＡ-Ｈ]"
_OPTION = re.compile(
    rf"\s*(?:[（(\[【]\s*(?P<bracketed>{_LABEL})\s*[)）\]】]\s*[.．、:：]?|(?P<plain>{_LABEL})\s*(?:[.．、:：)）]|\t)"
    rf"|(?P<bare>{_LABEL})(?=[\s\u3000]))\s*"
)
_INNER_OPTION = re.compile(
    rf"(?<![A-Za-z0-9Ａ-Ｚ])(?:[（(]\s*(?P<bracketed>{_LABEL})\s*[)）]\s*[.．、]?|(?P<plain>{_LABEL})\s*[.．、:：)）])"
    r"[ \t\u3000]*"
)
_BARE_OPTION = re.compile(rf"(?:^|(?<=[\s\u3000]))(?P<bare>{_LABEL})[ \t\u3000]+")
_MARKER = re.compile(rf"\s*[【\[（(]\s*(?P<type>(?:{_TYPE})题?)\s*[】\]）)]\s*")
_MARKS = re.compile(r"\s*[（(【\[]\s*(?:本[小]?题)?\s*(?P<marks>\d+(?:\.\d+)?)\s*分\s*[)）】\]]\s*")
_FIELD_NAMES = {
    "答案": "答案",
    "正确答案": "答案",
    "参考答案": "答案",
    "标准答案": "答案",
    "答": "答案",
    "解析": "解析",
    "答案解析": "解析",
    "试题解析": "解析",
    "分析": "解析",
    "详解": "解析",
    "解答": "解析",
    "解": "解析",
    "点评": "解析",
    "难度": "难度",
    "难易度": "难度",
    "难易程度": "难度",
    "难度等级": "难度",
    "知识点": "知识点",
    "考点": "知识点",
    "鉴定点": "知识点",
    "考查点": "知识点",
    "分数": "分数",
    "分值": "分数",
    "出处": "出处",
    "来源": "出处",
    "编号": "编号",
    "试题编号": "编号",
    "题型": "题型",
    "一致性": "一致性",
    "互斥": "互斥",
}
_NAMES = "|".join(sorted(_FIELD_NAMES, key=len, reverse=True))
_FIELD = re.compile(rf"[【\[［]\s*(?P<boxed>{_NAMES})\s*[】\]］]\s*[:：]?\s*|(?P<named>{_NAMES})\s*[:：]\s*")
_TRUE = frozenset(["√", "✓", "✔", "☑", "对", "正确", "T", "TRUE", "True", "true", "是", "Y"])
_FALSE = frozenset(["×", "✗", "✘", "☒", "X", "x", "错", "错误", "F", "FALSE", "False", "false", "否", "N", "╳"])
_KEY = r"(?:[A-HＡ-Ｈ](?:[\s、，,;；]*[A-HＡ-Ｈ]){0,7}|[√✓✔☑×✗✘☒]|正确|错误|对|错|[TFＴＦ])"
_KEYED = re.compile(rf"\s*(?:正确|参考|标准)?答案[是为]?[\s\u3000]*(?P<key>{_KEY})[\s\u3000]*[。.]?\s*")
KEY_IN_BLANK = re.compile(rf"[（(][\s\u3000]*(?P<key>{_KEY})[\s\u3000]*[)）]")
ENTRY = re.compile(rf"(?P<number>{_FIGURES})\s*[.．、:：)）\s]\s*(?P<key>{_KEY})(?![A-Za-z0-9Ａ-Ｚ\u4e00-\u9fff])")
RANGE = re.compile(
    r"(?P<first>[0-9０-９]{1,4})\s*[-~－—–～至到]+\s*(?P<last>[0-9０-９]{1,4})\s*(?:题)?\s*[:：.．、]?\s*"
    r"(?P<keys>[A-HＡ-Ｈ√✓×✗TF对错][A-HＡ-Ｈ√✓×✗TF对错\s、，,;；\u3000]*)"
)


def figure(text: str) -> int:
    return int(unicodedata.normalize("NFKC", text))


def type_named(text: str) -> tuple[bool, Kind | None]:
    """Whether the text names a type of question, and which; 选择题 alone leaves open how many are right."""
    for word, kind in _TYPE_WORDS:
        if word in text:
            return True, kind
    return False, None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading such as 一、单项选择题（每题1分，共20分）."""

    title: str
    kind: Kind | None
    marks: Decimal | None


def section(label: str, text: str, *, heading: bool) -> Section | None:
    """The section a line begins, if it is such a heading. `label` is its automatic number."""
    whole = f"{label}{'' if not label or label[-1] in '、．.' else ' '}{text}"
    found = _HEADING.fullmatch(whole)
    bare = _BARE_HEADING.fullmatch(text)
    title = found["title"] if found else text if bare or (heading and len(text) < 60 and type_named(text)[0]) else ""
    if not title or _NUMBER.match(whole):
        return None
    named = re.split("[（(]", title, maxsplit=1)[0]
    known, kind = type_named(named)
    return Section(title, kind, marks_each(title)) if known else None


def marks_each(text: str) -> Decimal | None:
    found = _MARKS_EACH.search(text)
    return Decimal(found[1]) if found else None


def is_instruction(text: str) -> bool:
    """A line under a heading that says how to answer: （第1题～第40题。…每题0.5分）"""
    return bool(re.match(r"\s*[（(]\s*第\s*\d+\s*题", text)) or (len(text) < 200 and marks_each(text) is not None)


def is_answer_heading(text: str) -> bool:
    """A line that begins the answers at the end; 答案： with a colon belongs to one question."""
    return len(text) < 40 and bool(_ANSWER_HEADING.fullmatch(text))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A question's number as typed: its figure, how it is written, where the text begins, whether in full width."""

    number: int
    style: str
    end: int
    full_width: bool


def numbered(text: str) -> Numbered | None:
    found = _NUMBER.match(text)
    if found is None:
        return None
    written = found["named"] or found["dotted"] or found["bracketed"]
    style = "named" if found["named"] else "bracketed" if found["bracketed"] else _sign(found["sign"])
    return Numbered(figure(written), style, found.end(), full_width=not written.isascii())


def _sign(sign: str) -> str:
    return ")" if sign in ")）" else "."  # people mix 1. 1． and 1、


def blank_first(text: str) -> tuple[int, str] | None:
    """``（√）1．…``: where the number begins, and what stands in the blank before it."""
    found = _BLANK_FIRST.match(text)
    return None if found is None else (found.end(), found["mark"])


def option_label(text: str) -> tuple[str, int, bool] | None:
    """Letter of an option at the start of a line, where its text begins, and whether it stands in brackets or bare."""
    found = _OPTION.match(text)
    if found is None:
        return None
    return found["bracketed"] or found["plain"] or found["bare"], found.end(), bool(found["bare"])


def inner_options(text: str, start: int, letter: str, *, bare: bool = False) -> Iterator[tuple[str, int, int]]:
    """Options that follow on the same line, from `letter` on: as typed, where label and text begin.

    `bare` letters have nothing behind them but a gap: ``A 甲  B 乙``.
    """
    place = start
    pattern = _BARE_OPTION if bare else _INNER_OPTION
    while True:
        for found in pattern.finditer(text, place):
            written = found["bare"] if bare else found["bracketed"] or found["plain"]
            if unicodedata.normalize("NFKC", written) == letter:
                yield written, found.start(), found.end()
                place, letter = found.end(), chr(ord(letter) + 1)
                break
        else:
            return


def type_marker(text: str) -> tuple[Kind | None, int] | None:
    """``【单选题】`` at the start of a question."""
    found = _MARKER.match(text)
    return None if found is None else (type_named(found["type"])[1], found.end())


def marks_at_start(text: str) -> tuple[Decimal, int] | None:
    found = _MARKS.match(text)
    return None if found is None else (Decimal(found["marks"]), found.end())


def marks_at_end(text: str) -> tuple[Decimal, int] | None:
    found = None
    for found in _MARKS.finditer(text):  # noqa: B007  # the last one counts
        pass
    return (Decimal(found["marks"]), found.start()) if found is not None and found.end() == len(text) else None


def fields(text: str) -> list[tuple[str, int, int]]:
    """Parts such as 答案： and 【解析】 of a line that begins with one: name, where its text begins and ends."""
    first = _FIELD.match(text.lstrip("* \t\u3000"))
    if first is None:
        keyed = _KEYED.fullmatch(text)
        return [] if keyed is None else [("答案", *keyed.span("key"))]
    offset = len(text) - len(text.lstrip("* \t\u3000"))
    found = [match for match in _FIELD.finditer(text, offset) if _starts_field(text, match, offset)]
    ends = [match.start() for match in found[1:]] + [len(text)]
    names = [_FIELD_NAMES[match["boxed"] or match["named"]] for match in found]
    return [(name, match.end(), end) for name, match, end in zip(names, found, ends, strict=True)]


def _starts_field(text: str, found: re.Match[str], offset: int) -> bool:
    """Inside a 解析 “答案：” may be part of a sentence: later fields need a gap or a bracket before them."""
    return found.start() == offset or bool(found["boxed"]) or text[found.start() - 1] in " \t\u3000\n；;。"


def key_of(text: str) -> str | None:
    """The key a written answer means, in its own width: "B", "ABD", "√", "×"; None when it is none."""
    bare = text.strip(" \t\n\u3000。.；;，,（）()")
    if bare in _TRUE - {"T", "Y"} or unicodedata.normalize("NFKC", bare) in {"T", "TRUE"}:
        return "√"
    if bare in _FALSE - {"F", "N"} or unicodedata.normalize("NFKC", bare) in {"F", "FALSE"}:
        return "×" if bare not in {"F", "Ｆ"} else "F"
    letters = re.sub(r"[\s、，,;；\u3000]+", "", bare)
    return letters if re.fullmatch(f"{_LABEL}{{1,8}}", letters) else None
