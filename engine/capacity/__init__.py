"""How many more papers does a bank hold, what runs out first, and which items are best written next?"""

from engine.capacity.measuring import Capacity, capacity
from engine.capacity.supply import CellSupply, RuleSupply
from engine.capacity.writing import Step, WritingLine

__all__ = ["Capacity", "CellSupply", "RuleSupply", "Step", "WritingLine", "capacity"]
