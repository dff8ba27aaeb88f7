"""Responses → item parameters, scores and the evidence that both are right."""

from calibration.calibrating import Progress, calibrate
from calibration.classical import ItemStatistics, OptionStatistics, item_statistics
from calibration.difficulty_grades import Graded, GradePriors, grade_priors, read_grades
from calibration.files import write_text_whole
from calibration.models import (
    MODELS,
    Curves,
    ItemParameters,
    ModelError,
    ParameterTable,
    Scale,
    check_parameters,
    information,
    model_named,
    probability,
)
from calibration.pages import chart_svg, facts, new_chart, report_page, table
from calibration.preparing import digest
from calibration.priors import (
    DEFAULT_PRIORS,
    NO_PRIORS,
    Beta,
    LogitNormal,
    LogNormal,
    Normal,
    PriorError,
    Priors,
    family_priors,
    read_priors,
)
from calibration.report import write_report
from calibration.responses import Responses, ResponsesError, pool_responses, read_key, read_responses
from calibration.result import Calibration, CalibrationError, read_parameters
from calibration.scoring import ReferenceForm, ScaleError, Scores, eap_scores
from calibration.screening import Flag, benjamini_hochberg, screen
from calibration.spec_files import Specification, read_specification
from calibration.state_files import read_state, write_state

__all__ = [
    "DEFAULT_PRIORS",
    "MODELS",
    "NO_PRIORS",
    "Beta",
    "Calibration",
    "CalibrationError",
    "Curves",
    "Flag",
    "GradePriors",
    "Graded",
    "ItemParameters",
    "ItemStatistics",
    "LogNormal",
    "LogitNormal",
    "ModelError",
    "Normal",
    "OptionStatistics",
    "ParameterTable",
    "PriorError",
    "Priors",
    "Progress",
    "ReferenceForm",
    "Responses",
    "ResponsesError",
    "Scale",
    "ScaleError",
    "Scores",
    "Specification",
    "benjamini_hochberg",
    "calibrate",
    "chart_svg",
    "check_parameters",
    "digest",
    "eap_scores",
    "facts",
    "family_priors",
    "grade_priors",
    "information",
    "item_statistics",
    "model_named",
    "new_chart",
    "pool_responses",
    "probability",
    "read_grades",
    "read_key",
    "read_parameters",
    "read_priors",
    "read_responses",
    "read_specification",
    "read_state",
    "report_page",
    "screen",
    "table",
    "write_report",
    "write_state",
    "write_text_whole",
]

from calibration.responses import (
    Finding,
    Key,
    KeyOfItem,
    design_components,
    read_marks,
    right_options,
    sort_by_person,
    stream_responses,
)

__all__ += [
    "Finding",
    "Key",
    "KeyOfItem",
    "design_components",
    "read_marks",
    "right_options",
    "sort_by_person",
    "stream_responses",
]
