"""Formulas: LaTeX that people type, MathML that items hold, OMML that Word holds."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats.foreign.formulas import (
    OMML,
    Formula,
    FormulaError,
    formula_markup,
    formulas_in,
    latex_to_mathml,
    mathml_to_latex,
    mathml_to_omml,
    omml_to_mathml,
)

MATHML = "{http://www.w3.org/1998/Math/MathML}"


def canonical(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n").decode()


def bare(mathml: etree._Element) -> str:
    """The structure of a formula as ``mfrac(mi a, mi b)``."""
    name = etree.QName(mathml).localname
    inner = ", ".join(bare(child) for child in mathml)
    return f"{name}({inner})" if inner else f"{name} {mathml.text or ''}".strip()


def omml(content: str) -> etree._Element:
    return etree.fromstring(f'<m:oMath xmlns:m="{OMML}">{content}</m:oMath>')


def run(text: str, properties: str = "") -> str:
    return f"<m:r>{f'<m:rPr>{properties}</m:rPr>' if properties else ''}<m:t>{text}</m:t></m:r>"


def slot(name: str, text: str) -> str:
    return f"<m:{name}>{run(text)}</m:{name}>"


def test_latex_becomes_mathml_and_keeps_its_source() -> None:
    math = etree.fromstring(latex_to_mathml(r"\frac{a}{b} \le x_1^2"))
    semantics = math[0]
    assert bare(semantics[0]) == "mrow(mfrac(mi a, mi b), mo ≤, msubsup(mi x, mn 1, mn 2))"
    assert (semantics[1].tag, semantics[1].text) == (f"{MATHML}annotation", r"\frac{a}{b} \le x_1^2")
    assert mathml_to_latex(math) == r"\frac{a}{b} \le x_1^2"


def test_display_formulas_are_blocks() -> None:
    assert etree.fromstring(latex_to_mathml("a", display=True)).get("display") == "block"


@pytest.mark.parametrize(
    "latex", ["", "  ", r"\d+", r"\nosuchcommand{x}", "{a", "a}", "{" * 41 + "x" + "}" * 41, "x" * 5001, "a\x00b"]
)
def test_what_is_no_formula_is_refused_with_the_reason(latex: str) -> None:
    with pytest.raises(FormulaError):
        latex_to_mathml(latex)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (r"设\(x^2\)为", "x^2"),
        (r"如下：\[a=b\]", "a=b"),
        ("设$x^2$为", "x^2"),
        ("共$n$个", "n"),
        ("$$E=mc^2$$", "E=mc^2"),
        (r"$\text{准确率}=0.5$", r"\text{准确率}=0.5"),
    ],
)
def test_formulas_are_found_between_their_signs(text: str, latex: str) -> None:
    assert [piece.latex for piece in formulas_in(text) if isinstance(piece, Formula)] == [latex]


@pytest.mark.parametrize(
    "text",
    [
        "价格从 $5 到 $10",
        "价格从$5涨到$10",
        "成本$3，售价$ 5",
        "US$5, US$6",
        "$5-$10",
        "it costs $5 and $6",
        "echo $HOME/bin:$PATH",
        r"\$5 和 \$6",
        "花了$100元，又花了$200元",
    ],
)
def test_amounts_of_money_and_variables_stay_text(text: str) -> None:
    assert list(formulas_in(text)) == [text]
    assert formula_markup(text) == (text, [])


def test_a_regular_expression_is_kept_as_typed_and_said() -> None:
    markup, problems = formula_markup(r"匹配\(\d+\)的是")
    assert markup == r"匹配\(\d+\)的是"
    assert [code for code, _ in problems] == ["formula"]


def test_without_the_library_formulas_stay_text_and_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    latex_to_mathml.cache_clear()
    markup, problems = formula_markup("设$y^9$为")
    assert markup == "设$y^9$为"
    assert problems[0][0] == "formula-needs-extra"
    assert "tiku[office]" in problems[0][1]


SUM = '<m:naryPr><m:chr m:val="∑"/></m:naryPr>'
LINEAR = ("<mrow><mi>a</mi><mo>/</mo><mi>b</mi></mrow>", "<mi>a</mi><mo>/</mo><mi>b</mi>")  # comes back as it looks
UPRIGHT = '<m:sty m:val="p"/>'
STRUCTURES = {
    "fraction": (f"<m:f>{slot('num', 'a')}{slot('den', 'b')}</m:f>", "mfrac(mi a, mi b)"),
    "linear fraction": (
        f'<m:f><m:fPr><m:type m:val="lin"/></m:fPr>{slot("num", "a")}{slot("den", "b")}</m:f>',
        "mrow(mi a, mo /, mi b)",
    ),
    "root": (
        f'<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/>{slot("e", "x")}</m:rad>',
        "msqrt(mi x)",
    ),
    "cube root": (f"<m:rad>{slot('deg', '3')}{slot('e', 'x')}</m:rad>", "mroot(mi x, mn 3)"),
    "power": (f"<m:sSup>{slot('e', 'x')}{slot('sup', '2')}</m:sSup>", "msup(mi x, mn 2)"),
    "index": (f"<m:sSub>{slot('e', 'x')}{slot('sub', 'i')}</m:sSub>", "msub(mi x, mi i)"),
    "both": (
        f"<m:sSubSup>{slot('e', 'x')}{slot('sub', 'i')}{slot('sup', '2')}</m:sSubSup>",
        "msubsup(mi x, mi i, mn 2)",
    ),
    "before": (
        f"<m:sPre>{slot('sub', '6')}{slot('sup', '12')}{slot('e', 'C')}</m:sPre>",
        "mmultiscripts(mi C, mprescripts, mn 6, mn 12)",
    ),
    "sum": (
        f"<m:nary>{SUM}{slot('sub', 'i=1')}{slot('sup', 'n')}{slot('e', 'i')}</m:nary>",
        "mrow(munderover(mo ∑, mrow(mi i, mo =, mn 1), mi n), mi i)",
    ),
    "integral": (
        f"<m:nary>{slot('sub', '0')}{slot('sup', '1')}{slot('e', 'x')}</m:nary>",
        "mrow(msubsup(mo ∫, mn 0, mn 1), mi x)",
    ),
    "brackets": (
        f'<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val=")"/></m:dPr>{slot("e", "a")}{slot("e", "b")}</m:d>',
        "mrow(mo [, mi a, mo |, mi b, mo ))",
    ),
    "function": (
        f"<m:func><m:fName>{run('sin', UPRIGHT)}</m:fName>{slot('e', 'x')}</m:func>",
        "mrow(mi sin, mo \u2061, mi x)",
    ),
    "limit": (f"<m:limLow>{slot('e', 'a')}{slot('lim', 'n')}</m:limLow>", "munder(mi a, mi n)"),
    "matrix": (
        f"<m:m><m:mr>{slot('e', 'a')}{slot('e', 'b')}</m:mr><m:mr>{slot('e', 'c')}{slot('e', 'd')}</m:mr></m:m>",
        "mtable(mtr(mtd(mi a), mtd(mi b)), mtr(mtd(mi c), mtd(mi d)))",
    ),
    "equations": (
        f"<m:eqArr>{slot('e', 'a')}{slot('e', 'b')}</m:eqArr>",
        "mtable(mtr(mtd(mi a)), mtr(mtd(mi b)))",
    ),
    "hat": (f"<m:acc>{slot('e', 'y')}</m:acc>", "mover(mi y, mo ^)"),
    "bar": (f'<m:bar><m:barPr><m:pos m:val="top"/></m:barPr>{slot("e", "x")}</m:bar>', "mover(mi x, mo \u203e)"),
    "brace": (f"<m:groupChr>{slot('e', 'x')}</m:groupChr>", "munder(mi x, mo ⏟)"),
    "box": (f"<m:borderBox>{slot('e', 'x')}</m:borderBox>", "menclose(mi x)"),
    "words": (run("准确率", "<m:nor/>"), "mtext 准确率"),
    "run": (run("2x+1"), "mn 2, mi x, mo +, mn 1"),
    "unknown": (f"<m:box>{slot('e', 'x')}</m:box>", "mi x"),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_of_word_becomes_mathml_and_comes_back_the_same(name: str) -> None:
    content, expected = STRUCTURES[name]
    math = omml_to_mathml(omml(content))
    assert ", ".join(bare(child) for child in math) == expected
    again = omml_to_mathml(mathml_to_omml(math))
    assert canonical(again) == canonical(math).replace(*LINEAR)


def test_a_formula_paragraph_is_displayed_line_by_line() -> None:
    lines = f"<m:oMath>{run('a')}</m:oMath><m:oMath>{run('b')}</m:oMath>"
    math = omml_to_mathml(etree.fromstring(f'<m:oMathPara xmlns:m="{OMML}">{lines}</m:oMathPara>'))
    assert (math.get("display"), [bare(child) for child in math]) == ("block", ["mi a", "mspace", "mi b"])


def test_styles_of_letters_survive_both_ways() -> None:
    content = (
        run("R", '<m:scr m:val="double-struck"/>') + run("v", '<m:sty m:val="b"/>') + run("d", '<m:sty m:val="p"/>')
    )
    math = omml_to_mathml(omml(content))
    assert [letter.get("mathvariant") for letter in math] == ["double-struck", "bold", "normal"]
    assert canonical(omml_to_mathml(mathml_to_omml(math))) == canonical(math)


atoms = st.sampled_from(["a", "x", "y_1", "2", r"\alpha", r"\sin x", r"\text{数据}", "z^{2}"])


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda pair: rf"\frac{{{pair[0]}}}{{{pair[1]}}}"),
        st.tuples(inner, st.sampled_from(["+", "=", r"\leq ", r"\times "]), inner).map("".join),
        inner.map(lambda part: rf"\sqrt{{{part}}}"),
        inner.map(lambda part: rf"\left( {part} \right)"),
        st.tuples(inner, inner).map(lambda pair: rf"\sum_{{{pair[0]}}}^{{n}} {pair[1]}"),
        inner.map(lambda part: rf"\hat{{{part}}}"),
    )


@given(st.recursive(atoms, compound, max_leaves=6))
def test_formulas_survive_word_and_latex_written_from_structure(latex: str) -> None:
    once = omml_to_mathml(mathml_to_omml(etree.fromstring(latex_to_mathml(latex))))
    twice = omml_to_mathml(mathml_to_omml(once))
    assert canonical(once) == canonical(twice)
    written = mathml_to_latex(once)  # the annotation is gone: Word has none
    again = omml_to_mathml(mathml_to_omml(etree.fromstring(latex_to_mathml(written))))
    assert "".join(map(str, again.itertext())) == "".join(map(str, once.itertext()))


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\lim_{x\to 0} f", {"func": 1, "limLow": 1, "sSub": 0}),
        (r"\max_\theta \prod_{i} P_i", {"func": 1, "nary": 1}),
        (r"\overline{AB}", {"bar": 1, "limUpp": 0}),
        (r"\vec{v}", {"acc": 1, "limUpp": 0}),
        (r"\begin{cases}1\\2\end{cases}", {"d": 1}),
    ],
)
def test_words_own_structures_are_used_where_a_plain_script_would_look_wrong(
    latex: str, expected: dict[str, int]
) -> None:
    made = mathml_to_omml(etree.fromstring(latex_to_mathml(latex)))
    assert {name: len(list(made.iter(f"{{{OMML}}}{name}"))) for name in expected} == expected


def test_a_brace_without_a_partner_grows_with_what_stands_behind_it() -> None:
    made = mathml_to_omml(etree.fromstring(latex_to_mathml(r"\begin{cases}1\\2\end{cases}")))
    signs = {name: next(made.iter(f"{{{OMML}}}{name}")).get(f"{{{OMML}}}val") for name in ("begChr", "endChr")}
    assert signs == {"begChr": "{", "endChr": ""}
