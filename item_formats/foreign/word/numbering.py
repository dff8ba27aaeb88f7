"""Word's automatic numbers as the text a reader sees: ``1．``, ``（一）``, ``A.``"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DEEPEST_STYLE = 20
_LEVELS = 9


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    fmt: str
    text: str
    restart: bool
    legal: bool


@dataclass(slots=True)
class _Number:
    abstract: str
    starts: dict[int, int] = field(default_factory=dict)
    levels: dict[int, _Level] = field(default_factory=dict)


class Numbering:
    """Counts paragraphs as Word does; `label` is asked for each numbered paragraph in order."""

    def __init__(self, numbering: etree._Element | None, styles: etree._Element | None) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._numbers: dict[str, _Number] = {}
        self._of_style: dict[str, tuple[str | None, int | None, str | None]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()
        for abstract in numbering.iter(f"{W}abstractNum") if numbering is not None else ():
            levels = {_whole(level, "ilvl"): _level(level) for level in abstract.iter(f"{W}lvl")}
            self._levels[abstract.get(f"{W}abstractNumId", "")] = levels
        for number in numbering.iter(f"{W}num") if numbering is not None else ():
            self._numbers[number.get(f"{W}numId", "")] = _number(number)
        for style in styles.iter(f"{W}style") if styles is not None else ():
            properties = style.find(f"{W}pPr/{W}numPr")
            numbered = (_value(properties, "numId"), _value(properties, "ilvl"))
            level = _figure(numbered[1])
            self._of_style[style.get(f"{W}styleId", "")] = (numbered[0], level, _value(style, "basedOn"))

    def label(self, properties: etree._Element | None) -> str:
        """The number of a paragraph with these properties, "" when it has none; a bullet is "•"."""
        if properties is None:
            return ""
        number, level = self._place(properties)
        listed = self._numbers.get(number or "")
        if listed is None or number == "0":
            return ""
        levels = self._levels.get(listed.abstract, {}) | listed.levels
        if level not in levels:
            return ""
        counts = self._counted(number or "", listed, level, levels)
        here = levels[level]
        if here.fmt == "bullet":
            return "•"
        return re.sub(r"%([1-9])", lambda found: _part(int(found[1]) - 1, levels, counts, legal=here.legal), here.text)

    def _place(self, properties: etree._Element) -> tuple[str | None, int]:
        direct = properties.find(f"{W}numPr")
        number, level = _value(direct, "numId"), _value(direct, "ilvl")
        style = _value(properties, "pStyle")
        found_level = _figure(level)
        for _ in range(_DEEPEST_STYLE):
            if style is None or (number is not None and found_level is not None):
                break
            style_number, style_level, based = self._of_style.get(style, (None, None, None))
            number = style_number if number is None else number
            found_level = style_level if found_level is None else found_level
            style = based
        return number, found_level or 0

    def _counted(self, number: str, listed: _Number, level: int, levels: dict[int, _Level]) -> dict[int, int]:
        counts = self._counts.setdefault(listed.abstract, {})
        first_use = (number, level) not in self._begun
        self._begun.add((number, level))
        if first_use and level in listed.starts:
            counts[level] = listed.starts[level]
        elif level in counts:
            counts[level] += 1
        else:
            counts[level] = levels[level].start
        for deeper in range(level + 1, _LEVELS):
            if deeper not in levels or levels[deeper].restart:
                counts.pop(deeper, None)
        return counts


def _value(parent: etree._Element | None, name: str) -> str | None:
    child = parent.find(f"{W}{name}") if parent is not None else None
    return None if child is None else child.get(f"{W}val")


def _figure(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _whole(element: etree._Element, name: str) -> int:
    text = element.get(f"{W}{name}", "0")
    return int(text) if text.isdigit() else 0


def _level(element: etree._Element) -> _Level:
    start = _value(element, "start") or "1"
    return _Level(
        start=int(start) if start.isdigit() else 1,
        fmt=_value(element, "numFmt") or "decimal",
        text=_value(element, "lvlText") or "",
        restart=_value(element, "lvlRestart") != "0",
        legal=element.find(f"{W}isLgl") is not None,
    )


def _number(element: etree._Element) -> _Number:
    found = _Number(_value(element, "abstractNumId") or "")
    for override in element.iter(f"{W}lvlOverride"):
        level = _whole(override, "ilvl")
        start = _value(override, "startOverride") or ""
        if start.isdigit():
            found.starts[level] = int(start)
        own = override.find(f"{W}lvl")
        if own is not None:
            found.levels[level] = _level(own)
    return found


def _part(level: int, levels: dict[int, _Level], counts: dict[int, int], *, legal: bool) -> str:
    if level not in levels:
        return ""
    count = counts.get(level, levels[level].start)
    return str(count) if legal else numeral(count, levels[level].fmt)


def numeral(count: int, fmt: str) -> str:
    """A number as a numbering format of Word writes it; unknown formats are written in figures."""
    write = _FORMATS.get(fmt)
    return str(count) if write is None else write(count)


_DIGITS = "〇一二三四五六七八九"


def chinese(count: int) -> str:
    """一 … 九十九, 一百〇一 …: as far as papers count."""
    if count < 1 or count > 999:
        return str(count)
    hundreds, rest = divmod(count, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "〇"
    return text + (_DIGITS[ones] if ones else "")


def _letters(count: int) -> str:
    """A … Z, AA, BB …, as Word goes on."""
    return chr(ord("A") + (count - 1) % 26) * ((count - 1) // 26 + 1) if count > 0 else str(count)


def _roman(count: int) -> str:
    text = ""
    for value, sign in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
        strict=True,
    ):
        text += sign * (count // value)
        count %= value
    return text


def _from_row(signs: str) -> Callable[[int], str]:
    return lambda count: signs[count - 1] if 1 <= count <= len(signs) else str(count)


def _full_width(count: int) -> str:
    return "".join(chr(ord(figure) + 0xFEE0) for figure in str(count))


def _formal(count: int) -> str:
    return chinese(count).translate(str.maketrans("〇一二三四五六七八九十百", "零壹贰叁肆伍陆柒捌玖拾佰"))


_FORMATS: dict[str, Callable[[int], str]] = {
    "none": lambda _: "",
    "decimalZero": lambda count: f"{count:02d}",
    "upperLetter": _letters,
    "lowerLetter": lambda count: _letters(count).lower(),
    "upperRoman": _roman,
    "lowerRoman": lambda count: _roman(count).lower(),
    "decimalFullWidth": _full_width,
    "decimalFullWidth2": _full_width,
    "decimalEnclosedCircle": _from_row("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    "decimalEnclosedCircleChinese": _from_row("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"),
    "decimalEnclosedParen": _from_row("⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇"),
    "decimalEnclosedFullstop": _from_row("⒈⒉⒊⒋⒌⒍⒎⒏⒐⒑⒒⒓⒔⒕⒖⒗⒘⒙⒚⒛"),
    "ideographTraditional": _from_row("甲乙丙丁戊己庚辛壬癸"),
    "ideographZodiac": _from_row("子丑寅卯辰巳午未申酉戌亥"),
    "ideographDigital": lambda count: "".join(_DIGITS[int(figure)] for figure in str(count)),
    "chineseLegalSimplified": _formal,
    **dict.fromkeys(
        (
            "chineseCounting",
            "chineseCountingThousand",
            "japaneseCounting",
            "taiwaneseCounting",
            "ideographEnclosedCircle",
        ),
        chinese,
    ),
}
