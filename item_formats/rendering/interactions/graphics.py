"""Answers on a picture: areas to choose, put in order, pair or fill; points to set; objects to place.

The picture is shown with its areas drawn over it and named by letters. What is answered is a control of its own, on
the area or in a list under the picture, so that a keyboard and a screen reader reach everything a pointer does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from item_formats.parsing import local_name, qti
from item_formats.rendering.interactions.controls import (
    Choice,
    bank,
    checkable,
    choices_of,
    control_name,
    frame,
    letter,
    limit_attributes,
    limits,
    response_of,
    takes_several,
    whole,
)
from item_formats.rendering.interactions.matching import association_hint, gap_control, pairs_html
from item_formats.rendering.interactions.ordering import ORDERING, order_hint, order_status, place_of
from item_formats.rendering.markup import WRITERS, element_html
from item_formats.rendering.pictures import Picture, picture_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lxml import etree

    from item_formats.rendering.markup import View

_PICTURES = frozenset({"img", "object", "picture"})
_POINTS_AT_FIRST = 3  # where any number may be set; the page adds more when asked
_UNKNOWN_SIZE = (400.0, 300.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """An area on a picture, in its pixels; `left` … `bottom` is the box around it."""

    kind: str
    numbers: tuple[float, ...]
    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def shape_of(kind: str, coords: str, size: tuple[float, float]) -> Shape:
    """The area of `shape` and `coords`; anything that cannot be read is the whole picture."""
    numbers = tuple(_number(part) for part in coords.replace(";", ",").split(","))
    if kind == "rect" and len(numbers) == 4:
        left, top, right, bottom = numbers
    elif kind == "circle" and len(numbers) == 3:
        x, y, radius = numbers
        left, top, right, bottom = x - radius, y - radius, x + radius, y + radius
    elif kind == "ellipse" and len(numbers) == 4:
        x, y, across, down = numbers
        left, top, right, bottom = x - across, y - down, x + across, y + down
    elif kind == "poly" and len(numbers) >= 6 and len(numbers) % 2 == 0:
        xs, ys = numbers[::2], numbers[1::2]
        left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    else:
        kind, numbers = "rect", (0.0, 0.0, *size)
        left, top, right, bottom = numbers
    return Shape(kind, numbers, min(left, right), min(top, bottom), max(left, right), max(top, bottom))


def hotspot_html(interaction: etree._Element, view: View) -> str:
    """Areas that can be chosen, each with a box or button of its own on the picture."""
    choices = choices_of(interaction, view)
    correct = view.correct(response_of(interaction))
    several = takes_several(interaction, view)
    picture = _picture(interaction, view)
    spots = "".join(
        _spot(choice, interaction, view, picture, several=several, right=choice.identifier in correct)
        for choice in choices
    )
    right = [choice.label for choice in choices if choice.identifier in correct]
    written = _answer_line(right, view) if view.printed else ""
    hint = limits(interaction, "min-choices", "max-choices", "处") or "选 1 处"
    attributes = limit_attributes(whole(interaction, "max-choices", 1)) if several else ""
    body = stage(picture, choices, spots, badges=view.printed) + written
    return frame(interaction, view, body, kind="hotspot", hint=hint, attributes=attributes)


def _spot(
    choice: Choice, interaction: etree._Element, view: View, picture: Picture, *, several: bool, right: bool
) -> str:
    if view.printed:
        return ""
    shape = _shape(choice, picture)
    name = control_name(interaction, view)
    control = checkable(name, choice.identifier, several=several, view=view, right=right, label=_spot_name(choice))
    tick = '<span class="tick" aria-hidden="true">✓</span>' if right else ""
    round_shape = " round" if shape.kind in {"circle", "ellipse"} else ""
    return (
        f'<label class="spot{round_shape}{" right" if right else ""}" style="{_box(shape, picture)}">'
        f'{control}<span class="badge" aria-hidden="true">{escape(choice.label)}</span>{tick}</label>'
    )


def _spot_name(choice: Choice) -> str:
    return choice.text if choice.text != choice.label else f"区域 {choice.label}"


def graphic_order_html(interaction: etree._Element, view: View) -> str:
    choices = choices_of(interaction, view)
    picture = _picture(interaction, view)
    rows = "".join(
        f'<li>{place_of(choice, choices, interaction, view)}<span class="label">{escape(choice.label)}</span> '
        f"<span>{escape(_spot_name(choice))}</span></li>"
        for choice in choices
    )
    body = stage(picture, choices, "") + f'<ol class="options places" role="list">{rows}</ol>'
    body += order_status(view)
    hint = order_hint(interaction, choices, view)
    return frame(interaction, view, body, kind="graphic-order", hint=hint, attributes=ORDERING)


def graphic_associate_html(interaction: etree._Element, view: View) -> str:
    choices = choices_of(interaction, view)
    picture = _picture(interaction, view)
    lines = _lines(view.correct(response_of(interaction)), choices, picture)
    body = stage(picture, choices, "", drawn=lines) + pairs_html(interaction, choices, view)
    hint = association_hint(interaction) + ("，可在图上连线" if view.printed else "")
    return frame(interaction, view, body, kind="graphic-associate", hint=hint)


def graphic_gap_match_html(interaction: etree._Element, view: View) -> str:
    found = choices_of(interaction, view)
    choices = [choice for choice in found if "coords" not in choice.element.attrib]
    choices = [replace(choice, label=mark) for choice, mark in zip(choices, _letters(len(choices)), strict=True)]
    spots = [choice for choice in found if "coords" in choice.element.attrib]
    spots = [replace(spot, label=str(place)) for place, spot in enumerate(spots, start=1)]
    picture = _picture(interaction, view)
    gaps = "".join(
        f'<li><span class="label">{spot.label}</span> <span>{escape(_gap_name(spot))}</span> '
        f"{gap_control(interaction, spot.identifier, number, choices, view, place=f'{number} {_gap_name(spot)}')}</li>"
        for number, spot in enumerate(spots, start=1)
    )
    body = bank(choices, view) + stage(picture, spots, "") + f'<ol class="gaps" role="list">{gaps}</ol>'
    hint = "把备选项的字母填入图上的位置" if view.printed else "为图上的每个位置选择备选项"
    return frame(interaction, view, body, kind="graphic-gap-match", hint=hint)


def _gap_name(spot: Choice) -> str:
    label = spot.element.get("hotspot-label") or spot.element.get("aria-label")
    return label or f"位置 {spot.label}"


def select_point_html(interaction: etree._Element, view: View) -> str:
    """Points on a picture, as numbers that a click on the picture fills in."""
    picture = _picture(interaction, view)
    response = response_of(interaction)
    identifier = f"{view.prefix}-{response}-stage"
    drawn = _areas(view, response, picture) + _crosses(view.correct(response), picture)
    most = whole(interaction, "max-choices", 0)
    hint = "在图上标出" + (f" {most} 点" if most else "各点")
    body = stage(picture, [], "", drawn=drawn, identifier=identifier)
    body += "" if view.printed else _point_rows(interaction, view, picture, most)
    script = f' data-tiku="points" data-stage="{escape(identifier)}"'
    if not view.printed:
        hint += "：点击图片，或填写坐标（像素，从左上角起）"
    return frame(interaction, view, body, kind="select-point", hint=hint, attributes=script)


def position_stage_html(stage_element: etree._Element, view: View) -> str:
    """A picture and objects to place on it, each with points of its own."""
    picture = _picture(stage_element, view)
    found = stage_element.findall(qti("qti-position-object-interaction"))
    first = response_of(found[0]) if found else ""
    identifier = f"{view.prefix}-{first}-stage"
    drawn = "".join(
        _areas(view, response_of(one), picture) + _crosses(view.correct(response_of(one)), picture) for one in found
    )
    groups = "".join(_placed_object(one, view, picture, identifier) for one in found)
    return f'<div class="position-object">{stage(picture, [], "", drawn=drawn, identifier=identifier)}{groups}</div>'


def _placed_object(interaction: etree._Element, view: View, picture: Picture, identifier: str) -> str:
    shown = next((child for child in interaction if local_name(child) in _PICTURES), None)
    content = "" if shown is None else f'<p class="object">{element_html(shown, view)}</p>'
    most = whole(interaction, "max-choices", 1)
    limit = f"最多放置 {most} 次" if most else "可放置多次"
    hint = f"把它放到图上的位置（{limit}）" + (
        "" if view.printed else "：点击图片，或填写中心的坐标（像素，从左上角起）"
    )
    rows = "" if view.printed else _point_rows(interaction, view, picture, most)
    script = f' data-tiku="points" data-stage="{escape(identifier)}"'
    return frame(interaction, view, content + rows, kind="placed", hint=hint, attributes=script)


def position_object_html(interaction: etree._Element, view: View) -> str:
    """An object without its stage cannot be placed; what it shows is shown."""
    return "".join(element_html(child, view) for child in interaction if local_name(child) in _PICTURES)


def _point_rows(interaction: etree._Element, view: View, picture: Picture, most: int) -> str:
    correct = [point.split() for point in view.correct(response_of(interaction))]
    count = len(correct) if view.with_key else most or _POINTS_AT_FIRST
    rows = []
    for place in range(1, min(count, 20) + 1):
        given = correct[place - 1] if place <= len(correct) and len(correct[place - 1]) == 2 else ["", ""]
        across = _coordinate("横", picture.width, control_name(interaction, view, "point", str(place), "x"), given[0])
        down = _coordinate("纵", picture.height, control_name(interaction, view, "point", str(place), "y"), given[1])
        inputs = f"{across} {down}"
        rows.append(f'<div role="group" aria-label="点 {place}"><span class="label">点 {place}</span> {inputs}</div>')
    more = "" if most or view.with_key else '<button type="button" class="more" hidden>再加一点</button>'
    return f'<div class="points">{"".join(rows)}</div>{more}'


def _coordinate(said: str, limit: float, name: str, given: str) -> str:
    state = f' value="{escape(given)}" disabled' if given else ""
    return f'<label>{said} <input type="number" min="0" max="{limit:g}" step="1" name="{escape(name)}"{state}></label>'


def stage(
    picture: Picture,
    spots: Sequence[Choice],
    controls: str,
    *,
    badges: bool = True,
    drawn: str = "",
    identifier: str = "",
) -> str:
    """The picture with areas, badges and what else is drawn or stands on it."""
    shapes = [_shape(spot, picture) for spot in spots]
    outlines = "".join(f'<{_svg(shape)} class="area"/>' for shape in shapes)
    marks = "".join(
        f'<span class="badge" aria-hidden="true" style="{_point(shape.centre, picture)}">{escape(spot.label)}</span>'
        for spot, shape in zip(spots, shapes, strict=True)
    )
    image = (
        f'<img src="{picture.address}" alt="{escape(picture.alt or "题图")}">'
        if picture.address
        else f'<span class="not-shown">[图：{escape(picture.alt or "无说明")}]</span>'
    )
    named = f' id="{escape(identifier)}"' if identifier else ""
    size = f"width:{picture.width:g}px;aspect-ratio:{picture.width:g}/{picture.height:g}"
    layer = f'<svg viewBox="0 0 {picture.width:g} {picture.height:g}" aria-hidden="true">{outlines}{drawn}</svg>'
    return (
        f'<div class="stage"{named} style="{size}" data-width="{picture.width:g}" data-height="{picture.height:g}">'
        f"{image}{layer}{marks if badges else ''}{controls}</div>"
    )


def _picture(interaction: etree._Element, view: View) -> Picture:
    """The picture to answer on; where its size is not known, one that holds all its areas."""
    element = next((child for child in interaction if local_name(child) in _PICTURES), None)
    picture = Picture("", "", "", 0, 0) if element is None else picture_of(element, view.media)
    if picture.width and picture.height:
        return picture
    coords = [child.get("coords", "") for child in interaction.iter("*") if child.get("coords")]
    shapes = [
        shape_of(child.get("shape", ""), child.get("coords", ""), (0, 0))
        for child in interaction.iter("*")
        if child.get("coords")
    ]
    width = max((shape.right for shape in shapes), default=0) + 10 if coords else _UNKNOWN_SIZE[0]
    height = max((shape.bottom for shape in shapes), default=0) + 10 if coords else _UNKNOWN_SIZE[1]
    return replace(picture, width=max(width, 100), height=max(height, 75))


def _shape(spot: Choice, picture: Picture) -> Shape:
    return shape_of(spot.element.get("shape", ""), spot.element.get("coords", ""), (picture.width, picture.height))


def _svg(shape: Shape) -> str:
    numbers = [f"{number:g}" for number in shape.numbers]
    if shape.kind == "circle":
        return f'circle cx="{numbers[0]}" cy="{numbers[1]}" r="{numbers[2]}"'
    if shape.kind == "ellipse":
        return f'ellipse cx="{numbers[0]}" cy="{numbers[1]}" rx="{numbers[2]}" ry="{numbers[3]}"'
    if shape.kind == "poly":
        return f'polygon points="{" ".join(numbers)}"'
    return (
        f'rect x="{shape.left:g}" y="{shape.top:g}" width="{shape.right - shape.left:g}" '
        f'height="{shape.bottom - shape.top:g}"'
    )


def _box(shape: Shape, picture: Picture) -> str:
    left, top = 100 * shape.left / picture.width, 100 * shape.top / picture.height
    width = 100 * (shape.right - shape.left) / picture.width
    height = 100 * (shape.bottom - shape.top) / picture.height
    return f"left:{left:.2f}%;top:{top:.2f}%;width:{width:.2f}%;height:{height:.2f}%"


def _point(point: tuple[float, float], picture: Picture) -> str:
    return f"left:{100 * point[0] / picture.width:.2f}%;top:{100 * point[1] / picture.height:.2f}%"


def _lines(pairs: Iterable[str], choices: Sequence[Choice], picture: Picture) -> str:
    centres = {choice.identifier: _shape(choice, picture).centre for choice in choices}
    ends = [[centres.get(end) for end in pair.split()] for pair in pairs]
    return "".join(
        f'<path class="key line" d="M{first[0]:g} {first[1]:g}Q{_bend(first, second)} {second[0]:g} {second[1]:g}"/>'
        for pair in ends
        if len(pair) == 2 and (first := pair[0]) is not None and (second := pair[1]) is not None
    )


def _bend(first: tuple[float, float], second: tuple[float, float]) -> str:
    """Beside the middle, so that a line past a third area does not look like one to it."""
    x, y = (first[0] + second[0]) / 2, (first[1] + second[1]) / 2
    return f"{x - (second[1] - first[1]) / 4:g} {y + (second[0] - first[0]) / 4:g}"


def _crosses(points: Iterable[str], picture: Picture) -> str:
    arm = max(picture.width, picture.height) / 50
    crosses = []
    for point in points:
        x, y = (*map(_number, point.split()), 0.0, 0.0)[:2]
        crosses.append(f'<path class="key" d="M{x - arm:g} {y:g}H{x + arm:g}M{x:g} {y - arm:g}V{y + arm:g}"/>')
    return "".join(crosses)


def _areas(view: View, response: str, picture: Picture) -> str:
    size = (picture.width, picture.height)
    return "".join(
        f'<{_svg(shape_of(kind, coords, size))} class="key"/>' for kind, coords in view.areas.get(response, ())
    )


def _answer_line(labels: Sequence[str], view: View) -> str:
    answer = f'<b class="answer">{escape(" ".join(labels))}</b>' if view.with_key else ""
    return f'<p class="answer-line">答：<span class="write-in" style="min-width:10ch">{answer}</span></p>'


def _letters(count: int) -> list[str]:
    return [letter(place) for place in range(count)]


def _number(text: str) -> float:
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        return 0.0
    return number if abs(number) < 1e6 else 0.0


WRITERS["qti-hotspot-interaction"] = hotspot_html
WRITERS["qti-graphic-order-interaction"] = graphic_order_html
WRITERS["qti-graphic-associate-interaction"] = graphic_associate_html
WRITERS["qti-graphic-gap-match-interaction"] = graphic_gap_match_html
WRITERS["qti-select-point-interaction"] = select_point_html
WRITERS["qti-position-object-stage"] = position_stage_html
WRITERS["qti-position-object-interaction"] = position_object_html
