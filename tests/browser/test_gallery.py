"""The Gallery and Models tabs in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def hung(studio: RunningStudio) -> list[str]:
    """Prompts of pictures on the wall, oldest first."""
    prompts = ["a heron by the sea", "夜晚的城市，蓝色的钟楼", "日落时的风筝", "two owls"]
    for prompt in prompts:
        studio.end(studio.submit(prompt=prompt, num_inference_steps=2, seed=3))
    return prompts


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_search_in_english_and_chinese(
    visit: Visit, hung: list[str], size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size, tab="gallery")
    page = visitor.page
    tiles = page.locator(".tile-open")
    expect(tiles.first).to_have_attribute("aria-label", f"Open: {hung[-1]}")
    page.screenshot(path=shots / f"gallery-{size[0]}.png")
    search = page.get_by_label("Search prompts")
    for words, found in (("heron", hung[0]), ("钟楼", hung[1]), ("风筝", hung[2])):
        search.fill(words)
        expect(tiles).to_have_count(1)
        expect(tiles).to_have_attribute("aria-label", f"Open: {found}")
    search.fill("nothing like it")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_large_view_walks_and_sends_back(visit: Visit, hung: list[str], shots: Path) -> None:
    visitor = visit(tab="gallery")
    page = visitor.page
    page.get_by_role("button", name=f"Open: {hung[-1]}").first.click()
    large = page.get_by_role("dialog", name="Picture")
    expect(large.locator(".large-prompt")).to_have_text(hung[-1])
    page.keyboard.press("ArrowRight")
    expect(large.locator(".large-prompt")).to_have_text(hung[-2])
    page.screenshot(path=shots / "large.png")
    with page.expect_download() as download:
        large.get_by_role("button", name="Download").click()
        large.get_by_role("menuitem", name="PNG").click()
    assert download.value.suggested_filename.endswith(".png")
    large.get_by_role("button", name="Use settings").click()
    expect(large).to_be_hidden()
    expect(page.get_by_label("Prompt").first).to_have_value(hung[-2])
    page.get_by_role("button", name="Fine tuning").click()
    expect(page.get_by_label("Seed").first).to_have_value("3")


def test_favourites_bin_undo_and_restore(
    visit: Visit, studio: RunningStudio, hung: list[str]
) -> None:
    prompt = "a kite over the bay"
    studio.end(studio.submit(prompt=prompt, num_inference_steps=1))
    visitor = visit(tab="gallery")
    page = visitor.page
    tile = page.locator(".tile").filter(has=page.get_by_role("button", name=f"Open: {prompt}"))
    tile.get_by_role("button", name="Add to favourites").click()
    page.get_by_role("button", name="Favourites", exact=True).click()
    expect(page.get_by_role("button", name=f"Open: {hung[-1]}")).to_have_count(0)
    expect(tile).to_have_count(1)
    tile.get_by_role("button", name=f"Open: {prompt}").click()
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    expect(tile).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(tile).to_have_count(1)
    tile.get_by_role("button", name=f"Open: {prompt}").click()
    page.get_by_role("dialog").get_by_role("button", name="Move to the bin").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Bin", exact=True).click()
    expect(tile).to_have_count(1)
    tile.get_by_role("button", name="Restore").click()
    expect(tile).to_have_count(0)
    page.get_by_role("button", name="All", exact=True).click()
    expect(tile).to_have_count(1)


def test_the_wall_grows_as_one_scrolls(visit: Visit, studio: RunningStudio) -> None:
    studio.end(studio.submit(prompt="many", num_images=64, batch_size=16, num_inference_steps=1))
    visitor = visit(tab="gallery")
    page = visitor.page
    page.get_by_label("Search prompts").fill("many")
    page.wait_for_function("document.querySelectorAll('.tile').length >= 60")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("document.querySelectorAll('.tile').length === 64")


def test_models_are_listed_honestly(visit: Visit, studio: RunningStudio, shots: Path) -> None:
    visitor = visit(tab="models")
    page = visitor.page
    row = page.locator(".model").filter(has_text="tiny")
    expect(row).to_contain_text("Loaded")
    expect(row).to_contain_text("64 × 64")
    expect(page.get_by_text(str(studio.data_dir / "models"), exact=True)).to_be_visible()
    page.screenshot(path=shots / "models.png")
