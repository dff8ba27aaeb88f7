"""Content packages in and out, results of candidates, and what is known about items from their use."""

from item_formats.packages.archive import USUAL_LIMITS, Limits
from item_formats.packages.manifest import Kind, Manifest, Resource
from item_formats.packages.metadata import Metadata, QtiMetadata
from item_formats.packages.reading import (
    OpenPackage,
    Package,
    PackageDocument,
    iter_package,
    open_package,
    read_package,
)
from item_formats.packages.results import (
    AssessmentResult,
    ItemResult,
    OutcomeVariable,
    ResponseVariable,
    ResultContext,
    SessionIdentifier,
    TestResult,
    check_result,
    read_result,
    result_of_item,
    result_of_test,
    write_result,
)
from item_formats.packages.session_results import result_of_session
from item_formats.packages.usage_data import (
    CategorizedStatistic,
    ItemStatistic,
    UsageData,
    item_statistics,
    read_usage_data,
    usage_data,
    write_usage_data,
)
from item_formats.packages.writing import save_package, write_package

__all__ = [
    "USUAL_LIMITS",
    "AssessmentResult",
    "CategorizedStatistic",
    "ItemResult",
    "ItemStatistic",
    "Kind",
    "Limits",
    "Manifest",
    "Metadata",
    "OpenPackage",
    "OutcomeVariable",
    "Package",
    "PackageDocument",
    "QtiMetadata",
    "Resource",
    "ResponseVariable",
    "ResultContext",
    "SessionIdentifier",
    "TestResult",
    "UsageData",
    "check_result",
    "item_statistics",
    "iter_package",
    "open_package",
    "read_package",
    "read_result",
    "read_usage_data",
    "result_of_item",
    "result_of_session",
    "result_of_test",
    "save_package",
    "usage_data",
    "write_package",
    "write_result",
    "write_usage_data",
]
