"""The variables of one item session while rules run over them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.processing.values import Value, single
from item_formats.processing.variables import Declaration, coerced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from item_formats.processing.context import CustomOperator, ItemResult

COMPLETION_STATUS, NUM_ATTEMPTS, DURATION = "completionStatus", "numAttempts", "duration"
COMPLETION_STATES = ("not_attempted", "unknown", "incomplete", "completed")
BUILT_IN = {
    COMPLETION_STATUS: Declaration(
        "outcome", COMPLETION_STATUS, "single", "identifier", single("identifier", "not_attempted")
    ),
    NUM_ATTEMPTS: Declaration("response", NUM_ATTEMPTS, "single", "integer", single("integer", 0)),
    DURATION: Declaration("response", DURATION, "single", "duration", single("duration", 0.0)),
}


class Scope:
    """A context (see `context.Assignable`) over declared variables; values change, declarations stay."""

    __slots__ = ("_corrects", "_defaults", "_operators", "_random", "_values", "declarations", "seed")

    def __init__(
        self,
        declarations: Mapping[str, Declaration],
        values: dict[str, Value | None],
        *,
        seed: int | str,
        defaults: dict[str, Value | None] | None = None,
        corrects: dict[str, Value | None] | None = None,
        custom_operators: Mapping[str, CustomOperator] | None = None,
    ) -> None:
        self.declarations = declarations
        self.seed = seed
        self._random: Random | None = None
        self._values = values
        self._defaults = {} if defaults is None else defaults
        self._corrects = {} if corrects is None else corrects
        self._operators = custom_operators

    @property
    def random(self) -> Random:
        """Made when it is first asked for: few items need chance, and seeding takes as long as scoring."""
        if self._random is None:
            self._random = Random(self.seed)  # noqa: S311  # reproducible, not secret
        return self._random

    @property
    def values(self) -> dict[str, Value | None]:
        return self._values

    @property
    def defaults(self) -> dict[str, Value | None]:
        """Default values that rules have set."""
        return self._defaults

    @property
    def corrects(self) -> dict[str, Value | None]:
        """Correct responses that rules have set."""
        return self._corrects

    def variable(self, identifier: str) -> Value | None:
        return self._values.get(identifier)

    def declaration(self, identifier: str) -> Declaration | None:
        return self.declarations.get(identifier) or BUILT_IN.get(identifier)

    def default(self, identifier: str) -> Value | None:
        if identifier in self._defaults:
            return self._defaults[identifier]
        declaration = self.declaration(identifier)
        return None if declaration is None else declaration.default

    def correct(self, identifier: str) -> Value | None:
        if identifier in self._corrects:
            return self._corrects[identifier]
        declaration = self.declarations.get(identifier)
        return None if declaration is None else declaration.correct

    def weight(self, identifier: str, weight_identifier: str) -> float:  # noqa: ARG002  # items know no weights
        return 1.0

    def custom_operator(self, name: str) -> CustomOperator | None:
        return None if self._operators is None else self._operators.get(name)

    def item_results(self) -> Sequence[ItemResult]:
        message = "an item's rules ask about the items of a test: such expressions belong in outcome processing"
        raise ItemError(Finding("error", "outside-a-test", message))

    def assign(self, identifier: str, value: Value | None) -> None:
        self._values[identifier] = self._typed(identifier, value)

    def assign_default(self, identifier: str, value: Value | None) -> None:
        """Sets a default, and the variable with it: rules run before anything is answered or scored."""
        self._defaults[identifier] = self._values[identifier] = self._typed(identifier, value)

    def assign_correct(self, identifier: str, value: Value | None) -> None:
        self._corrects[identifier] = self._typed(identifier, value)

    def _typed(self, identifier: str, value: Value | None) -> Value | None:
        declaration = self.declaration(identifier)
        if declaration is None:
            message = f"a rule sets {identifier}, which is not declared"
            raise ItemError(Finding("error", "dangling-variable", message))
        try:
            return coerced(value, declaration.cardinality, declaration.base_type)
        except ValueError:
            given = "" if value is None else f"{value.cardinality} {value.base_type or ''}".strip()
            wanted = f"{declaration.cardinality} {declaration.base_type or ''}".strip()
            message = f"a rule sets {identifier}, which is {wanted}, to a value that is {given}: convert it first"
            raise ItemError(Finding("error", "wrong-type", message)) from None
