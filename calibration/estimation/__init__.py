"""From responses to parameters by marginal maximum likelihood."""
