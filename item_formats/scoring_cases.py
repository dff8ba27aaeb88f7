"""Cases to score, one a line: what is answered to which item, and the outcomes it gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from item_formats.findings import Finding, ItemError
from item_formats.model import Item, read_item
from item_formats.processing import Plain, score

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ITEMS = 1000  # kept read, for cases in any order


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """`outcomes` of one case; None, with `findings`, when it could not be scored."""

    identifier: Any
    outcomes: dict[str, Plain] | None
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Its line: ``{"id", "outcomes"}``, and ``"findings"`` where there are some."""
        line: dict[str, Any] = {"id": self.identifier, "outcomes": self.outcomes}
        if self.findings:
            line["findings"] = [finding.as_json() for finding in self.findings]
        return line


def score_cases(content: bytes, *, file: str, folder: Path | None = None) -> Iterator[ScoredCase]:
    """Scores lines ``{"id", "item", "responses", "seed"?}`` one by one.

    ``item`` is a path, from `folder` or from where the program runs, or the item's XML itself. A line that cannot be
    scored says why and does not stop the others.
    """
    items: dict[str, Item] = {}
    for row, line in enumerate(content.decode("utf-8-sig", errors="replace").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            case = _case(line, file=file, row=row)
        except ItemError as error:
            yield ScoredCase(None, None, error.findings)
            continue
        identifier, source = case.get("id"), case["item"]
        try:
            if source not in items:
                if len(items) >= _MOST_ITEMS:
                    items.clear()
                items[source] = _item(source, folder, file=file, row=row)
            outcomes = score(items[source], case.get("responses") or {}, seed=case.get("seed"))
            yield ScoredCase(identifier, outcomes)
        except ItemError as error:
            named = source if not source.lstrip().startswith("<") else f"{file}:{row}"
            findings = tuple(finding if finding.file else replace(finding, file=named) for finding in error.findings)
            yield ScoredCase(identifier, None, findings)
        except OSError as error:
            message = f"{error.filename or source}: {error.strerror or error}"
            yield ScoredCase(identifier, None, (Finding("error", "no-file", message, file=file, line=row),))


def _case(line: str, *, file: str, row: int) -> dict[str, Any]:
    def refused(message: str) -> ItemError:
        return ItemError(Finding("error", "bad-case", message, file=file, line=row))

    expected = 'a line is {"id": …, "item": "PATH", "responses": {"RESPONSE": …}}'
    try:
        case = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise refused(f"not JSON ({error}); {expected}") from None
    if not isinstance(case, dict) or not isinstance(case.get("item"), str) or not case["item"]:
        raise refused(f"no item is named; {expected}")
    if not isinstance(case.get("responses") or {}, dict):
        raise refused(f"the responses are no object; {expected}")
    seed = case.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise refused(f"the seed is {seed!r}; expected a whole number")
    return case


def _item(source: str, folder: Path | None, *, file: str, row: int) -> Item:
    if source.lstrip().startswith("<"):
        return read_item(source.encode(errors="replace"), file=f"{file}:{row}")
    path = Path(source)
    if folder is not None and not path.is_absolute() and (folder / path).exists():
        path = folder / path
    return read_item(path)
