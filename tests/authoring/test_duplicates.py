"""Questions that are the same, nearly the same, and only look it."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from authoring.items.duplicates import NEAR, FoldedText, NearDuplicates, folded_text
from item_formats import ItemType
from tests.authoring.sample import row

TEXTS = st.text(alphabet="数据标注质量模型训练的是，。 ab", min_size=2, max_size=30)


def index(*texts: tuple[str, str, str]) -> NearDuplicates:
    made = NearDuplicates()
    for code, stem, options in texts:
        made.add(code, FoldedText(stem, options))
    return made


def words_of(text: str) -> str:
    return "".join(c for c in text if c not in "，。 ")


def jaccard(one: str, other: str) -> float:
    """The definition, computed the slow way."""
    first, second = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (words_of(one), words_of(other)))
    return len(first & second) / len(first | second)


def test_width_case_and_spaces_make_no_other_question() -> None:
    plain = row("Q1", stem="ＡＩ 训练（ ）。", options=["Ｂatch", "甲", "乙", "丙"])
    wide = row("Q2", stem="ai训练（　）。", options=["丙", "batch", "甲 ", "乙"])
    assert folded_text(plain.item) == folded_text(wide.item)
    assert folded_text(plain.item).digest == folded_text(wide.item).digest


def test_the_options_are_part_of_the_question() -> None:
    first = row("Q1", stem="下列说法正确的是（ ）。", options=["甲", "乙", "丙", "丁"])
    other = row("Q2", stem="下列说法正确的是（ ）。", options=["甲", "乙", "丙", "戊"])
    assert folded_text(first.item).digest != folded_text(other.item).digest


def test_true_and_false_are_not_options_to_compare() -> None:
    assert folded_text(row("Q1", item_type=ItemType.TRUE_FALSE).item).options == ""


@given(TEXTS, TEXTS)
def test_nearness_is_the_jaccard_index_of_bigrams(one: str, other: str) -> None:
    assume(all(len(words_of(text)) >= 2 for text in (one, other)))
    found = index(("Q1", one, "")).nearest(FoldedText(other, ""))
    expected = jaccard(one, other)
    assert (found.stem if found else None) == (expected if expected >= NEAR else None)


def test_a_common_stem_with_other_options_is_another_question() -> None:
    bank = index(("Q1", "下列说法正确的是", "召回率越高越好\n准确率越高越好"))
    assert bank.nearest(FoldedText("下列说法正确的是", "数据要脱敏\n日志要留存")) is None
    near = bank.nearest(FoldedText("下列说法正确的是", "召回率越高越好\n准确率越低越好"))
    assert near is not None
    assert near.stem == 1
    assert near.options is not None
    assert NEAR <= near.options < 1


def test_the_nearest_is_given_and_ties_go_to_the_lowest_code() -> None:
    bank = index(("Q3", "数据标注质量", ""), ("Q2", "数据标注质量", ""), ("Q1", "数据标注的质量", ""))
    found = bank.nearest(FoldedText("数据标注质量", ""))
    assert found is not None
    assert (found.code, found.stem, found.options) == ("Q2", 1.0, None)
