"""Responses → item parameters, scores and the evidence that both are right.

Names are imported from where they live when they are first used: a script that links two calibrations does not wait
for what it takes to make one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calibration.calibrating import *
    from calibration.classical import *
    from calibration.classical.angoff import *
    from calibration.classical.bookmark import *
    from calibration.classical.dif import *
    from calibration.classical.distractors import *
    from calibration.classical.reliability import *
    from calibration.classical_stream import *
    from calibration.compare import *
    from calibration.difficulty_grades import *
    from calibration.estimation.andersen import *
    from calibration.estimation.block_stream import *
    from calibration.estimation.conditional import *
    from calibration.exchange import *
    from calibration.exchange.cli import params_group as params_group
    from calibration.false_discovery import *
    from calibration.files import *
    from calibration.fit import *
    from calibration.item_sets import *
    from calibration.linking import *
    from calibration.models import *
    from calibration.pages import *
    from calibration.preparing import *
    from calibration.priors import *
    from calibration.raters import *
    from calibration.report import *
    from calibration.responses import *
    from calibration.result import *
    from calibration.scoring import *
    from calibration.screening import *
    from calibration.security import *
    from calibration.spec_files import *
    from calibration.state_files import *
    from calibration.streaming import *

_HOMES = {
    "calibrating": (
        "Progress",
        "calibrate",
    ),
    "classical": (
        "ItemStatistics",
        "OptionStatistics",
        "item_statistics",
        "statistics_by_form",
    ),
    "classical.angoff": (
        "Ratings",
        "StandardSettingError",
        "angoff",
        "read_ratings",
    ),
    "classical.bookmark": (
        "bookmark_cut",
        "borderline_cut",
        "contrasting_cut",
        "ordered_booklet",
    ),
    "classical.dif": (
        "LogisticDif",
        "MantelHaenszel",
        "logistic_dif",
        "mantel_haenszel_dif",
    ),
    "classical.distractors": (
        "OptionCurves",
        "distractor_flags",
        "option_curves",
        "option_curves_of_items",
    ),
    "classical.reliability": (
        "Reliability",
        "reliability",
        "reliability_by_form",
    ),
    "classical_stream": ("streamed_statistics",),
    "compare": (
        "Comparison",
        "ComparisonError",
        "compare",
    ),
    "difficulty_grades": (
        "GradePriors",
        "Graded",
        "grade_priors",
        "read_grades",
    ),
    "estimation.andersen": (
        "AndersenTest",
        "andersen_test",
    ),
    "estimation.block_stream": (
        "StreamedResponses",
        "block_stream",
    ),
    "estimation.conditional": (
        "ConditionalFit",
        "conditional_fit",
    ),
    "exchange": (
        "ExchangeError",
        "FORMATS",
        "Format",
        "UsageStatistic",
        "items_from_usage",
        "parameters_document",
        "parameters_from_document",
        "read_parameter_file",
        "usage_statistics",
        "write_parameter_file",
    ),
    "exchange.cli": ("params_group",),
    "false_discovery": (
        "adjusted_p_values",
        "benjamini_hochberg",
    ),
    "files": ("write_text_whole",),
    "item_sets": (
        "Collapsed",
        "collapse_sets",
        "read_item_sets",
        "with_sums_of",
    ),
    "fit": (
        "FitError",
        "ItemDif",
        "ItemFit",
        "LocalDependence",
        "ModelFit",
        "PersonFit",
        "SibtestResult",
        "curve_effect",
        "dif_likelihood_ratio",
        "dif_rmsd",
        "dif_wald",
        "dif_wald_refitted",
        "grouped_fitter",
        "item_fit",
        "local_dependence",
        "model_fit",
        "person_fit",
        "sibtest",
    ),
    "linking": (
        "AnchorRules",
        "Drift",
        "DriftResult",
        "DriftRules",
        "EquatingTable",
        "Link",
        "LinkError",
        "ThetaWeights",
        "average_links",
        "chain_links",
        "item_drift",
        "link_scales",
        "observed_score_equating",
        "pool_groups",
        "transform_items",
        "transform_scale",
        "true_score_equating",
    ),
    "models": (
        "Curves",
        "ItemParameters",
        "MODELS",
        "ModelError",
        "ParameterTable",
        "Scale",
        "check_parameters",
        "information",
        "model_named",
        "probability",
    ),
    "pages": (
        "chart_svg",
        "facts",
        "new_chart",
        "report_page",
        "table",
    ),
    "preparing": ("digest",),
    "priors": (
        "Beta",
        "DEFAULT_PRIORS",
        "LogNormal",
        "LogitNormal",
        "NO_PRIORS",
        "Normal",
        "PriorError",
        "Priors",
        "family_priors",
        "read_priors",
    ),
    "raters": (
        "FairMarks",
        "IntraclassCorrelations",
        "Kappa",
        "RatingFit",
        "ThirdScorer",
        "fair_marks",
        "intraclass_correlations",
        "rater_agreement",
        "rater_pairs",
        "third_scorer",
        "weighted_kappa",
    ),
    "report": (
        "Evidence",
        "FLAG_NAMES",
        "gather",
        "page_of",
        "report_numbers",
        "write_numbers",
        "write_report",
    ),
    "responses": (
        "Finding",
        "Key",
        "KeyOfItem",
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
    ),
    "result": (
        "Calibration",
        "CalibrationError",
        "Estimate",
        "Group",
        "read_parameters",
    ),
    "scoring": (
        "Decisions",
        "ReferenceForm",
        "ScaleError",
        "Scorer",
        "Scores",
        "SumScoreTable",
        "check_reference",
        "eap_scores",
        "empirical_reliability",
        "marginal_reliability",
        "mark_decisions",
        "read_reference",
        "reliability_as_given",
        "score_responses",
        "sum_score_likelihood",
        "sum_score_table",
        "theta_decisions",
    ),
    "screening": (
        "Flag",
        "screen",
    ),
    "security": (
        "CusumChart",
        "PassRate",
        "Preknowledge",
        "cusum_charts",
        "decision_interval",
        "likelihood_ratio_check",
        "pass_rate_jumps",
        "predictive_check",
        "regression_check",
    ),
    "spec_files": (
        "Specification",
        "read_specification",
    ),
    "state_files": (
        "read_state",
        "remove_state",
        "write_state",
    ),
    "streaming": ("calibrate_stream",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605

if not TYPE_CHECKING:  # or mypy would believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"calibration has no {name!r}; its names are in calibration.__all__")
        return getattr(import_module(f"calibration.{_HOME_OF[name]}"), name)

    def __dir__() -> list[str]:
        return __all__
