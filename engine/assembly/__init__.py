"""Pools and blueprints → papers that keep every rule, near to their target, recounted."""

from engine.assembly.aims import reference_form
from engine.assembly.forms import assemble
from engine.assembly.recount import RecountLine, recount
from engine.assembly.report import write_assembly_report
from engine.assembly.result import Assembly, Form, form_overlaps

__all__ = [
    "Assembly",
    "Form",
    "RecountLine",
    "assemble",
    "form_overlaps",
    "recount",
    "reference_form",
    "write_assembly_report",
]
