"""The test as its sessions need it: parts, sections and item references with their rules compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.model import Item
    from item_formats.processing.context import Assignable, Context
    from item_formats.processing.values import Value
    from item_formats.processing.variables import Declaration

    Expression = Callable[[Context], Value | None]
    Rules = Callable[[Assignable], None]

EXIT_TEST, EXIT_TESTPART, EXIT_SECTION = "EXIT_TEST", "EXIT_TESTPART", "EXIT_SECTION"
EXITS = frozenset({EXIT_TEST, EXIT_TESTPART, EXIT_SECTION})


@dataclass(frozen=True, slots=True)
class SessionControl:
    """What a candidate may do with an item. `max_attempts` 0 is as often as wanted."""

    max_attempts: int = 1
    show_feedback: bool = False
    allow_review: bool = True
    show_solution: bool = False
    allow_comment: bool = False
    allow_skipping: bool = True
    validate_responses: bool = False


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds, 0 and None for no limit. Unless `late`, nothing is accepted once `longest` has passed."""

    shortest: float
    longest: float | None
    late: bool


NO_LIMITS = TimeLimits(0.0, None, late=True)


@dataclass(frozen=True, slots=True)
class BranchRule:
    target: str
    condition: Expression


@dataclass(frozen=True, slots=True)
class Feedback:
    """Test feedback; `access` is ``during`` or ``atEnd``, `element` its content and when it shows."""

    identifier: str
    access: str
    title: str
    element: etree._Element = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ItemRef:
    """`mappings` gives the item's own name of a variable for the name the test uses.

    `item` is None when the test was read for its outcome processing only; `declarations` are then empty.
    """

    identifier: str
    categories: tuple[str, ...]
    required: bool
    fixed: bool
    preconditions: tuple[Expression, ...]
    branch_rules: tuple[BranchRule, ...]
    control: SessionControl
    limits: TimeLimits
    mappings: dict[str, str]
    weights: dict[str, float]
    template_defaults: dict[str, Expression]
    item: Item | None
    declarations: dict[str, Declaration] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Section:
    """`select` children are taken (None: all), shuffled when `shuffle`."""

    identifier: str
    title: str
    required: bool
    fixed: bool
    visible: bool
    keep_together: bool
    preconditions: tuple[Expression, ...]
    branch_rules: tuple[BranchRule, ...]
    limits: TimeLimits
    select: int | None
    with_replacement: bool
    shuffle: bool
    children: tuple[Section | ItemRef, ...]


@dataclass(frozen=True, slots=True)
class Part:
    identifier: str
    linear: bool
    simultaneous: bool
    preconditions: tuple[Expression, ...]
    branch_rules: tuple[BranchRule, ...]
    limits: TimeLimits
    sections: tuple[Section, ...]
    feedback: tuple[Feedback, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A test ready for sessions. `sections` and `refs` find the sections and item references by identifier."""

    identifier: str
    digest: str
    parts: tuple[Part, ...]
    sections: dict[str, Section]
    refs: dict[str, ItemRef]
    limits: TimeLimits
    declarations: dict[str, Declaration]
    outcome_rules: Rules | None
    feedback: tuple[Feedback, ...]

    def part(self, identifier: str) -> Part:
        return next(part for part in self.parts if part.identifier == identifier)
