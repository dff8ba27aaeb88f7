"""What is wrong with a blueprint, or with a pool that cannot meet it."""

from __future__ import annotations

from dataclasses import dataclass


class BlueprintError(ValueError):
    """A blueprint that contradicts itself or the pool; the message names the rule."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A rule that cannot be met with the others, and by how much it must give way."""

    rule: str
    amount: float


class InfeasibleBlueprintError(BlueprintError):
    """No form meets the rules; `shortfalls` says which rules must give way and how far."""

    def __init__(self, message: str, shortfalls: tuple[Shortfall, ...] = ()) -> None:
        super().__init__(message)
        self.shortfalls = shortfalls
