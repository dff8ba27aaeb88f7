"""Responses → item parameters, scores and the evidence that both are right."""

from calibration.classical import ItemStatistics, OptionStatistics, item_statistics
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
from calibration.priors import DEFAULT_PRIORS, NO_PRIORS, LogNormal, Normal, Priors
from calibration.report import write_report
from calibration.responses import Responses, ResponsesError, pool_responses, read_key, read_responses
from calibration.result import Calibration, CalibrationError, calibrate, named_priors, read_parameters
from calibration.scoring import ReferenceForm, ScaleError, Scores, eap_scores
from calibration.screening import Flag, benjamini_hochberg, screen

__all__ = [
    "DEFAULT_PRIORS",
    "MODELS",
    "NO_PRIORS",
    "Calibration",
    "CalibrationError",
    "Curves",
    "Flag",
    "ItemParameters",
    "ItemStatistics",
    "LogNormal",
    "ModelError",
    "Normal",
    "OptionStatistics",
    "ParameterTable",
    "Priors",
    "ReferenceForm",
    "Responses",
    "ResponsesError",
    "Scale",
    "ScaleError",
    "Scores",
    "benjamini_hochberg",
    "calibrate",
    "chart_svg",
    "check_parameters",
    "eap_scores",
    "facts",
    "information",
    "item_statistics",
    "model_named",
    "named_priors",
    "new_chart",
    "pool_responses",
    "probability",
    "read_key",
    "read_parameters",
    "read_responses",
    "report_page",
    "screen",
    "table",
    "write_report",
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
