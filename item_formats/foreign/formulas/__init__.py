"""Formulas between LaTeX, MathML and Word's OMML."""

from item_formats.foreign.formulas.finding import Formula, formula_markup, formulas_in
from item_formats.foreign.formulas.latex import FormulaError, latex_to_mathml
from item_formats.foreign.formulas.latex_writing import mathml_to_latex
from item_formats.foreign.formulas.omml_reading import OMML, omml_to_mathml
from item_formats.foreign.formulas.omml_writing import mathml_to_omml

__all__ = [
    "OMML",
    "Formula",
    "FormulaError",
    "formula_markup",
    "formulas_in",
    "latex_to_mathml",
    "mathml_to_latex",
    "mathml_to_omml",
    "omml_to_mathml",
]
