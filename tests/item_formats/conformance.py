"""Conformance: cases of other engines' suites through this library.

    python -m tests.item_formats.conformance [--rulings] FOLDER

FOLDER is laid out like ``../shared/qti``: ``qti_cases.jsonl``, ``qti_expression_cases.jsonl``,
``qti_session_cases.jsonl``, ``qti_outcome_cases.jsonl`` (those that are there are run) and the documents they name.
Prints how many agree by kind and tier, then the cases that differ, with what was expected and got. Differences this
project has ruled on (`docs/qti-rulings.md`) are counted apart and named with the ruling; they differ all the same.
Exits 1 if any case differs (with ``--rulings``: if any differs without a ruling), 2 without cases.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.item_formats.expression_cases import run_expression_case
from tests.item_formats.item_cases import run_item_case
from tests.item_formats.rulings import ruling_on
from tests.item_formats.session_cases import run_outcome_case, run_session_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Case = dict[str, Any]

KINDS: dict[str, tuple[str, Callable[[Case, Path], list[str]]]] = {
    "items": ("qti_cases.jsonl", run_item_case),
    "expressions": ("qti_expression_cases.jsonl", lambda case, _: run_expression_case(case)),
    "sessions": ("qti_session_cases.jsonl", run_session_case),
    "outcomes": ("qti_outcome_cases.jsonl", run_outcome_case),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case came out: no `differences`, or what differed, and the ruling it goes by where there is one."""

    kind: str
    tier: str
    case: str
    differences: tuple[str, ...]
    ruling: str | None = None


def verdicts(folder: Path, kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Verdict]:
    """Every case of a folder, run."""
    for kind in kinds:
        file, run = KINDS[kind]
        path = folder / file
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for case in map(json.loads, filter(None, lines)):
            differences = tuple(_run(run, case, folder))
            ruling = ruling_on(case, differences) if differences else None
            yield Verdict(kind, case.get("tier", ""), case["id"], differences, ruling)


_EXPECTED = ("expected_error", "expected_outcomes", "expected_test_outcomes", "expected", "expected_shape")


def _run(run: Callable[[Case, Path], list[str]], case: Case, folder: Path) -> list[str]:
    try:
        return run(case, folder)
    except Exception as error:  # noqa: BLE001  # one broken case must not hide the others
        expected = next((case[key] for key in _EXPECTED if case.get(key) is not None), "a session")
        return [f"expected {expected}, got {type(error).__name__}: {error}"]


def report(found: list[Verdict]) -> str:
    """Agreement by kind and tier, then what differs."""
    groups: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for verdict in found:
        outcome = "agree" if not verdict.differences else "ruled" if verdict.ruling else "differ"
        groups[verdict.kind, verdict.tier][outcome] += 1
    lines = []
    for (kind, tier), counts in groups.items():
        ruled = f", {counts['ruled']} by ruling" if counts["ruled"] else ""
        lines.append(f"{kind + (' ' + tier if tier else ''):<14} {counts['agree']}/{counts.total()} agree{ruled}")
    for verdict in found:
        if verdict.differences:
            reason = f"  [ruling: {verdict.ruling}]" if verdict.ruling else ""
            lines.append(f"\n{verdict.case}{reason}")
            lines += [f"    {difference}" for difference in verdict.differences]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    folders = [argument for argument in arguments if argument != "--rulings"]
    if len(folders) != 1 or folders[0].startswith("-"):
        sys.stderr.write("usage: python -m tests.item_formats.conformance [--rulings] FOLDER\n")
        return 2
    (folder,) = folders
    found = list(verdicts(Path(folder)))
    if not found:
        files = ", ".join(file for file, _ in KINDS.values())
        sys.stderr.write(f"{folder} holds no cases: expected {files}\n")
        return 2
    sys.stdout.write(report(found) + "\n")
    differ = [verdict for verdict in found if verdict.differences]
    return 1 if any(verdict.ruling is None or "--rulings" not in arguments for verdict in differ) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
