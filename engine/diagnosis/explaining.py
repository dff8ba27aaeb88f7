"""What an assembly says when it finds no form."""

from __future__ import annotations

from engine.assembly.paper import Paper
from engine.blueprints import InfeasibleBlueprintError


def explain(paper: Paper, *, forms: int, failed: str, earlier: int) -> InfeasibleBlueprintError:
    """The error that says why form `failed`, after `earlier` ones, of `forms` could not be found."""
    after = f" after {earlier} earlier forms" if earlier else ""
    return InfeasibleBlueprintError(f"form {failed}: the rules cannot all be met{after}")
