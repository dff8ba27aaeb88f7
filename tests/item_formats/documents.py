"""QTI 3 documents for the tests, written here; and strategies that make choice items."""

from __future__ import annotations

from hypothesis import strategies as st

from item_formats import Item, ItemType, choice_item

QTI = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
TEMPLATES = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates"
SCORE = '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>'
CAPITALS = """
  <qti-item-body>
    <p>Read the list.</p>
    <qti-choice-interaction response-identifier="RESPONSE" max-choices="{max_choices}">
      <qti-prompt>Which of these are <em>capitals</em>?</qti-prompt>
      <qti-simple-choice identifier="beijing">Beijing</qti-simple-choice>
      <qti-simple-choice identifier="lyon">Lyon<qti-feedback-inline outcome-identifier="F" identifier="x"
        show-hide="show"> no!</qti-feedback-inline></qti-simple-choice>
      <qti-simple-choice identifier="rome">Rome</qti-simple-choice>
    </qti-choice-interaction>
  </qti-item-body>"""


def document(content: str, *, identifier: str = "foreign", attributes: str = "") -> bytes:
    return (
        f'<qti-assessment-item xmlns="{QTI}" identifier="{identifier}" title="Capitals" time-dependent="false" '
        f'xml:lang="en"{attributes}>{content}</qti-assessment-item>'
    ).encode()


def declaration(content: str, *, cardinality: str = "multiple", base_type: str = "identifier") -> str:
    return (
        f'<qti-response-declaration identifier="RESPONSE" cardinality="{cardinality}" base-type="{base_type}">'
        f"{content}</qti-response-declaration>"
    )


def correct(*values: str) -> str:
    return (
        f"<qti-correct-response>{''.join(f'<qti-value>{value}</qti-value>' for value in values)}</qti-correct-response>"
    )


def mapping(entries: dict[str, float], attributes: str = "") -> str:
    written = "".join(f'<qti-map-entry map-key="{key}" mapped-value="{value}"/>' for key, value in entries.items())
    return f"<qti-mapping {attributes}>{written}</qti-mapping>"


def processing(template: str) -> str:
    return f'<qti-response-processing template="{TEMPLATES}/{template}.xml"/>'


def capitals(
    declared: str, template: str = "match_correct", *, cardinality: str = "multiple", max_choices: int = 0
) -> bytes:
    """An item made elsewhere: options that are no letters, inline feedback, text before the prompt."""
    body = CAPITALS.format(max_choices=max_choices)
    return document(declaration(declared, cardinality=cardinality) + SCORE + body + processing(template))


def single(**changes: object) -> Item:
    usual: dict[str, object] = {
        "identifier": "Q1",
        "item_type": ItemType.SINGLE,
        "stem": "下列属于有监督学习任务的是（ ）。",
        "options": ["图像分类", "聚类", "降维", "关联规则挖掘"],
        "key": "A",
        "rationale": "图像分类需要带标签的样本。",
    }
    return choice_item(**usual | changes)  # type: ignore[arg-type]


def multiple(**changes: object) -> Item:
    usual: dict[str, object] = {
        "identifier": "Q2",
        "item_type": ItemType.MULTIPLE,
        "stem": "下列属于数据清洗工作的有（ ）。",
        "options": ["处理缺失值", "去除重复记录", "增加网络层数", "修正格式错误", "更换显卡"],
        "key": "ABD",
        "rationale": "网络层数和显卡与数据无关。",
    }
    return choice_item(**usual | changes)  # type: ignore[arg-type]


def true_false(**changes: object) -> Item:
    usual: dict[str, object] = {
        "identifier": "Q3",
        "item_type": ItemType.TRUE_FALSE,
        "stem": "测试集可以用来反复调整超参数。",
        "key": "×",
        "rationale": "测试集只用于最后的评价。",
    }
    return choice_item(**usual | changes)  # type: ignore[arg-type]


# Characters that XML can hold, without the white space that cells lose at their ends.
_characters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co"))
words = st.text(_characters, min_size=1, max_size=12)
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)


@st.composite
def written_items(draw: st.DrawFn, text: st.SearchStrategy[str] = texts) -> dict[str, object]:
    """Arguments of `choice_item` without the key, and the keys that fit."""
    item_type = draw(st.sampled_from(ItemType))
    options: list[str] = []
    keys = ["√", "×"]
    if item_type is not ItemType.TRUE_FALSE:
        most = 4 if item_type is ItemType.SINGLE else 5
        options = draw(st.lists(text, min_size=4, max_size=most, unique_by=lambda option: "".join(option.split())))
        letters = "ABCDE"[: len(options)]
        keys = list(letters) if item_type is ItemType.SINGLE else [letters[:2], letters[1:4], letters]
    return {
        "identifier": "Q1",
        "item_type": item_type,
        "stem": draw(text),
        "options": options,
        "rationale": draw(st.none() | text),
        "keys": keys,
    }
