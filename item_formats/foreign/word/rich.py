"""Text with formats, pictures and formulas in it, that can be cut and searched like text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from item_formats.foreign.formulas import formula_markup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OBJECT = "\ufffc"  # stands for a picture, formula or table in the text
_TAGS = {"strong": "strong", "em": "em", "underline": 'span class="qti-underline"', "sub": "sub", "sup": "sup"}
_WHITE = " \t\n\u3000\u00a0"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one format; or, with `markup`, one thing that is not text."""

    text: str
    formats: frozenset[str] = frozenset()
    markup: str = ""


@dataclass(frozen=True)
class Rich:
    pieces: tuple[Piece, ...] = ()

    @classmethod
    def plain(cls, text: str) -> Rich:
        return cls((Piece(text),)) if text else cls()

    @cached_property
    def text(self) -> str:
        """The text, with `OBJECT` for everything that is not text."""
        return "".join(piece.text for piece in self.pieces)

    def __add__(self, other: Rich) -> Rich:
        return Rich(self.pieces + other.pieces)

    def __bool__(self) -> bool:
        return bool(self.text)

    def cut(self, start: int, end: int | None = None) -> Rich:
        """The stretch from one place of `text` to another."""
        end = len(self.text) if end is None else end
        kept = []
        place = 0
        for piece in self.pieces:
            first, last = max(start - place, 0), min(end - place, len(piece.text))
            if first < last:
                kept.append(piece if last - first == len(piece.text) else replace(piece, text=piece.text[first:last]))
            place += len(piece.text)
        return Rich(tuple(kept))

    def strip(self) -> Rich:
        text = self.text
        start = len(text) - len(text.lstrip(_WHITE))
        return self.cut(start, max(start, len(text.rstrip(_WHITE))))

    def replaced(self, start: int, end: int, by: Rich) -> Rich:
        return self.cut(0, start) + by + self.cut(end)

    def without(self, fmt: str) -> Rich:
        return Rich(tuple(replace(piece, formats=piece.formats - {fmt}) for piece in self.pieces))

    def is_all(self, fmt: str) -> bool:
        """Whether every word is in this format."""
        return all(fmt in piece.formats for piece in self.pieces if piece.text.strip(_WHITE + OBJECT))

    def markup(self, problem: Callable[[str, str], None]) -> str:
        """QTI markup; LaTeX in it becomes MathML, and `problem` hears code and message where it cannot."""
        written = []
        for (formats, is_text), group in groupby(self.pieces, key=lambda piece: (piece.formats, not piece.markup)):
            pieces = list(group)
            if is_text:
                content, problems = formula_markup("".join(piece.text for piece in pieces))
                for code, message in problems:
                    problem(code, message)
            else:
                content = "".join(piece.markup for piece in pieces)
            names = [_TAGS[name] for name in _TAGS if name in formats] if content.strip() else []
            if content.startswith("<table"):
                names = []
            opening = "".join(f"<{name}>" for name in names)
            closing = "".join(f"</{name.partition(' ')[0]}>" for name in reversed(names))
            written.append(f"{opening}{content}{closing}")
        return "".join(written).replace("<br/><table", "<table").replace("</table><br/>", "</table>")


def joined(parts: Iterable[Rich], separator: str = "\n") -> Rich:
    """Parts with a separator between them; empty ones are left out."""
    result = Rich()
    for part in parts:
        if part:
            result = result + Rich.plain(separator) + part if result else part
    return result
