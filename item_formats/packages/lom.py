"""Learning object metadata (IEEE 1484.12.1) as plain values, from QTI 3 packages and from IMS Metadata 1.2 of QTI 2.

The element names are those of the schema QTI 3 packages import; the older binding is brought to them first.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

from lxml import etree

from item_formats.packages.records import Attribute, Child, Content, Record, new_element, read_record, write_record
from item_formats.parsing import XML_LANG, split_name

LOM = "http://ltsc.ieee.org/xsd/LOM"


@dataclass(frozen=True, slots=True)
class LangString(Record):
    """A text in a language; `language` is "" where the document names none."""

    text: Annotated[str, Content()] = ""
    language: Annotated[str, Attribute("language")] = ""


@dataclass(frozen=True, slots=True)
class Term(Record):
    """A word of a vocabulary: `value` difficult from `source` LOMv1.0."""

    source: Annotated[str | None, Child("source")] = None
    value: Annotated[str | None, Child("value")] = None


@dataclass(frozen=True, slots=True)
class Catalogued(Record):
    catalog: Annotated[str | None, Child("catalog")] = None
    entry: Annotated[str | None, Child("entry")] = None


@dataclass(frozen=True, slots=True)
class Moment(Record):
    """`moment` as written: a year will do."""

    moment: Annotated[str | None, Child("dateTime")] = None
    description: Annotated[tuple[LangString, ...], Child("string", inside="description")] = ()


@dataclass(frozen=True, slots=True)
class Duration(Record):
    """`duration` as in ISO 8601: PT45M."""

    duration: Annotated[str | None, Child("duration")] = None
    description: Annotated[tuple[LangString, ...], Child("string", inside="description")] = ()


@dataclass(frozen=True, slots=True)
class Words(Record):
    """One text in one or more languages."""

    strings: Annotated[tuple[LangString, ...], Child("string")] = ()


@dataclass(frozen=True, slots=True)
class General(Record):
    identifiers: Annotated[tuple[Catalogued, ...], Child("identifier")] = ()
    title: Annotated[tuple[LangString, ...], Child("string", inside="title")] = ()
    languages: Annotated[tuple[str, ...], Child("language")] = ()
    descriptions: Annotated[tuple[Words, ...], Child("description")] = ()
    keywords: Annotated[tuple[Words, ...], Child("keyword")] = ()
    coverage: Annotated[tuple[Words, ...], Child("coverage")] = ()
    structure: Annotated[Term | None, Child("structure")] = None
    aggregation_level: Annotated[Term | None, Child("aggregationLevel")] = None


@dataclass(frozen=True, slots=True)
class Contribution(Record):
    """Who did what: `entities` are vCards or names."""

    role: Annotated[Term | None, Child("role")] = None
    entities: Annotated[tuple[str, ...], Child("entity")] = ()
    date: Annotated[Moment | None, Child("date")] = None


@dataclass(frozen=True, slots=True)
class LifeCycle(Record):
    version: Annotated[tuple[LangString, ...], Child("string", inside="version")] = ()
    status: Annotated[Term | None, Child("status")] = None
    contributions: Annotated[tuple[Contribution, ...], Child("contribute")] = ()


@dataclass(frozen=True, slots=True)
class MetaMetadata(Record):
    identifiers: Annotated[tuple[Catalogued, ...], Child("identifier")] = ()
    contributions: Annotated[tuple[Contribution, ...], Child("contribute")] = ()
    schemas: Annotated[tuple[str, ...], Child("metadataschema")] = ()
    language: Annotated[str | None, Child("language")] = None


@dataclass(frozen=True, slots=True)
class Platform(Record):
    type: Annotated[Term | None, Child("type")] = None
    name: Annotated[Term | None, Child("name")] = None
    minimum_version: Annotated[str | None, Child("minimumVersion")] = None
    maximum_version: Annotated[str | None, Child("maximumVersion")] = None


@dataclass(frozen=True, slots=True)
class Requirement(Record):
    any_of: Annotated[tuple[Platform, ...], Child("orComposite")] = ()


@dataclass(frozen=True, slots=True)
class Technical(Record):
    formats: Annotated[tuple[str, ...], Child("format")] = ()
    size: Annotated[str | None, Child("size")] = None
    locations: Annotated[tuple[str, ...], Child("location")] = ()
    requirements: Annotated[tuple[Requirement, ...], Child("requirement")] = ()
    installation_remarks: Annotated[tuple[LangString, ...], Child("string", inside="installationRemarks")] = ()
    other_requirements: Annotated[tuple[LangString, ...], Child("string", inside="otherPlatformRequirements")] = ()
    duration: Annotated[Duration | None, Child("duration")] = None


@dataclass(frozen=True, slots=True)
class Educational(Record):
    interactivity_type: Annotated[Term | None, Child("interactivityType")] = None
    resource_types: Annotated[tuple[Term, ...], Child("learningResourceType")] = ()
    interactivity_level: Annotated[Term | None, Child("interactivityLevel")] = None
    semantic_density: Annotated[Term | None, Child("semanticDensity")] = None
    user_roles: Annotated[tuple[Term, ...], Child("intendedEndUserRole")] = ()
    contexts: Annotated[tuple[Term, ...], Child("context")] = ()
    age_ranges: Annotated[tuple[Words, ...], Child("typicalAgeRange")] = ()
    difficulty: Annotated[Term | None, Child("difficulty")] = None
    learning_time: Annotated[Duration | None, Child("typicalLearningTime")] = None
    description: Annotated[tuple[LangString, ...], Child("string", inside="description")] = ()
    languages: Annotated[tuple[str, ...], Child("language")] = ()


@dataclass(frozen=True, slots=True)
class Rights(Record):
    cost: Annotated[Term | None, Child("cost")] = None
    restrictions: Annotated[Term | None, Child("copyrightAndOtherRestrictions")] = None
    description: Annotated[tuple[LangString, ...], Child("string", inside="description")] = ()


@dataclass(frozen=True, slots=True)
class Related(Record):
    identifiers: Annotated[tuple[Catalogued, ...], Child("identifier")] = ()
    descriptions: Annotated[tuple[Words, ...], Child("description")] = ()


@dataclass(frozen=True, slots=True)
class Relation(Record):
    kind: Annotated[Term | None, Child("kind")] = None
    resource: Annotated[Related | None, Child("resource")] = None


@dataclass(frozen=True, slots=True)
class Annotation(Record):
    entity: Annotated[str | None, Child("entity")] = None
    date: Annotated[Moment | None, Child("date")] = None
    description: Annotated[tuple[LangString, ...], Child("string", inside="description")] = ()


@dataclass(frozen=True, slots=True)
class Taxon(Record):
    identifier: Annotated[str | None, Child("id")] = None
    entry: Annotated[tuple[LangString, ...], Child("string", inside="entry")] = ()


@dataclass(frozen=True, slots=True)
class TaxonPath(Record):
    """From the root of a taxonomy to the place meant, e.g. the areas and points of an examination standard."""

    source: Annotated[tuple[LangString, ...], Child("string", inside="source")] = ()
    taxa: Annotated[tuple[Taxon, ...], Child("taxon")] = ()


@dataclass(frozen=True, slots=True)
class Classification(Record):
    purpose: Annotated[Term | None, Child("purpose")] = None
    paths: Annotated[tuple[TaxonPath, ...], Child("taxonPath")] = ()
    description: Annotated[tuple[LangString, ...], Child("string", inside="description")] = ()
    keywords: Annotated[tuple[Words, ...], Child("keyword")] = ()


@dataclass(frozen=True, slots=True)
class Lom(Record):
    """The nine categories of learning object metadata."""

    general: Annotated[General | None, Child("general")] = None
    life_cycle: Annotated[LifeCycle | None, Child("lifeCycle")] = None
    meta_metadata: Annotated[MetaMetadata | None, Child("metaMetadata")] = None
    technical: Annotated[Technical | None, Child("technical")] = None
    educational: Annotated[tuple[Educational, ...], Child("educational")] = ()
    rights: Annotated[Rights | None, Child("rights")] = None
    relations: Annotated[tuple[Relation, ...], Child("relation")] = ()
    annotations: Annotated[tuple[Annotation, ...], Child("annotation")] = ()
    classifications: Annotated[tuple[Classification, ...], Child("classification")] = ()


def read_lom(element: etree._Element) -> Lom:
    """The metadata of a ``lom`` element in the namespace of IEEE or of IMS Metadata 1.2; nothing is an error here."""
    return read_record(Lom, _modern(element), lenient=True)


def lom_element(lom: Lom) -> etree._Element:
    return write_record(lom, "lom", LOM)


# IMS Metadata 1.2: names in lower case, texts in <langstring>, vCards and dates one element deeper.
_CAMEL_NAMES = """
    lifeCycle metaMetadata aggregationLevel interactivityType learningResourceType interactivityLevel semanticDensity
    intendedEndUserRole typicalAgeRange typicalLearningTime installationRemarks otherPlatformRequirements
    minimumVersion maximumVersion copyrightAndOtherRestrictions taxonPath orComposite
