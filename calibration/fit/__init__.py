"""Do the parameters describe the responses? Fit of items, persons, pairs and model, and DIF."""

from calibration.fit.curve_effects import CurveEffect, curve_effect
from calibration.fit.dif import (
    GroupedFit,
    ItemDif,
    dif_likelihood_ratio,
    dif_rmsd,
    dif_wald,
    dif_wald_refitted,
    flag_dif,
    purified,
)
from calibration.fit.item_fit import ItemFit, item_fit
from calibration.fit.local_dependence import LocalDependence, local_dependence
from calibration.fit.model_fit import ModelFit, model_fit, rmsea_interval
from calibration.fit.person_fit import PersonFit, person_fit
from calibration.fit.persons import FitError, abilities, fitted, group_populations
from calibration.fit.refitting import group_counts, grouped_fitter, split_by_group
from calibration.fit.sibtest import SibtestResult, sibtest

__all__ = [
    "CurveEffect",
    "FitError",
    "GroupedFit",
    "ItemDif",
    "ItemFit",
    "LocalDependence",
    "ModelFit",
    "PersonFit",
    "SibtestResult",
    "abilities",
    "curve_effect",
    "dif_likelihood_ratio",
    "dif_rmsd",
    "dif_wald",
    "dif_wald_refitted",
    "fitted",
    "flag_dif",
    "group_counts",
    "group_populations",
    "grouped_fitter",
    "item_fit",
    "local_dependence",
    "model_fit",
    "person_fit",
    "purified",
    "rmsea_interval",
    "sibtest",
    "split_by_group",
]
