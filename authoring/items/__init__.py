"""Items and their immutable versions: how they come in, in which states they are, what a pool may use."""
