"""Many forms at once: how near they all are, how much they share, how often an item is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.assembly.result import Assembly


@dataclass(frozen=True, slots=True)
class Exposure:
    """How forms of one pool use its items.

    `used` items stand on any form; `most` is the share of the forms that the most used one stands on, `share` that of
    each used item; `overlap` is the share of a form that two forms have in common on average.
    """

    used: int
    most: float
    overlap: float
    share: Mapping[str, float]


def exposure(assembly: Assembly) -> Exposure:
    """The use of items over the forms of an assembly.

    Of F forms of n items, of which item j stands on u_j, two share on average Σ u_j (u_j − 1) / (F (F − 1)) items
    (Chen, Ankenmann & Spray, 2003).
    """
    forms = len(assembly.forms)
    uses = Counter(item for form in assembly.forms for item in form.items)
    pairs = sum(count * (count - 1) for count in uses.values())
    length = len(assembly.forms[0].items)
    return Exposure(
        used=len(uses),
        most=max(uses.values()) / forms,
        overlap=pairs / (forms * (forms - 1) * length) if forms > 1 else float("nan"),
        share={item: count / forms for item, count in uses.most_common()},
    )


def quantiles(values: Iterable[float]) -> tuple[float, float, float]:
    """The least, the median and the largest."""
    found = np.array(list(values), float)
    return float(found.min()), float(np.median(found)), float(found.max())
