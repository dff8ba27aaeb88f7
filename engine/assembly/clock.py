"""A time limit on an assembly: what it costs is that the result cannot be repeated, so the result says so.

Searches stop on work (nodes, exchanges) unless a person who waits sets a limit. Whatever searches asks here whether the
time is up, so that no search has to hand the limit on to the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf


@dataclass(slots=True)
class Clock:
    """When to stop, and whether anything has had to."""

    until: float = inf
    struck: bool = False


_clock: ContextVar[Clock | None] = ContextVar("clock", default=None)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[Clock]:
    """The limit on everything that is searched inside; none where `seconds` is None."""
    clock = Clock(inf if seconds is None else time.monotonic() + seconds)
    before = _clock.set(clock)
    try:
        yield clock
    finally:
        _clock.reset(before)


@contextmanager
def part_of_the_time(parts: int) -> Iterator[None]:
    """What is searched inside has one of `parts` equal parts of the time that is left."""
    outer = _clock.get()
    left = seconds_left()
    with time_limit(left / parts if left < inf else None) as clock:
        yield
    if outer is not None:
        outer.struck |= clock.struck


def seconds_left() -> float:
    """Infinite where there is no limit."""
    clock = _clock.get()
    return inf if clock is None or clock.until == inf else max(clock.until - time.monotonic(), 0.0)


def time_ran_out() -> bool:
    """Has the limit ended any search so far?"""
    clock = _clock.get()
    return clock is not None and clock.struck


def time_is_up() -> bool:
    """Must the search stop with what it has?"""
    clock = _clock.get()
    if clock is None or time.monotonic() < clock.until:
        return False
    clock.struck = True
    return True
