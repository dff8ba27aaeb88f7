"""What `import item_formats` offers, and how little it loads to do so."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import item_formats

PROMISED = {"check", "convert", "read_item", "read_package", "read_test", "render", "score"}


def test_the_promised_names_are_there() -> None:
    assert set(item_formats.__all__) >= PROMISED
    assert all(callable(getattr(item_formats, name)) for name in PROMISED)


def test_what_mypy_sees_and_what_is_loaded_are_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(item_formats.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module.removeprefix("item_formats.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("item_formats.")
        for alias in node.names
    }
    assert seen == item_formats._HOMES


@pytest.mark.parametrize("name", item_formats.__all__)
def test_every_name_can_be_had(name: str) -> None:
    assert getattr(item_formats, name) is not None


def test_names_that_are_not_there_are_missed_as_usual() -> None:
    with pytest.raises(AttributeError, match="no attribute 'read_everything'"):
        _ = item_formats.read_everything  # type: ignore[attr-defined]
    assert "read_item" in dir(item_formats)


def test_importing_the_package_loads_nothing_heavy() -> None:
    """No number here (tests are not timed): modules are loaded when their names are used."""
    program = (
        "import sys, item_formats; print(sorted(m for m in sys.modules if m.startswith(('item_formats.', 'lxml'))))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "[]"
