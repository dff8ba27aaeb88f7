"""Portable custom interactions: inside customInteraction in 2.x (PCI 1.0), an element of its own in 3.0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from lxml import etree

from item_formats.parsing import QTI, attributes_of, split_name
from item_formats.vocabulary import COMMON_ATTRIBUTES, PCI_1, XHTML, camel, kebab

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = f"{{{QTI}}}qti-portable-custom-interaction"
_MODULE = f"{{{QTI}}}qti-interaction-module"
_CHILDREN = {
    "modules": "qti-interaction-modules",
    "module": "qti-interaction-module",
    "markup": "qti-interaction-markup",
    "templateVariable": "qti-template-variable",
    "contextVariable": "qti-context-variable",
}
_OLDER_CHILDREN = {new: old for old, new in _CHILDREN.items()}
_KEPT = COMMON_ATTRIBUTES | {"module"}
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.\-]+")


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
            _libraries(child, new, inner.get("hook"))
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
            attributes["module"] = _module(value)
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


def _libraries(old: etree._Element, new: etree._Element, hook: str | None) -> None:
    modules = etree.SubElement(new, f"{{{QTI}}}qti-interaction-modules")
    modules.tail = old.tail
    if hook:
        etree.SubElement(modules, _MODULE, {"id": _module(hook), "primary-path": hook})
    for library in old.iterdescendants(f"{{{PCI_1}}}lib"):
        etree.SubElement(modules, _MODULE, {"id": library.get("id", "")})


def _module(path: str) -> str:
    """A name for the module a hook of PCI 1.0 loads: its file without folders and ending."""
    name = _NOT_A_NAME.sub("-", path.rpartition("/")[2].removesuffix(".js"))
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def downgrade_portable(
    old: etree._Element,
    parent: etree._Element,
    namespace: str,
    copy: Callable[[etree._Element, etree._Element], None],
) -> None:
    """Append the 2.x form: a customInteraction that holds a PCI 1.0 with the same content."""
    attributes = attributes_of(old)
    response = {"responseIdentifier": attributes.pop("response-identifier", "")}
    outer = etree.SubElement(parent, f"{{{namespace}}}customInteraction", response)
    outer.tail = old.tail
    kind = attributes.pop("custom-interaction-type-identifier", None)
    if kind is not None:
        attributes["customInteractionTypeIdentifier"] = kind
    declared = cast("dict[str, str]", {None: PCI_1})
    inner = etree.SubElement(outer, f"{{{PCI_1}}}portableCustomInteraction", attributes, declared)
    inner.text = old.text
    for child in old:
        _older_element(child, inner, copy)


def _older_element(
    old: etree._Element, parent: etree._Element, copy: Callable[[etree._Element, etree._Element], None]
) -> None:
    """Modules, markup and variables of a PCI; anything else (a prompt) stays QTI."""
    space, name = split_name(old)
    if space != QTI or name not in _OLDER_CHILDREN:
        copy(old, parent)
        return
    markup = name == "qti-interaction-markup"
    address = XHTML if markup else PCI_1
    attributes = {key if key.startswith("{") else camel(key): value for key, value in attributes_of(old).items()}
    nsmap = cast("dict[str, str]", {None: address})
    new = etree.SubElement(parent, f"{{{address}}}{_OLDER_CHILDREN[name]}", attributes, nsmap)
    new.text = old.text
    new.tail = old.tail
    for child in old:
        (_older_markup if markup else _older_element)(child, new, copy)


def _older_markup(
    old: etree._Element, parent: etree._Element, copy: Callable[[etree._Element, etree._Element], None]
) -> None:
    """HTML, which stands in its own namespace in a PCI 1.0; QTI inside it stays QTI."""
    space, name = split_name(old)
    if space != QTI or name.startswith("qti-"):
        copy(old, parent)
        return
    new = etree.SubElement(parent, f"{{{XHTML}}}{name}", attributes_of(old))
    new.text = old.text
    new.tail = old.tail
    for child in old:
        _older_markup(child, new, copy)
