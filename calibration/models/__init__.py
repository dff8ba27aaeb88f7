"""What item response models say."""

from calibration.models.curves import Curves
from calibration.models.dichotomous import ParameterTable, information, logistic, probability
from calibration.models.parameters import (
    DICHOTOMOUS,
    DIVIDE_BY_TOTAL,
    MODELS,
    ItemParameters,
    ModelError,
    Scale,
    check_parameters,
    model_named,
    parameter_names,
)

__all__ = [
    "DICHOTOMOUS",
    "DIVIDE_BY_TOTAL",
    "MODELS",
    "Curves",
    "ItemParameters",
    "ModelError",
    "ParameterTable",
    "Scale",
    "check_parameters",
    "information",
    "logistic",
    "model_named",
    "parameter_names",
    "probability",
]
