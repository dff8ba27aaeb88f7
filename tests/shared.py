"""Test data from outside the repository: cases of other engines and the QTI schemas. Nothing of it is copied here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]


def shared_folder() -> Path:
    """``TIKU_SHARED``, or the folder ``shared`` beside the checkout; it need not be there."""
    return Path(os.environ.get("TIKU_SHARED") or _ROOT.parent / "shared")


def shared(path: str) -> Path:
    """A file or folder of the shared test data; the test (or module) that asks is skipped where it is absent."""
    found = shared_folder() / path
    if not found.exists():
        pytest.skip(f"the shared test data {path} is not beside this checkout (TIKU_SHARED)", allow_module_level=True)
    return found
