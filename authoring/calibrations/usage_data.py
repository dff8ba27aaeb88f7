"""Item parameters in QTI usage data: `usage_statistics` of calibration as a document of item_formats, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calibration import (
    ExchangeError,
    Format,
    ItemParameters,
    Scale,
    UsageStatistic,
    items_from_usage,
    usage_statistics,
)
from item_formats import (
    ItemError,
    ItemStatistic,
    StatisticValue,
    Target,
    read_usage_data,
    usage_data,
    write_usage_data,
)


def parameters_as_usage_data(items: Sequence[ItemParameters], scale: Scale) -> str:
    """The parameters as a QTI 3 usage data document; the context of every statistic names the scale."""
    statistics = []
    for row in usage_statistics(items, scale):
        kind = "string" if isinstance(row.value, str) else "float"
        text = row.value if isinstance(row.value, str) else repr(float(row.value))
        statistics.append(
            ItemStatistic(
                name=row.name,
                context=row.context,
                targets=(Target(identifier=row.item, object_type="item"),),
                value=StatisticValue(text=text, base_type=kind),
                case_count=round(row.n) or None,
                standard_error=row.standard_error,
            )
        )
    return write_usage_data(usage_data(statistics)).decode("utf-8")


def parameters_of_usage_data(
    text: str, where: str, *, context: str | None = None
) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items and scale from a usage data document of any QTI version. Raises ExchangeError."""
    try:
        usage = read_usage_data(text.encode("utf-8"), file=where)
    except ItemError as error:
        raise ExchangeError(str(error)) from None
    rows = [
        UsageStatistic(
            target.identifier,
            statistic.name,
            statistic.value.text if statistic.value is not None else "",
            statistic.standard_error,
            float(statistic.case_count or 0),
            statistic.context,
        )
        for statistic in usage.statistics
        if isinstance(statistic, ItemStatistic)
        for target in statistic.targets
        if target.part is None
    ]
    return items_from_usage(rows, where, context=context)


def _is_usage_data(_: Path, text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n").startswith("<") and "usageData" in text[:2000]


USAGE_DATA = Format(
    "QTI usage data (item statistics), as XML",
    lambda text, where, group, _: parameters_of_usage_data(text, where, context=group),
    parameters_as_usage_data,
    _is_usage_data,
    lambda path: path.suffix.lower() == ".xml",
)
