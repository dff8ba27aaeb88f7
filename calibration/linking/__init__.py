"""Scales joined by common items, marks made comparable, and items watched for drift."""

from calibration.linking.anchors import AnchorRules, Anchors, anchor_statistics, common_anchors, robust_z, shifts
from calibration.linking.bootstrap import bootstrap_errors, draw_items
from calibration.linking.concurrent import ConcurrentData, pool_groups
from calibration.linking.criteria import ThetaWeights
from calibration.linking.drift import Drift, DriftResult, DriftRules, item_drift
from calibration.linking.equating import (
    EquatingTable,
    equipercentile,
    identity_link,
    observed_score_equating,
    percentile_ranks,
    true_score_equating,
    with_errors,
)
from calibration.linking.errors import LinkError
from calibration.linking.link import AnchorStatistics, Link, average_links, chain_links
from calibration.linking.scales import METHODS, link_scales
from calibration.linking.transform import transform_items, transform_scale

__all__ = [
    "METHODS",
    "AnchorRules",
    "AnchorStatistics",
    "Anchors",
    "ConcurrentData",
    "Drift",
    "DriftResult",
    "DriftRules",
    "EquatingTable",
    "Link",
    "LinkError",
    "ThetaWeights",
    "anchor_statistics",
    "average_links",
    "bootstrap_errors",
    "chain_links",
    "common_anchors",
    "draw_items",
    "equipercentile",
    "identity_link",
    "item_drift",
    "link_scales",
    "observed_score_equating",
    "percentile_ranks",
    "pool_groups",
    "robust_z",
    "shifts",
    "transform_items",
    "transform_scale",
    "true_score_equating",
    "with_errors",
]
