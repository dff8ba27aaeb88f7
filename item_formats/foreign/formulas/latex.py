"""LaTeX formulas as MathML, with the LaTeX kept beside it as an annotation."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from item_formats.foreign.extras import needed
from item_formats.foreign.formulas.nodes import math_element
from item_formats.text import forbidden_characters
from item_formats.vocabulary import MATHML

TEX = "application/x-tex"  # the `encoding` of the annotation that holds the source
_LONGEST = 5_000
_DEEPEST = 40


class FormulaError(ValueError):
    """LaTeX that is no formula we can set; the message says why."""


@lru_cache(maxsize=4096)
def latex_to_mathml(latex: str, *, display: bool = False) -> str:
    """A ``<math>`` element as text; the source is its ``<annotation encoding="application/x-tex">``.

    Raises
    ------
    FormulaError
        An unknown command, unbalanced braces, or more than anybody writes by hand.
    MissingExtraError
        latex2mathml is not installed.
    """
    latex = latex.strip()
    _refuse_nonsense(latex)
    converter = needed("latex2mathml.converter", reason="LaTeX formulas")
    try:
        written = converter.convert(latex)
        parsed = etree.fromstring(written.encode())
    except Exception as error:  # noqa: BLE001  # the library raises whatever its parser met: IndexError, StopIteration …
        reason = str(error) or type(error).__name__
        raise FormulaError(f"“{latex}” is not LaTeX that can be set ({reason})") from None
    for token in parsed.iter():
        if "\\" in (token.text or ""):
            raise FormulaError(f"“{latex}” holds the command {token.text}, which is not known")
        token.tail = None
    _plain_rows(parsed)
    math = math_element()
    if display:
        math.set("display", "block")
    semantics = etree.SubElement(math, f"{{{MATHML}}}semantics")
    content = list(parsed)
    if len(content) == 1:
        semantics.append(content[0])
    else:
        row = etree.SubElement(semantics, f"{{{MATHML}}}mrow")
        row.extend(content)
    annotation = etree.SubElement(semantics, f"{{{MATHML}}}annotation", encoding=TEX)
    annotation.text = latex
    return etree.tostring(math, encoding="unicode")


def _refuse_nonsense(latex: str) -> None:
    if not latex:
        raise FormulaError("the formula is empty")
    if len(latex) > _LONGEST:
        raise FormulaError(f"the formula has {len(latex):,} characters; {_LONGEST:,} are read")
    if forbidden_characters(latex):
        raise FormulaError("the formula holds characters that XML cannot")
    depth = deepest = 0
    for character in re.sub(r"\\.", "", latex, flags=re.DOTALL):
        depth += (character == "{") - (character == "}")
        deepest = max(deepest, depth)
        if depth < 0:
            break
    if depth:
        raise FormulaError(f"the braces of “{latex}” do not match")
    if deepest > _DEEPEST:
        raise FormulaError(f"the formula is nested {deepest} deep; {_DEEPEST} levels are read")


def _plain_rows(math: etree._Element) -> None:
    """Take out the rows around a single element that the converter wraps everywhere."""
    for row in list(math.iter(f"{{{MATHML}}}mrow")):
        parent = row.getparent()
        if parent is not None and len(row) == 1 and not row.attrib:
            parent.replace(row, row[0])
