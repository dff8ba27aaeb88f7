"""Settings by item: an id, or a pattern such as `CR*`, the most exact first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

Setting = TypeVar("Setting")


class PatternError(ValueError):
    """A pattern that fits no item, or an item that no pattern fits."""


def settings_of(item: str, settings: Mapping[str, Setting], ordered: Sequence[str]) -> list[Setting]:
    """All settings that fit an item, the most exact first."""
    exact = [settings[item]] if item in settings else []
    return exact + [settings[pattern] for pattern in ordered if pattern != item and fnmatchcase(item, pattern)]


def ordered_patterns(settings: Mapping[str, object], items: Sequence[str], what: str) -> list[str]:
    """Patterns by the length of what they spell out, longest first. Raises PatternError for one that fits no item."""
    known = set(items)
    for pattern in settings:
        if pattern not in known and not any(fnmatchcase(item, pattern) for item in items):
            raise PatternError(f"{what} for {pattern!r}: no item has that id or fits that pattern")
    return sorted(settings, key=lambda pattern: (-len(pattern.replace("*", "").replace("?", "")), pattern))
