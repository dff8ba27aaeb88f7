"""Answers that are files, drawings or deeds, and interactions this page can only name."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.parsing import local_name, qti
from item_formats.rendering.interactions.controls import INTERACTION_NAMES, control_name, frame, response_of, whole
from item_formats.rendering.markup import WRITERS, element_html
from item_formats.rendering.pictures import picture_of
from item_formats.rendering.sanitising import sanitised

if TYPE_CHECKING:
    from item_formats.rendering.markup import View

_MEDIA = frozenset({"img", "object", "picture", "audio", "video"})
_CANVAS = (480, 320)


def media_html(interaction: etree._Element, view: View) -> str:
    """A sound or film with the browser's controls; it never starts by itself."""
    shown = next((child for child in interaction if local_name(child) in _MEDIA), None)
    content = "" if shown is None else element_html(shown, view)
    low, high = whole(interaction, "min-plays", 0), whole(interaction, "max-plays", 0)
    said = [f"至少播放 {low} 次"] if low else []
    said += [f"最多播放 {high} 次"] if high else []
    if view.printed:
        return frame(
            interaction, view, f'<p class="device">在考试机上播放：{content}</p>', kind="media", hint="，".join(said)
        )
    name = escape(control_name(interaction, view))
    count = (
        ""
        if view.with_key
        else f'<input type="hidden" name="{name}" value=""><p class="plays">已播放 <output>0</output> 次</p>'
    )
    return frame(
        interaction,
        view,
        f'<div class="player">{content}</div>{count}',
        kind="media",
        hint="，".join(said),
        attributes=f' data-tiku="plays" data-most="{high}"',
    )


def drawing_html(interaction: etree._Element, view: View) -> str:
    """A picture to draw on, with a pen that also follows the arrow keys; or a file with the drawing."""
    shown = next((child for child in interaction if local_name(child) in _MEDIA), None)
    picture = None if shown is None else picture_of(shown, view.media)
    width, height = (picture.width, picture.height) if picture and picture.width and picture.height else _CANVAS
    alt = escape((picture.alt if picture else "") or "空白画布")
    image = f'<img src="{picture.address}" alt="{alt}">' if picture and picture.address else ""
    size = f"width:{width:g}px;aspect-ratio:{width:g}/{height:g}"
    if view.printed or view.with_key:
        return frame(interaction, view, f'<div class="stage drawn" style="{size}">{image}</div>', kind="drawing")
    name = escape(control_name(interaction, view))
    body = (
        f'<div class="stage drawn" style="{size}">{image}'
        f'<canvas width="{width:g}" height="{height:g}" tabindex="0" role="application" hidden '
        f'aria-label="画布：方向键移动画笔，空格键落笔或抬笔" aria-roledescription="画布"></canvas></div>'
        '<p class="tools" hidden><output>抬笔</output><button type="button" class="undo">撤销一笔</button>'
        '<button type="button" class="clear">全部擦除</button></p>'
        f'<input type="hidden" name="{name}" value="">'
        f'<p><label>或上传画好的图 <input type="file" name="{name}:file" accept="image/*"></label></p>'
    )
    return frame(interaction, view, body, kind="drawing", attributes=' data-tiku="drawing"')


def upload_html(interaction: etree._Element, view: View) -> str:
    kinds = " ".join(interaction.get("type", "").split())
    hint = f"文件类型：{escape(kinds)}" if kinds else ""
    if view.printed:
        blank = '<span class="write-in" style="min-width:24ch"></span>'
        return frame(interaction, view, f"<p>提交的文件名：{blank}</p>", kind="upload", hint=hint)
    accept = f' accept="{escape(kinds.replace(" ", ","))}"' if kinds else ""
    state = " disabled" if view.with_key else ""
    name = escape(control_name(interaction, view))
    control = f'<label>选择文件 <input type="file" name="{name}"{accept}{state}></label>'
    return frame(interaction, view, f"<p>{control}</p>", kind="upload", hint=hint)


def end_attempt_html(interaction: etree._Element, view: View) -> str:
    """What a press of the button says is true or false: a box that looks like a button, and needs no script."""
    title = escape(interaction.get("title") or "结束作答")
    if view.printed:
        return f'<span class="device">［{title}］</span>'
    state = " disabled" if view.with_key else ""
    name = escape(control_name(interaction, view))
    return f'<label class="button"><input type="checkbox" name="{name}" value="true"{state}>{title}</label>'


def custom_html(interaction: etree._Element, view: View) -> str:
    """A named place for what only its own software can run, with the markup it brings, made harmless."""
    kind = INTERACTION_NAMES[local_name(interaction)]
    named = (
        interaction.get("custom-interaction-type-identifier")
        or interaction.get("class")
        or interaction.get("module")
        or interaction.get("extension")
        or response_of(interaction)
    )
    markup = interaction.find(qti("qti-interaction-markup"))
    inside = interaction if markup is None else markup
    content = sanitised(_as_html(inside))
    shown = f'<div class="foreign">{content}</div>' if content.strip() else ""
    note = f"{kind}“{escape(named)}”由专用程序运行" + ("，这里只显示其内容。" if shown else "，这里不能作答。")
    return frame(interaction, view, f'<p class="device">{note}</p>{shown}', kind="custom")


def _as_html(element: etree._Element) -> str:
    """The inside of an element as HTML text, namespaces dropped; for the sanitiser only."""
    pieces = [element.text or ""]
    for child in element:
        if local_name(child) not in {"", "qti-prompt", "qti-interaction-modules"}:
            copy = etree.fromstring(etree.tostring(child, with_tail=False))
            for one in copy.iter("*"):
                one.tag = local_name(one)
            etree.cleanup_namespaces(copy)
            pieces.append(etree.tostring(copy, method="html", encoding="unicode"))
        pieces.append(child.tail or "")
    return "".join(pieces)


WRITERS["qti-media-interaction"] = media_html
WRITERS["qti-drawing-interaction"] = drawing_html
WRITERS["qti-upload-interaction"] = upload_html
WRITERS["qti-end-attempt-interaction"] = end_attempt_html
WRITERS["qti-custom-interaction"] = custom_html
WRITERS["qti-portable-custom-interaction"] = custom_html
