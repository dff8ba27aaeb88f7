"""What is shown can be seen and is accessible: images, formulas and Chinese text have size, axe finds no fault."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from item_formats import render_item, render_items, render_paper
from item_formats.rendering import render_preparation_notice, render_scoring_record, render_task_sheet
from item_formats.skill_tasks import skill_task
from tests.item_formats.documents import multiple, single, true_false
from tests.item_formats.rendering.samples import MEDIA, NAMES, sample
from tests.item_formats.rendering.test_paper import PAPER
from tests.item_formats.test_skill_tasks import ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """What axe-core finds, in words. Its script comes with axe-playwright-python and is read from there."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    script = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(script)  # through the debugger: the page's own policy would not let a script in
    found: list[dict[str, Any]] = page.evaluate("() => axe.run().then((result) => result.violations)")
    return [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("name", NAMES)
def test_every_interaction_is_accessible(show: Callable[[str], Page], name: str) -> None:
    assert violations(show(render_item(sample(name), media=MEDIA))) == []


@pytest.mark.parametrize("variant", [{"answer_key": True}, {"printed": True}, {"printed": True, "answer_key": True}])
def test_so_are_the_pages_with_keys_and_for_paper(show: Callable[[str], Page], variant: dict[str, bool]) -> None:
    items = [*map(sample, NAMES), single(), multiple(), true_false()]
    assert violations(show(render_items(items, media=MEDIA, **variant))) == []


def test_so_are_papers_and_the_documents_of_skill_tasks(show: Callable[[str], Page]) -> None:
    task = skill_task(ANNOTATION)
    for html in (
        render_paper(PAPER),
        render_paper(PAPER, answer_key=True),
        render_task_sheet(task),
        render_preparation_notice(task),
        render_scoring_record(task),
    ):
        assert violations(show(html)) == []


def test_pictures_formulas_and_chinese_text_show(show: Callable[[str], Page]) -> None:
    page = show(render_items(list(map(sample, NAMES)), media=MEDIA))
    pictures = page.evaluate(
        "() => [...document.images].map((one) => [one.complete, one.naturalWidth, one.clientWidth])"
    )
    assert len(pictures) >= 10
    assert all(complete and natural > 0 and shown > 0 for complete, natural, shown in pictures)
    formulas = page.evaluate(
        """() => [...document.querySelectorAll("math")].map((one) => one.getBoundingClientRect())
            .map(({ width, height }) => [width, height])"""
    )
    assert formulas
    assert all(width > 10 and height > 5 for width, height in formulas)
    # without a Chinese font every character would be the same box
    widths = page.evaluate(
        """() => ["数", "据", "题", "\\uffff"].map((text) => {
            const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
            context.font = `32px ${getComputedStyle(document.body).fontFamily}`;
            context.fillText(text, 4, 34);
            return [...context.getImageData(0, 0, 60, 60).data].join();
        })"""
    )
    assert len(set(widths)) == 4
    boxes = page.evaluate(
        """() => [...document.querySelectorAll(".prompt")].map((one) => one.getBoundingClientRect())
            .map(({ width, height }) => [width, height])"""
    )
    assert all(width > 50 and height > 15 for width, height in boxes)


@pytest.mark.parametrize("width", [360, 900])
def test_nothing_is_cut_off_on_a_narrow_screen(show: Callable[[str], Page], width: int) -> None:
    page = show(render_items(list(map(sample, NAMES)), media=MEDIA))
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 900, "height": 900})
