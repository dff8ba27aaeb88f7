"""Responses of several administrations as groups of one calibration, joined by the items they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from calibration.linking.errors import LinkError
from calibration.responses import NOT_REACHED, Responses, pool_responses


@dataclass(frozen=True, slots=True)
class ConcurrentData:
    """Pooled responses with a group for each administration, and the items that two or more of them gave."""

    responses: Responses
    common: Mapping[str, tuple[str, ...]]  # item → groups


def pool_groups(parts: Mapping[str, Responses]) -> ConcurrentData:
    """Responses of administrations by name as one set for concurrent calibration, each a group of its own.

    Raises LinkError where administrations are not joined, directly or through others, by items of the same id: their
    groups could not be put on one scale.
    """
    if len(parts) < 2:
        raise LinkError("concurrent calibration needs at least two administrations")
    pooled = pool_responses(list(parts.values()))
    sizes = [len(part.persons) for part in parts.values()]
    responses = replace(pooled, group=np.repeat(np.arange(len(sizes)), sizes).astype(np.int32), groups=tuple(parts))
    given: dict[str, list[str]] = {}
    for name, part in parts.items():
        seen = np.unique(part.item[part.status != NOT_REACHED])
        for j in seen:
            given.setdefault(part.items[j], []).append(name)
    common = {item: tuple(groups) for item, groups in given.items() if len(groups) > 1}
    joined, names = {next(iter(parts))}, set(parts)
    grown = True
    while grown:
        more = {name for groups in common.values() if joined & set(groups) for name in groups} - joined
        joined |= more
        grown = bool(more)
    if joined != names:
        raise LinkError(
            f"no items join {', '.join(sorted(names - joined))} to {', '.join(sorted(joined))}: give them common items"
        )
    return ConcurrentData(responses, common)
