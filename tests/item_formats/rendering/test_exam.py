"""A test on one page; items that are clones, that have been attempted, that share a stimulus."""

from __future__ import annotations

import pytest

from item_formats import Item, ItemError, attempt, begin_item, read_item, render_item
from item_formats.documents import read_section, read_stimulus, read_test
from item_formats.rendering import render, render_test
from tests.item_formats.documents import QTI, SCORE, capitals, correct, declaration, document, single
from tests.item_formats.rendering.pages import parse_html, text_of, with_class
from tests.item_formats.rendering.samples import sample

TEST = f"""<qti-assessment-test xmlns="{QTI}" identifier="T" title="人工智能训练师 模拟卷">
  <qti-time-limits max-time="5400"/>
  <qti-test-part identifier="P" navigation-mode="linear" submission-mode="individual">
    <qti-assessment-section identifier="S1" title="一、选择题" visible="true">
      <qti-rubric-block view="candidate" use="instructions"><qti-content-body><p>每题 1 分。</p></qti-content-body>
      </qti-rubric-block>
      <qti-rubric-block view="scorer" use="scoring"><qti-content-body><p>SECRET</p></qti-content-body>
      </qti-rubric-block>
      <qti-assessment-item-ref identifier="I1" href="items/Q1.xml"/>
      <qti-assessment-item-ref identifier="I2" href="items/gone.xml"/>
      <qti-assessment-section identifier="S2" title="HIDDEN" visible="false">
        <qti-assessment-item-ref identifier="I3" href="items/order.xml"/>
      </qti-assessment-section>
    </qti-assessment-section>
    <qti-assessment-section-ref identifier="S3" href="more.xml"/>
  </qti-test-part>
</qti-assessment-test>""".encode()
MORE = f"""<qti-assessment-section xmlns="{QTI}" identifier="S3" title="二、阅读" visible="true">
  <qti-assessment-item-ref identifier="I4" href="items/read.xml"/>
  <qti-assessment-section-ref identifier="S3" href="more.xml"/>
</qti-assessment-section>""".encode()
PASSAGE = f"""<qti-assessment-stimulus xmlns="{QTI}" identifier="M" title="材料" xml:lang="en">
  <qti-stimulus-body><p>A long <em>passage</em>.</p><p onclick="x">End.</p></qti-stimulus-body>
</qti-assessment-stimulus>""".encode()


def reading() -> Item:
    reference = b'<qti-assessment-stimulus-ref identifier="M" href="passage.xml" title="P"/><qti-outcome'
    return read_item(capitals(correct("rome")).replace(b"<qti-outcome", reference, 1))


def documents() -> dict[str, object]:
    return {
        "items/Q1.xml": single(),
        "items/order.xml": sample("order"),
        "items/read.xml": reading(),
        "more.xml": read_section(MORE),
        "passage.xml": read_stimulus(PASSAGE),
    }


def test_a_test_shows_its_sections_instructions_and_items_in_order() -> None:
    page = parse_html(render_test(read_test(TEST), documents()))  # type: ignore[arg-type]
    assert [text_of(one) for one in page.iter("h1")] == ["人工智能训练师 模拟卷"]
    assert [text_of(one) for one in page.iter("h2")] == ["一、选择题", "二、阅读"]
    assert [text_of(one) for one in with_class(page, "code")] == ["Q1", "order", "foreign"]
    text = text_of(page)
    assert "考试时间：90 分钟" in text
    assert "每题 1 分。" in text
    assert "SECRET" not in text
    assert "[试题：items/gone.xml]" in text
    names = {control.get("name", "").partition("/")[0] for control in (*page.iter("input"), *page.iter("select"))}
    assert names == {"item-1", "item-2", "item-3"}


def test_sections_that_hold_themselves_come_to_an_end() -> None:
    assert render_test(read_test(TEST), documents()).count("[部分：more.xml]") == 1  # type: ignore[arg-type]


def test_a_stimulus_stands_before_its_item_in_its_language() -> None:
    page = parse_html(render(reading(), documents=documents()))  # type: ignore[arg-type]
    (stimulus,) = with_class(page, "stimulus")
    assert (stimulus.get("lang"), text_of(stimulus)) == ("en", "A long passage.End.")
    assert "[材料：P]" in render(reading())


def test_render_takes_an_item_several_or_a_test() -> None:
    assert render(single()) == render_item(single())
    assert len(with_class(parse_html(render([single(), sample("order")])), "code")) == 2
    assert "人工智能训练师" in render(read_test(TEST), documents=documents())  # type: ignore[arg-type]


