"""Expressions over the items of a test: counts, values and limits of a subset."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from item_formats.processing import Value, compile_expression
from tests.item_formats.processing.evaluation import element_of, told, val


@dataclass(frozen=True)
class Done:
    """An item a candidate went through."""

    identifier: str
    sections: tuple[str, ...] = ("S1",)
    categories: tuple[str, ...] = ()
    presented: bool = True
    responded: bool = True
    correct: bool | None = True
    variables: dict[str, object] = field(default_factory=dict)
    limits: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    def variable(self, identifier: str) -> Value | None:
        return val(self.variables.get(identifier))

    def bounds(self, identifier: str) -> tuple[float | None, float | None] | None:
        return self.limits.get(identifier)

    def weight(self, identifier: str) -> float:
        return self.weights.get(identifier, 1.0)


@dataclass(frozen=True)
class Sitting:
    items: tuple[Done, ...]
    random: Random = field(default_factory=Random)

    def item_results(self) -> tuple[Done, ...]:
        return self.items

    def variable(self, identifier: str) -> Value | None:
        item, _, name = identifier.partition(".")
        return next((one.variable(name) for one in self.items if one.identifier == item), None)

    def weight(self, identifier: str, weight_identifier: str) -> float:
        item = identifier.partition(".")[0]
        return next(one.weight(weight_identifier) for one in self.items if one.identifier == item)


SITTING = Sitting(
    (
        Done(
            "Q1", ("S1",), ("easy", "law"), variables={"SCORE": "float:2", "N": "integer:1"}, limits={"SCORE": (0, 2)}
        ),
        Done(
            "Q2",
            ("S1", "S2"),
            ("hard",),
            correct=False,
            variables={"SCORE": "float:0.5", "N": "integer:2", "GRADE": "identifier:B"},
            limits={"SCORE": (-1, 3)},
            weights={"W": 2.0},
        ),
        Done("Q3", ("S1", "S2"), ("easy",), responded=False, correct=False, variables={"SCORE": None}),
        Done("Q4", ("S3",), (), presented=False, responded=False, correct=False, variables={"N": "multiple integer:3"}),
        Done("Q5", ("S3",), (), correct=None, variables={"SCORE": "integer:1"}, limits={"SCORE": (None, None)}),
    )
)


def asked(xml: str) -> object:
    return told(compile_expression(element_of(xml))(SITTING))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<number-selected/>", 5),
        ("<number-presented/>", 4),
        ("<number-responded/>", 3),
        ("<number-correct/>", 1),
        ("<number-incorrect/>", 2),
        ('<number-selected section-identifier="S2"/>', 2),
        ('<number-selected include-category="easy"/>', 2),
        ('<number-selected include-category="easy hard"/>', 3),
        ('<number-selected exclude-category="easy"/>', 3),
        ('<number-selected section-identifier="S1" include-category="easy" exclude-category="law"/>', 1),
        ('<number-selected section-identifier="S9"/>', 0),
    ],
)
def test_counts(xml: str, expected: int) -> None:
    assert asked(xml) == ("integer", expected)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('variable-identifier="SCORE"', ("multiple float", [2.0, 0.5, 1.0])),
        ('variable-identifier="SCORE" base-type="float"', ("multiple float", [2.0, 0.5])),
        ('variable-identifier="SCORE" base-type="integer"', ("multiple integer", [1])),
        ('variable-identifier="N"', ("multiple integer", [1, 2])),
        ('variable-identifier="N" weight-identifier="W"', ("multiple float", [1.0, 4.0])),
        ('variable-identifier="SCORE" section-identifier="S2" weight-identifier="W"', ("multiple float", [1.0])),
        ('variable-identifier="GRADE"', None),
        ('variable-identifier="GRADE" base-type="identifier"', ("multiple identifier", ["B"])),
        ('variable-identifier="NOBODY"', None),
    ],
)
def test_variables_of_a_subset(attributes: str, expected: object) -> None:
    assert asked(f"<test-variables {attributes}/>") == expected


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<outcome-minimum outcome-identifier="SCORE"/>', ("multiple float", [0.0, -1.0])),
        ('<outcome-maximum outcome-identifier="SCORE"/>', None),  # Q5 declares none
        ('<outcome-maximum outcome-identifier="SCORE" section-identifier="S1"/>', ("multiple float", [2.0, 3.0])),
        (
            '<outcome-maximum outcome-identifier="SCORE" section-identifier="S1" weight-identifier="W"/>',
            ("multiple float", [2.0, 6.0]),
        ),
        ('<outcome-minimum outcome-identifier="NOBODY"/>', None),
    ],
)
def test_limits_of_a_subset(xml: str, expected: object) -> None:
    assert asked(xml) == expected


def test_a_weighted_variable_is_a_float() -> None:
    assert asked('<variable identifier="Q2.N" weight-identifier="W"/>') == ("float", 4.0)
    assert asked('<variable identifier="Q2.N"/>') == ("integer", 2)
    assert asked('<variable identifier="Q2.GRADE" weight-identifier="W"/>') == ("identifier", "B")
