"""A link between two scales, theta_base = A · theta_new + B, and what can be made of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.linking.errors import LinkError
from calibration.linking.transform import transform_items, transform_scale
from calibration.linking.vectors import covariance_block, parameter_vector, square_root
from calibration.models import ItemParameters, Scale

Matrix = NDArray[np.float64]
# an estimate: the name of its scale, the item's id and its numbers; in two links it has the same error
Source = tuple[str, str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class AnchorStatistics:
    """How far an anchor of the new scale, put on the base scale, is from what it was there.

    `displacement` is b_base - (A · b_new + B), of the mean threshold, and `log_slope` is log a_base - log(a_new / A),
    NaN for nominal items, with their standard errors (None where the items' are not known); `robust_z` and
    `robust_z_slope` are those of Huynh & Meyer (2010) of the two; `d2` = Σ w ½ Σ_k (P_k - P*_k)² and `rmsd` of the
    expected marks as a share of the item's marks are over the population of the base.
    """

    item: str
    displacement: float
    displacement_se: float | None
    log_slope: float
    log_slope_se: float | None
    robust_z: float
    robust_z_slope: float
    d2: float
    rmsd: float


@dataclass(frozen=True, slots=True)
class Link:
    """theta_base = A · theta_new + B.

    `errors` holds, for every item whose estimates went in, d(A, B)/dξ · R with R Rᵀ the covariance of its parameters
    ξ, (2, p): their squares add up to the covariance of A and B, and links that share a calibration stay correlated
    (the scale's name tells, so give calibrations names of their own). None where a standard error was missing.
    `one_scale`: both sides are one calibration already, and an item of both is one estimate.
    """

    A: float
    B: float
    new: Scale
    base: Scale
    method: str
    anchors: tuple[str, ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)  # anchor → why it was left out
    statistics: tuple[AnchorStatistics, ...] = ()
    criterion: float | None = None
    errors: Mapping[Source, Matrix] | None = None
    notes: tuple[str, ...] = ()
    one_scale: bool = False

    def source(self, item: ItemParameters, *, base: bool) -> Source:
        """What names an estimate of the new or of the base scale in `errors`."""
        same_name = self.new.id == self.base.id and not (base or self.one_scale)
        name = f"{self.new.id} (new)" if same_name else (self.base.id if base else self.new.id)
        return name, item.id, tuple(parameter_vector(item).tolist())

    @property
    def covariance(self) -> Matrix | None:
        """Covariance of A and B, (2, 2)."""
        if self.errors is None:
            return None
        return np.asarray(sum((part @ part.T for part in self.errors.values()), np.zeros((2, 2))))

    @property
    def se(self) -> tuple[float, float] | None:
        """Standard errors of A and B."""
        covariance = self.covariance
        return None if covariance is None else (float(covariance[0, 0] ** 0.5), float(covariance[1, 1] ** 0.5))

    def theta(self, theta: ArrayLike) -> Matrix:
        """Abilities of the new scale on the base scale."""
        return np.asarray(self.A * np.asarray(theta, float) + self.B)

    def theta_se(self, theta: ArrayLike) -> Matrix | None:
        """Standard error that the link adds to abilities `theta` of the new scale."""
        if self.covariance is None:
            return None
        at = np.stack([np.asarray(theta, float), np.ones_like(np.asarray(theta, float))], axis=-1)
        return np.asarray(np.sqrt(np.einsum("...i,ij,...j->...", at, self.covariance, at)))

    def items(self, items: Sequence[ItemParameters]) -> tuple[ItemParameters, ...]:
        """Items of the new scale on the base scale (see `transform_items`)."""
        return transform_items(items, self.A, self.B, scale=self.new, D=self.base.D)

    @property
    def scale(self) -> Scale:
        """The base scale with the population of the new one on it."""
        moved = transform_scale(self.new, self.A, self.B, id=self.base.id, D=self.base.D)
        return replace(moved, anchors=self.anchors)

    @property
    def inverse(self) -> Link:
        """The link from the base to the new scale."""
        J = np.array([[-1 / self.A**2, 0.0], [self.B / self.A**2, -1 / self.A]])
        return Link(
            1 / self.A, -self.B / self.A, self.base, self.new, self.method, self.anchors, errors=_moved(self.errors, J)
        )

    def document(self) -> dict[str, Any]:
        """The link as plain JSON data."""
        se = self.se
        return {
            "method": self.method,
            "A": self.A,
            "B": self.B,
            "se": None if se is None else {"A": se[0], "B": se[1]},
            "covariance": None if self.covariance is None else self.covariance.tolist(),
            "criterion": self.criterion,
            "new": self.new.id,
            "base": self.base.id,
            "anchors": list(self.anchors),
            "dropped": dict(self.dropped),
            "statistics": [
                {
                    name: None if isinstance(value, float) and not np.isfinite(value) else value
                    for name, value in ((name, getattr(one, name)) for name in one.__slots__)
                }
                for one in self.statistics
            ],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        se = self.se
        A, B = (f"{self.A:.6f}", f"{self.B:.6f}")
        if se is not None:
            A, B = f"{A} (SE {se[0]:.4f})", f"{B} (SE {se[1]:.4f})"
        return f"{self.method}: A = {A}, B = {B}, {len(self.anchors)} anchors kept, {len(self.dropped)} dropped"


def link_errors(
    link: Link, new: Iterable[tuple[ItemParameters, Matrix]], base: Iterable[tuple[ItemParameters, Matrix]]
) -> dict[Source, Matrix] | None:
    """`Link.errors` from items and the derivatives (2, p) of A and B in their parameters; None where one has no SE."""
    errors: dict[Source, Matrix] = {}
    for side, parts in ((False, new), (True, base)):
        for item, slope in parts:
            block = covariance_block(item)
            if block is None:
                return None
            errors[link.source(item, base=side)] = slope @ square_root(block)
    return errors


def chain_links(links: Sequence[Link]) -> Link:
    """One link through several, from the first's new scale to the last's base.

    A = A_n · … · A_1 and B accordingly; the errors of all links add up, and where the same estimates served in two of
    them (a form in the middle) they do so with their sign (Battauz, 2013). Raises LinkError for an empty chain, or
    where a link does not end on the scale on which the next begins.
    """
    if not links:
        raise LinkError("a chain needs at least one link")
    whole = links[0]
    for step in links[1:]:
        if whole.base.id != step.new.id:
            raise LinkError(
                f"the chain is broken: one link ends on scale {whole.base.id!r}, the next begins on {step.new.id!r}"
            )
        J_before = np.array([[step.A, 0.0], [0.0, step.A]])
        J_step = np.array([[whole.A, 0.0], [whole.B, 1.0]])
        whole = Link(
            step.A * whole.A,
            step.A * whole.B + step.B,
            whole.new,
            step.base,
            f"{whole.method} > {step.method}",
            errors=_added([_moved(whole.errors, J_before), _moved(step.errors, J_step)]),
            notes=(*whole.notes, *step.notes),
        )
    return whole


def average_links(links: Sequence[Link], weights: Sequence[float] | None = None) -> Link:
    """One link from several routes between the same two scales: the (weighted) bisector of their lines.

    A = Σ W A_r, B = Σ W B_r with W ∝ w / √(1 + A_r²), which gives the inverse link when the routes are inverted
    (Holland & Strawderman, 2011; Battauz, 2013). `weights` are equal unless given. The notes say how far the routes
    are apart. Raises LinkError for routes between other scales.
    """
    if not links:
        raise LinkError("nothing to average: give at least one link")
    ends = {(link.new.id, link.base.id) for link in links}
    if len(ends) > 1:
        raise LinkError(f"routes must join the same scales; these join {sorted(ends)}")
    w = np.ones(len(links)) if weights is None else np.asarray(weights, float)
    if len(w) != len(links) or (w < 0).any() or not w.sum() > 0:
        raise LinkError(f"{len(links)} routes need as many weights from 0, not all of them 0")
    A, B = np.array([link.A for link in links]), np.array([link.B for link in links])

    def bisector(a: Matrix, b: Matrix) -> Matrix:
        W = w / np.sqrt(1 + a**2)
        return np.asarray(np.array([W @ a, W @ b]) / W.sum())

    mean = bisector(A, B)
    h = 1e-6
    parts = []
    for r, link in enumerate(links):
        unit = np.eye(len(links))[r] * h
        J = np.stack(
            [
                (bisector(A + unit, B) - bisector(A - unit, B)) / (2 * h),
                (bisector(A, B + unit) - bisector(A, B - unit)) / (2 * h),
            ],
            axis=1,
        )
        parts.append(_moved(link.errors, J))
    first = links[0]
    at = first.new.mean + first.new.sd * np.array([-2.0, 0.0, 2.0])
    lines = np.array([link.theta(at) for link in links])
    apart = float((lines.max(axis=0) - lines.min(axis=0)).max())
    return Link(
        float(mean[0]),
        float(mean[1]),
        first.new,
        first.base,
        f"bisector of {len(links)} routes",
        errors=_added(parts),
        notes=(f"within 2 SD of the mean the routes differ by at most {apart:.3f}",),
    )


def _moved(errors: Mapping[Source, Matrix] | None, J: Matrix) -> dict[Source, Matrix] | None:
    return None if errors is None else {key: J @ part for key, part in errors.items()}


def _added(parts: Sequence[Mapping[Source, Matrix] | None]) -> dict[Source, Matrix] | None:
    total: dict[Source, Matrix] = {}
    for errors in parts:
        if errors is None:
            return None
        for key, part in errors.items():
            total[key] = total.get(key, 0.0) + part
    return total
