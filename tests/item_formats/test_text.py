"""Text as a person reads it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from item_formats.parsing import parse
from item_formats.text import as_markup, forbidden_characters, visible_text
from tests.item_formats.documents import texts


def text_of(markup: str) -> str:
    return visible_text(parse(f"<div>{markup}</div>".encode()))


def test_line_breaks_of_the_file_are_spaces_and_those_of_the_content_are_lines() -> None:
    assert text_of("<p>one\n      two<br/>three</p>\n  <p>four</p>") == "one two\nthree\nfour"


def test_runs_of_spaces_are_kept_because_they_can_be_code() -> None:
    assert text_of("<p>if x:<br/>    y = 1</p>") == "if x:\n    y = 1"


def test_preformatted_text_keeps_its_lines() -> None:
    assert text_of("<p>Run</p><pre>a\n  b</pre>") == "Run\na\n  b"


def test_cells_of_a_table_stand_apart() -> None:
    assert text_of("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>") == "1 2\n3"


def test_feedback_rubrics_and_comments_are_not_part_of_the_text() -> None:
    hidden = "<qti-feedback-inline>no</qti-feedback-inline><!-- B --><qti-rubric-block>key</qti-rubric-block>"
    assert text_of(f"<p>yes{hidden}, still</p>") == "yes, still"


@given(st.lists(texts, min_size=1, max_size=4).map("\n".join))
def test_plain_text_survives_markup(text: str) -> None:
    assert visible_text(parse(f"<p>{as_markup(text)}</p>".encode())) == text


def test_characters_xml_cannot_hold_are_named() -> None:
    assert forbidden_characters("a\x00b\x0bc\td\n") == ["\x00", "\x0b"]
