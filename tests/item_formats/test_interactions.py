"""What each of the 22 interactions offers and takes."""

from __future__ import annotations

import pytest

from item_formats import ItemError, Option, read_item
from item_formats.interactions import (
    Associable,
    AssociationInteraction,
    ChoiceInteraction,
    CustomInteraction,
    EndAttemptInteraction,
    FileInteraction,
    Hotspot,
    HotspotInteraction,
    Interaction,
    MediaInteraction,
    PointInteraction,
    SliderInteraction,
    TextInteraction,
)
from tests.item_formats.documents import document
from tests.item_formats.fixtures import INTERACTIONS, fixture


def of_fixture(name: str) -> Interaction:
    return read_item(fixture(f"interactions/{name}.xml")).interactions[0]


def written(element: str) -> Interaction:
    (interaction,) = read_item(document(f"<qti-item-body>{element}</qti-item-body>")).interactions
    return interaction


def test_every_interaction_is_bound_to_a_declared_response_and_knows_its_line() -> None:
    for path in INTERACTIONS:
        item = read_item(path)
        declared = {declaration.identifier for declaration in item.response_declarations}
        for interaction in item.interactions:
            assert interaction.response_identifier in declared, path
            assert interaction.line is not None
            assert interaction.name.removeprefix("qti-").removesuffix("-interaction").replace("-", "_") in {
                path.stem,
                "text_entry",
            }


def test_a_choice_offers_options_with_the_letters_of_the_paper() -> None:
    assert of_fixture("choice") == ChoiceInteraction(
        response_identifier="RESPONSE",
        prompt="下列属于数据清洗工作的有（ ）。",
        options=(
            Option("A", "处理缺失值", "A"),
            Option("B", "增加网络层数", "B"),
            Option("C", "去除重复记录", "C"),
            Option("D", "以上都不是", "D", fixed=True),
        ),
        max_choices=0,
        min_choices=1,
        shuffle=True,
    )


def test_ordering_takes_all_options_unless_limited() -> None:
    order = of_fixture("order")
    assert isinstance(order, ChoiceInteraction)
    assert (order.ordered, order.max_choices, order.shuffle, order.orientation) == (True, 0, True, "vertical")
    assert [option.identifier for option in order.options] == ["LABEL", "CLEAN", "DELIVER", "CHECK"]


def test_inline_choices_and_hot_text_are_choices_in_a_text() -> None:
    inline, hottext = of_fixture("inline_choice"), of_fixture("hottext")
    assert isinstance(inline, ChoiceInteraction)
    assert isinstance(hottext, ChoiceInteraction)
    assert ([option.text for option in inline.options], inline.max_choices) == (
        ["震荡不收敛", "更快收敛到最优", "没有变化"],
        1,
    )
    assert [option.text for option in hottext.options] == ["最后的评价", "反复调整超参数", "不参与训练"]
    assert not hottext.ordered


def test_associating_pairs_any_two_of_what_is_offered() -> None:
    associate = of_fixture("associate")
    assert isinstance(associate, AssociationInteraction)
    assert [source.text for source in associate.sources] == ["有监督学习", "无监督学习", "分类", "聚类"]
    assert (associate.targets, associate.directed, associate.max_associations) == ((), False, 2)
    graphic = of_fixture("graphic_associate")
    assert isinstance(graphic, AssociationInteraction)
    assert not graphic.directed
    assert graphic.sources[2] == Associable(
        "SWITCH", "交换机", "qti-associable-hotspot", 2, 0, shape="rect", coords="170,10,230,70"
    )


def test_matching_pairs_one_of_the_first_set_with_one_of_the_second() -> None:
    match = of_fixture("match")
    assert isinstance(match, AssociationInteraction)
    assert [source.identifier for source in match.sources] == ["P", "R"]
    assert [(target.identifier, target.text, target.match_max) for target in match.targets] == [
        ("TP_FP", "TP+FP", 2),
        ("TP_FN", "TP+FN", 2),
    ]
    assert (match.directed, match.min_associations) == (True, 1)


def test_gaps_take_texts_and_pictures() -> None:
    gaps = of_fixture("gap_match")
    assert isinstance(gaps, AssociationInteraction)
    assert [(source.text, source.kind, source.match_max) for source in gaps.sources] == [
        ("训练集", "qti-gap-text", 1),
        ("测试集", "qti-gap-text", 1),
        ("方块", "qti-gap-img", 0),
    ]
    assert [(gap.identifier, gap.match_max, gap.match_min) for gap in gaps.targets] == [("G1", 1, 1), ("G2", 1, 0)]
    graphic = of_fixture("graphic_gap_match")
    assert isinstance(graphic, AssociationInteraction)
    assert [source.text for source in graphic.sources] == ["蓝色标签：存储", "绿色标签：交换机", "服务器"]
    assert [target.text for target in graphic.targets] == ["左", "右"]


