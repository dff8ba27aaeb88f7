"""A calibration's settings as a TOML file: models, priors, item sets and families.

[models]
"*" = "2PL"
"CR*" = "GPCM"

[priors."*"]
a = "lognormal(floating, 0.5)"

[testlets]
reading = ["R1", "R2", "R3"]

[families]
clones-of-17 = ["17a", "17b"]

What is no table stands before them: `model = "2PL"`, for all items, and `family_sd = 0.3`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calibration.priors import PriorError, Priors, family_priors, priors_from
from calibration.result import CalibrationError

TABLES = ("model", "models", "priors", "testlets", "families", "family_sd")
FAMILY_SD = 0.3


@dataclass(frozen=True, slots=True)
class Specification:
    """What a spec file says: arguments of `calibrate`."""

    model: str | Mapping[str, str] = "2PL"
    priors: Mapping[str, Priors] = field(default_factory=dict)
    testlets: Mapping[str, str] = field(default_factory=dict)


def read_specification(path: Path) -> Specification:
    """A spec file. Raises CalibrationError naming the table and key that is wrong, and what was expected."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path}: not TOML ({error})") from None
    unknown = next((name for name in document if name not in TABLES), None)
    if unknown is not None:
        raise CalibrationError(f"{path}: {unknown!r} is not known; expected {', '.join(TABLES)}")
    if "model" in document and "models" in document:
        raise CalibrationError(f"{path}: give model or [models], not both")
    model = document.get("model", document.get("models", "2PL"))
    if not isinstance(model, str) and not _all_text(model):
        raise CalibrationError(f'{path}, [models]: expected lines such as "CR*" = "GPCM"')
    priors = dict(_priors(document.get("priors", {}), path))
    sd = document.get("family_sd", FAMILY_SD)
    if not isinstance(sd, int | float) or sd <= 0:
        raise CalibrationError(f"{path}, family_sd = {sd!r}: expected a positive number")
    families = _sets(document.get("families", {}), "families", path)
    for item, of_family in family_priors(families, float(sd)).items():
        priors[item] = priors.get(item, Priors()).over(of_family)
    return Specification(model, priors, _sets(document.get("testlets", {}), "testlets", path))


def _all_text(table: object) -> bool:
    return isinstance(table, dict) and bool(table) and all(isinstance(value, str) for value in table.values())


def _priors(table: Any, path: Path) -> Mapping[str, Priors]:  # noqa: ANN401
    found: dict[str, Priors] = {}
    lines: dict[str, Any] = table if isinstance(table, dict) else {"": None}
    for pattern, densities in lines.items():
        if not _all_text(densities) or not set(densities) <= set("abcd"):
            raise CalibrationError(f'{path}, [priors."{pattern}"]: expected lines such as a = "lognormal(0, 0.5)"')
        try:
            found[pattern] = priors_from(densities)
        except PriorError as error:
            raise CalibrationError(f'{path}, [priors."{pattern}"]: {error}') from None
    return found


def _sets(table: Any, name: str, path: Path) -> dict[str, str]:  # noqa: ANN401
    """Set → items as item → set."""
    found: dict[str, str] = {}
    lines: dict[str, Any] = table if isinstance(table, dict) else {"": None}
    for label, items in lines.items():
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise CalibrationError(
                f'{path}, [{name}], {label}: expected a list of items, such as reading = ["R1", "R2"]'
            )
        for item in items:
            if found.setdefault(item, label) != label:
                raise CalibrationError(f"{path}, [{name}]: item {item} is in {found[item]} and in {label}")
    return found
