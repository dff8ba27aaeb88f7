"""Choice items as people write them, and the answers they write down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError, ItemType, choice_item, parse_response_code, read_item, response_code
from item_formats.choice import wording_findings
from tests.item_formats.documents import capitals, correct, multiple, single, true_false


def faults(item_type: ItemType, **changes: object) -> list[tuple[str, str | None]]:
    """Codes and columns of what is wrong with an otherwise good item."""
    make = {ItemType.SINGLE: single, ItemType.MULTIPLE: multiple, ItemType.TRUE_FALSE: true_false}[item_type]
    with pytest.raises(ItemError) as caught:
        make(**changes)
    return [(finding.code, finding.column) for finding in caught.value.findings]


def test_a_single_choice_is_one_letter_shuffled_and_scored_by_match_correct() -> None:
    item = single()
    (interaction,) = item.choice_interactions
    assert (interaction.max_choices, interaction.shuffle) == (1, True)
    assert [option.identifier for option in item.options] == ["A", "B", "C", "D"]
    assert item.response_declarations[0].cardinality == "single"
    assert (item.template, item.max_score) == ("match_correct", 1.0)


def test_a_multiple_response_takes_as_many_as_there_are_so_that_the_number_of_keys_does_not_show() -> None:
    item = multiple()
    assert item.choice_interactions[0].max_choices == 0
    assert item.response_declarations[0].cardinality == "multiple"
    assert item.response_declarations[0].correct == ("A", "B", "D")


def test_the_order_in_which_a_key_is_typed_makes_no_other_item() -> None:
    assert multiple(key="DBA") == multiple(key="ABD")


def test_true_and_false_stay_in_their_places() -> None:
    item = true_false()
    assert [(option.identifier, option.text, option.label) for option in item.options] == [
        ("T", "正确", "√"),
        ("F", "错误", "×"),
    ]
    assert not item.choice_interactions[0].shuffle


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("√", "√"),
        ("对", "√"),
        ("正确", "√"),
        ("T", "√"),
        ("×", "×"),
        ("错", "×"),
        ("错误", "×"),
        ("F", "×"),
        (" √ ", "√"),
    ],
)
def test_every_usual_way_to_write_true_and_false_is_read(written: str, key: str) -> None:
    assert true_false(key=written).key == key


def test_the_title_is_the_identifier_unless_somebody_says_otherwise() -> None:
    assert single().title == "Q1"
    assert single(title='学习 & "任务"').title == '学习 & "任务"'


def test_texts_are_data_whatever_they_look_like() -> None:
    item = single(
        stem="x < 1 && y > 2 的取值是（ ）。<b>\n]]>", options=["<p>", "&amp;", "{0}", "}{"], rationale="a\n<b>"
    )
    assert item.stem_text == "x < 1 && y > 2 的取值是（ ）。<b>\n]]>"
    assert [option.text for option in item.options] == ["<p>", "&amp;", "{0}", "}{"]
    assert item.rationale == "a\n<b>"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stem": "  "}, ("empty-stem", "题干")),
        ({"identifier": "1号"}, ("bad-identifier", "编号")),
        ({"identifier": "../Q1"}, ("bad-identifier", "编号")),
        ({"identifier": "Q" * 65}, ("bad-identifier", "编号")),
        ({"options": ["甲"]}, ("option-count", "选项A")),
        ({"options": ["甲", "乙", "", "丁"]}, ("empty-option", "选项C")),
        ({"options": ["甲", "乙", "丙", "甲 "]}, ("repeated-option", "选项D")),
        ({"key": ""}, ("empty-key", "答案")),
        ({"key": "E"}, ("key-not-an-option", "答案")),
        ({"key": "AB"}, ("too-many-keys", "答案")),
        ({"key": "b"}, ("bad-key", "答案")),
        ({"key": "2"}, ("bad-key", "答案")),
        ({"stem": "铃\x07（ ）"}, ("control-character", "题干")),
        ({"rationale": "\x00"}, ("control-character", "解析")),
        ({"options": ["甲", "乙", "丙", "\x1f丁"]}, ("control-character", "选项D")),
    ],
)
def test_what_cannot_be_a_single_choice_names_code_and_column(
    changes: dict[str, object], expected: tuple[str, str]
) -> None:
    assert expected in faults(ItemType.SINGLE, **changes)


@pytest.mark.parametrize(
    ("key", "code"),
    [("A", "too-few-keys"), ("AAB", "repeated-key-letter"), ("A,B", "bad-key"), ("ABF", "key-not-an-option")],
)
def test_keys_that_cannot_be_a_multiple_response(key: str, code: str) -> None:
    assert faults(ItemType.MULTIPLE, key=key) == [(code, "答案")]


def test_true_false_takes_no_options_and_no_letters() -> None:
    assert faults(ItemType.TRUE_FALSE, options=["对", "错"]) == [("true-false-with-options", "选项A")]
    assert faults(ItemType.TRUE_FALSE, key="A") == [("bad-key", "答案")]


def test_all_faults_of_an_item_are_told_at_once() -> None:
    assert faults(ItemType.SINGLE, stem="", key="", options=["甲", "甲"]) == [
        ("empty-stem", "题干"),
        ("repeated-option", "选项B"),
        ("empty-key", "答案"),
    ]


def test_messages_say_what_to_type() -> None:
    with pytest.raises(ItemError, match=r"答案 is “G”; there is no option G; the options are ABCD"):
        single(key="G")


@given(st.sets(st.sampled_from("ABCDE"), min_size=0, max_size=5))
def test_response_codes_are_letters_in_the_papers_order(chosen: set[str]) -> None:
    item = multiple()
    code = response_code(item, list(chosen))
    assert code == "".join(sorted(chosen))
    assert parse_response_code(item, code) == sorted(chosen)


def test_response_codes_of_true_false_are_the_marks() -> None:
    item = true_false()
    assert (response_code(item, "T"), response_code(item, "F"), response_code(item, None)) == ("√", "×", "")
    assert [parse_response_code(item, code) for code in ("√", "×", "错", "")] == [["T"], ["F"], ["F"], []]


def test_response_codes_of_foreign_items_are_the_printed_letters() -> None:
    item = read_item(capitals(correct("rome")))
    assert parse_response_code(item, "AC") == ["beijing", "rome"]
    assert response_code(item, ["rome", "beijing"]) == "AC"


@pytest.mark.parametrize("code", ["E", "a", "A,B", "AA", "√"])
def test_a_code_that_is_no_option_is_refused(code: str) -> None:
    with pytest.raises(ItemError) as caught:
        parse_response_code(single(), code)
    assert caught.value.findings[0].code == "response-not-an-option"
    assert caught.value.findings[0].item == "Q1"


def test_two_letters_for_a_single_choice_are_refused() -> None:
    with pytest.raises(ItemError, match="takes one option"):
        parse_response_code(single(), "AB")


def test_an_unknown_identifier_has_no_code() -> None:
    with pytest.raises(ItemError, match="expected A B C D"):
        response_code(single(), "lyon")


@pytest.mark.parametrize(
    ("item_type", "stem", "codes"),
    [
        (ItemType.SINGLE, "首都是（ ）。", []),
        (ItemType.SINGLE, "首都是（\u3000\u3000）。", []),
        (ItemType.SINGLE, "首都是( )。", ["no-blank"]),
        (ItemType.SINGLE, "首都是（B）。", ["answer-in-stem"]),
        (ItemType.SINGLE, "主成分分析（PCA）的作用是（ ）。", []),
        (ItemType.SINGLE, "自回归（AR）模型是什么", ["no-blank"]),
        (ItemType.MULTIPLE, "下列正确的有（ABD）。", ["answer-in-stem"]),
        (ItemType.TRUE_FALSE, "地球是圆的。", []),
        (ItemType.TRUE_FALSE, "地球是圆的", ["no-full-stop"]),
        (ItemType.TRUE_FALSE, "地球是圆的（√）。", ["answer-in-stem"]),
    ],
)
def test_house_style_of_stems(item_type: ItemType, stem: str, codes: list[str]) -> None:
    findings = wording_findings(item_type, stem)
    assert [finding.code for finding in findings] == codes
    assert all(finding.severity == "warning" for finding in findings)


def test_more_than_26_options_have_no_letters_left() -> None:
    with pytest.raises(ItemError, match="27 options; expected 2 to 26"):
        choice_item(
            identifier="Q",
            item_type=ItemType.SINGLE,
            stem="（ ）",
            options=[str(number) for number in range(27)],
            key="A",
        )
