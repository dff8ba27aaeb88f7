"""Occupational standards: the outline of what is examined, and the weights of its areas."""
