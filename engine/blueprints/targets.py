"""What every form is held against, on the ability scale or, without parameters, in classical terms."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from engine.blueprints.errors import BlueprintError

MATCHES = ("information", "marks", "maximize", "maximin", "moments")


@dataclass(frozen=True, slots=True)
class Target:
    """What every form must expect of candidates (hard) and how much it must tell of them (matched).

    The reference form is the paper the eligible pool would be on average, or the items of `reference`. The cut is the
    ability at which it expects `cut_share` of its marks. Abilities are `theta`, or `theta_from_cut` away from the cut.
    Expected marks must lie within `marks_tolerance` of the reference form's at each and within `marks_between_forms`
    of another form's (no rule where the tolerance is 0).

    `match` says what is as good as can be, until `goal` is reached:

    - `information`: the largest deviation from the reference form's information, or from the numbers `information`,
      `relative` or `absolute`, is least;
    - `marks`: the largest deviation of expected marks from the reference form's is least (characteristic curves match);
    - `maximize`: the information at the cut is largest;
    - `maximin`: the least information at the abilities, each measured by its number in `information` (1 unless said),
      is largest;
    - `moments`: mean and standard deviation of the column `of` (a proportion right, a grade) are nearest to `mean` and
      `sd`, or to the reference form's: the parallel papers of a pool without parameters.

    For `maximize` and `maximin` the goal is the relative distance from the bound. `predict` names the column of
    difficulty grades from which items without parameters get predicted ones.
    """

    match: str = "information"
    deviation: str = "relative"
    cut_share: float = 0.60
    theta_from_cut: tuple[float, ...] = (-1.5, -0.75, 0.0, 0.75, 1.5)
    theta: tuple[float, ...] = ()
    information: tuple[float, ...] = ()
    reference: tuple[str, ...] = ()
    marks_tolerance: float = 0.5
    marks_between_forms: float = 1.0
    goal: float = 0.005
    of: str = ""
    mean: float | None = None
    sd: float | None = None
    predict: str = ""

    def __post_init__(self) -> None:
        if self.match not in MATCHES:
            raise BlueprintError(f"match = {self.match!r}; choose one of {', '.join(MATCHES)}")
        if self.deviation not in {"relative", "absolute"}:
            raise BlueprintError(f"deviation = {self.deviation!r}; choose relative or absolute")
        if self.match == "moments" and not self.of:
            raise BlueprintError("match = 'moments' needs `of`, the column whose mean and spread are matched")
        self._check_finite()
        nodes = len(self.theta or self.theta_from_cut)
        if self.information and len(self.information) != nodes:
            raise BlueprintError(f"information has {len(self.information)} numbers for {nodes} abilities")
        if any(value <= 0 for value in self.information):
            raise BlueprintError("information: every number must be above 0")
        if not 0 < self.cut_share < 1 or not 0 <= self.goal < 1:
            raise BlueprintError(f"cut_share = {self.cut_share:g}, goal = {self.goal:g}: expected shares below 1")
        for name in ("marks_tolerance", "marks_between_forms"):
            if not 0 <= getattr(self, name) < inf:
                raise BlueprintError(f"{name} = {getattr(self, name):g}: expected 0 or more marks")

    def _check_finite(self) -> None:
        for name in ("theta", "theta_from_cut", "information"):
            if not all(map(isfinite, getattr(self, name))):
                raise BlueprintError(f"{name} = {list(getattr(self, name))}: expected numbers")
        for name in ("mean", "sd"):
            value = getattr(self, name)
            if value is not None and not isfinite(value):
                raise BlueprintError(f"{name} = {value}: expected a number")

    @property
    def needs_parameters(self) -> bool:
        """Can only calibrated items be chosen?"""
        return self.match != "moments"
