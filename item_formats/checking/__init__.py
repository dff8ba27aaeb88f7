"""Findings on documents: what the schema cannot say, and on request what it says."""

from item_formats.checking.documents import check, check_package
from item_formats.checking.schema import validate

__all__ = ["check", "check_package", "validate"]
