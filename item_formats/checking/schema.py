"""Validation against the XML Schemas of QTI, when somebody asks for it: from a folder, and from nowhere else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.findings import Finding, ItemError
from item_formats.parsing import parse

if TYPE_CHECKING:
    from item_formats.documents import Document

_ROOT = "qti-assessment-item"
# The schema lists names of base types as the values of match tables, by mistake: real ones, “A” or 2, would be invalid.
_MISTAKEN = "qti-match-table-entry', attribute 'target-value'"


def validate(document: Document | bytes, schema_dir: Path, *, file: str | None = None) -> list[Finding]:
    """What the QTI 3 schema in a folder has against a document; [] when it is valid.

    What the schema has against the target values of match tables is left out (docs/qti-rulings.md): it is mistaken.

    The folder holds the XSDs of QTI 3.0 with schema locations in it; nothing is fetched. Compiling takes seconds and
    is done once in a process.

    Raises
    ------
    ItemError
        The folder holds no QTI 3 schema, or one that cannot be compiled; or `document` is bytes and not XML.
    """
    schema = compiled_schema(schema_dir.resolve())
    if isinstance(document, bytes):
        root, identifier = parse(document, file=file), None
    else:
        root, identifier = document.root, document.identifier
    if schema.validate(root):
        return []
    findings = [
        Finding(
            "error",
            "schema",
            f"the schema says: {entry.message.replace('{http://www.imsglobal.org/xsd/imsqtiasi_v3p0}', '')}",
            file=file,
            line=entry.line or None,
            item=identifier,
        )
        for entry in list(schema.error_log)  # type: ignore[call-overload]  # the stubs do not know that it is a list
        if _MISTAKEN not in entry.message
    ]
    return list(dict.fromkeys(findings))


@lru_cache(maxsize=4)
def compiled_schema(folder: Path) -> etree.XMLSchema:
    """The schema in a folder that declares the assessment item, compiled."""
    try:
        found = sorted(folder.rglob("*.xsd"))
    except OSError as error:
        raise _unusable(folder, str(error)) from None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for path in found:
        if f'name="{_ROOT}"'.encode() not in path.read_bytes():
            continue
        try:
            return etree.XMLSchema(etree.parse(path, parser))
        except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
            raise _unusable(folder, f"{path.name} cannot be compiled: {error}") from None
    raise _unusable(folder, f"none of its {len(found)} XSD files declares {_ROOT}")


def _unusable(folder: Path, why: str) -> ItemError:
    message = f"the folder is no QTI 3 schema: {why}; give the folder with the XSDs of QTI 3.0 and what they include"
    return ItemError(Finding("error", "no-schema", message, file=str(folder)))
