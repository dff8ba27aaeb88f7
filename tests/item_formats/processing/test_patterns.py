"""Regular expressions of XML Schema: what they match, what they refuse, and that none runs for ever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError
from item_formats.processing.expressions.patterns import Pattern, PatternError
from item_formats.processing.expressions.text import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("abc", ["abc"], ["ab", "abcd", "xabc", ""]),
        ("", [""], ["a"]),
        ("a|bc|", ["a", "bc", ""], ["b", "abc"]),
        ("a?b+c*", ["b", "abbcc"], ["ac", "aab"]),
        ("(ab){2,3}", ["abab", "ababab"], ["ab", "abababab"]),
        ("a{2}", ["aa"], ["a", "aaa"]),
        ("a{2,}", ["aa", "aaaaa"], ["a"]),
        ("a{0}", [""], ["a"]),
        ("a.c", ["abc", "a中c"], ["a\nc", "ac"]),
        ("^a$", ["^a$"], ["a"]),
        ("[a-c-]+", ["a-c"], ["d"]),
        ("[^a-c]", ["d", "^"], ["a", ""]),
        ("[a^]", ["^", "a"], ["b"]),
        ("[a-z-[aeiou]]+", ["xyz"], ["xaz"]),
        ("[\\-x]", ["-", "x"], ["\\"]),
        ("[\\d_]+", ["1_2"], ["a"]),
        ("\\d", ["7", "٣"], ["a", "Ⅷ"]),
        ("\\D", ["a"], ["7"]),
        ("\\w+", ["机器2", "a+b"], ["a b", "a,b"]),
        ("\\W", [",", " "], ["a"]),
        ("\\s\\S", [" x"], ["xx", "  "]),
        ("\\i\\c*", ["_a.b-1", "中文"], ["1a", "-a"]),
        ("\\p{Lu}\\p{Ll}*", ["Ab", "É"], ["ab", "1"]),
        ("\\P{L}", ["1", "，"], ["a", "中"]),
        ("\\p{IsCJKUnifiedIdeographs}{2}", ["机器"], ["ab"]),
        ("\\p{IsBasicLatin}", ["~"], ["中"]),
        ("\\.\\?\\(\\)\\{\\}\\\\", [".?(){}\\"], ["x"]),
        ("a\\/b\\$", ["a/b$"], ["a\\/b$"]),
        ("\\t\\n", ["\t\n"], ["tn"]),
        ("[+\\-]?\\d+([,.]\\d+)?", ["-3,14", "3.0", "5"], ["3.", "--3"]),
    ],
)
def test_a_pattern_describes_the_whole_text(pattern: str, matching: list[str], others: list[str]) -> None:
    compiled = Pattern(pattern)
    assert [text for text in matching if not compiled.matches(text)] == []
    assert [text for text in others if compiled.matches(text)] == []


@pytest.mark.parametrize(
    "pattern",
    ["(a", "a)", "[a", "a{", "a{x}", "a{3,2}", "*a", "|+", "\\", "\\b", "\\p{Xx}", "\\pL", "\\p{IsKlingon}", "(?:a)",
     "[z-a]", "[a-\\d]", "a{99999999}", "(((a{99}){99}){99})"],
)  # fmt: skip
def test_what_is_no_pattern_or_too_long_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert len(str(caught.value)) > 10
    with pytest.raises(ItemError, match="no XML Schema pattern"):
        compile_pattern(pattern)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(PatternError, match="deep"):
        Pattern("(" * 5_000 + ")" * 5_000)
    with pytest.raises(PatternError, match="deep"):
        Pattern("[a-[" * 5_000)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*x", "((a?){30}){3}b"])
def test_patterns_that_make_others_run_for_ever_are_answered(pattern: str) -> None:
    assert not Pattern(pattern).matches("a" * 3_000)


_LETTERS = st.sampled_from("ab")
_PATTERNS = st.recursive(
    _LETTERS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,2}"])).map(lambda pair: f"({pair[0]}){pair[1]}"),
    ),
    max_leaves=6,
)


@given(_PATTERNS, st.text("ab", max_size=8))
def test_it_agrees_with_pythons_engine_where_both_speak(pattern: str, text: str) -> None:
    assert Pattern(pattern).matches(text) is (re.fullmatch(pattern, text) is not None)
