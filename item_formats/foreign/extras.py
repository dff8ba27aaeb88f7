"""Libraries that only some formats need, imported when they are."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PACKAGES = {"latex2mathml": "latex2mathml", "python_calamine": "python-calamine", "xlsxwriter": "xlsxwriter"}


class MissingExtraError(ImportError):
    """An optional library is not installed; the message says how to install it."""


def needed(module: str, *, reason: str) -> Any:  # noqa: ANN401  # a module, whose types mypy does not see here
    """The module, or an error that names the extra to install."""
    try:
        return import_module(module)
    except ImportError:
        package = _PACKAGES[module.partition(".")[0]]
        message = f"{reason} need {package}, which is not installed: pip install 'tiku[office]'"
        raise MissingExtraError(message, name=package) from None
