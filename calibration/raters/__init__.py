"""Raters: how far they agree, whose marks need a third scorer, and marks that do not depend on who gave them."""

from calibration.raters.agreement import (
    IntraclassCorrelations,
    Kappa,
    RaterPair,
    ThirdScorer,
    intraclass_correlations,
    one_way_correlation,
    rater_agreement,
    rater_pairs,
    third_scorer,
    weighted_kappa,
)
from calibration.raters.fairness import FairMarks, fair_marks
from calibration.raters.fit import RatingFit, rating_fit

__all__ = [
    "FairMarks",
    "IntraclassCorrelations",
    "Kappa",
    "RaterPair",
    "RatingFit",
    "ThirdScorer",
    "fair_marks",
    "intraclass_correlations",
    "one_way_correlation",
    "rater_agreement",
    "rater_pairs",
    "rating_fit",
    "third_scorer",
    "weighted_kappa",
]
