"""Items: parse, write, score, strip, beside lxml's bare parse of the same bytes; medians over the sample bank."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from item_formats import Item, for_candidate, parse_response_code, read_item, read_items_csv, score

SAMPLE = Path(__file__).parent.parent / "examples" / "ai_trainer_l3" / "items.csv"


def microseconds(work: Callable[[int], object], count: int) -> float:
    """Median time of one call in µs, over `count` different items, three rounds."""
    times = []
    for _ in range(3):
        for n in range(count):
            begun = time.perf_counter()
            work(n)
            times.append(time.perf_counter() - begun)
    return 1e6 * statistics.median(times)


def line(what: str, value: float, bound: str = "") -> None:
    print(f"  {what:44} {value:8.1f} µs  {bound}")


def main() -> None:
    print("item_formats (median an item)")
    rows = read_items_csv(SAMPLE).rows
    documents = [row.item.xml for row in rows]
    items = [read_item(xml) for xml in documents]
    responses = [{"RESPONSE": parse_response_code(item, item.key or "")} for item in items]
    count = len(documents)
    line("lxml bare parse", microseconds(lambda n: etree.fromstring(documents[n]), count))
    line("parse to model", microseconds(lambda n: _parsed(documents[n]), count), "(goal of the next step: 150)")
    line("score", microseconds(lambda n: score(items[n], responses[n]), count), "(goal of the next step: 50)")
    line("for_candidate", microseconds(lambda n: for_candidate(items[n]), count))


def _parsed(xml: bytes) -> tuple[Item, object]:
    item = read_item(xml)
    return item, item.interactions


if __name__ == "__main__":
    main()
