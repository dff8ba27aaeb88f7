"""From responses to parameters by marginal maximum likelihood."""

from calibration.estimation.old import Fit, Grid, blocks_of, fit, posterior

__all__ = ["Fit", "Grid", "blocks_of", "fit", "posterior"]
