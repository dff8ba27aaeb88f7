"""Pools and blueprints → papers that keep every rule, near to their target, recounted."""

from engine.assembly.forms import assemble
from engine.assembly.recount import RecountLine, recount
from engine.assembly.result import Assembly, Form, form_overlaps

__all__ = ["Assembly", "Form", "RecountLine", "assemble", "form_overlaps", "recount"]
