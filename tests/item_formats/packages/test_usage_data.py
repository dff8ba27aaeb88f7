"""Statistics of items: from numbers to a document and back, of every version."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError
from item_formats.packages import (
    CategorizedStatistic,
    ItemStatistic,
    UsageData,
    item_statistics,
    read_usage_data,
    usage_data,
    write_usage_data,
)
from item_formats.packages.usage_data import GLOSSARY, MappedShare, Shares, StatisticValue, Target
from tests.shared import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = "urn:example:2026-spring"
KNOWN = item_statistics(
    "Q1",
    context=CONTEXT,
    n=1204,
    p_value=0.61,
    point_biserial=0.42,
    a=1.25,
    b=-0.5,
    c=0.2,
    standard_errors={"irtA": 0.08, "irtB": 0.05},
    choices={"A": 0.61, "B": 0.2, "C": 0.12, "D": 0.07},
    updated=date(2026, 5, 1),
)

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,10}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=12)
numbers = st.floats(allow_nan=False)
targets = st.lists(
    st.builds(
        Target,
        identifier=texts,
        part=st.none() | names,
        object_type=st.none() | st.sampled_from(["item", "choice", "test"]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
said = {
    "name": names,
    "context": texts,
    "targets": targets,
    "glossary": st.none() | texts.filter(bool),
    "case_count": st.none() | st.integers(0, 10**9),
    "standard_error": st.none() | numbers,
    "standard_deviation": st.none() | numbers,
    "last_updated": st.none() | st.dates(),
}
statistics = st.builds(
    ItemStatistic, **said, value=st.builds(StatisticValue, text=texts, base_type=st.sampled_from(["float", None]))
) | st.builds(
    CategorizedStatistic,
    **said,
    mapping=st.builds(
        Shares,
        entries=st.lists(
            st.builds(MappedShare, key=texts, value=numbers, case_sensitive=st.none() | st.booleans()),
            min_size=1,
            max_size=3,
        ).map(tuple),
        default=st.none() | numbers,
    ),
)


@given(st.lists(statistics, max_size=4))
def test_statistics_come_back_as_they_were(given_statistics: list[ItemStatistic | CategorizedStatistic]) -> None:
    usage = UsageData(tuple(given_statistics), "urn:glossary")
    assert read_usage_data(write_usage_data(usage)) == usage


def test_the_usual_statistics_are_found_by_item_and_name() -> None:
    usage = read_usage_data(write_usage_data(usage_data(KNOWN)))
    assert usage.glossary == GLOSSARY
    assert usage.of("Q1") == {
        "n": 1204,
        "pValue": 0.61,
        "pointBiserial": 0.42,
        "irtA": 1.25,
        "irtB": -0.5,
        "irtC": 0.2,
    }
    assert usage.of("Q2") == {}
    slope = next(one for one in usage.statistics if one.name == "irtA")
    assert (slope.standard_error, slope.case_count, slope.last_updated) == (0.08, 1204, date(2026, 5, 1))
    chosen = usage.statistics[-1]
    assert isinstance(chosen, CategorizedStatistic)
    assert chosen.shares == {"A": 0.61, "B": 0.2, "C": 0.12, "D": 0.07}


def test_what_is_not_known_of_an_item_is_left_out() -> None:
    assert [one.name for one in item_statistics("Q1", context=CONTEXT, p_value=0.5)] == ["pValue"]


@pytest.mark.parametrize(
    "namespace",
    ["http://www.imsglobal.org/xsd/imsqti_v2p1", "http://www.imsglobal.org/xsd/imsqti_usagedata_v2p2", ""],
)
def test_older_documents_are_read(namespace: str) -> None:
    usage = read_usage_data(
        f'<usageData xmlns="{namespace}" xmlns:v="urn:v"><ordinaryStatistic name="facility" context="urn:c" '
        'caseCount="12"><targetObject identifier="Q1"/><value baseType="float"> 0.75 </value></ordinaryStatistic>'
        "<v:own>kept</v:own></usageData>".encode()
    )
    assert usage.of("Q1") == {"facility": 0.75}
    assert b"kept" in write_usage_data(usage)


STATISTIC = '<ordinaryStatistic name="{name}" context="c"{more}>{inside}</ordinaryStatistic>'
TARGET, VALUE = '<targetObject identifier="Q1"/>', "<value>1</value>"


@pytest.mark.parametrize(
    ("statistic", "code"),
    [
        (STATISTIC.format(name="p", more="", inside=TARGET), "missing-element"),
        (STATISTIC.format(name="p", more="", inside=VALUE), "missing-element"),
        (STATISTIC.format(name="p", more="", inside=TARGET + VALUE + VALUE), "repeated-element"),
        (STATISTIC.format(name="p q", more="", inside=TARGET + VALUE), "bad-value"),
        (STATISTIC.format(name="p", more=' caseCount="many"', inside=TARGET + VALUE), "bad-value"),
        (STATISTIC.format(name="p", more=' lastUpdated="2026-02-30"', inside=TARGET + VALUE), "bad-value"),
        ('<ordinaryStatistic name="p">' + TARGET + VALUE + "</ordinaryStatistic>", "missing-attribute"),
        (
            '<categorizedStatistic name="p" context="c">' + TARGET + "<mapping/></categorizedStatistic>",
            "missing-element",
        ),
    ],
)
def test_what_is_no_statistic_is_refused_with_its_line(statistic: str, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        read_usage_data(
            f'<usageData xmlns="http://www.imsglobal.org/xsd/imsqti_usagedata_v3p0">\n{statistic}</usageData>'.encode()
        )
    assert (caught.value.findings[0].code, caught.value.findings[0].line) == (code, 2)


def test_another_document_is_refused() -> None:
    with pytest.raises(ItemError, match="not-usage-data"):
        read_usage_data(b"<usageStatistics/>")


@pytest.mark.parametrize("name", ["p value", "", "1p", "a:b"])
def test_names_that_qti_does_not_allow_are_not_written(name: str) -> None:
    statistic = ItemStatistic(name=name, context="c", targets=(Target(identifier="Q"),), value=StatisticValue(text="1"))
    with pytest.raises(ItemError, match="bad-value"):
        write_usage_data(UsageData((statistic,)))


def test_characters_xml_cannot_hold_are_not_written() -> None:
    with pytest.raises(ItemError, match=r"U\+0007"):
        write_usage_data(usage_data(item_statistics("Q\x07", context=CONTEXT, n=1)))


@pytest.mark.parametrize("known", [KNOWN, KNOWN[:1], []])
def test_what_is_written_is_valid(known: Sequence[ItemStatistic | CategorizedStatistic]) -> None:
    schema = etree.XMLSchema(etree.parse(str(shared("qti/schemas/qtiv3p0/imsqti_usagedatav3p0_v1p0.xsd"))))
    schema.assertValid(etree.fromstring(write_usage_data(usage_data(known))))
