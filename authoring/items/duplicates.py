"""Is this question in the bank already? Equal texts by digest, near ones by the bigrams they share.

Two texts are as near as the Jaccard index of their character bigrams, found exactly through an inverted index. Stems
and options are compared apart: 下列说法正确的是（ ） opens many different questions.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats import ItemType, picture_addresses, shown_choices

if TYPE_CHECKING:
    from item_formats import Item

NEAR = 0.6  # Jaccard index from which two stems, and the options of two choice items, are worth a person's look


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A question as it is compared: NFKC, case and spaces folded away; options sorted, one a line."""

    stem: str
    options: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.stem}\n\n{self.options}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest question: Jaccard index of the stems, and of the options if both have any."""

    code: str
    stem: float
    options: float | None


def folded_text(item: Item) -> FoldedText:
    """The text of an item for comparison. True/false options say nothing and are left out; pictures count."""
    texts = [] if item.item_type is ItemType.TRUE_FALSE else shown_choices(item)
    texts += [f"图{hashlib.sha256(picture.encode()).hexdigest()[:12]}" for picture in picture_addresses(item)]
    return FoldedText(_fold(item.stem_text), "\n".join(sorted(_fold(text) for text in texts)))


class NearDuplicates:
    """An inverted index of bigrams over the questions added so far."""

    def __init__(self) -> None:
        self._codes: list[str] = []
        self._sizes: list[int] = []
        self._options: list[frozenset[str]] = []
        self._postings: dict[str, list[int]] = {}

    def add(self, code: str, text: FoldedText) -> None:
        place = len(self._codes)
        stem = _bigrams(text.stem)
        self._codes.append(code)
        self._sizes.append(len(stem))
        self._options.append(_bigrams(text.options))
        for bigram in stem:
            self._postings.setdefault(bigram, []).append(place)

    def nearest(self, text: FoldedText) -> Near | None:
        """The most similar question, if one is near enough to be the same; ties go to the lowest code."""
        stem, options = _bigrams(text.stem), _bigrams(text.options)
        shared: Counter[int] = Counter()
        for bigram in stem:
            shared.update(self._postings.get(bigram, ()))
        best: Near | None = None
        for place, both in shared.items():
            stems = both / (len(stem) + self._sizes[place] - both)
            if stems < NEAR:
                continue
            theirs = self._options[place]
            alike = _jaccard(options, theirs) if options and theirs else None
            if alike is not None and alike < NEAR:
                continue
            near = Near(self._codes[place], stems, alike)
            if best is None or (-near.stem, near.code) < (-best.stem, best.code):
                best = near
        return best


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _bigrams(text: str) -> frozenset[str]:
    words = "".join(c for c in text if unicodedata.category(c)[0] not in "PZC")  # 。 and （ ） make no question similar
    return frozenset(words[start : start + 2] for start in range(len(words) - 1)) or frozenset({words} - {""})


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
