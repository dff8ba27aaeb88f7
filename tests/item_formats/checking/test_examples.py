"""Every code of `checking`, by an example; and the page that explains all codes of the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from item_formats import check, read_document
from tests.item_formats.checking.examples import EXAMPLES, GOOD, GOOD_TEST, TEMPLATED

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = ROOT / "docs" / "findings.md"
CHECKING = ROOT / "item_formats" / "checking"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.*?) \|(?: (.*?) \|)?$", re.MULTILINE)
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Calls that make findings, and which of their first arguments may be the code.
MAKERS = {
    *("Finding", "Found", "add", "error", "fault", "lost", "refusal", "tell", "warn", "warning"),
    *("_error", "_fault", "_warning"),
}
NOT_CODES = {"error", "warning", "float", "severity"}
# Refusals of events in a test session, which are no findings on documents.
REFUSALS = {"no-attempts-left", "part-handed-in", "time-is-up"}
# Codes put together when they are needed, or chosen from a table.
COMPUTED = {
    *("custom-interaction", "entity", "not-a-section", "not-a-stimulus", "not-a-test", "not-an-item", "not-qti"),
    *("special-file", "symlink", "unsupported-type", "wrong-encoding"),
}
# Codes a rule of `checking` takes over from the readers of `processing` it asks, or leaves to a package's documents.
TAKEN_OVER = {"bad-attribute", "bad-value", "too-many-values", "unexpected-element"}


def found(source: bytes) -> set[str]:
    return {finding.code for finding in check(read_document(source), source=source)}


@pytest.mark.parametrize("source", [GOOD.encode(), TEMPLATED, GOOD_TEST])
def test_documents_with_nothing_wrong_have_no_findings(source: bytes) -> None:
    assert check(read_document(source), source=source) == []


@pytest.mark.parametrize(("code", "source"), [(code, one) for code, sources in EXAMPLES.items() for one in sources])
def test_every_code_has_an_example(code: str, source: bytes) -> None:
    assert code in found(source)


@pytest.mark.parametrize(("code", "source"), [(code, one) for code, sources in EXAMPLES.items() for one in sources])
def test_every_finding_has_its_place_and_says_what_to_do(code: str, source: bytes) -> None:
    (finding, *_) = [one for one in check(read_document(source), file="q.xml", source=source) if one.code == code]
    assert finding.file == "q.xml"
    assert finding.line == 1
    assert finding.column is not None
    start = source[int(finding.column) - 1 :]
    assert start.startswith(b"<")
    assert len(finding.message) > 20
    assert not finding.message.endswith(".")


def codes_in(folder: Path) -> set[str]:
    """Codes written out in the source: the literals where findings are made."""
    nodes = (node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {code for node in nodes for code in codes_of(node)} - NOT_CODES - REFUSALS


def codes_of(node: ast.AST) -> set[str]:
    """Codes in a call that makes a finding, or beside their sentence in a pair."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)] if name in MAKERS else []
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and is_sentence(node.elts[1]):
        texts = [one.value for one in node.elts[:1] if isinstance(one, ast.Constant)]
    else:
        return set()
    return {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}


def is_sentence(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id == "message"
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and " " in str(node.value))


def test_every_code_of_checking_is_among_the_examples() -> None:
    apart = {"no-schema", "nothing-to-check", "schema"}  # not of one document
    tabled = {"custom-interaction", "portable-custom-interaction"}
    assert (codes_in(CHECKING) | tabled) - apart - TAKEN_OVER == set(EXAMPLES) - TAKEN_OVER


def test_the_page_of_findings_tells_every_code_of_the_package_and_no_other() -> None:
    told = {match[1] for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))}
    written = codes_in(ROOT / "item_formats")
    assert sorted(written - told) == [], "explain these codes in docs/findings.md"
    assert sorted(told - written - COMPUTED) == [], "docs/findings.md explains codes that are not there"


def test_the_examples_on_the_page_are_what_check_prints() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for code, (source, *_) in EXAMPLES.items():
        finding = next(one for one in check(read_document(source), source=source) if one.code == code)
        row = next(match for match in ROW.finditer(page) if match[1] == code)
        assert (row[2], row[3]) == (finding.severity, finding.message.replace("|", "\\|")), code
