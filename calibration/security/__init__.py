"""Signs that items or candidates are not what they seem: items grown known, candidates who knew them."""

from calibration.security.cusum import CusumChart, average_run_length, cusum_charts, decision_interval
from calibration.security.pass_rates import PassRate, pass_rate_jumps
from calibration.security.preknowledge import (
    Preknowledge,
    likelihood_ratio_check,
    predictive_check,
    regression_check,
)

__all__ = [
    "CusumChart",
    "PassRate",
    "Preknowledge",
    "average_run_length",
    "cusum_charts",
    "decision_interval",
    "likelihood_ratio_check",
    "pass_rate_jumps",
    "predictive_check",
    "regression_check",
]
