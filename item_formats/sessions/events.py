"""What can happen in a test session, and what it is called when it may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.sessions.state import TestState

# What a candidate answered, by response identifier: texts, numbers, lists of them for containers, dictionaries for
# records, None for nothing (`processing.values.read_plain` says how pairs and points are written).
Responses = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`seconds` went by since the event before; the machine never looks at a clock.

    They are spent where the candidate was when the event came: in the test, its part and sections, and in the item
    while an attempt at it is open. Nothing passes while the session is suspended.
    """

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BeginAttempt(Event):
    """The candidate begins to answer the current item, or goes on with the attempt that is open."""


@dataclass(frozen=True, slots=True)
class Save(Event):
    """What the candidate has answered so far is kept, but not handed in."""

    responses: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndAttempt(Event):
    """The candidate hands in the current item. Responses that are not named are NULL."""

    responses: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skip(Event):
    """The current item is handed in without an answer."""


@dataclass(frozen=True, slots=True)
class MoveNext(Event):
    """On to the next item the rules of the test lead to; after the last one the test is over."""


@dataclass(frozen=True, slots=True)
class MoveBack(Event):
    """Back to the item before; at the first one nothing happens."""


@dataclass(frozen=True, slots=True)
class JumpTo(Event):
    """To an item of the route, by its place (from 0) or by its name, ``Q01`` or ``Q01.2``."""

    target: int | str = 0


@dataclass(frozen=True, slots=True)
class Comment(Event):
    """What the candidate remarks on the current item; "" takes the remark away."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Review(Event):
    """The candidate looks again at an item that is finished, and at the answers given."""


@dataclass(frozen=True, slots=True)
class ShowSolution(Event):
    """The candidate is shown the solution of an item that is finished."""


@dataclass(frozen=True, slots=True)
class Suspend(Event):
    """The whole session rests: no time passes until it is resumed."""


@dataclass(frozen=True, slots=True)
class Resume(Event):
    """The session goes on where it was suspended."""


@dataclass(frozen=True, slots=True)
class Tick(Event):
    """Time has passed, and nothing else: what is over when its time is up is over now."""


@dataclass(frozen=True, slots=True)
class EndTest(Event):
    """The session is over, whatever is left; responses waiting for the end of their part are processed."""


class SessionError(ValueError):
    """An event that is not allowed now. `code` says why, `state` is the session afterwards.

    A refused event changes nothing but the time: `state` is the state before it, with its seconds counted (and what
    ran out of time closed). Go on with it.
    """

    def __init__(self, code: str, message: str, state: TestState) -> None:
        self.code = code
        self.message = message
        self.state = state
        super().__init__(f"{code}: {message}")


class RefusedError(Exception):
    """Inside the machine only: why an event is refused, before the state it leaves is known."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)
