"""What is wrong with a pool, or with a condition on one."""


class PoolError(ValueError):
    """A pool, or a condition on one, that cannot be used; the message names row, column or value."""
