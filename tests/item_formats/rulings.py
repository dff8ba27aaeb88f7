"""Where this project decides otherwise than another engine, by kind of case.

Each ruling has its words and reason in ``docs/qti-rulings.md``. It looks at what a case is about, never at its name,
so that it holds for cases of the same kind that are not here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.item_formats.session_cases import LIMITS_LOST

if TYPE_CHECKING:
    from collections.abc import Callable

Case = dict[str, Any]

_REFERENCE = re.compile(r"[^\W\d][\w.\-]*")
_SETTINGS = ("min", "max", "step", "n", "figures", "numberRepeats", "tolerance")


def ruling_on(case: Case, differences: tuple[str, ...]) -> str | None:
    """The words in ``docs/qti-rulings.md`` of the ruling a case that differs falls under, if any."""
    if "expression" in case:
        return next((words for words, applies in EXPRESSION_RULINGS.items() if applies(case)), None)
    rulings = ITEM_RULINGS if "item_xml_path" in case else SESSION_RULINGS if "steps" in case else {}
    told = " ".join(differences)
    return next((words for words, applies in rulings.items() if applies(case, told)), None)


def _names_lost_variable(case: Case) -> bool:
    """Whether an attribute names a variable whose value did not come with the case."""
    attributes, known = case.get("attributes") or {}, case.get("variables") or {}
    names = [name for key in _SETTINGS for name in attributes.get(key, "").split() if _REFERENCE.fullmatch(name)]
    names += [attributes["identifier"]] if case["expression"] == "correct" else []
    return any(name not in known for name in names)


def _values(case: Case) -> list[Any]:
    return [None if operand is None else operand.get("value") for operand in case.get("operands") or []]


def _signs_differ(case: Case) -> bool:
    values = _values(case)
    whole = len(values) == 2 and all(isinstance(value, int) for value in values)
    return case["expression"] == "integerModulus" and whole and (values[0] < 0) is not (values[1] < 0)


def _logarithm_of_zero(case: Case) -> bool:
    name = (case.get("attributes") or {}).get("name")
    return case["expression"] == "mathOperator" and name in {"log", "ln"} and _values(case) == [0]


def _decided_beside_null(case: Case) -> bool:
    values = _values(case)
    return case["expression"] in {"and", "or"} and (case["expression"] == "or") in values and None in values


def _container_inside(case: Case) -> bool:
    operands = case.get("operands") or [None]
    return case["expression"] == "inside" and (operands[0] or {}).get("cardinality") in {"multiple", "ordered"}


def _empty_container_refused(case: Case) -> bool:
    """Whether another engine refuses an operand for its type though it is empty."""
    containers = [one for one in case.get("operands") or [] if one is not None and one["cardinality"] != "single"]
    return "expected_error" in case and bool(containers) and not any(one["value"] for one in containers[-1:])


def _mappings(case: Case, key: str) -> str:
    return " ".join(str(told.get(key)) for told in (case.get("variables") or {}).values())


def _hyperbolic_limit(case: Case) -> bool:
    name = (case.get("attributes") or {}).get("name")
    return (name == "sech" and _values(case) == [0]) or (name == "coth" and _values(case) in (["INF"], ["-INF"]))


def _no_mapping(case: Case) -> bool:
    key = {"mapResponse": "mapping", "mapResponsePoint": "area_mapping"}.get(case["expression"])
    return key is not None and not any(told.get(key) for told in (case.get("variables") or {}).values())


def _default_counted_once(case: Case) -> bool:
    default = re.search(r'defaultValue="([^"]*)"', _mappings(case, "area_mapping"))
    values = [told.get("value") or {} for told in (case.get("variables") or {}).values()]
    several = any(isinstance(value.get("value"), list) and len(value["value"]) > 1 for value in values)
    once = default is not None and (case.get("expected") or {}).get("value") == float(default[1])
    return case["expression"] == "mapResponsePoint" and several and once


def _not_two_operands(case: Case) -> bool:
    two = {"subtract", "divide", "power", "integerDivide", "integerModulus", "match", "member", "contains", "delete"}
    return case["expression"] in two and "operands" in case and len(case["operands"]) != 2


def _several_areas(case: Case) -> bool:
    return case["expression"] == "mapResponsePoint" and _mappings(case, "area_mapping").count("<areaMapEntry") > 1


EXPRESSION_RULINGS: dict[str, Callable[[Case], bool]] = {
    "A reference to no variable is an error": _names_lost_variable,
    "integer-modulus is x − z·y": _signs_differ,
    "log(0) is NULL": _logarithm_of_zero,
    "One false decides and": _decided_beside_null,
    "inside takes containers": _container_inside,
    "NULL has no type": _empty_container_refused,
    "sech(0) is 1": _hyperbolic_limit,
    "A mapping must be there": _no_mapping,
    "Every point outside is worth the default": _default_counted_once,
    "Two sub-expressions are two": _not_two_operands,
    "Of overlapping areas the first counts": _several_areas,
}


def _is_not_qti(case: Case, told: str) -> bool:
    codes = ("unknown-expression", "unknown-rule", "missing-attribute", "wrong-operands")
    unknown = [*(f"error {code}" for code in codes), "template match_nothing is not known"]
    return "outcomeCondition" in case.get("elements", ()) or any(sign in told for sign in unknown)


def _limits_lost(_: Case, told: str) -> bool:
    """Whether nothing differs but steps of a session that were not replayed."""
    return LIMITS_LOST in told and not re.sub(rf"step \d+ \(endAttempt\): {LIMITS_LOST}", "", told).strip()


def _rule_of_one_engine(case: Case, _: str) -> bool:
    """Whether an engine refuses what QTI allows: items without MAXSCORE, without a rule for SCORE, empty values."""
    return re.search("MAXSCORE|Missing `|Empty correct", str(case.get("expected_error"))) is not None


ITEM_RULINGS: dict[str, Callable[[Case, str], bool]] = {
    "Random numbers are our own": lambda case, _: bool(case.get("seed_dependent")),
    "What is not QTI is refused": _is_not_qti,
    "Custom operators are refused": lambda _, told: "error custom-operator" in told,
    "Rules of one engine": _rule_of_one_engine,
    "equal takes numbers": lambda _, told: "qti-equal takes single numbers" in told,
    "A mapping must be there": lambda _, told: "error no-mapping" in told,
    "Conditions take booleans": lambda _, told: "-if takes a single boolean" in told,
    "Identifiers are case-sensitive, and a response is an option": lambda _, told: "response-not-an-option" in told,
}

SESSION_RULINGS: dict[str, Callable[[Case, str], bool]] = {"Limits lost on the way": _limits_lost}