"""
_NAMES = {name.lower(): name for name in _CAMEL_NAMES.split()} | {
    "catalogentry": "identifier",
    "langstring": "string",
    "centity": "entity",
    "person": "entity",
    "metadatascheme": "metadataschema",
}
_TEXTS = frozenset({"catalog", "entity", "id"})
_TERM_PARTS = frozenset({"source", "value"})


def _modern(element: etree._Element) -> etree._Element:
    namespace = split_name(element)[0]
    if namespace == LOM or next(element.iter(f"{{{namespace}}}string"), None) is not None:
        return element
    modern = new_element("lom", LOM)
    _modernise(element, modern, namespace)
    return modern


def _modernise(old: etree._Element, new: etree._Element, namespace: str) -> None:
    name = split_name(new)[1]
    for child in old:
        child_namespace, child_name = split_name(child)
        if not child_name:
            continue
        if child_namespace != namespace:
            _keep(new, child)
            continue
        child_name = _NAMES.get(child_name, child_name)
        if child_name == "datetime":
            child_name = "duration" if name in {"duration", "typicalLearningTime"} else "dateTime"
        added = etree.SubElement(new, f"{{{LOM}}}{child_name}")
        if child_name == "string":
            language = child.get(XML_LANG, "")
            if language not in {"", "x-none"}:
                added.set("language", language)
        added.text = child.text
        plain = (
            child_name in _TEXTS
            or (child_name in _TERM_PARTS and name != "taxonPath")
            or (child_name == "entry" and name == "identifier")
        )
        if plain:
            added.text = str(child.xpath("string()")).strip()
        elif child_name == "identifier" and len(child) == 0:
            added.text = None
            etree.SubElement(added, f"{{{LOM}}}entry").text = child.text
        elif child_name == "requirement":
            added.text = None
            _modernise(child, etree.SubElement(added, f"{{{LOM}}}orComposite"), namespace)
        else:
            _modernise(child, added, namespace)
    _flatten_taxa(new)


def _flatten_taxa(path: etree._Element) -> None:
    """A taxon in a taxon becomes the next one of the path."""
    if split_name(path)[1] == "taxonPath":
        for taxon in list(path.iter(f"{{{LOM}}}taxon")):
            path.append(taxon)


def _keep(parent: etree._Element, foreign: etree._Element) -> None:
    parent.append(deepcopy(foreign))
