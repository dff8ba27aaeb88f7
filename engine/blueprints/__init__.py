"""What a paper must be: named rules, marks and minutes, and targets on the ability scale."""

from engine.blueprints.blueprint import Blueprint
from engine.blueprints.errors import BlueprintError, InfeasibleBlueprintError, Shortfall
from engine.blueprints.reading import read_blueprint
from engine.blueprints.rules import Rule
from engine.blueprints.targets import Target
from engine.blueprints.weights import largest_remainder

__all__ = [
    "Blueprint",
    "BlueprintError",
    "InfeasibleBlueprintError",
    "Rule",
    "Shortfall",
    "Target",
    "largest_remainder",
    "read_blueprint",
]
