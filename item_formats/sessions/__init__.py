"""Test sessions as a pure state machine: `begin_test` gives a state, `step` the next one for every event.

A state is plain data: `store` and `restore` it at any point. Time comes with the events, chance from the seed.
"""

from item_formats.sessions.definition import Feedback, SessionControl, TimeLimits
from item_formats.sessions.events import (
    BeginAttempt,
    Comment,
    EndAttempt,
    EndTest,
    Event,
    JumpTo,
    MoveBack,
    MoveNext,
    Resume,
    Review,
    Save,
    SessionError,
    ShowSolution,
    Skip,
    Suspend,
    Tick,
)
from item_formats.sessions.machine import begin_test, step
from item_formats.sessions.routes import Stop
from item_formats.sessions.scoring import score_test
from item_formats.sessions.state import ItemSession, SessionRules, TestState
from item_formats.sessions.storing import restore, store
from item_formats.sessions.views import (
    attempts_left,
    feedback_shown,
    item_feedback_shown,
    item_variables,
    seconds_left,
)

__all__ = [
    "BeginAttempt",
    "Comment",
    "EndAttempt",
    "EndTest",
    "Event",
    "Feedback",
    "ItemSession",
    "JumpTo",
    "MoveBack",
    "MoveNext",
    "Resume",
    "Review",
    "Save",
    "SessionControl",
    "SessionError",
    "SessionRules",
    "ShowSolution",
    "Skip",
    "Stop",
    "Suspend",
    "TestState",
    "Tick",
    "TimeLimits",
    "attempts_left",
    "begin_test",
    "feedback_shown",
    "item_feedback_shown",
    "item_variables",
    "restore",
    "score_test",
    "seconds_left",
    "step",
    "store",
]
