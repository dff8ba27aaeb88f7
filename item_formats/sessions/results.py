"""What a test knows of its items, and the outcomes it makes of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.processing.scope import BUILT_IN, DURATION
from item_formats.processing.values import Plain, Value, plain, single, values_match
from item_formats.processing.variables import Declaration, coerced, typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from item_formats.sessions.definition import Definition, ItemRef


@dataclass(frozen=True, slots=True)
class Result:
    """One appearance of an item, as the expressions of the test see it (`processing.context.ItemResult`).

    `values` are its response, outcome and built-in variables under the item's own names, `corrects` the correct
    responses that hold (templates can set them).
    """

    ref: ItemRef
    occurrence: int
    sections: tuple[str, ...]
    attempts: int
    values: Mapping[str, Value | None]
    corrects: Mapping[str, Value | None] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        return self.ref.identifier

    @property
    def categories(self) -> tuple[str, ...]:
        return self.ref.categories

    @property
    def presented(self) -> bool:
        """Attempted at least once, answered or not (QTI 3, *number-presented*)."""
        return self.attempts > 0

    @property
    def responded(self) -> bool:
        """A response differs from its default (QTI 3, *number-responded*)."""
        return self.presented and any(
            self.values.get(name) is not None and not values_match(self.values[name], declaration.default)
            for name, declaration in self._responses()
        )

    @property
    def correct(self) -> bool | None:
        """Whether every response matches its correct response; None when one has none (QTI 3, *number-correct*)."""
        names = [name for name, _ in self._responses()]
        if not names or any(self.corrects.get(name) is None for name in names):
            return None
        return all(values_match(self.values.get(name), self.corrects[name]) for name in names)

    def variable(self, identifier: str) -> Value | None:
        """By the name the test uses: a mapped variable has its new name only (QTI 3, *variable-mapping*)."""
        own = self.own_name(identifier)
        return None if own is None else self.values.get(own)

    def bounds(self, identifier: str) -> tuple[float | None, float | None] | None:
        declaration = self.ref.declarations.get(self.own_name(identifier) or "")
        return None if declaration is None else (declaration.normal_minimum, declaration.normal_maximum)

    def weight(self, identifier: str) -> float:
        return self.ref.weights.get(identifier, 1.0)

    def own_name(self, identifier: str) -> str | None:
        if identifier in self.ref.mappings:
            return self.ref.mappings[identifier]
        return None if identifier in self.ref.mappings.values() else identifier

    def _responses(self) -> list[tuple[str, Declaration]]:
        return [(name, found) for name, found in self.ref.declarations.items() if found.kind == "response"]


class TestContext:
    """What the rules of a test read and set (`processing.context.Assignable`).

    `results` in the order of the route, `last` the appearance handed in last of each reference of simultaneous parts
    (that of others is undefined), `seconds` by identifier of part or section, "" for the test.
    """

    __test__ = False

    def __init__(
        self,
        definition: Definition,
        results: Sequence[Result],
        outcomes: Mapping[str, Plain],
        *,
        random: Random,
        seconds: Mapping[str, float],
        last: Mapping[str, int],
    ) -> None:
        self.definition = definition
        self.results = results
        self.random = random
        self.seconds = seconds
        self.last = last
        self.values = {
            name: typed(found, outcomes[name]) if name in outcomes else found.start
            for name, found in definition.declarations.items()
        }

    def item_results(self) -> Sequence[Result]:
        return self.results

    def variable(self, identifier: str) -> Value | None:
        if identifier in self.values:
            return self.values[identifier]
        found = self._item_variable(identifier)
        if found is not None:
            result, name = found
            return result.values.get(result.ref.mappings.get(name, name))
        holder = "" if identifier == DURATION else identifier.removesuffix(f".{DURATION}")
        if holder == identifier:
            return None
        holder = "" if holder == self.definition.identifier else holder
        return single("duration", float(self.seconds[holder])) if holder in self.seconds else None

    def declaration(self, identifier: str) -> Declaration | None:
        if identifier in self.definition.declarations:
            return self.definition.declarations[identifier]
        found = self._named(identifier)
        if found is None:
            return BUILT_IN[DURATION] if identifier.rpartition(".")[2] == DURATION else None
        ref, _, name = found
        own = ref.mappings.get(name, name)
        return ref.declarations.get(own) or BUILT_IN.get(own)

    def default(self, identifier: str) -> Value | None:
        declaration = self.declaration(identifier)
        return None if declaration is None else declaration.default

    def correct(self, identifier: str) -> Value | None:
        found = self._item_variable(identifier)
        if found is None:
            return None
        result, name = found
        return result.corrects.get(result.ref.mappings.get(name, name))

    def weight(self, identifier: str, weight_identifier: str) -> float:
        found = self._named(identifier)
        return 1.0 if found is None else found[0].weights.get(weight_identifier, 1.0)

    def custom_operator(self, name: str) -> None:  # noqa: ARG002  # a session is data, and operators are functions
        return None

    def assign(self, identifier: str, value: Value | None) -> None:
        declaration = self.definition.declarations.get(identifier)
        if declaration is None:
            message = f"the test sets {identifier}, which it does not declare: add a qti-outcome-declaration"
            raise ItemError(Finding("error", "undeclared-outcome", message))
        try:
            self.values[identifier] = coerced(value, declaration.cardinality, declaration.base_type)
        except ValueError:
            message = f"the test sets {identifier} ({declaration.base_type}) to a value of another type: {plain(value)}"
            raise ItemError(Finding("error", "wrong-type", message)) from None

    def assign_default(self, identifier: str, value: Value | None) -> None:  # noqa: ARG002
        raise _not_in_tests(identifier)

    def assign_correct(self, identifier: str, value: Value | None) -> None:  # noqa: ARG002
        raise _not_in_tests(identifier)

    def outcomes(self) -> dict[str, Plain]:
        return {name: plain(value) for name, value in self.values.items()}

    def _item_variable(self, identifier: str) -> tuple[Result, str] | None:
        """The appearance of an item a name such as ``Q01.SCORE`` or ``Q01.2.SCORE`` speaks of.

        Without a number it is “the last instance submitted if submission is simultaneous, otherwise it is undefined”
        (QTI 3, *variable*): None.
        """
        found = self._named(identifier)
        if found is None:
            return None
        ref, occurrence, name = found
        appearances = {result.occurrence: result for result in self.results if result.ref is ref}
        if occurrence is None:
            occurrence = 1 if len(appearances) == 1 else self.last.get(ref.identifier, 0)
        result = appearances.get(occurrence)
        return None if result is None else (result, name)

    def _named(self, identifier: str) -> tuple[ItemRef, int | None, str] | None:
        holder, _, name = identifier.rpartition(".")
        if holder in self.definition.refs:
            return self.definition.refs[holder], None, name
        ref, _, number = holder.rpartition(".")
        if ref in self.definition.refs and number.isdecimal():
            return self.definition.refs[ref], int(number), name
        return None


def starting_outcomes(definition: Definition) -> dict[str, Plain]:
    return {name: plain(found.start) for name, found in definition.declarations.items() if found.kind == "outcome"}


def processed_outcomes(context: TestContext) -> dict[str, Plain]:
    """The test's outcomes after its outcome processing, which begins with the defaults each time (QTI 3)."""
    for name, found in context.definition.declarations.items():
        if found.kind == "outcome":
            context.values[name] = found.start
    if context.definition.outcome_rules is not None:
        context.definition.outcome_rules(context)
    return context.outcomes()


def _not_in_tests(identifier: str) -> ItemError:
    message = f"a test cannot set the default or the correct response of {identifier}: only templates of items can"
    return ItemError(Finding("error", "not-in-tests", message))
