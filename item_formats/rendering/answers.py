"""The key in words, as the answer-key variants print it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from item_formats.model import RATIONALE
from item_formats.parsing import QTI, local_name, number_attribute, qti
from item_formats.rendering.interactions.controls import choices_of, plain_text
from item_formats.rendering.markup import children_html
from item_formats.showing import written

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.model import Item
    from item_formats.rendering.markup import View

_SETS_OF_LETTERS = frozenset({"qti-choice-interaction", "qti-hotspot-interaction"})
_ORDERS = frozenset({"qti-order-interaction", "qti-graphic-order-interaction"})
_NAMED_BY_LETTER = _SETS_OF_LETTERS | _ORDERS | {"qti-associate-interaction", "qti-graphic-associate-interaction"}
_NO_ANSWER = "无"


def explanation_html(item: Item, view: View, whole: Item) -> str:
    """A list of the correct responses, of what they are worth where they are mapped, of how to mark, and why.

    `item` is what is shown, `whole` the item with what scorers are told.
    """
    interactions = interactions_of(item)
    answers = [answer_text(interaction, view) for interaction in interactions]
    if len(answers) > 1:
        answers = [f"（{number}）{answer or _NO_ANSWER}" for number, answer in enumerate(answers, start=1)]
    elif _scored_by_person(item) and not any(answers):
        answers = ["由考评员评分"]
    rows = [("答案", escape("　".join(answers)) or _NO_ANSWER)]
    marks = [worth for worth in (mapping_text(item, one, view) for one in interactions) if worth]
    if marks:
        rows.append(("计分", escape("　".join(marks))))
    scoring = [
        rubric_html(block, view)
        for block in whole.root.iter(qti("qti-rubric-block"))
        if "scorer" in block.get("view", "").split() and block.get("use") != RATIONALE
    ]
    if scoring:
        rows.append(("评分标准", "".join(f"<div>{told}</div>" for told in scoring)))
    rationale = rationale_html(item, view)
    if rationale:
        rows.append(("解析", rationale))
    return f'<dl class="explanation">{"".join(f"<dt>{said}</dt><dd>{shown}</dd>" for said, shown in rows)}</dl>'


def rationale_html(item: Item, view: View) -> str:
    """The 解析 with its formulas and pictures; "" without one. A single paragraph comes without its tags."""
    block = next((one for one in item.root.iter(qti("qti-rubric-block")) if one.get("use") == RATIONALE), None)
    return "" if block is None else rubric_html(block, view)


def rubric_html(block: etree._Element, view: View) -> str:
    content = block.find(qti("qti-content-body"))
    if content is None:
        return ""
    only = content[0] if len(content) == 1 and not (content.text or "").strip() else content
    alone = local_name(only) == "p" and not (only.tail or "").strip()
    return children_html(only if alone else content, view)


def interactions_of(item: Item) -> list[etree._Element]:
    body = item.body
    if body is None:
        return []
    return [element for element in body.iter(f"{{{QTI}}}*") if local_name(element).endswith("-interaction")]


def answer_text(interaction: etree._Element, view: View) -> str:
    """The correct response of one interaction: letters, texts, pairs or points; "" without one."""
    kind = local_name(interaction)
    response = interaction.get("response-identifier", "")
    correct = view.correct(response)
    base_type = view.declared.get(response, ("", ""))[1]
    if base_type == "point":
        shown = [f"({', '.join(point.split())})" for point in correct]
        return "、".join(shown) or ("图上标出的区域" if view.areas.get(response) else "")
    names = choice_names(interaction, view)
    if base_type in {"pair", "directedPair"}:
        return "；".join("—".join(names.get(end, end) for end in pair.split()) for pair in correct)
    shown = [names.get(one, one) for one in correct]
    if kind in _ORDERS:
        return " → ".join(shown)
    if kind in _SETS_OF_LETTERS:
        places = {identifier: place for place, identifier in enumerate(names)}
        shown = [names.get(one, one) for one in sorted(correct, key=lambda one: places.get(one, len(places)))]
        return ("" if all(len(one) == 1 for one in shown) else "、").join(shown)
    return "、".join(shown)


def mapping_text(item: Item, interaction: etree._Element, view: View) -> str:
    """What each response earns: "A：1 分，B：0.5 分，其余 0 分"; "" without a mapping."""
    response = interaction.get("response-identifier", "")
    names = choice_names(interaction, view)
    for declaration in item.root.iterchildren(qti("qti-response-declaration")):
        mapping = declaration.find(qti("qti-mapping"))
        if declaration.get("identifier") != response or mapping is None:
            continue
        entries = []
        for entry in mapping.iterchildren(qti("qti-map-entry")):
            key = entry.get("map-key", "")
            ends = "—".join(names.get(end, end) for end in key.split()) if " " in key else names.get(key, key)
            entries.append(f"{ends}：{written(number_attribute(entry, 'mapped-value') or 0.0)} 分")
        rest = written(number_attribute(mapping, "default-value") or 0.0)
        return "，".join([*entries, f"其余 {rest} 分"])
    return ""


def choice_names(interaction: etree._Element, view: View) -> dict[str, str]:
    """What people call the choices of an interaction, by identifier, in the order they are shown."""
    kind = local_name(interaction)
    sets = interaction.findall(qti("qti-simple-match-set"))
    if sets:
        return {choice.identifier: choice.text for group in sets for choice in choices_of(group, view)}
    choices = choices_of(interaction, view)
    names = {choice.identifier: choice.label if kind in _NAMED_BY_LETTER else choice.text for choice in choices}
    gaps = [*interaction.iter(qti("qti-gap")), *interaction.iterchildren(qti("qti-associable-hotspot"))]
    if kind in {"qti-gap-match-interaction", "qti-graphic-gap-match-interaction"}:
        for number, gap in enumerate(gaps, start=1):
            names[gap.get("identifier", "")] = gap.get("hotspot-label") or f"（{number}）"
    elif kind == "qti-hottext-interaction":
        names = {one.get("identifier", ""): plain_text(one, view) for one in interaction.iter(qti("qti-hottext"))}
    return names


def _scored_by_person(item: Item) -> bool:
    return any(outcome.get("external-scored") == "human" for outcome in item.root.iter(qti("qti-outcome-declaration")))
