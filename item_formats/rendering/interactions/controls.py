"""What interactions are made of: their choices with letters and order, the frame with the prompt, native controls."""

from __future__ import annotations

import random
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from item_formats.kinds import INTERACTIONS, kind_label
from item_formats.model import FALSE, OPTION_LETTERS, TRUE
from item_formats.parsing import is_true, local_name, qti
from item_formats.rendering.markup import children_html
from item_formats.rendering.pictures import picture_of
from item_formats.text import visible_text
from item_formats.vocabulary import CHOICES, HOTSPOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lxml import etree

    from item_formats.rendering.markup import View

INTERACTION_NAMES = {f"qti-{kind.value.replace('_', '-')}-interaction": kind_label(kind) for kind in INTERACTIONS}
_LABELS_BY_CLASS = {
    "qti-labels-decimal": lambda place: str(place + 1),
    "qti-labels-lower-alpha": lambda place: letter(place).lower(),
    "qti-labels-cjk-ideographic": lambda place: "一二三四五六七八九十"[place] if place < 10 else str(place + 1),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice as it is shown: `label` is the letter or number beside it, `text` what it says without markup."""

    identifier: str
    label: str
    text: str
    html: str
    match_max: int
    element: etree._Element

    @property
    def spoken(self) -> str:
        """For lists that hold text only: its label and what it says."""
        return f"{self.label} {self.text}".strip() if self.text != self.label else self.label


def letter(place: int) -> str:
    """A to Z, then AA, AB …"""
    first, last = divmod(place, len(OPTION_LETTERS))
    return (OPTION_LETTERS[first - 1] if first else "") + OPTION_LETTERS[last]


def choices_of(parent: etree._Element, view: View, *, names: str = "letters") -> list[Choice]:
    """The choices inside an element in the order they are shown, with letters, numbers or no labels."""
    found = [element for element in parent.iter("*") if local_name(element) in CHOICES | HOTSPOTS]
    interaction = parent.getparent() if local_name(parent) == "qti-simple-match-set" else parent
    if interaction is not None and is_true(interaction, "shuffle") and view.seed is not None:
        found = shuffled(found, f"{view.seed} {view.prefix} {response_of(parent)} {_place_among_sets(parent)}")
    marks = _marks([element.get("identifier", "") for element in found], parent.get("class", ""), names)
    return [_choice(element, mark, view) for element, mark in zip(found, marks, strict=True)]


def shuffled(elements: Sequence[etree._Element], seed: str) -> list[etree._Element]:
    """The elements in an order that follows from the seed; fixed ones keep their places."""
    free = [element for element in elements if not is_true(element, "fixed")]
    random.Random(seed).shuffle(free)  # noqa: S311  not a secret, only reproducible
    rest = iter(free)
    return [element if is_true(element, "fixed") else next(rest) for element in elements]


def response_of(interaction: etree._Element) -> str:
    found: etree._Element | None = interaction
    while found is not None and "response-identifier" not in found.attrib:
        found = found.getparent()
    return "" if found is None else found.get("response-identifier", "")


def control_name(interaction: etree._Element, view: View, *parts: str) -> str:
    """The name of a control: `read_form` takes it apart again."""
    return ":".join((f"{view.prefix}/{response_of(interaction)}", *parts))


def frame(
    interaction: etree._Element, view: View, body: str, *, kind: str, hint: str = "", attributes: str = ""
) -> str:
    """An interaction with its prompt: on the screen a group of controls that the prompt names."""
    name = local_name(interaction)
    prompt = interaction.find(qti("qti-prompt"))
    identifier = escape(f"{view.prefix}-{response_of(interaction)}-prompt")
    said = "" if prompt is None else children_html(prompt, view)
    shown = f'<div class="prompt" id="{identifier}">{said}</div>' if said else ""
    note = f'<p class="hint">{hint}</p>' if hint else ""
    classes = " ".join(["interaction", kind, *_shared_classes(interaction)])
    if view.printed:
        return f'<div class="{escape(classes)}">{shown}{note}{body}</div>'
    label = f'aria-labelledby="{identifier}"' if said else f'aria-label="{INTERACTION_NAMES.get(name, "作答")}"'
    scripted = "" if view.with_key else attributes  # nothing is answered where the key is shown
    return f'<fieldset class="{escape(classes)}" {label}{scripted}>{shown}{note}{body}</fieldset>'


def select(
    name: str, label: str, options: Iterable[tuple[str, str]], *, chosen: str = "", view: View, nothing: str = "请选择"
) -> str:
    """A list to choose one from, with an empty first line."""
    entries = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options
    )
    state = " disabled" if view.with_key else ""
    right = ' class="right"' if view.with_key and chosen else ""
    return (
        f'<select name="{escape(name)}" aria-label="{escape(label)}"{right}{state}>'
        f'<option value="">{escape(nothing)}</option>{entries}</select>'
    )


def checkable(name: str, value: str, *, several: bool, view: View, right: bool, label: str = "") -> str:
    """A check box or radio button, set and locked where the key is shown."""
    named = f' aria-label="{escape(label)}"' if label else ""
    state = f"{' checked' if right else ''}{' disabled' if view.with_key else ''}"
    kind = "checkbox" if several else "radio"
    return f'<input type="{kind}" name="{escape(name)}" value="{escape(value)}"{named}{state}>'


def takes_several(interaction: etree._Element, view: View, *, limit: str = "max-choices") -> bool:
    """More than one answer: by the limit, and by what the response can hold."""
    cardinality = view.declared.get(response_of(interaction), ("", ""))[0]
    return whole(interaction, limit, 1) != 1 and cardinality != "single"


def limits(interaction: etree._Element, least: str, most: str, unit: str, default_most: int = 1) -> str:
    """How many answers are asked for, in words; "" where one is."""
    low, high = whole(interaction, least, 0), whole(interaction, most, default_most)
    if high == 1:
        return ""
    if low and low == high:
        return f"选 {low} {unit}"
    if low and high:
        return f"选 {low} 至 {high} {unit}"
    if high:
        return f"最多选 {high} {unit}"
    return f"至少选 {low} {unit}" if low else f"可选多{unit}"


def limit_attributes(most: int) -> str:
    """For the script: no more boxes than this can be checked."""
    return f' data-tiku="limit" data-most="{most}"' if most > 1 else ""


def whole(element: etree._Element, name: str, default: int) -> int:
    text = (element.get(name) or "").strip()
    return int(text) if text.isdigit() and len(text) < 7 else default


def bank(choices: Sequence[Choice], view: View) -> str:
    """The choices with their letters, to be named elsewhere."""
    entries = "".join(
        f'<li><span class="label">{escape(choice.label)}</span> <span>{choice.html}</span>{_uses(choice)}</li>'
        for choice in choices
    )
    title = "" if view.printed else ' aria-label="备选项"'
    return f'<ol class="bank" role="list"{title}>{entries}</ol>'


def _uses(choice: Choice) -> str:
    if choice.match_max == 1:
        return ""
    return f' <span class="uses">（{"可重复使用" if choice.match_max == 0 else f"可用 {choice.match_max} 次"}）</span>'


def _choice(element: etree._Element, mark: str, view: View) -> Choice:
    name = local_name(element)
    if name in HOTSPOTS:
        text = element.get("hotspot-label") or element.get("aria-label") or mark
        content = escape(text)
    elif name == "qti-gap-img":
        shown = next(element.iterchildren("*"), element)
        text = element.get("object-label") or picture_of(shown, view.media).alt or mark
        content = children_html(element, view)
    else:
        text = plain_text(element, view) or mark
        content = children_html(element, view)
    default = 1 if name != "qti-associable-hotspot" else 0
    return Choice(element.get("identifier", ""), mark, text, content, whole(element, "match-max", default), element)


def plain_text(element: etree._Element, view: View) -> str:
    """What markup says where only text can stand: pictures by their descriptions."""
    said = " ".join(visible_text(element).split())
    pictures = [picture_of(one, view.media).alt for one in element.iter(qti("img"), qti("object"))]
    return " ".join([said, *pictures]).strip()


def _marks(identifiers: list[str], classes: str, names: str) -> list[str]:
    if set(identifiers) == {TRUE, FALSE}:
        return ["√" if identifier == TRUE else "×" for identifier in identifiers]
    if names == "numbers":
        return [str(place + 1) for place in range(len(identifiers))]
    if names == "none" or "qti-labels-none" in classes.split():
        return [""] * len(identifiers)
    wanted = next((_LABELS_BY_CLASS[word] for word in classes.split() if word in _LABELS_BY_CLASS), letter)
    return [wanted(place) for place in range(len(identifiers))]


def _place_among_sets(parent: etree._Element) -> int:
    return sum(1 for _ in parent.itersiblings(qti("qti-simple-match-set"), preceding=True))


def _shared_classes(interaction: etree._Element) -> list[str]:
    shown = [word for word in interaction.get("class", "").split() if word.startswith("qti-")]
    return shown + (["horizontal"] if interaction.get("orientation") == "horizontal" else [])
