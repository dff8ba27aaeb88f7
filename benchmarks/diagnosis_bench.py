"""What a diagnosis costs: CPU seconds at 5,000 items with every kind of rule, one rule of them impossible.

    python -m benchmarks.diagnosis_bench

Counts and least change alone, then the whole diagnosis: the contradiction besides, and the changed paper assembled.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.banks import bank, blueprint, earlier_papers
from benchmarks.calibration_bench import cpu_seconds, line
from engine import Blueprint, Rule, diagnose
from engine.diagnosis.conflicts import Least, Work, least_change
from engine.diagnosis.counting import Shortage, shortages
from engine.diagnosis.elastic import Elastic
from engine.diagnosis.question import ask

ITEMS, LENGTH = 5_000, 150
IMPOSSIBLE = (
    Rule("too quick", "sum", of="minutes", max=45.0),
    Rule("too many of a section", "count", where={"section": "A-1"}, min=40),
    Rule("a whole point", "include", where={"point": "D-1-0003"}),
)


def diagnosis() -> None:
    """Each impossible rule added to a paper that can be met."""
    pool = bank(ITEMS)
    paper, earlier = blueprint(LENGTH), earlier_papers(pool, LENGTH)
    for rule in IMPOSSIBLE:
        impossible = replace(paper, rules=(*paper.rules, rule))

        def least(impossible: Blueprint = impossible) -> tuple[tuple[Shortage, ...], Least | None]:
            question = ask(pool, impossible, earlier=earlier)
            return shortages(question), least_change(Elastic(question), Work(400, 1000))

        seconds, (short, found) = cpu_seconds(least)
        changed = "none" if found is None else ", ".join(sorted(found.rules))
        line(f"counts and least change, {rule.id}", seconds, f"{len(short)} counts short; change {changed}", 1.0)
        seconds, result = cpu_seconds(lambda impossible=impossible: diagnose(pool, impossible, earlier=earlier), runs=1)
        text = "; ".join(one.text for one in result.changes)
        note = f"{'assembled' if result.witness else 'not confirmed'}; contradiction of {len(result.conflict)}; {text}"
        line("  whole diagnosis", seconds, note)


if __name__ == "__main__":
    diagnosis()
