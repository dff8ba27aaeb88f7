"""A test session at one moment, as plain data: it can be stored at any point and resumed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from item_formats.processing import ItemState, Plain
    from item_formats.sessions.definition import Definition
    from item_formats.sessions.routes import Stop

Status = Literal["running", "suspended", "ended"]
Phase = Literal["initial", "interacting", "suspended", "closed", "review", "solution"]


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Where a delivery may go beyond the QTI text; the defaults are the text.

    `force_preconditions` and `force_branch_rules` heed the rules of items and sections in nonlinear parts too;
    `track_path` makes `MoveBack` return along the way the candidate came instead of one item back;
    `allow_jumps` lets candidates jump in linear parts.
    """

    force_preconditions: bool = False
    force_branch_rules: bool = False
    track_path: bool = False
    allow_jumps: bool = False


@dataclass(frozen=True, slots=True)
class ItemSession:
    """One appearance of an item in a session.

    `attempts` counts attempts begun, `open` says whether the last one is not handed in yet, `saved` holds responses
    not processed yet (None: none), `seconds` the time spent answering, `late` that something was handed in after the
    time was up, `item` what processing left (None until the item is set up).
    """

    phase: Phase = "initial"
    visited: bool = False
    attempts: int = 0
    open: bool = False
    saved: dict[str, Plain] | None = None
    completion_status: str = "not_attempted"
    seconds: float = 0.0
    late: bool = False
    comment: str = ""
    item: ItemState | None = None


@dataclass(frozen=True, slots=True)
class TestState:
    """A session of one candidate.

    `position` is the place on `route` of the current item (None before and after), `items` the item sessions by name
    (``Q01.1``), `outcomes` the test's outcome variables, `seconds` the time spent by identifier of test part and
    section, with the whole test under "". `handed_in` names the simultaneous parts already processed, `path` the
    positions the candidate came by, `last` the appearance handed in last of each item reference, `steps` the events so
    far. `definition` is the test itself, shared by all its sessions and not stored with them.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    seed: int
    rules: SessionRules
    route: tuple[Stop, ...]
    status: Status
    position: int | None
    items: dict[str, ItemSession]
    outcomes: dict[str, Plain]
    seconds: dict[str, float]
    handed_in: tuple[str, ...]
    path: tuple[int, ...]
    last: dict[str, int]
    steps: int
    definition: Definition = field(compare=False, repr=False)

    @property
    def current(self) -> str | None:
        """Name of the current item, such as ``Q01.1``."""
        return None if self.position is None else self.route[self.position].key

    def with_item(self, key: str, session: ItemSession) -> TestState:
        return replace(self, items={**self.items, key: session})
