"""Items: parse, write, score, upgrade, check, beside lxml's bare parse of the same bytes; a package of 10,000; import.

Medians on one core, in CPU seconds. A machine that does other work as well doubles or triples them: what stays is how
many bare parses a line takes (`× bare`), whose times come from the same minute. Times of documents are over the sample
bank and over one item for each interaction.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from item_formats import (
    Item,
    check,
    choice_item,
    convert,
    for_candidate,
    iter_package,
    parse_response_code,
    read_item,
    read_items_csv,
    render_item,
    score,
    write_package,
)
from item_formats.parsing import canonical_bytes

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "examples" / "ai_trainer_l3" / "items.csv"
INTERACTIONS = ROOT / "tests" / "item_formats" / "fixtures" / "interactions"
PACKAGED = 10_000
KILOBYTES = 1024  # in a megabyte


def microseconds(work: Callable[[int], object], count: int) -> float:
    """Median CPU time of one call in µs, over `count` different items, three rounds."""
    times = []
    for _ in range(3):
        for n in range(count):
            begun = time.process_time()
            work(n)
            times.append(time.process_time() - begun)
    return 1e6 * statistics.median(times)


def line(what: str, value: float, bound: str = "", *, bare: float | None = None) -> None:
    times = "" if bare is None else f"{value / bare:5.1f} × bare"
    print(f"  {what:44} {value:8.1f} µs  {times:13} {bound}".rstrip())


def documents_bench(title: str, documents: Sequence[bytes]) -> None:
    print(f"item_formats: {title} (median an item)")
    items = [read_item(xml) for xml in documents]
    older = [convert(item, to="qti22") for item in items]
    count = len(documents)
    bare = microseconds(lambda n: etree.fromstring(documents[n]), count)
    line("lxml bare parse", bare)
    line("parse to model, views read", microseconds(lambda n: _parsed(documents[n]), count), "(goal 150)", bare=bare)
    line("write", microseconds(lambda n: canonical_bytes(items[n].root), count), "(goal 100)", bare=bare)
    bare = microseconds(lambda n: etree.fromstring(older[n]), count)
    line("lxml bare parse of QTI 2.2", bare)
    line("QTI 2.2 to 3.0", microseconds(lambda n: read_item(older[n]), count), "(goal 500)", bare=bare)
    line("QTI 3.0 to 2.2", microseconds(lambda n: convert(items[n], to="qti22"), count))
    line("check", microseconds(lambda n: check(items[n]), count))
    line("for_candidate", microseconds(lambda n: for_candidate(items[n]), count))
    line("render", microseconds(lambda n: render_item(items[n]), count))


def _parsed(xml: bytes) -> tuple[Item, object, object, object]:
    item = read_item(xml)
    return item, item.interactions, item.response_declarations, item.outcome_declarations


def scoring_bench() -> None:
    print("item_formats: scoring (median a response)")
    items = [row.item for row in read_items_csv(SAMPLE).rows]
    responses = [{"RESPONSE": parse_response_code(item, item.key or "")} for item in items]
    line("score, the first time", microseconds(lambda n: score(read_item(items[n].xml), responses[n]), len(items)))
    line("score", microseconds(lambda n: score(items[n], responses[n]), len(items)), "(goal 50)")


def write_large_package(path: Path) -> None:
    items = [
        choice_item(
            identifier=f"Q{n:05}",
            item_type="single",  # type: ignore[arg-type]
            stem=f"第{n}题：下列属于有监督学习任务的是（ ）。",
            options=[f"图像分类{n}", f"聚类{n}", f"降维{n}", f"关联规则挖掘{n}"],
            key="A",
            rationale="图像分类需要带标签的样本。",
        )
        for n in range(PACKAGED)
    ]
    write_package(path, identifier="large", title="大题库", items=items, modified=datetime(2026, 1, 1, tzinfo=UTC))


def read_large_package(path: Path) -> None:
    """In a process of its own, so that its memory is that of reading alone."""
    before = most_memory()
    begun = time.process_time()
    count = sum(1 for _ in iter_package(path))
    took = time.process_time() - begun
    grown = most_memory() - before
    rate = f"{1e6 * took / count:.0f} µs an item, {before:.0f} MB of memory before, {grown:.0f} MB more at most"
    print(f"  {f'import a package of {count:,} items':44} {took:8.2f} s   (goal 10) {rate}")


def most_memory() -> float:
    """The most memory this process has held, in MB."""
    status = Path("/proc/self/status")  # getrusage counts what the parent held before the program began
    if status.exists():
        return int(status.read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) / KILOBYTES
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES


def package_bench() -> None:
    print("item_formats: packages")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.zip"
        begun = time.process_time()
        write_large_package(path)
        print(f"  {f'build and write {PACKAGED:,} items':44} {time.process_time() - begun:8.2f} s")
        _in_own_process(f"from benchmarks.item_formats_bench import *; read_large_package(Path({str(path)!r}))")


def import_bench() -> None:
    print("item_formats: import (median of 9 processes, CPU seconds)")
    for what, statement, bound in (
        ("import item_formats", "import item_formats", "(goal 0.2)"),
        ("and what reads, checks and scores", "from item_formats import read_item, check, score", ""),
    ):
        program = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
        times = [float(_printed(program)) for _ in range(9)]
        print(f"  {what:44} {statistics.median(times):8.3f} s   {bound}")


def _printed(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout  # noqa: S603


def _in_own_process(program: str) -> None:
    print(_printed(program), end="")


def main() -> None:
    documents_bench("the sample bank", [row.item.xml for row in read_items_csv(SAMPLE).rows])
    documents_bench("one of each interaction", [path.read_bytes() for path in sorted(INTERACTIONS.glob("*.xml"))])
    scoring_bench()
    package_bench()
    import_bench()


if __name__ == "__main__":
    main()
