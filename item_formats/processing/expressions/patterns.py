"""Regular expressions of XML Schema, matched in time proportional to the text, whatever the pattern.

XSD patterns describe a whole text and are regular in the strict sense: no anchors (``^`` and ``$`` are characters), no
back-references. So they are run as an automaton (Thompson 1968) instead of by trying and backtracking, and a pattern
such as ``(a+)+b`` cannot be made to run for ever. See XML Schema 1.0 part 2, appendix F.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

Test = Callable[[str], bool]

_MOST_STATES = 5_000
_DEEPEST = 50
_MOST_STEPS = 20_000  # remembered transitions of one pattern


class PatternError(ValueError):
    """What is wrong with a pattern, in words."""


class Pattern:
    """A compiled pattern; `matches` says whether it describes all of a text."""

    def __init__(self, written: str) -> None:
        node = _Parser(written).whole()
        self._tests: list[Test | None] = [None]
        self._next: list[tuple[int, ...]] = [()]  # state 0 accepts; where a test or a free move leads
        self._start = self._reach((self._build(node, 0),))
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        states = self._start
        for character in text:
            if not states:
                return False
            step = (states, character)
            after = self._steps.get(step)
            if after is None:
                if len(self._steps) >= _MOST_STEPS:
                    self._steps.clear()
                after = self._steps[step] = self._after(states, character)
            states = after
        return 0 in states

    def _after(self, states: frozenset[int], character: str) -> frozenset[int]:
        reached: list[int] = []
        for state in states:
            test = self._tests[state]
            if test is not None and test(character):
                reached += self._next[state]
        return self._reach(tuple(reached))

    def _reach(self, states: tuple[int, ...]) -> frozenset[int]:
        """The states that wait for a character, or accept, after all free moves."""
        seen: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in seen:
                seen.add(state)
                if self._tests[state] is None:
                    waiting += self._next[state]
        return frozenset(state for state in seen if state == 0 or self._tests[state] is not None)

    def _add(self, test: Test | None, *following: int) -> int:
        if len(self._tests) >= _MOST_STATES:
            raise PatternError(f"it needs more than {_MOST_STATES:,} steps; repeat less")
        self._tests.append(test)
        self._next.append(following)
        return len(self._tests) - 1

    def _build(self, node: _Node, after: int) -> int:
        """Adds the states of a part of the pattern that is followed by `after`; gives where it starts."""
        kind, parts, test, least, most = node
        if kind == "character":
            return self._add(test, after)
        if kind == "sequence":
            for part in reversed(parts):
                after = self._build(part, after)
            return after
        if kind == "choice":
            return self._add(None, *(self._build(part, after) for part in parts))
        (part,) = parts
        if most is None:
            loop = self._add(None)
            self._next[loop] = (self._build(part, loop), after)
            start = loop
        else:
            start = after
            for _ in range(most - least):
                start = self._add(None, self._build(part, start), after)
        for _ in range(least):
            start = self._build(part, start)
        return start


_Node = tuple[str, tuple["_Node", ...], Test | None, int, int | None]


def _character(test: Test) -> _Node:
    return ("character", (), test, 0, 0)


class _Parser:
    """Recursive descent over the grammar of XML Schema's appendix F."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.place = 0
        self.depth = 0

    def whole(self) -> _Node:
        node = self._choice()
        if self.place < len(self.written):
            raise PatternError(f"“{self.written[self.place]}” at place {self.place + 1} has no opening bracket")
        return node

    def _peek(self) -> str:
        return self.written[self.place : self.place + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise PatternError("it ends too early")
        self.place += 1
        return character

    def _choice(self) -> _Node:
        branches = [self._branch()]
        while self._peek() == "|":
            self.place += 1
            branches.append(self._branch())
        return branches[0] if len(branches) == 1 else ("choice", tuple(branches), None, 0, 0)

    def _branch(self) -> _Node:
        pieces: list[_Node] = []
        while self._peek() not in {"", "|", ")"}:
            pieces.append(self._quantified(self._atom()))
        return ("sequence", tuple(pieces), None, 0, 0)

    def _atom(self) -> _Node:
        character = self._take()
        if character == "(":
            self.depth += 1
            if self.depth > _DEEPEST:
                raise PatternError(f"brackets are nested more than {_DEEPEST} deep")
            if self._peek() == "?":
                raise PatternError("“(?” is no part of XML Schema patterns; use plain brackets")
            node = self._choice()
            if self._take() != ")":
                raise PatternError("a bracket is not closed")
            self.depth -= 1
            return node
        if character in "?*+":
            raise PatternError(f"“{character}” at place {self.place} has nothing before it to repeat")
        if character == "[":
            return _character(self._class())
        if character == "\\":
            return _character(self._escape())
        return _character(_not_a_line_end if character == "." else _is(character))

    def _quantified(self, atom: _Node) -> _Node:
        sign = self._peek()
        if sign in {"?", "*", "+"}:
            self.place += 1
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign]
            return ("repeat", (atom,), None, least, most)
        if sign != "{":
            return atom
        end = self.written.find("}", self.place)
        lower, comma, upper = self.written[self.place + 1 : end if end > 0 else None].partition(",")
        if end < 0 or not _digits(lower) or (upper and not _digits(upper)):
            raise PatternError("braces hold one or two numbers, such as {2,5}; write \\{ for the character")
        self.place = end + 1
        least = int(lower)
        most = (int(upper) if upper else None) if comma else least
        if most is not None and most < least:
            raise PatternError(f"{{{lower},{upper}}} asks for at least {lower} and at most {upper}")
        if max(least, most or 0) > _MOST_STATES:
            raise PatternError(f"it repeats more than {_MOST_STATES:,} times")
        return ("repeat", (atom,), None, least, most)

    def _class(self) -> Test:
        """After “[”: characters, ranges, escapes, and perhaps “-[…]” to take away."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PatternError(f"brackets are nested more than {_DEEPEST} deep")
        negated = self._peek() == "^"
        self.place += negated
        tests: list[Test] = []
        without: Test | None = None
        while self._peek() != "]" or not tests:
            character = self._take()
            if character == "-" and self._peek() == "[":
                self.place += 1
                without = self._class()
                break
            if character == "\\":
                name = self._peek()
                test = self._escape()
                if name not in _SINGLE_ESCAPES or self._peek() != "-":
                    tests.append(test)
                    continue
                character = _SINGLE_ESCAPES[name]
            if self._peek() == "-" and self.written[self.place + 1 : self.place + 2] not in {"]", "[", ""}:
                self.place += 1
                tests.append(self._range(character))
            else:
                tests.append(_is(character))
        if self._take() != "]":
            raise PatternError("“-[…]” has to end the brackets around it")
        self.depth -= 1
        return _class_test(tuple(tests), without, negated=negated)

    def _range(self, first: str) -> Test:
        last = self._take()
        if last == "\\":
            name = self._take()
            if name not in _SINGLE_ESCAPES:
                raise PatternError(f"the range from “{first}” ends in the class \\{name}")
            last = _SINGLE_ESCAPES[name]
        if last < first:
            raise PatternError(f"the range {first}-{last} runs backwards")
        return lambda character: first <= character <= last

    def _escape(self) -> Test:
        """After a backslash."""
        name = self._take()
        if name in _CLASS_ESCAPES:
            return _CLASS_ESCAPES[name]
        if name in "pP":
            end = self.written.find("}", self.place)
            if self._peek() != "{" or end < 0:
                raise PatternError(f"\\{name} needs a property in braces, such as \\{name}{{L}}")
            test = _property(self.written[self.place + 1 : end])
            self.place = end + 1
            return test if name == "p" else _not(test)
        if name in _SINGLE_ESCAPES:
            return _is(_SINGLE_ESCAPES[name])
        if name.isalnum():
            raise PatternError(f"\\{name} is no escape of XML Schema")
        return _is(name)  # such as \/ and \$, common though not needed


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9


def _is(wanted: str) -> Test:
    return lambda character: character == wanted


def _not(test: Test) -> Test:
    return lambda character: not test(character)


def _class_test(tests: tuple[Test, ...], without: Test | None, *, negated: bool) -> Test:
    def test(character: str) -> bool:
        inside = any(one(character) for one in tests) is not negated
        return inside and (without is None or not without(character))

    return test


def _not_a_line_end(character: str) -> bool:
    return character not in "\n\r"


@lru_cache(maxsize=256)
def _property(name: str) -> Test:
    if name.startswith("Is"):
        bounds = _BLOCKS.get(name[2:])
        if bounds is None:
            raise PatternError(f"the block {name} is not known here; write its range, such as [\u4e00-\u9fff]")
        return lambda character: bounds[0] <= ord(character) <= bounds[1]
    if name not in _CATEGORIES:
        raise PatternError(f"{{{name}}} is no category of characters; expected one such as L, Lu, N, P")
    return lambda character: unicodedata.category(character).startswith(name)


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] not in "PZC"


def _starts_name(character: str) -> bool:
    return unicodedata.category(character)[0] == "L" or character in "_:"


def _in_name(character: str) -> bool:
    return _starts_name(character) or unicodedata.category(character) in {"Nd", "Mc", "Mn", "Lm"} or character in ".-·"


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


def _is_space(character: str) -> bool:
    return character in " \t\n\r"


_CLASS_ESCAPES: dict[str, Test] = {
    "s": _is_space,
    "S": _not(_is_space),
    "d": _is_digit,
    "D": _not(_is_digit),
    "w": _is_word,
    "W": _not(_is_word),
    "i": _starts_name,
    "I": _not(_starts_name),
    "c": _in_name,
    "C": _not(_in_name),
}
_SINGLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", **{sign: sign for sign in "\\|.?*+(){}-[]^$/"}}
_CATEGORY_NAMES = """
    L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn
"""
_CATEGORIES = frozenset(_CATEGORY_NAMES.split())
_BLOCKS = {
    "BasicLatin": (0x0000, 0x007F),
    "Latin-1Supplement": (0x0080, 0x00FF),
    "LatinExtended-A": (0x0100, 0x017F),
    "LatinExtended-B": (0x0180, 0x024F),
    "Greek": (0x0370, 0x03FF),
    "GreekandCoptic": (0x0370, 0x03FF),
    "Cyrillic": (0x0400, 0x04FF),
    "Hebrew": (0x0590, 0x05FF),
    "Arabic": (0x0600, 0x06FF),
    "Devanagari": (0x0900, 0x097F),
    "Thai": (0x0E00, 0x0E7F),
    "GeneralPunctuation": (0x2000, 0x206F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "LetterlikeSymbols": (0x2100, 0x214F),
    "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "Bopomofo": (0x3100, 0x312F),
    "CJKUnifiedIdeographsExtensionA": (0x3400, 0x4DBF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
    "CJKCompatibilityIdeographs": (0xF900, 0xFAFF),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}
