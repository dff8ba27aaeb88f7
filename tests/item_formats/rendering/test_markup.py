"""Markup from anywhere, written anew with known elements only."""

from __future__ import annotations

import pytest
from hypothesis import given

from item_formats import Item, read_item
from item_formats.rendering.markup import WRITE_IN, View, children_html, text_html
from item_formats.rendering.page import document
from item_formats.rendering.paper import option_html
from tests.item_formats.documents import capitals, correct, single, texts, true_false
from tests.item_formats.documents import document as qti_document
from tests.item_formats.rendering.pages import parse_html


def stem_html(item: Item, *, blank: str = WRITE_IN) -> str:
    assert item.body is not None
    return children_html(item.body, View(blank=blank, options_apart=True, printed=True))


def stem_of(markup: str) -> str:
    return stem_html(read_item(qti_document(f"<qti-item-body>{markup}</qti-item-body>")))


@pytest.mark.parametrize(
    ("markup", "html"),
    [
        ("<p>H<sub>2</sub>O <strong>and</strong> <code>x</code><br/>next</p>", None),
        ("<p onclick='x()' style='a' class='b' id='c'>text</p>", "<p>text</p>"),
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<p><a href='javascript:alert(1)'>link</a></p>", "<p>link</p>"),
        (
            "<div><object data='x'>a film</object><iframe src='y'/></div>",
            '<div><span class="not-shown">[图：a film]</span></div>',
        ),
        ("<p>1 &lt; 2 &amp; 3</p>", "<p>1 &lt; 2 &amp; 3</p>"),
        ("<h1>Title</h1>", '<p class="heading">Title</p>'),
        ("<p><img src='http://x/y.png' alt='a &lt; b'/></p>", '<p><span class="not-shown">[图：a &lt; b]</span></p>'),
        ("<section><h2>甲</h2></section>", '<div><p class="heading">甲</p></div>'),
        ("<p>a <em>b </em>c</p>", None),
        ("<p class='qti-align-center secret' id='k'>a</p>", '<p class="qti-align-center">a</p>'),
        ("<p lang='en'>a<span xml:lang='fr'>b</span></p>", '<p lang="en">a<span lang="fr">b</span></p>'),
        ("<p xmlns:s='http://www.w3.org/2001/10/synthesis'>H<s:sub alias='two'>2</s:sub></p>", "<p>H2</p>"),
        ("<x:y xmlns:x='urn:x'>kept text</x:y>", "kept text"),
        ("<pre>a\n  b &lt;</pre>", "<pre>a\n  b &lt;</pre>"),
        ("<p>a<!-- B --></p>", "<p>a</p>"),
    ],
)
def test_known_elements_are_written_and_the_rest_is_not(markup: str, html: str | None) -> None:
    expected = markup.replace("<br/>", "<br>") if html is None else html
    assert stem_of(markup) == expected


def test_tables_keep_their_shape() -> None:
    table = '<table><tbody><tr><th scope="row">甲</th><td colspan="2">1</td></tr></tbody></table>'
    assert stem_of(table) == table


def test_formulas_stay_formulas_without_what_could_run() -> None:
    math = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block" href="javascript:1"><semantics><mfrac>'
        '<mi onclick="x">x</mi><mn>2</mn></mfrac><maction>gone</maction><annotation>x/2</annotation></semantics></math>'
    )
    assert stem_of(f"<p>{math}</p>") == (
        '<p><math display="block"><semantics><mfrac><mi>x</mi><mn>2</mn></mfrac></semantics></math></p>'
    )


def test_rubrics_show_only_what_is_for_candidates() -> None:
    def rubric(view: str, use: str) -> str:
        return (
            f'<qti-rubric-block view="{view}" use="{use}"><qti-content-body><p>TEXT</p></qti-content-body>'
            "</qti-rubric-block>"
        )

    assert stem_of(rubric("candidate", "instructions")) == '<div class="instructions"><p>TEXT</p></div>'
    assert stem_of(rubric("scorer", "scoring")) == ""
    assert stem_of(rubric("candidate", "ext:rationale")) == ""


def test_the_stem_ends_where_the_options_begin() -> None:
    html = stem_html(read_item(capitals(correct("rome"))))
    assert "capitals" in html
    assert "Rome" not in html
    assert "no!" not in html


def test_blanks_are_wide_enough_to_write_in_and_can_be_filled() -> None:
    item = single(stem="甲（ ）乙（\u3000）丙（x）")
    assert stem_html(item) == f"<p>甲{WRITE_IN}乙{WRITE_IN}丙（x）</p>"
    assert stem_html(item, blank="<b>A</b>") == "<p>甲<b>A</b>乙<b>A</b>丙（x）</p>"


def test_indented_code_keeps_its_indentation() -> None:
    assert stem_html(single(stem="输出（ ）\nif x:\n    y")).endswith("<br>if x:<br>\u00a0 \u00a0 y</p>")
    assert text_html("a\n  b<c>") == "a<br>\u00a0 b&lt;c&gt;"


def test_options_of_true_false_read_as_words() -> None:
    item = true_false()
    assert [option_html(item, option, View()) for option in item.options] == ["正确", "错误"]


@given(texts)
def test_any_text_stays_text(text: str) -> None:
    item = single(stem=text, options=[text, f"{text}甲", f"{text}乙"])
    page = parse_html(document(title=text, language="zh-CN", styles="", body=f"<main>{stem_html(item)}</main>"))
    (main,) = page.iter("main")
    assert "".join(main.itertext()).split() == text.replace("（）", "（\u3000\u3000\u3000）").split()
    assert {element.tag for element in main.iter()} <= {"main", "p", "span"}


def test_a_page_may_load_and_run_nothing() -> None:
    page = document(title="甲", language="zh-CN", styles="p {}", body="<p>乙</p>")
    assert "default-src 'none'" in page
    assert page.startswith('<!DOCTYPE html>\n<html lang="zh-CN">')
