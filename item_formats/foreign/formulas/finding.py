r"""Formulas typed into plain text: ``\( \)``, ``\[ \]``, ``$…$`` and ``$$…$$``, but never amounts of money."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.foreign.extras import MissingExtraError
from item_formats.foreign.formulas.latex import FormulaError, latex_to_mathml
from item_formats.text import as_markup

if TYPE_CHECKING:
    from collections.abc import Iterator

_BRACKETED = r"\\\((?P<inline>.+?)\\\)|\\\[(?P<display>.+?)\\\]|(?<!\\)\$\$(?P<displayed>[^$]+?)(?<!\\)\$\$"
# As in Pandoc, no space inside the signs and no figure after them; more, no letter before or after: US$5, $HOME/$PATH.
_DOLLARS = r"(?<![\\$A-Za-z0-9_])\$(?=[^\s$])(?P<dollars>[^$\n]*?[^\s\\$])\$(?![A-Za-z0-9_$])"
_FORMULA = re.compile(f"{_BRACKETED}|{_DOLLARS}", re.DOTALL)
_WORDS_INSIDE = re.compile(r"\\(?:text|mbox|textrm|textbf|mathrm|operatorname)\s*\{[^{}]*\}")
_CHINESE = re.compile("[\u2e80-\u9fff\uff00-\uffef\u3000-\u303f]")
_SIGN = re.compile(r"[\\^_=+\-*/<>{}|]|^[A-Za-z0-9.,%'!()]{1,8}$")


@dataclass(frozen=True, slots=True)
class Formula:
    latex: str
    display: bool
    written: str  # with its signs, as it stands in the text


def formulas_in(text: str) -> Iterator[str | Formula]:
    """The text in pieces: plain stretches and formulas, in order."""
    place = start = 0
    while found := _FORMULA.search(text, place):
        groups = found.groupdict()
        amount = groups["dollars"]
        if amount is not None and not _is_formula(amount):
            place = found.start() + 1
            continue
        if found.start() > start:
            yield text[start : found.start()]
        latex = next(group for group in groups.values() if group is not None)
        yield Formula(latex, groups["display"] is not None or groups["displayed"] is not None, found[0])
        place = start = found.end()
    if start < len(text):
        yield text[start:]


def formula_markup(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Plain text as markup with MathML, and code and message of each formula that stays as it was typed."""
    if "$" not in text and "\\" not in text:
        return as_markup(text), []
    pieces: list[str] = []
    problems: list[tuple[str, str]] = []
    for piece in formulas_in(text):
        if isinstance(piece, str):
            pieces.append(as_markup(piece))
            continue
        try:
            pieces.append(latex_to_mathml(piece.latex, display=piece.display))
        except FormulaError as error:
            problems.append(("formula", f"{error}; it stays as text: correct it if it is a formula"))
            pieces.append(as_markup(piece.written))
        except MissingExtraError as error:
            problems.append(("formula-needs-extra", f"“{piece.written}” stays as text: {error}"))
            pieces.append(as_markup(piece.written))
    return "".join(pieces), problems


def _is_formula(between_dollars: str) -> bool:
    """Chinese between two dollar signs is a sentence about money; so are words without any sign of mathematics."""
    plain = _WORDS_INSIDE.sub("", between_dollars)
    return not _CHINESE.search(plain) and bool(_SIGN.search(between_dollars))
