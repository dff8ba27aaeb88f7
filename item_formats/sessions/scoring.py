"""The outcomes of a test from the outcomes of its items, without a session: for results from elsewhere."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from item_formats.processing import read_plain
from item_formats.processing.scope import BUILT_IN
from item_formats.processing.variables import typed
from item_formats.sessions.definition import Section as SectionDefinition
from item_formats.sessions.reading import definition_of
from item_formats.sessions.results import Result, TestContext, processed_outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from item_formats.documents import Section, Test
    from item_formats.model import Item
    from item_formats.processing import Plain, Value
    from item_formats.sessions.definition import Definition, ItemRef


def score_test(
    test: Test,
    item_variables: Mapping[str, Mapping[str, object]],
    *,
    items: Mapping[str, Item] | None = None,
    sections: Mapping[str, Section] | None = None,
    seed: int = 0,
) -> dict[str, Plain]:
    """The test's outcomes; `item_variables` are the variables of the items, by reference (``Q01``, ``Q01.2``).

    Of an item that is named several times by number, ``Q01.SCORE`` is that of the highest number in simultaneous parts,
    as if the appearances were handed in one after the other, and NULL in others (docs/qti-rulings.md).
    An item that is named was selected, and attempted unless its numAttempts says otherwise. Without `items` numbers
    and texts are taken as they come and nothing is known of correct responses.

    Raises
    ------
    ItemError
        The test cannot be read or its outcome processing cannot be run; a value is not of its variable's type.
    """
    definition = definition_of(test, items, sections)
    results = [
        _result(ref, around, int(number) if number else 1, variables)
        for ref, around in _references(definition)
        for name, variables in item_variables.items()
        for number in _numbers(ref, name)
    ]
    context = TestContext(definition, results, {}, random=Random(seed), seconds={}, last=_last(definition, results))  # noqa: S311
    return processed_outcomes(context)


def _last(definition: Definition, results: Sequence[Result]) -> dict[str, int]:
    """The last attempted appearance of each item of simultaneous parts."""
    together = {
        ref.identifier
        for part in definition.parts
        if part.simultaneous
        for section in part.sections
        for ref, _ in _within(section, ())
    }
    last: dict[str, int] = {}
    for result in results:
        if result.identifier in together and result.presented:
            last[result.identifier] = max(result.occurrence, last.get(result.identifier, 0))
    return last


def _numbers(ref: ItemRef, name: str) -> Iterator[str]:
    """The number in a name such as ``Q01.2`` of this reference, "" for the plain name; nothing for other names."""
    if name == ref.identifier:
        yield ""
    elif name.startswith(f"{ref.identifier}.") and name[len(ref.identifier) + 1 :].isdecimal():
        yield name[len(ref.identifier) + 1 :]


def _references(definition: Definition) -> Iterator[tuple[ItemRef, tuple[str, ...]]]:
    for part in definition.parts:
        for section in part.sections:
            yield from _within(section, ())


def _within(section: SectionDefinition, around: tuple[str, ...]) -> Iterator[tuple[ItemRef, tuple[str, ...]]]:
    here = (*around, section.identifier)
    for child in section.children:
        if isinstance(child, SectionDefinition):
            yield from _within(child, here)
        else:
            yield child, here


def _result(ref: ItemRef, around: tuple[str, ...], occurrence: int, variables: Mapping[str, object]) -> Result:
    declared = {**BUILT_IN, **ref.declarations}
    values: dict[str, Value | None] = {name: found.start for name, found in ref.declarations.items()}
    for name, value in variables.items():
        values[name] = typed(declared[name], value) if name in declared else _as_it_comes(name, value)
    attempts = variables.get("numAttempts")
    return Result(
        ref=ref,
        occurrence=occurrence,
        sections=around,
        attempts=attempts if isinstance(attempts, int) else 1,
        values=values,
        corrects={name: found.correct for name, found in ref.declarations.items()},
    )


def _as_it_comes(name: str, value: object) -> Value | None:
    base_type = "boolean" if isinstance(value, bool) else "float" if isinstance(value, (int, float)) else "string"
    return read_plain(value, base_type=base_type, cardinality="single", name=name)
