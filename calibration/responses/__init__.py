"""Responses: from files and tables of every layout to one value, with everything odd about them said."""

from calibration.responses.cells import (
    ANSWERED,
    MAX_CATEGORIES,
    NOT_REACHED,
    NOT_REACHED_CELL,
    OMITTED,
    OMITTED_CELLS,
    ResponsesError,
)
from calibration.responses.findings import Finding, design_components
from calibration.responses.keys import Key, KeyOfItem, read_key, read_marks, right_options
from calibration.responses.pooling import pool_responses
from calibration.responses.reading import OmittedPolicy, read_responses
from calibration.responses.sorting import sort_by_person
from calibration.responses.streams import stream_responses
from calibration.responses.values import Responses

__all__ = [
    "ANSWERED",
    "MAX_CATEGORIES",
    "NOT_REACHED",
    "NOT_REACHED_CELL",
    "OMITTED",
    "OMITTED_CELLS",
    "Finding",
    "Key",
    "KeyOfItem",
    "OmittedPolicy",
    "Responses",
    "ResponsesError",
    "design_components",
    "pool_responses",
    "read_key",
    "read_marks",
    "read_responses",
    "right_options",
    "sort_by_person",
    "stream_responses",
]
