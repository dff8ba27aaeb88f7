"""A question as other programs know it: what a foreign format says of it, between that format and QTI."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    TRUE_FALSE = "true_false"
    SINGLE = "single"
    MULTIPLE = "multiple"
    GAPS = "gaps"  # words to write in
    NUMBER = "number"
    ESSAY = "essay"
    MATCHING = "matching"


@dataclass(frozen=True, slots=True)
class Choice:
    """An option; `fraction` is the share of the marks for choosing it, which can be negative."""

    markup: str
    fraction: Decimal = Decimal(0)
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody may write: a word for a gap, or a number within `tolerance`."""

    text: str
    fraction: Decimal = Decimal(1)
    tolerance: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Question:
    """All content is markup (see `markup`). A true/false question has the options true and false, in this order.

    `partial` says that the fractions of the choices add up to the score; without it, all or nothing counts. `answers`
    are the accepted answers of each gap; the stem holds a `markup.GAP` for each, or none when there is one at the end.
    `unmatched` are answers of a matching question that belong to nothing.
    """

    identifier: str
    kind: Kind
    stem: str
    choices: tuple[Choice, ...] = ()
    partial: bool = False
    shuffle: bool = True
    answers: tuple[tuple[Answer, ...], ...] = ()
    case_sensitive: bool = False
    pairs: tuple[tuple[str, str], ...] = ()
    unmatched: tuple[str, ...] = ()
    model_answer: str = ""
    rationale: str = ""
    title: str | None = None
    language: str = "zh-CN"

    @property
    def keys(self) -> tuple[int, ...]:
        """Places of the options that are right."""
        if self.kind is Kind.MULTIPLE:
            return tuple(place for place, choice in enumerate(self.choices) if choice.fraction > 0)
        best = max((choice.fraction for choice in self.choices), default=Decimal(0))
        return tuple(place for place, choice in enumerate(self.choices) if choice.fraction == best > 0)[:1]
