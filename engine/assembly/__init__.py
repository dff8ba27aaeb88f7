"""Pools and blueprints → papers that keep every rule, near to their target, recounted."""

from engine.assembly.aims import reference_form
from engine.assembly.forms import assemble
from engine.assembly.on_the_fly import assemble_on_the_fly
from engine.assembly.panels import Module, Panel, PanelDesign, Route, assemble_panels, read_panel
from engine.assembly.recount import RecountLine, recount
from engine.assembly.report import write_assembly_report
from engine.assembly.result import Assembly, Form, form_overlaps

__all__ = [
    "Assembly",
    "Form",
    "Module",
    "Panel",
    "PanelDesign",
    "RecountLine",
    "Route",
    "assemble",
    "assemble_on_the_fly",
    "assemble_panels",
    "form_overlaps",
    "read_panel",
    "recount",
    "reference_form",
    "write_assembly_report",
]
