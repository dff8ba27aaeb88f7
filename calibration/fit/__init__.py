"""Do the parameters describe the responses? Fit of items, persons, pairs and model, and DIF."""

from calibration.fit.model_fit import ModelFit, model_fit, rmsea_interval
from calibration.fit.persons import FitError

__all__ = ["FitError", "ModelFit", "model_fit", "rmsea_interval"]
