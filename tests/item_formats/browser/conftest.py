"""A real browser, one for all tests; they are skipped where Debian's Chromium or playwright is not installed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives Chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if __package__ and item.module.__name__.startswith(__package__):  # type: ignore[attr-defined]
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (apt-get install chromium fonts-noto-cjk)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 900, "height": 900}, offline=True)
    yield opened
    opened.close()


@pytest.fixture
def show(page: Page, tmp_path: Path) -> Iterator[Callable[[str], Page]]:
    """Opens HTML as a file, and fails the test that made the page complain."""
    complaints: list[str] = []

    def listen(said: object) -> None:
        complaints.append(str(getattr(said, "text", said)))

    page.on("pageerror", listen)
    page.on("console", listen)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))

    def opened(html: str) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        return page

    yield opened
    page.remove_listener("pageerror", listen)
    page.remove_listener("console", listen)
    assert complaints == []
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []
