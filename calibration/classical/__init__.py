"""Classical statistics: what responses say without a model of ability."""

from calibration.classical.items import ItemStatistics, OptionStatistics, item_statistics, statistics_by_form

__all__ = ["ItemStatistics", "OptionStatistics", "item_statistics", "statistics_by_form"]
