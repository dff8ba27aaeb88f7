"""What a manifest says about a package or resource: LOM, QTI metadata, and whatever else it says, kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from item_formats.packages.lom import Lom, lom_element, read_lom
from item_formats.packages.records import BOOLEAN, Child, Record, fragment, read_record, words, write_record
from item_formats.parsing import parse, split_name

if TYPE_CHECKING:
    from lxml import etree

QTI_METADATA = "http://www.imsglobal.org/xsd/imsqti_metadata_v3p0"
CURRICULUM = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscsmd_v1p1"

_INTERACTION_KINDS = """
    associate choice custom drawing endAttempt extendedText gapMatch graphicAssociate graphicGapMatch graphicOrder
    hotspot hottext inlineChoice match media order portableCustom positionObject selectPoint slider textEntry upload
"""
_INTERACTIONS = frozenset(f"{kind}Interaction" for kind in _INTERACTION_KINDS.split())
_FEEDBACK = frozenset({"adaptive", "nonadaptive", "none"})
_SCORING = frozenset({"human", "externalmachine", "responseprocessing"})


@dataclass(frozen=True, slots=True)
class CustomContext(Record):
    type_identifier: Annotated[str | None, Child("customTypeIdentifier")] = None
    interaction_kind: Annotated[str | None, Child("interactionKind")] = None


@dataclass(frozen=True, slots=True)
class QtiMetadata(Record):
    """What kind of item it is, for people who search; names of interactions as in QTI 2 (choiceInteraction)."""

    item_template: Annotated[bool | None, Child("itemTemplate", BOOLEAN)] = None
    time_dependent: Annotated[bool | None, Child("timeDependent", BOOLEAN)] = None
    composite: Annotated[bool | None, Child("composite", BOOLEAN)] = None
    interaction_types: Annotated[tuple[str, ...], Child("interactionType", words(_INTERACTIONS))] = ()
    custom_context: Annotated[CustomContext | None, Child("portableCustomInteractionContext")] = None
    feedback_type: Annotated[str | None, Child("feedbackType", words(_FEEDBACK))] = None
    solution_available: Annotated[bool | None, Child("solutionAvailable", BOOLEAN)] = None
    scoring_modes: Annotated[tuple[str, ...], Child("scoringMode", words(_SCORING))] = ()
    tool_name: Annotated[str | None, Child("toolName")] = None
    tool_version: Annotated[str | None, Child("toolVersion")] = None
    tool_vendor: Annotated[str | None, Child("toolVendor")] = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """`unknown`: every other element, curriculum standards among them, as exclusive canonical XML."""

    lom: Lom | None = None
    qti: QtiMetadata | None = None
    unknown: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return self != Metadata()


NO_METADATA = Metadata()


def read_metadata(element: etree._Element | None) -> Metadata:
    """Of a ``metadata`` element; ``schema`` and ``schemaversion`` belong to the manifest and are left out."""
    lom: Lom | None = None
    qti: QtiMetadata | None = None
    unknown: list[bytes] = []
    for child in element if element is not None else ():
        name = split_name(child)[1]
        if name == "lom" and lom is None:
            lom = read_lom(child)
        elif name == "qtiMetadata" and qti is None:
            qti = read_record(QtiMetadata, child, lenient=True)
        elif name and name not in {"schema", "schemaversion"}:
            unknown.append(fragment(child))
    return Metadata(lom, qti, tuple(unknown))


def metadata_elements(metadata: Metadata, namespace: str = QTI_METADATA) -> list[etree._Element]:
    """The children of a ``metadata`` element, in the order the QTI 3 schema wants them; `namespace` is QTI's own."""
    foreign = [parse(xml) for xml in metadata.unknown]
    standards = [element for element in foreign if split_name(element)[0] == CURRICULUM]
    elements = [] if metadata.qti is None else [write_record(metadata.qti, "qtiMetadata", namespace)]
    elements += standards
    elements += [] if metadata.lom is None else [lom_element(metadata.lom)]
    return elements + [element for element in foreign if element not in standards]
