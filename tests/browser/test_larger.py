"""Larger pictures by hand: the desk's fold, and the action on a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_access import serious

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
LARGE = "document.querySelector('.cell-picture.is-in')?.naturalWidth ?? 0"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_drawn_small_refined_and_made_larger(
    visit: Visit, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size)
    page = visitor.page
    page.get_by_role("button", name="Larger and seamless").click()
    strength = page.get_by_label("Hires strength").first
    expect(strength).to_be_hidden()
    scale = page.locator("#field-hires_scale input[type=number]")
    scale.fill("2")
    scale.press("Tab")
    expect(strength).to_be_visible()
    visitor.describe("a red boat on the sea")
    visitor.generate()
    visitor.finished()
    expect(page.locator(".stage .facts")).to_contain_text("refined at 128 × 128")
    page.wait_for_function(f"{LARGE} === 128")
    page.locator(".stage").get_by_role("button", name="Upscale").click()
    asked = page.get_by_role("dialog", name="Make this picture larger")
    expect(asked).to_contain_text("128 × 128 → 256 × 256")
    asked.get_by_label("× 1.5").check(force=True)
    expect(asked).to_contain_text("128 × 128 → 192 × 192")
    page.screenshot(path=shots / f"upscale-{size[0]}.png")
    assert serious(visitor) == []
    asked.get_by_role("button", name="Upscale").click()
    expect(asked).to_be_hidden()
    page.wait_for_function(f"{LARGE} === 192")
    expect(page.locator(".stage .facts")).to_contain_text("enlarged × 1.5")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
