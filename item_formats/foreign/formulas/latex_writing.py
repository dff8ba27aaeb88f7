"""MathML as LaTeX, for formats that hold formulas as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.foreign.formulas.latex import TEX
from item_formats.foreign.formulas.nodes import elements_in, text_of
from item_formats.foreign.formulas.omml_reading import APPLY
from item_formats.parsing import local_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml import etree

_NAMES = """
    α alpha β beta γ gamma δ delta ε varepsilon ϵ epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi
    π pi ρ rho σ sigma τ tau υ upsilon φ varphi ϕ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi
    Σ Sigma Φ Phi Ψ Psi Ω Omega ∑ sum ∏ prod ∐ coprod ∫ int ∬ iint ∭ iiint ∮ oint ⋃ bigcup ⋂ bigcap ⋁ bigvee ⋀ bigwedge
    ≤ leq ≥ geq ≠ neq ≈ approx ≡ equiv ∼ sim ∝ propto ± pm ∓ mp × times ÷ div · cdot ⋅ cdot ∗ ast ∘ circ ∈ in ∉ notin
    ⊂ subset ⊆ subseteq ⊃ supset ⊇ supseteq ∪ cup ∩ cap ∅ emptyset ∀ forall ∃ exists ¬ neg ∧ wedge ∨ vee ⇒ Rightarrow
    ⇔ Leftrightarrow → to ← leftarrow ↔ leftrightarrow ∞ infty ∂ partial ∇ nabla … ldots ⋯ cdots ⋮ vdots ⋱ ddots
    ∠ angle ⊥ perp ∥ parallel △ triangle ′ prime ⟨ langle ⟩ rangle ⌈ lceil ⌉ rceil ⌊ lfloor ⌋ rfloor ‖ Vert ℓ ell
    ≪ ll ≫ gg ∣ mid ∖ setminus ⊕ oplus ⊗ otimes
"""
_WORDS = _NAMES.split()
COMMANDS = {character: f"\\{name}" for character, name in zip(_WORDS[::2], _WORDS[1::2], strict=True)} | {
    "−": "-",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "#": r"\#",
    "&": r"\&",
    "$": r"\$",
    "_": r"\_",
    "\\": r"\backslash",
    "\u00a0": r"\ ",
    APPLY: "",
    "\u2062": "",
}
_FUNCTION_NAMES = """
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh lim max min sup inf log ln lg exp det gcd arg dim ker
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_ACCENTS = {
    "^": "hat",
    "ˆ": "hat",
    "~": "tilde",
    "˜": "tilde",
    "¯": "bar",
    "→": "vec",
    "˙": "dot",
    "¨": "ddot",
    "ˇ": "check",
    "´": "acute",
    "`": "grave",
    "˘": "breve",
    "\u203e": "overline",
    "⏞": "overbrace",
}
_UNDER = {"_": "underline", "⏟": "underbrace"}
_VARIANTS = {
    "normal": "mathrm",
    "bold": "mathbf",
    "double-struck": "mathbb",
    "script": "mathcal",
    "fraktur": "mathfrak",
    "sans-serif": "mathsf",
    "monospace": "mathtt",
    "bold-italic": "boldsymbol",
}


def mathml_to_latex(math: etree._Element) -> str:
    """LaTeX for a formula: what its annotation holds, or else made from its structure."""
    for annotation in math.iter("{*}annotation"):
        if annotation.get("encoding") == TEX and (annotation.text or "").strip():
            return (annotation.text or "").strip()
    return _joined(_each(math)).strip()


def _each(parent: etree._Element) -> list[str]:
    return [_latex(child) for child in elements_in(parent)]


def _latex(node: etree._Element) -> str:
    write = _ELEMENTS.get(local_name(node))
    return _joined(_each(node)) if write is None else write(node)


def _joined(pieces: Sequence[str]) -> str:
    """Commands that end in a letter need a space before the next letter."""
    text = ""
    for piece in pieces:
        if piece and text and piece[0].isalpha() and text[-1].isalpha() and "\\" in text and _ends_in_command(text):
            text += " "
        text += piece
    return text


def _ends_in_command(text: str) -> bool:
    head, slash, tail = text.rpartition("\\")
    return bool(slash) and tail.isalpha() and not head.endswith("\\")


def _signs(text: str) -> str:
    return _joined([COMMANDS.get(character, character) for character in text])


