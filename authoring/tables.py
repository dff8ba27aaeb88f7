"""Every table of the bank, so that its metadata is complete wherever that matters (migrations, checks)."""

from authoring.audit import tables as audit
from authoring.calibrations import tables as calibrations
from authoring.columns import metadata
from authoring.items import tables as items
from authoring.papers import tables as papers
from authoring.people import tables as people
from authoring.releases import tables as releases
from authoring.reviews import tables as reviews
from authoring.standards import tables as standards

__all__ = [
    "audit",
    "calibrations",
    "items",
    "metadata",
    "papers",
    "people",
    "releases",
    "reviews",
    "standards",
]
