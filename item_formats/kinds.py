"""What kind of question an item asks, in a word: by the one interaction it has, or that it has several."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from item_formats.candidate import CRITERION
from item_formats.parsing import qti
from item_formats.text import visible_text

if TYPE_CHECKING:
    from item_formats.model import Item


class ItemKind(StrEnum):
    """The three kinds of choice items that national papers have (`ItemType`), the interactions, and what has none."""

    TRUE_FALSE = "true_false"
    SINGLE = "single"
    MULTIPLE = "multiple"
    CHOICE = "choice"
    ORDER = "order"
    ASSOCIATE = "associate"
    MATCH = "match"
    GAP_MATCH = "gap_match"
    INLINE_CHOICE = "inline_choice"
    TEXT_ENTRY = "text_entry"
    EXTENDED_TEXT = "extended_text"
    HOTTEXT = "hottext"
    HOTSPOT = "hotspot"
    GRAPHIC_ORDER = "graphic_order"
    GRAPHIC_ASSOCIATE = "graphic_associate"
    GRAPHIC_GAP_MATCH = "graphic_gap_match"
    SELECT_POINT = "select_point"
    POSITION_OBJECT = "position_object"
    SLIDER = "slider"
    MEDIA = "media"
    DRAWING = "drawing"
    UPLOAD = "upload"
    END_ATTEMPT = "end_attempt"
    CUSTOM = "custom"
    PORTABLE_CUSTOM = "portable_custom"
    COMPOSITE = "composite"
    SKILL_TASK = "skill_task"
    INFORMATION = "information"


_LABELS = {
    ItemKind.TRUE_FALSE: "判断",
    ItemKind.SINGLE: "单选",
    ItemKind.MULTIPLE: "多选",
    ItemKind.CHOICE: "选择",
    ItemKind.ORDER: "排序",
    ItemKind.ASSOCIATE: "配对",
    ItemKind.MATCH: "匹配",
    ItemKind.GAP_MATCH: "选词填空",
    ItemKind.INLINE_CHOICE: "下拉选择",
    ItemKind.TEXT_ENTRY: "填空",
    ItemKind.EXTENDED_TEXT: "问答",
    ItemKind.HOTTEXT: "标记文字",
    ItemKind.HOTSPOT: "图上选区",
    ItemKind.GRAPHIC_ORDER: "图上排序",
    ItemKind.GRAPHIC_ASSOCIATE: "图上配对",
    ItemKind.GRAPHIC_GAP_MATCH: "图上填空",
    ItemKind.SELECT_POINT: "图上标点",
    ItemKind.POSITION_OBJECT: "图上放置",
    ItemKind.SLIDER: "滑块",
    ItemKind.MEDIA: "媒体播放",
    ItemKind.DRAWING: "绘图",
    ItemKind.UPLOAD: "上传文件",
    ItemKind.END_ATTEMPT: "结束作答",
    ItemKind.CUSTOM: "自定义交互",
    ItemKind.PORTABLE_CUSTOM: "可移植自定义交互",
    ItemKind.COMPOSITE: "综合",
    ItemKind.SKILL_TASK: "技能操作",
    ItemKind.INFORMATION: "说明",
}


def item_kind(item: Item) -> ItemKind:
    """The kind of an item; a button that ends an attempt does not count beside other interactions."""
    if item.item_type is not None:
        return ItemKind(item.item_type.value)
    names = ["qti-choice-interaction"] * bool(item.choice_interactions) + list(item.other_interactions)
    kinds = dict.fromkeys(_kind_of(name) for name in names)
    if len(kinds) > 1:
        kinds.pop(ItemKind.END_ATTEMPT, None)
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds:
        return ItemKind.COMPOSITE
    marked = any(block.get("use") == CRITERION for block in item.root.iter(qti("qti-rubric-block")))
    return ItemKind.SKILL_TASK if marked else ItemKind.INFORMATION


def shown_choices(item: Item) -> list[str]:
    """The text of everything there is to choose from, order or match, in document order."""
    choices = (element for element in item.root.iter(*map(qti, _CHOICES)))
    return [visible_text(choice) for choice in choices]


def kind_label(kind: ItemKind) -> str:
    """The kind in a word: 单选, 填空, 匹配; 综合 for several interactions, 说明 for none."""
    return _LABELS[kind]


_CHOICES = ("qti-simple-choice", "qti-simple-associable-choice", "qti-inline-choice", "qti-gap-text", "qti-gap-img")


def _kind_of(interaction: str) -> ItemKind:
    """Of an interaction by the name of its element; those QTI does not know are custom."""
    name = interaction.removeprefix("qti-").removesuffix("-interaction").replace("-", "_")
    return ItemKind(name) if name in INTERACTIONS else ItemKind.CUSTOM


INTERACTIONS = frozenset(ItemKind) - {
    ItemKind.TRUE_FALSE,
    ItemKind.SINGLE,
    ItemKind.MULTIPLE,
    ItemKind.COMPOSITE,
    ItemKind.SKILL_TASK,
    ItemKind.INFORMATION,
}
