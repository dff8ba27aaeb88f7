"""The items something may be chosen from: parameters and attributes, one row an item."""

from engine.pools.columns import Column, Condition, Value
from engine.pools.errors import PoolError
from engine.pools.pool import Pool
from engine.pools.predicting import with_predicted
from engine.pools.reading import read_pool

__all__ = ["Column", "Condition", "Pool", "PoolError", "Value", "read_pool", "with_predicted"]
