"""Parameters to and from the files of other programs, and our own."""

from calibration.exchange.csv_table import items_from_csv, parameters_csv
from calibration.exchange.document import (
    item_document,
    item_from_document,
    parameters_document,
    parameters_from_document,
    scale_document,
)
from calibration.exchange.errors import ExchangeError
from calibration.exchange.flexmirt import flexmirt_parameters, items_from_flexmirt
from calibration.exchange.formats import FORMATS, Format, read_parameter_file, write_parameter_file
from calibration.exchange.irtq import irtq_metadata, items_from_irtq
from calibration.exchange.mirt import items_from_mirt, mirt_values
from calibration.exchange.usage import UsageStatistic, items_from_usage, scale_of_uri, scale_uri, usage_statistics

__all__ = [
    "FORMATS",
    "ExchangeError",
    "Format",
    "UsageStatistic",
    "flexmirt_parameters",
    "irtq_metadata",
    "item_document",
    "item_from_document",
    "items_from_csv",
    "items_from_flexmirt",
    "items_from_irtq",
    "items_from_mirt",
    "items_from_usage",
    "mirt_values",
    "parameters_csv",
    "parameters_document",
    "parameters_from_document",
    "read_parameter_file",
    "scale_document",
    "scale_of_uri",
    "scale_uri",
    "usage_statistics",
    "write_parameter_file",
]
