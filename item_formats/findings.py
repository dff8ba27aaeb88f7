"""What is wrong with a document, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know or mend.

    `code` is stable kebab-case for programs, `message` a sentence that says what to do. `line` is the line of an XML
    file, or the row of a spreadsheet as the spreadsheet numbers it (the header is row 1). `column` is the name of a
    spreadsheet column (答案), or the column of an XML line.
    """

    severity: Severity
    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: str | None = None
    item: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        named = f"[{self.item}] " if self.item else ""
        return f"{place + ' ' if place else ''}{self.severity} {self.code}: {named}{self.message}"

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json` and problem documents."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "item": self.item,
        }


class ItemError(ValueError):
    """A document that cannot be used; `findings` says why, errors first."""

    def __init__(self, *findings: Finding) -> None:
        self.findings: tuple[Finding, ...] = tuple(sorted(findings, key=lambda finding: finding.severity != "error"))
        super().__init__("; ".join(map(str, self.findings)))

    def __reduce__(self) -> tuple[type[ItemError], tuple[Finding, ...]]:
        return (ItemError, self.findings)


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "error"]
