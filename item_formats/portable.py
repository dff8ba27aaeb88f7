"""Portable custom interactions: inside customInteraction in 2.x (PCI 1.0), an element of its own in 3.0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.parsing import QTI, attributes_of, split_name
from item_formats.vocabulary import COMMON_ATTRIBUTES, PCI_1, kebab

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = f"{{{QTI}}}qti-portable-custom-interaction"
_CHILDREN = {
    "modules": "qti-interaction-modules",
    "module": "qti-interaction-module",
    "markup": "qti-interaction-markup",
    "templateVariable": "qti-template-variable",
    "contextVariable": "qti-context-variable",
}
_KEPT = COMMON_ATTRIBUTES | {"module"}
_NOT_A_NAME = re.compile(r"[^a-z0-9_.\-]+")


def upgrade_portable(
    old: etree._Element,
    parent: etree._Element,
    copy: Callable[[etree._Element, etree._Element], None],
    warn: Callable[[str, str, etree._Element], None],
) -> bool:
    """Append the 3.0 form of a customInteraction that holds a PCI; False when it holds something else."""
    inner = next((child for child in old if split_name(child) == (PCI_1, "portableCustomInteraction")), None)
    if inner is None:
        return False
    new = etree.SubElement(parent, _NAME, _attributes(old, inner))
    new.sourceline = old.sourceline
    new.text = inner.text
    new.tail = old.tail
    for child in inner:
        space, name = split_name(child)
        if space == PCI_1 and name == "properties":
            _properties(child, new, "data")
        elif space == PCI_1 and name == "resources":
            _libraries(child, new)
        elif name in _CHILDREN:
            _element(child, new, copy)
        elif space == PCI_1:
            warn("portable-custom-interaction", f"<{name}> of the portable custom interaction is not in QTI 3", child)
        else:
            copy(child, new)
    return True


def _attributes(old: etree._Element, inner: etree._Element) -> dict[str, str]:
    attributes = {
        "response-identifier" if key == "responseIdentifier" else key: value
        for key, value in attributes_of(old).items()
    }
    for key, value in attributes_of(inner).items():
        if key == "hook":
            attributes["module"] = value.removesuffix(".js")
        elif key in _KEPT or key.startswith(("data-", "aria-", "{")):
            attributes[key] = value
        elif key == "customInteractionTypeIdentifier":
            attributes["custom-interaction-type-identifier"] = value
        else:
            attributes[f"data-{kebab(key)}"] = value
    return attributes


def _element(
    old: etree._Element, parent: etree._Element, copy: Callable[[etree._Element, etree._Element], None]
) -> None:
    _, name = split_name(old)
    attributes = {key if key.startswith("{") else kebab(key): value for key, value in attributes_of(old).items()}
    new = etree.SubElement(parent, f"{{{QTI}}}{_CHILDREN[name]}", attributes)
    new.sourceline = old.sourceline
    new.text = old.text
    new.tail = old.tail
    for child in old:
        space, name = split_name(child)
        if space == PCI_1 and name in _CHILDREN:
            _element(child, new, copy)
        else:
            copy(child, new)


def _properties(old: etree._Element, new: etree._Element, path: str) -> None:
    """Properties are data-* attributes in 3.0; nested ones join their keys by ``__``, a number stands for no key."""
    for place, child in enumerate(child for child in old if split_name(child)[0] == PCI_1):
        key = f"{path}{'-' if path == 'data' else '__'}{_NOT_A_NAME.sub('-', kebab(child.get('key') or str(place)))}"
        if split_name(child)[1] == "properties":
            _properties(child, new, key)
        else:
            new.set(key, child.text or "")


def _libraries(old: etree._Element, new: etree._Element) -> None:
    modules = etree.SubElement(new, f"{{{QTI}}}qti-interaction-modules")
    modules.tail = old.tail
    for library in old.iterdescendants(f"{{{PCI_1}}}lib"):
        etree.SubElement(modules, f"{{{QTI}}}qti-interaction-module", {"id": library.get("id", "")})
