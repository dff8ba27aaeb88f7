"""What an assembly gives: forms, how near each comes to its target, and the recount that shows every rule kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from engine.assembly.recount import RecountLine


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its items in order, and what it promises.

    `deviation` is its largest deviation from the target (of information, marks or moments, as the target says; for what
    is to be large, the relative distance from the best possible), `bound` the least any form could have had (NaN
    without a target). `expected_marks` and `information` are at `Assembly.theta`. `shuffles` gives, for items whose
    options were shuffled to balance the keys, the options in the order in which they are printed: "CABD" prints C
    first, as A, so that the key C has become A.
    """

    name: str
    spare: bool
    items: tuple[str, ...]
    deviation: float
    bound: float
    marks: float
    minutes: float
    expected_marks: tuple[float, ...]
    information: tuple[float, ...]
    expected_at_cut: float
    accuracy: float
    shuffles: Mapping[str, str] = field(default_factory=dict)

    def printed_key(self, item: str, key: str) -> str:
        """The letter that an item's key has on this form."""
        options = self.shuffles.get(item, "")
        return sorted(options)[options.index(key)] if options else key


@dataclass(frozen=True, slots=True)
class Assembly:
    """Forms that meet a blueprint, how near they come to its target, and the recount that shows it."""

    forms: tuple[Form, ...]
    theta_cut: float
    theta: tuple[float, ...]
    target_marks: tuple[float, ...]
    target_information: tuple[float, ...]
    goal: float
    seed: int
    pool_digest: str
    seconds: float
    timed_out: bool  # a limit of time ended a search: another run can give other forms
    predicted: int  # items on the forms whose parameters were predicted, not estimated
    recount: tuple[RecountLine, ...]

    def form(self, name: str) -> Form:
        return next(form for form in self.forms if form.name == name)

    @property
    def status(self) -> str:
        """`met` where every form is within the goal, `best found` otherwise; a rule is never broken.

        After a limit of time it is `not reproducible`, whatever the deviations are.
        """
        if self.timed_out:
            return "not reproducible"
        return "met" if all(not form.deviation > self.goal for form in self.forms) else "best found"


def form_overlaps(assembly: Assembly) -> dict[tuple[str, str], int]:
    """Items that two forms share, for every pair."""
    return {
        (one.name, other.name): len(set(one.items) & set(other.items)) for one, other in combinations(assembly.forms, 2)
    }