def _token(node: etree._Element) -> str:
    text = text_of(node).strip(" \t\r\n")
    if text in _FUNCTIONS:
        return f"\\{text}"
    variant = node.get("mathvariant") or ("normal" if local_name(node) == "mi" and len(text) > 1 else "")
    written = _signs(text)
    command = _VARIANTS.get(variant)
    return f"\\{command}{{{written}}}" if command and text.isalnum() and text not in COMMANDS else written


def _text(node: etree._Element) -> str:
    text = text_of(node)
    if not text.strip(" \u00a0"):
        return r"\ " * len(text)
    escaped = "".join(f"\\{character}" if character in "%#&$_{}" else character for character in text)
    return f"\\text{{{escaped}}}"


def _group(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"


def _slots(node: etree._Element, count: int) -> list[str]:
    return (_each(node) + [""] * count)[:count]


def _fraction(node: etree._Element) -> str:
    top, bottom = _slots(node, 2)
    if node.get("linethickness") in {"0", "0pt", "0px"}:
        return f"{{{top} \\atop {bottom}}}"
    return f"\\frac{{{top}}}{{{bottom}}}"


def _root(node: etree._Element) -> str:
    base, degree = _slots(node, 2)
    return f"\\sqrt[{degree}]{{{base}}}"


def _scripts(node: etree._Element) -> str:
    name = local_name(node)
    base, *rest = _slots(node, 3 if name in {"msubsup", "munderover"} else 2)
    base = base if len(base) <= 1 or (base.startswith("\\") and base[1:].isalpha()) else f"{{{base}}}"
    signs = {"msub": "_", "munder": "_", "msup": "^", "mover": "^"}.get(name, "_^")
    return base + "".join(f"{sign}{_group(part)}" for sign, part in zip(signs, rest, strict=True))


def _above_or_below(node: etree._Element) -> str:
    above = local_name(node) == "mover"
    sign = text_of(node[1]).strip() if len(node) > 1 and local_name(node[1]) == "mo" else ""
    command = (_ACCENTS if above else _UNDER).get(sign)
    return f"\\{command}{{{_latex(node[0])}}}" if command else _scripts(node)


def _around(node: etree._Element) -> str:
    children = elements_in(node)
    names = [local_name(child) for child in children]
    split = names.index("mprescripts") if "mprescripts" in names else len(children)

    def scripts(parts: Sequence[etree._Element]) -> str:
        written = [_latex(part) for part in parts]
        return "".join(f"{'_^'[place % 2]}{_group(text)}" for place, text in enumerate(written) if text)

    before = scripts(children[split + 1 :])
    return (
        ("{}" + before if before else "") + _group(_latex(children[0]) if children else "") + scripts(children[1:split])
    )


def _row(node: etree._Element) -> str:
    children = elements_in(node)
    if len(children) > 1 and all(child.get("fence") == "true" for child in (children[0], children[-1])):
        opening, closing = (_signs(text_of(child).strip()) or "." for child in (children[0], children[-1]))
        inner = _joined([_latex(child) for child in children[1:-1]])
        return f"\\left{opening} {inner} \\right{closing}"
    return _joined(_each(node))


def _fenced(node: etree._Element) -> str:
    separator = (node.get("separators", ",").strip() or " ")[0]
    opening, closing = (_signs(node.get(name, usual)) or "." for name, usual in (("open", "("), ("close", ")")))
    return f"\\left{opening} {separator.join(_each(node))} \\right{closing}"


def _table(node: etree._Element) -> str:
    lines = r" \\ ".join(" & ".join(_each(row)) for row in node)
    return rf"\begin{{matrix}} {lines} \end{{matrix}}"


_ELEMENTS: dict[str, Callable[[etree._Element], str]] = {
    "mi": _token,
    "mn": _token,
    "mo": _token,
    "mtext": _text,
    "ms": _text,
    "mspace": lambda _: r"\ ",
    "semantics": lambda node: _latex(node[0]) if len(node) else "",
    "annotation": lambda _: "",
    "annotation-xml": lambda _: "",
    "none": lambda _: "",
    "mrow": _row,
    "mfrac": _fraction,
    "msqrt": lambda node: f"\\sqrt{{{_joined(_each(node))}}}",
    "mroot": _root,
    "msub": _scripts,
    "msup": _scripts,
    "msubsup": _scripts,
    "munder": _above_or_below,
    "mover": _above_or_below,
    "munderover": _scripts,
    "mmultiscripts": _around,
    "mfenced": _fenced,
    "mtable": _table,
    "mphantom": lambda node: f"\\phantom{{{_joined(_each(node))}}}",
}
