"""Abilities of persons, and the reference form that turns them into percent."""

from calibration.scoring.decisions import Decisions, mark_decisions, population_nodes, theta_decisions
from calibration.scoring.errors import ScaleError
from calibration.scoring.reference import ReferenceForm, check_reference, read_reference
from calibration.scoring.reliability import empirical_reliability, marginal_reliability, reliability_as_given
from calibration.scoring.scorer import Scorer
from calibration.scoring.scores import FLAGS, Scores, eap_scores, score_responses
from calibration.scoring.sum_scores import SumScoreTable, sum_score_likelihood, sum_score_table

__all__ = [
    "FLAGS",
    "Decisions",
    "ReferenceForm",
    "ScaleError",
    "Scorer",
    "Scores",
    "SumScoreTable",
    "check_reference",
    "eap_scores",
    "empirical_reliability",
    "marginal_reliability",
    "mark_decisions",
    "population_nodes",
    "read_reference",
    "reliability_as_given",
    "score_responses",
    "sum_score_likelihood",
    "sum_score_table",
    "theta_decisions",
]
