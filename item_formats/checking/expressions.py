"""The types of expressions before anything is answered: what each of the 64 takes and gives (QTI 3, *Expressions*)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.checking.facts import NUMBER_OR_VARIABLE
from item_formats.checking.found import Found, error, warning
from item_formats.parsing import is_qti, local_name
from item_formats.processing.values import BASE_TYPES, CARDINALITIES, READERS, read_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml import etree

    from item_formats.checking.facts import Facts, Variable


@dataclass(frozen=True, slots=True)
class Type:
    """What a value may be: any of these cardinalities, of any of these base types. Records have no base type."""

    cardinalities: frozenset[str]
    base_types: frozenset[str]

    def meets(self, other: Type) -> bool:
        """Whether some value is of both types."""
        shared = self.cardinalities & other.cardinalities
        return bool(shared) and (shared == {"record"} or bool(self.base_types & other.base_types))

    def __str__(self) -> str:
        of = "" if self.base_types >= set(BASE_TYPES) or not self.base_types else " or ".join(sorted(self.base_types))
        held = "any" if self.cardinalities >= set(CARDINALITIES) else " or ".join(sorted(self.cardinalities))
        return f"{held} {of}".strip()


def _type(cardinalities: str, base_types: str) -> Type:
    return Type(
        frozenset(CARDINALITIES if cardinalities == "any" else cardinalities.split()),
        frozenset(BASE_TYPES if base_types == "any" else base_types.split()),
    )


ANY = _type("any", "any")
BOOLEAN = _type("single", "boolean")
INTEGER = _type("single", "integer")
FLOAT = _type("single", "float")
NUMBER = _type("single", "integer float")
NUMBERS = _type("single multiple ordered", "integer float")
INTEGERS = _type("single multiple ordered", "integer")
CONTAINER = _type("multiple ordered", "any")
SINGLE = _type("single", "any")
DURATION = _type("single", "duration")
STRING = _type("single", "string")


@dataclass(frozen=True, slots=True)
class Signature:
    """`takes` are the types of the operands, the last again for more of them; `gives` is the type of the result.

    `least` and `most` (None: any number) count operands. `alike` names what all operands share: ``base`` types or
    ``both`` base types and cardinalities. A `gives` that is a function works the type out from those of the operands.
    """

    least: int
    most: int | None
    takes: tuple[Type, ...]
    gives: Type | Callable[[Sequence[Type]], Type]
    alike: str = ""


def _number_of(operands: Sequence[Type]) -> Type:
    """An integer when every operand is, a float as soon as one is."""
    if all(operand.base_types == {"integer"} for operand in operands):
        return INTEGER
    return FLOAT if any(operand.base_types == {"float"} for operand in operands) else NUMBER


def _gathered(cardinality: str) -> Callable[[Sequence[Type]], Type]:
    def gather(operands: Sequence[Type]) -> Type:
        base_types = frozenset(BASE_TYPES)
        for operand in operands:
            base_types &= operand.base_types
        return Type(frozenset({cardinality}), base_types)

    return gather


def _member_of_last(operands: Sequence[Type]) -> Type:
    return Type(frozenset({"single"}), operands[-1].base_types)


def _last(operands: Sequence[Type]) -> Type:
    return operands[-1]


def _exactly(number: int, takes: tuple[Type, ...], gives: Type, alike: str = "") -> Signature:
    return Signature(number, number, takes, gives, alike)


_OF_SUBSET = Signature(0, 0, (), INTEGER)
_BOUND_OF_SUBSET = Signature(0, 0, (), _type("single multiple", "float integer"))
SIGNATURES: dict[str, Signature] = {
    "qti-and": Signature(1, None, (BOOLEAN,), BOOLEAN),
    "qti-any-n": Signature(1, None, (BOOLEAN,), BOOLEAN),
    "qti-base-value": Signature(0, 0, (), SINGLE),
    "qti-container-size": _exactly(1, (CONTAINER,), INTEGER),
    "qti-contains": _exactly(2, (CONTAINER,), BOOLEAN, "both"),
    "qti-correct": Signature(0, 0, (), ANY),
    "qti-custom-operator": Signature(0, None, (ANY,), ANY),
    "qti-default": Signature(0, 0, (), ANY),
    "qti-delete": Signature(2, 2, (SINGLE, CONTAINER), _last, "base"),
    "qti-divide": _exactly(2, (NUMBER,), FLOAT),
    "qti-duration-gte": _exactly(2, (DURATION,), BOOLEAN),
    "qti-duration-lt": _exactly(2, (DURATION,), BOOLEAN),
    "qti-equal": _exactly(2, (NUMBER,), BOOLEAN),
    "qti-equal-rounded": _exactly(2, (NUMBER,), BOOLEAN),
    "qti-field-value": _exactly(1, (_type("record", ""),), SINGLE),
    "qti-gcd": Signature(1, None, (INTEGERS,), INTEGER),
    "qti-gt": _exactly(2, (NUMBER,), BOOLEAN),
    "qti-gte": _exactly(2, (NUMBER,), BOOLEAN),
    "qti-index": Signature(1, 1, (_type("ordered", "any"),), _member_of_last),
    "qti-inside": _exactly(1, (_type("single multiple ordered", "point"),), BOOLEAN),
    "qti-integer-divide": _exactly(2, (INTEGER,), INTEGER),
    "qti-integer-modulus": _exactly(2, (INTEGER,), INTEGER),
    "qti-integer-to-float": _exactly(1, (INTEGER,), FLOAT),
    "qti-is-null": _exactly(1, (ANY,), BOOLEAN),
    "qti-lcm": Signature(1, None, (INTEGERS,), INTEGER),
    "qti-lt": _exactly(2, (NUMBER,), BOOLEAN),
    "qti-lte": _exactly(2, (NUMBER,), BOOLEAN),
    "qti-map-response": Signature(0, 0, (), FLOAT),
    "qti-map-response-point": Signature(0, 0, (), FLOAT),
    "qti-match": _exactly(2, (ANY,), BOOLEAN, "both"),
    "qti-math-constant": Signature(0, 0, (), FLOAT),
    "qti-math-operator": Signature(1, None, (NUMBER,), NUMBER),
    "qti-max": Signature(1, None, (NUMBERS,), _number_of),
    "qti-member": Signature(2, 2, (SINGLE, _type("single multiple ordered", "any")), BOOLEAN, "base"),
    "qti-min": Signature(1, None, (NUMBERS,), _number_of),
    "qti-multiple": Signature(0, None, (_type("single multiple", "any"),), _gathered("multiple"), "base"),
    "qti-not": _exactly(1, (BOOLEAN,), BOOLEAN),
    "qti-null": Signature(0, 0, (), ANY),
    "qti-number-correct": _OF_SUBSET,
    "qti-number-incorrect": _OF_SUBSET,
    "qti-number-presented": _OF_SUBSET,
    "qti-number-responded": _OF_SUBSET,
    "qti-number-selected": _OF_SUBSET,
    "qti-or": Signature(1, None, (BOOLEAN,), BOOLEAN),
    "qti-ordered": Signature(0, None, (_type("single ordered", "any"),), _gathered("ordered"), "base"),
    "qti-outcome-maximum": _BOUND_OF_SUBSET,
    "qti-outcome-minimum": _BOUND_OF_SUBSET,
    "qti-pattern-match": _exactly(1, (STRING,), BOOLEAN),
    "qti-power": _exactly(2, (NUMBER,), FLOAT),
    "qti-product": Signature(1, None, (NUMBERS,), _number_of),
    "qti-random": Signature(1, 1, (CONTAINER,), _member_of_last),
    "qti-random-float": Signature(0, 0, (), FLOAT),
    "qti-random-integer": Signature(0, 0, (), INTEGER),
    "qti-repeat": Signature(1, None, (_type("single ordered", "any"),), _gathered("ordered"), "base"),
    "qti-round": _exactly(1, (NUMBER,), INTEGER),
    "qti-round-to": _exactly(1, (NUMBER,), FLOAT),
    "qti-stats-operator": _exactly(1, (_type("multiple ordered", "integer float"),), FLOAT),
    "qti-string-match": _exactly(2, (STRING,), BOOLEAN),
    "qti-substring": _exactly(2, (STRING,), BOOLEAN),
    "qti-subtract": Signature(2, 2, (NUMBER,), _number_of),
    "qti-sum": Signature(1, None, (NUMBERS,), _number_of),
    "qti-test-variables": Signature(0, 0, (), _type("multiple", "any")),
    "qti-truncate": _exactly(1, (NUMBER,), INTEGER),
    "qti-variable": Signature(0, 0, (), ANY),
}
RESPONSES_ONLY = frozenset({"qti-correct", "qti-map-response", "qti-map-response-point"})
_OF_VARIABLE = frozenset({"qti-variable", "qti-correct", "qti-default"})


def type_of_variable(variable: Variable) -> Type:
    if variable.cardinality == "record":
        return Type(frozenset({"record"}), frozenset())
    if variable.cardinality not in CARDINALITIES or variable.base_type not in READERS:
        return ANY  # told with the declaration
    return Type(frozenset({variable.cardinality}), frozenset({variable.base_type}))


def type_of(element: etree._Element, facts: Facts, found: list[Found]) -> Type:
    """What an expression gives; what is wrong in it and below it is appended to `found`."""
    name = local_name(element)
    signature = SIGNATURES.get(name) if is_qti(element) else None
    if signature is None:
        found.append(error(element, "unknown-expression", f"<{name}> is no expression of QTI 3"))
        return ANY
    operands = [type_of(child, facts, found) for child in element if local_name(child)]
    most = signature.most
    if len(operands) < signature.least or (most is not None and len(operands) > most):
        expected = _count_of(signature)
        found.append(error(element, "wrong-operands", f"{name} takes {expected} sub-expressions, got {len(operands)}"))
        return signature.gives if isinstance(signature.gives, Type) else ANY
    _operands_fit(element, signature, operands, found)
    _attributes_name_variables(element, facts, found)
    if name == "qti-custom-operator":
        named = element.get("class") or element.get("definition") or "without a name"
        message = f"the custom operator {named} is kept, but scoring that needs it is refused"
        found.append(warning(element, "custom-operator", message))
    if name in _OF_VARIABLE | RESPONSES_ONLY:
        return _type_of_named(element, name, facts, found)
    return _type_of_attributes(element, name, found) or _result(signature, operands)


def _result(signature: Signature, operands: list[Type]) -> Type:
    return signature.gives if isinstance(signature.gives, Type) else signature.gives(operands)


def _type_of_attributes(element: etree._Element, name: str, found: list[Found]) -> Type | None:
    """The type an attribute decides; None where none does."""
    if name == "qti-base-value":
        return _type_of_base_value(element, found)
    if name == "qti-test-variables" and element.get("base-type") in READERS:
        return _type("multiple", element.get("base-type", ""))
    if name == "qti-math-operator":
        return INTEGER if element.get("name") in {"floor", "ceil", "signum"} else FLOAT
    return None


def _count_of(signature: Signature) -> str:
    if signature.least == signature.most:
        return str(signature.least)
    return f"{signature.least} or more" if signature.most is None else f"{signature.least} to {signature.most}"


def _operands_fit(element: etree._Element, signature: Signature, operands: list[Type], found: list[Found]) -> None:
    name = local_name(element)
    children = [child for child in element if local_name(child)]
    for place, operand in enumerate(operands):
        wanted = signature.takes[min(place, len(signature.takes) - 1)]
        if not operand.meets(wanted):
            message = f"{name} takes {wanted}, but {local_name(children[place])} gives {operand}"
            found.append(error(children[place], "wrong-type", message))
            return
    for place in range(1, len(operands)):
        first, other = operands[0], operands[place]
        alike = first.meets(other) if signature.alike == "both" else bool(first.base_types & other.base_types)
        if signature.alike and not alike:
            message = f"{name} takes values of one type, but gets {first} and {other}"
            found.append(error(element, "wrong-type", message))
            return


def _type_of_base_value(element: etree._Element, found: list[Found]) -> Type:
    base_type, text = element.get("base-type", ""), element.text or ""
    if base_type not in READERS:
        message = f'qti-base-value has base-type="{base_type}"; expected one of {", ".join(BASE_TYPES)}'
        found.append(error(element, "bad-attribute", message))
        return SINGLE
    if text.strip():
        try:
            read_scalar(text, base_type)
        except ValueError:
            found.append(error(element, "bad-value", f"“{text}” is not of base-type {base_type}"))
    return _type("single", base_type)


def _type_of_named(element: etree._Element, name: str, facts: Facts, found: list[Found]) -> Type:
    identifier = element.get("identifier", "")
    variable = facts.variables.get(identifier)
    if variable is None:
        if not (facts.is_test and "." in identifier):  # a variable of an item; see the rules on tests
            message = f'{name} reads "{identifier}", which is not declared; {_declared(facts)}'
            found.append(error(element, "dangling-variable", message))
        return SIGNATURES[name].gives if name in {"qti-map-response", "qti-map-response-point"} else ANY  # type: ignore[return-value]
    if name in RESPONSES_ONLY and variable.kind != "response":
        message = f"{name} needs a response, but {identifier} is declared as {variable.kind}"
        found.append(error(element, "dangling-response", message))
    elif name == "qti-map-response" and variable.child("qti-mapping") is None:
        message = f"map-response needs a mapping, and {identifier} has none: add qti-mapping"
        found.append(error(element, "no-mapping", message))
    elif name == "qti-map-response-point" and variable.child("qti-area-mapping") is None:
        message = f"map-response-point needs an area mapping, and {identifier} has none: add qti-area-mapping"
        found.append(error(element, "no-mapping", message))
    elif name == "qti-correct" and variable.child("qti-correct-response") is None and not _is_set(facts, identifier):
        message = f"{identifier} has no correct response, so comparing with it gives NULL: add qti-correct-response"
        found.append(error(element, "no-correct-answer", message))
    if name == "qti-variable" and "weight-identifier" in element.attrib and not facts.is_test:
        message = "weight-identifier has no meaning in an item: remove it"
        found.append(warning(element, "dangling-weight", message))
    return type_of_variable(variable) if name in _OF_VARIABLE else FLOAT


def _is_set(facts: Facts, identifier: str) -> bool:
    return any(local_name(one) == "qti-set-correct-response" for one in facts.sets.get(identifier, ()))


def _declared(facts: Facts) -> str:
    return f"declared are {', '.join(one.identifier for one in facts.declared) or 'none'}"


def _attributes_name_variables(element: etree._Element, facts: Facts, found: list[Found]) -> None:
    for attribute in NUMBER_OR_VARIABLE:
        for word in element.get(attribute, "").split():
            try:
                read_scalar(word, "float")
            except ValueError:
                if word.strip("{}") not in facts.variables:
                    message = (
                        f'{local_name(element)} has {attribute}="{word}", no number and no variable; {_declared(facts)}'
                    )
                    found.append(error(element, "dangling-variable", message))
