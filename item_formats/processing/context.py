"""What an expression may ask and a rule may change: the variables of an item or a test, chance, and a test's items."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from item_formats.processing.values import Value
    from item_formats.processing.variables import Declaration


# From the values of the sub-expressions, None for NULL, to the operator's: a Value or None, which is checked.
CustomOperator = Callable[..., object]


class ItemResult(Protocol):
    """One item of a test as the candidate went through it: what the expressions over item subsets ask.

    `sections` are the identifiers of every section around the item, `presented` that it was attempted at least once,
    `responded` that then a response differed from its default, `correct` that all its responses match their correct
    ones: None when a response has no correct one (QTI 3: such items are not considered).
    """

    @property
    def identifier(self) -> str: ...
    @property
    def sections(self) -> Sequence[str]: ...
    @property
    def categories(self) -> Sequence[str]: ...
    @property
    def presented(self) -> bool: ...
    @property
    def responded(self) -> bool: ...
    @property
    def correct(self) -> bool | None: ...
    def variable(self, identifier: str) -> Value | None:
        """An outcome (or response) of the item; NULL when it has none of that name."""

    def bounds(self, identifier: str) -> tuple[float | None, float | None] | None:
        """Normal minimum and normal maximum the item declares for a single outcome; None when it has no such one."""

    def weight(self, identifier: str) -> float:
        """The weight of that name on the item reference; 1 when it has none (QTI 3, *weight*)."""


class Context(Protocol):
    """What expressions read. Test variables of items are asked as ``Q01.SCORE``, of a repeat as ``Q01.2.SCORE``."""

    @property
    def random(self) -> Random: ...
    def variable(self, identifier: str) -> Value | None: ...
    def declaration(self, identifier: str) -> Declaration | None: ...
    def default(self, identifier: str) -> Value | None:
        """The default value now: declared, or set by template or outcome processing."""

    def correct(self, identifier: str) -> Value | None:
        """The correct response now: declared, or set by template processing."""

    def weight(self, identifier: str, weight_identifier: str) -> float:
        """The weight for an item variable ``Q01.SCORE`` asked with `weight-identifier`; 1 when there is none."""

    def custom_operator(self, name: str) -> CustomOperator | None:
        """What the caller says the custom operator of that class or definition does; None when nobody said."""

    def item_results(self) -> Sequence[ItemResult]:
        """The items of the test; raises `ItemError` where there is no test."""


class Assignable(Context, Protocol):
    """What rules change."""

    def assign(self, identifier: str, value: Value | None) -> None: ...
    def assign_default(self, identifier: str, value: Value | None) -> None: ...
    def assign_correct(self, identifier: str, value: Value | None) -> None: ...
