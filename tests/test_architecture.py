"""The house keeps its shape: who may import what, beyond the layers that import-linter checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PACKAGES = ("item_formats", "calibration", "engine", "authoring")


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> list[tuple[str, list[str]]]:
    """Modules a file imports from, with the names it takes."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, [alias.name for alias in node.names]))
        elif isinstance(node, ast.Import):
            found.extend((alias.name, []) for alias in node.names)
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_only_public_names_cross_rooms(package: str) -> None:
    """Another package is imported whole or by the names of its __init__, never by an inner module."""
    inner = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in modules(package)
        for module, _ in imports(path)
        if module.split(".")[0] in PACKAGES and module.split(".")[0] != package and "." in module
    ]
    assert inner == []


@pytest.mark.parametrize("package", ["item_formats", "calibration", "engine"])
def test_public_names_are_declared_and_exist(package: str) -> None:
    room = __import__(package)
    assert len(room.__all__) == len(set(room.__all__)) > 20
    assert [name for name in room.__all__ if not hasattr(room, name)] == []


def test_help_imports_nothing_heavy() -> None:
    """`tiku --help` names every verb and loads none of them."""
    code = (
        "import sys; from authoring.cli import main; main(['--help'], standalone_mode=False);"
        "print([m for m in ('numpy', 'sqlalchemy', 'litestar', 'lxml', 'highspy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout.rstrip().endswith("[]")
    verbs = "demo item calibrate score fit link security assemble release simulate serve db bank user audit"
    for verb in verbs.split():
        assert f"  {verb} " in done.stdout


def test_lock_files_hold_versions_and_hashes_but_no_addresses() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert len(locks) == 3
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index-url" not in text
        for line in text.splitlines():
            assert "==" in line or line.strip().startswith(("--hash=sha256:", "#")) or not line.strip(), line


def test_what_extras_ask_for_is_locked() -> None:
    """Tests run with the versions of the extras that pyproject.toml promises to work with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    locked = {}
    for lock in ROOT.glob("requirements*.lock"):
        pins = re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
        for name, version in pins:
            assert locked.setdefault(name, version) == version, f"{name} has two versions"
    for requirement in map(Requirement, wanted):
        assert locked[requirement.name] in requirement.specifier, str(requirement)


def test_no_module_has_outgrown_its_room() -> None:
    """Past 500 lines a module has a second subject."""
    assert [
        str(path) for package in PACKAGES for path in modules(package) if len(path.read_bytes().splitlines()) > 500
    ] == []
