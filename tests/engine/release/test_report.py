"""The report of a release, read as a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html

from engine import Blueprint, Release, Rule, choose_release, write_release_report
from tests.engine.release.banks import POLICY, policy, rich_pool
from tests.engine.samples import random_pool, sample_pool

Page = html.HtmlElement


def page_of(folder: Path, release: Release, **more: dict[str, str]) -> Page:
    write_release_report(folder / "report.html", release, **more)  # type: ignore[arg-type]
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    return html.fromstring(text.encode())


def rows_under(page: Page, heading: str) -> list[list[str]]:
    (table,) = page.xpath(f"(//h2[contains(., '{heading}')]/following::table)[1]")
    return [[cell.text_content() for cell in row] for row in table.xpath("./tbody/tr")]


def facts_of(page: Page) -> dict[str, str]:
    return {fact.text: fact.find("b").text for fact in page.xpath("//ul[@class='facts']/li")}


@pytest.fixture(scope="module")
def tenth() -> Release:
    return choose_release(sample_pool(), POLICY, seed=7)


def test_it_lists_shares_margins_cells_items_and_the_effect(tmp_path: Path, tenth: Release) -> None:
    page = page_of(tmp_path, tenth, labels={tenth.items[0]: "职业道德 <b>"})
    shown = facts_of(page)
    assert (shown["本轮公开 published now"], shown["累计公开 public in all"]) == ("57", "57 / 570")
    assert shown["难度 KS difficulty"] == f"{tenth.ks_difficulty:.3f}"
    assert shown["每 point 至少留 secret kept"] == "1 (300 points)"
    (share,) = rows_under(page, "Shares")
    assert share[:7] == ["全库 the bank", "570", "10.0%", "0", "57", "10.0%", "0"]
    assert share[7] == "示例决定 sample decision, 2026-11-20, sample, no office has decided this"
    margins = rows_under(page, "Margins")
    assert len(margins) == 9 + 3 + 5
    assert sum(int(row[4]) for row in margins if row[0] == "type") == 57
    (cells,) = page.xpath("//summary[contains(., 'Cells')]/following-sibling::*//tbody")
    assert len(cells) == sum(s.kind == "cell" for s in tenth.strata)
    items = rows_under(page, "Published items")
    assert [row[0] for row in items] == list(tenth.items)
    assert items[0][1] == "职业道德 <b>"
    assert [row[-1] for row in items] == list(tenth.reasons.values())
    assert tenth.effects is not None
    effect = rows_under(page, "Effect on scores")
    assert [row[0] for row in effect][1:4] == ["10%", "20% 上限 cap", "20% 上限 cap"]
    assert [row[-1] for row in effect] == [f"{row.false_passes:.1%}" for row in tenth.effects.rows]
    text = page.text_content()
    assert "θ ~ N(0, 1²)" in text
    assert f"合格线 cut θ = {tenth.effects.cut:.3f}" in text
    assert "P(right | known) = 0.97" in text
    assert "题干 stem、选项 options" in text
    assert "Everything in the policy is met" in text


def test_it_says_what_could_not_be_met_and_what_was_held_back(tmp_path: Path) -> None:
    release = choose_release(rich_pool(3, 90), policy(0.2, max_per_round=0.1), seed=1)
    page = page_of(tmp_path, release)
    notes = page.xpath("//h2[contains(., 'What could not be met')]/following-sibling::ul[1]/li/text()")
    assert tuple(notes) == release.notes
    assert {row[0]: int(row[1]) for row in rows_under(page, "Held back")} == release.held_back
    assert facts_of(page)["已曝光或漂移 exposed or drifting"] == (
        f"{release.usage.exposed_published} / {release.usage.exposed}"
    )


def test_it_shows_the_papers_that_remain(tmp_path: Path) -> None:
    apart = Rule("apart", "overlap", forms="parallel", share=0.0)
    blueprint = Blueprint("paper", 10, 10.0, "type", {"single": 1.0, "multiple": 1.0}, (apart,))
    release = choose_release(
        random_pool(3, 90), policy(0.2, keep={}), seed=1, blueprint=blueprint, papers=2, papers_limit=4
    )
    shown = facts_of(page_of(tmp_path, release))
    assert (shown["要求 asked"], shown["还可组卷 papers left"]) == ("2", "至少 at least 4")
    bare = page_of(tmp_path, choose_release(random_pool(3, 90), policy(0.2, keep={}), seed=1))
    assert "Not shown: give a blueprint" in bare.text_content()


def test_the_same_release_gives_the_same_page(tmp_path: Path, tenth: Release) -> None:
    pages = [html.tostring(page_of(tmp_path, tenth)) for _ in range(2)]
    assert pages[0] == pages[1]
