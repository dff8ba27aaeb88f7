"""What is shown: feedback by outcomes, parts of a clone by template variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.parsing import is_qti, local_name
from item_formats.showing import shows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from item_formats.processing.values import Plain

_ELEMENTS = {
    "qti-modal-feedback": "outcome-identifier",
    "qti-feedback-block": "outcome-identifier",
    "qti-feedback-inline": "outcome-identifier",
    "qti-test-feedback": "outcome-identifier",
    "qti-template-block": "template-identifier",
    "qti-template-inline": "template-identifier",
}


def is_shown(element: etree._Element, values: Mapping[str, Plain]) -> bool:
    """Whether feedback or a template part shows, from outcomes and template values as `ItemState` has them.

    Everything else always shows.
    """
    attribute = _ELEMENTS.get(local_name(element)) if is_qti(element) else None
    if attribute is None:
        return True
    return shows(values.get(element.get(attribute, "")), element)


def modal_feedback(root: etree._Element, values: Mapping[str, Plain]) -> tuple[str, ...]:
    """Identifiers of the modal feedback shown, in document order."""
    found = (child for child in root if is_qti(child) and local_name(child) == "qti-modal-feedback")
    return tuple(dict.fromkeys(child.get("identifier", "") for child in found if is_shown(child, values)))