def test_gap_matches_that_name_no_limit_have_none() -> None:
    gaps = written(
        '<qti-gap-match-interaction response-identifier="R"><p><qti-gap identifier="G"/></p>'
        "</qti-gap-match-interaction>"
    )
    assert isinstance(gaps, AssociationInteraction)
    assert gaps.max_associations == 0


def test_match_groups_are_lists() -> None:
    source = '<qti-gap-match-interaction response-identifier="R"><qti-gap-text identifier="T" match-group="G1 G2" '
    source += 'match-max="2" match-min="1">x</qti-gap-text></qti-gap-match-interaction>'
    gaps = written(source)
    assert isinstance(gaps, AssociationInteraction)
    assert gaps.sources == (Associable("T", "x", "qti-gap-text", 2, 1, ("G1", "G2")),)


def test_a_match_with_one_set_has_no_targets() -> None:
    match = written('<qti-match-interaction response-identifier="R"><qti-simple-match-set/></qti-match-interaction>')
    assert isinstance(match, AssociationInteraction)
    assert (match.sources, match.targets) == ((), ())


def test_hotspots_have_shapes() -> None:
    hotspot, order = of_fixture("hotspot"), of_fixture("graphic_order")
    assert isinstance(hotspot, HotspotInteraction)
    assert isinstance(order, HotspotInteraction)
    assert hotspot.hotspots[:3] == (
        Hotspot("STORE", "rect", "10,10,70,70", "存储"),
        Hotspot("GPU", "rect", "90,10,150,70", "服务器"),
        Hotspot("SWITCH", "circle", "200,40,30", ""),
    )
    assert (hotspot.max_choices, hotspot.ordered) == (1, False)
    assert (order.max_choices, order.ordered, len(order.hotspots)) == (0, True, 3)


def test_points_are_limited_in_number() -> None:
    select, position = of_fixture("select_point"), of_fixture("position_object")
    assert isinstance(select, PointInteraction)
    assert isinstance(position, PointInteraction)
    assert (select.max_choices, select.min_choices, select.center_point) == (1, 0, None)
    assert (position.max_choices, position.center_point) == (2, "12 12")


def test_text_says_how_much_of_it_is_expected() -> None:
    entry, extended = of_fixture("text_entry"), of_fixture("extended_text")
    assert isinstance(entry, TextInteraction)
    assert isinstance(extended, TextInteraction)
    assert (entry.expected_length, entry.pattern_mask, entry.placeholder, entry.base, entry.prompt) == (
        6,
        "[0-9.]*",
        "小数",
        10,
        "",
    )
    assert (extended.expected_lines, extended.format, extended.max_strings, extended.min_strings) == (
        6,
        "preformatted",
        None,
        0,
    )


def test_the_rest_says_what_it_takes() -> None:
    assert of_fixture("slider") == SliderInteraction(
        "qti-slider-interaction",
        "RESPONSE",
        "五折交叉验证把数据平均分成几份？",
        lower_bound=0.0,
        upper_bound=10.0,
        step=1.0,
        step_label=True,
        orientation="horizontal",
        reverse=False,
    )
    media = of_fixture("media")
    assert isinstance(media, MediaInteraction)
    assert (media.autostart, media.min_plays, media.max_plays, media.loop) == (False, 1, 2, False)
    upload, drawing = of_fixture("upload"), of_fixture("drawing")
    assert isinstance(upload, FileInteraction)
    assert isinstance(drawing, FileInteraction)
    assert (upload.types, drawing.types) == (("application/json", "text/csv"), ())
    hint = read_item(fixture("interactions/end_attempt.xml")).interactions[1]
    assert isinstance(hint, EndAttemptInteraction)
    assert (hint.title, hint.count_attempt) == ("看提示", False)


def test_interactions_of_a_publishers_own_are_named() -> None:
    custom, portable = of_fixture("custom"), of_fixture("portable_custom")
    assert isinstance(custom, CustomInteraction)
    assert isinstance(portable, CustomInteraction)
    assert (custom.type_identifier, custom.module) == (None, None)
    assert (portable.type_identifier, portable.module) == ("urn:tiku:switch", "switch")


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ('<qti-slider-interaction response-identifier="R" lower-bound="low" upper-bound="1"/>', "a number"),
        ('<qti-media-interaction response-identifier="R" max-plays="-1"/>', "a whole number, 0 or more"),
        ('<qti-text-entry-interaction response-identifier="R" expected-length="x"/>', "a whole number"),
    ],
)
def test_a_limit_that_is_no_number_is_an_error_with_its_line(element: str, message: str) -> None:
    item = read_item(document(f"<qti-item-body>\n{element}</qti-item-body>"))
    with pytest.raises(ItemError, match=message) as caught:
        _ = item.interactions
    assert caught.value.findings[0].line == 2


def test_only_choice_interactions_make_an_item_of_ours() -> None:
    item = read_item(fixture("interactions/order.xml"))
    assert item.choice_interactions == ()
    assert item.other_interactions == ("qti-order-interaction",)
    assert item.item_type is None
