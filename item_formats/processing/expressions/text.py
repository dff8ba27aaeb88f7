"""Comparing texts: string-match, substring, and pattern-match with the regular expressions of XML Schema."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import is_true
from item_formats.processing.expressions.patterns import Pattern, PatternError
from item_formats.processing.expressions.registry import Expression, Operands, expression, refusal, text_of
from item_formats.processing.values import Value, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.processing.context import Context


@expression("qti-string-match", 2, 2)
def string_match(element: etree._Element, operands: Operands) -> Expression:
    """Equal texts; with the old attribute `substring`, the first text holds the second."""
    if is_true(element, "substring"):
        return _compared(element, operands, lambda first, second: second in first)
    return _compared(element, operands, lambda first, second: first == second)


@expression("qti-substring", 2, 2)
def substring(element: etree._Element, operands: Operands) -> Expression:
    """Whether the first text is part of the second."""
    return _compared(element, operands, lambda first, second: first in second)


@expression("qti-pattern-match", 1, 1)
def pattern_match(element: etree._Element, operands: Operands) -> Expression:
    """Whether the pattern, or the one in the variable ``{NAME}``, describes the whole text."""
    (operand,), written = operands, element.get("pattern")
    if written is None:
        raise refusal(element, "missing-attribute", "pattern is missing: write a regular expression")
    reference = _REFERENCE.fullmatch(written)
    fixed = None if reference else _of_element(element, written)

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        if value is None:
            return None
        text = text_of(element, value)
        if reference is None or fixed is not None:
            return truth(fixed is not None and fixed.matches(text))
        held = context.variable(reference[1])
        return None if held is None else truth(_of_element(element, text_of(element, held)).matches(text))

    return evaluate


def compile_pattern(written: str) -> Callable[[str], bool]:
    """Whether a text is all described by an XML Schema pattern, as a function of the text.

    Raises
    ------
    ItemError
        Not a pattern, or one too long to run.
    """
    try:
        return _pattern(written).matches
    except PatternError as error:
        raise ItemError(Finding("error", "bad-pattern", f"“{written}” is no XML Schema pattern: {error}")) from None


_REFERENCE = re.compile(r"\{([^\W\d][\w.\-]*)\}")


@lru_cache(maxsize=1_000)
def _pattern(written: str) -> Pattern:
    return Pattern(written)


def _of_element(element: etree._Element, written: str) -> Pattern:
    try:
        return _pattern(written)
    except PatternError as error:
        raise refusal(element, "bad-pattern", f'pattern="{written}" is no XML Schema pattern: {error}') from None


def _compared(element: etree._Element, operands: Operands, compare: Callable[[str, str], bool]) -> Expression:
    first, second = operands
    fold = not is_true(element, "case-sensitive", default=True)

    def evaluate(context: Context) -> Value | None:
        one, other = first(context), second(context)
        texts = [text_of(element, value) for value in (one, other) if value is not None]
        if len(texts) < 2:
            return None
        return truth(compare(*(text.casefold() for text in texts)) if fold else compare(*texts))

    return evaluate
