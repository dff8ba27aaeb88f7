"""What the demo did, step by step, for the table and for `--json`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import RecountLine
from item_formats import Finding


@dataclass(slots=True)
class Log:
    """What the demo did: (step, result) rows, the files it wrote with what they are, and the recount."""

    say: Callable[[str], None]
    steps: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, str]] = field(default_factory=list)
    recount: tuple[RecountLine, ...] = ()
    import_findings: tuple[Finding, ...] = ()

    def step(self, name: str, result: str) -> None:
        self.steps.append((name, result))
        self.say(f"{name}: {result}")


def summary(log: Log, seconds: float) -> str:
    """The run as JSON, for `--json`."""
    return json.dumps(
        {
            "steps": [{"step": step.strip(), "result": result} for step, result in log.steps],
            "files": [{"file": name, "what": what} for name, what in log.files],
            "recount": [
                {"form": line.form, "rule": line.rule, "value": line.value, "ok": line.ok} for line in log.recount
            ],
            "seconds": round(seconds, 2),
        },
        ensure_ascii=False,
    )


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
