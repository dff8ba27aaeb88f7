"""Why is there no such paper, and what is the least change that helps?

`diagnosing.diagnose` assembles what it proposes, and an assembly asks `explain` here: it is shown by `engine` itself.
"""

from engine.diagnosis.changes import Change
from engine.diagnosis.counting import Shortage
from engine.diagnosis.examining import Diagnosis
from engine.diagnosis.explaining import explain

__all__ = ["Change", "Diagnosis", "Shortage", "explain"]
