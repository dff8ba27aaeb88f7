"""Why is there no such paper, and what is the least change that helps?"""

from engine.diagnosis.explaining import explain

__all__ = ["explain"]
