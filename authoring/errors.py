"""What the bank refuses. Every error names the rule that was broken and says what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from item_formats import Finding


class BankError(Exception):
    """The input is wrong: `rule` (kebab-case) names what it breaks, `findings` says where, if there are many places."""

    def __init__(self, rule: str, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.findings = tuple(findings)


class UnknownError(BankError):
    """Something was named that the bank does not hold."""


class ForbiddenError(BankError):
    """The person, or their token, may not do this."""


class ConflictError(BankError):
    """The bank's present state does not allow it: another change came first, or the thing exists already."""