def test_a_section_or_stimulus_is_a_page_and_several_documents_are_one() -> None:
    section = parse_html(render(read_section(MORE), documents=documents()))  # type: ignore[arg-type]
    assert [text_of(one) for one in section.iter("h1")] == ["二、阅读"]
    assert [text_of(one) for one in with_class(section, "code")] == ["foreign"]
    stimulus = parse_html(render(read_stimulus(PASSAGE)))
    assert [text_of(one) for one in stimulus.iter("h1")] == ["材料"]
    assert "A long passage." in text_of(stimulus)
    both = parse_html(render([read_test(TEST), single(), read_stimulus(PASSAGE)], documents=documents()))  # type: ignore[arg-type]
    assert [text_of(one) for one in both.iter("h2")] == ["人工智能训练师 模拟卷", "一、选择题", "二、阅读", "材料"]
    names = {control.get("name", "").partition("/")[0] for control in (*both.iter("input"), *both.iter("select"))}
    assert names == {"item-1", "item-2", "item-3", "item-4"}


def test_instructions_of_the_test_and_its_parts_are_shown() -> None:
    def told(text: str) -> bytes:
        return (
            '<qti-rubric-block view="candidate" use="instructions"><qti-content-body>'
            f"<p>{text}</p></qti-content-body></qti-rubric-block>"
        ).encode()

    whole = TEST.replace(b"<qti-test-part ", told("OF THE TEST") + b"<qti-test-part ").replace(
        b'submission-mode="individual">', b'submission-mode="individual" title="PART">' + told("OF THE PART"), 1
    )
    text = text_of(parse_html(render(read_test(whole), documents=documents())))  # type: ignore[arg-type]
    places = [text.index(word) for word in ("OF THE TEST", "PART", "OF THE PART", "一、选择题")]
    assert places == sorted(places)


def test_addresses_lead_from_the_folder_of_the_document_that_has_them() -> None:
    """Two items call two stimuli alike; each gets that of its own folder."""
    passages = {f"{folder}/passage.xml": read_stimulus(PASSAGE.replace(b"passage", folder.encode())) for folder in "ab"}
    items = {
        f"{folder}/q.xml": read_item(reading().xml.replace(b'"foreign"', f'"q{folder}"'.encode())) for folder in "ab"
    }
    page = parse_html(render(list(items.values()), documents={**passages, **items}))
    assert [text_of(one) for one in with_class(page, "stimulus")] == ["A long a.End.", "A long b.End."]


def test_a_stimulus_nested_too_deeply_is_refused() -> None:
    deep = PASSAGE.replace(b"<em>passage</em>", b"<b>" * 90 + b"x" + b"</b>" * 90)
    with pytest.raises(ItemError, match="nested more than"):
        render(read_stimulus(deep))


CLONED = document(
    declaration("", cardinality="single", base_type="integer")
    + '<qti-outcome-declaration identifier="F" cardinality="single" base-type="identifier"/>'
    + SCORE
    + '<qti-template-declaration identifier="N" cardinality="single" base-type="integer"/>'
    + '<qti-template-processing><qti-set-template-value identifier="N"><qti-random-integer min="10" max="99"/>'
    + '</qti-set-template-value><qti-set-correct-response identifier="RESPONSE"><qti-sum><qti-variable identifier="N"/>'
    + '<qti-base-value base-type="integer">1</qti-base-value></qti-sum></qti-set-correct-response>'
    + "</qti-template-processing>"
    + '<qti-item-body><p>After <qti-printed-variable identifier="N"/> comes '
    + '<qti-text-entry-interaction response-identifier="RESPONSE"/></p>'
    + '<qti-feedback-block outcome-identifier="F" identifier="no" show-hide="show"><qti-content-body><p>COUNT ON</p>'
    + "</qti-content-body></qti-feedback-block></qti-item-body>"
    + "<qti-response-processing><qti-response-condition><qti-response-if><qti-match>"
    + '<qti-variable identifier="RESPONSE"/><qti-correct identifier="RESPONSE"/></qti-match>'
    + '<qti-set-outcome-value identifier="SCORE"><qti-base-value base-type="float">1</qti-base-value>'
    + '</qti-set-outcome-value></qti-response-if><qti-response-else><qti-set-outcome-value identifier="F">'
    + '<qti-base-value base-type="identifier">no</qti-base-value></qti-set-outcome-value></qti-response-else>'
    + "</qti-response-condition></qti-response-processing>"
)


def test_a_clone_shows_the_values_of_its_seed_and_their_key() -> None:
    item = read_item(CLONED)
    shown = set()
    for seed in range(8):
        number = begin_item(item, seed).template_values["N"]
        assert f"After {number} comes" in text_of(parse_html(render_item(item, seed=seed)))
        page = parse_html(render_item(item, seed=seed, answer_key=True))
        assert text_of(next(with_class(page, "explanation")[0].iter("dd"))) == str(int(str(number)) + 1)
        shown.add(number)
    assert len(shown) > 3


def test_feedback_shows_after_the_attempt_that_earned_it() -> None:
    item = read_item(CLONED)
    begun = begin_item(item, 1)
    assert "COUNT ON" not in render_item(item, state=begun)
    assert "COUNT ON" in render_item(item, state=attempt(item, begun, {"RESPONSE": 0}))
    right = int(str(begun.template_values["N"])) + 1
    assert "COUNT ON" not in render_item(item, state=attempt(item, begun, {"RESPONSE": right}))
