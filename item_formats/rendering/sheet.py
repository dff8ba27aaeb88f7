"""A paper as people hold it: title, notes, sections with headings and instructions, items with marks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.kinds import ItemKind, kind_label
from item_formats.text import plain_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from item_formats.model import Item, ItemType

_HEADINGS = {ItemKind.SINGLE: "单项选择题", ItemKind.MULTIPLE: "多项选择题"}
_DIGITS = "零一二三四五六七八九"
_TASKS = {
    ItemKind.TRUE_FALSE: "将判断结果填入括号中，正确的填“√”，错误的填“×”。",
    ItemKind.SINGLE: "每题只有一个正确答案，将正确答案的字母填入括号中。",
    ItemKind.MULTIPLE: "每题有两个或两个以上正确答案，将正确答案的字母填入括号中；错选、漏选、多选均不得分。",
}


@dataclass(frozen=True, slots=True)
class PaperItem:
    item: Item
    marks: Decimal


@dataclass(frozen=True, slots=True)
class PaperSection:
    """`heading` such as 一、判断题, `instruction` in brackets as printed under it."""

    heading: str
    instruction: str
    items: tuple[PaperItem, ...]

    @property
    def marks(self) -> Decimal:
        return sum((entry.marks for entry in self.items), Decimal(0))


@dataclass(frozen=True, slots=True)
class PaperSheet:
    """Everything printed on one paper. `code` tells parallel papers apart (A, B …); `secrecy` is a mark such as 机密.

    Items are numbered through all sections. `notes` are the 注意事项; without any the usual four are printed.
    """

    title: str
    code: str
    minutes: int
    sections: tuple[PaperSection, ...]
    notes: tuple[str, ...] = ()
    series: str | None = None
    secrecy: str | None = None

    @property
    def total_marks(self) -> Decimal:
        return sum((section.marks for section in self.sections), Decimal(0))

    @property
    def printed_notes(self) -> tuple[str, ...]:
        return self.notes or (
            f"考试时间：{self.minutes}分钟，满分{plain_marks(self.total_marks)}分。",
            "请首先按要求在试卷密封线内填写姓名、准考证号和所在单位的名称。",
            "请仔细阅读各种题目的回答要求，在规定的位置填写答案。",
            "不要在试卷上乱写乱画，不要在密封线内填写无关的内容。",
        )


def paper_sections(
    groups: Iterable[tuple[ItemType | ItemKind, Sequence[tuple[Item, Decimal | float | int]]]],
) -> tuple[PaperSection, ...]:
    """Sections with the headings and instructions of the national papers, items numbered through.

    Each group is a kind and its items with marks, in the order they are printed.
    """
    sections: list[PaperSection] = []
    first = 1
    for place, (item_type, entries) in enumerate(groups, start=1):
        items = tuple(PaperItem(item, Decimal(str(marks))) for item, marks in entries)
        kind = ItemKind(item_type.value)
        heading = f"{chinese_numeral(place)}、{_HEADINGS.get(kind) or kind_label(kind) + '题'}"
        sections.append(PaperSection(heading, _instruction(kind, items, first), items))
        first += len(items)
    return tuple(sections)


def chinese_numeral(number: int) -> str:
    """1 to 99 as headings count: 一, 十, 十一, 二十, 二十一."""
    if not 1 <= number <= 99:
        message = f"headings are numbered from 1 to 99, not {number}"
        raise ValueError(message)
    tens, ones = divmod(number, 10)
    leading = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return leading + (_DIGITS[ones] if ones else "")


def _instruction(kind: ItemKind, items: Sequence[PaperItem], first: int) -> str:
    total = plain_marks(sum((entry.marks for entry in items), Decimal(0)))
    worth = sorted({entry.marks for entry in items})
    each = f"每题{plain_marks(worth[0])}分" if len(worth) == 1 else "每题分值见题后"
    last = first + len(items) - 1
    numbers = f"第{first}题～第{last}题" if last > first else f"第{first}题"
    return f"（{numbers}。{_TASKS.get(kind, '按题目要求作答。')}{each}，满分{total}分。）"
