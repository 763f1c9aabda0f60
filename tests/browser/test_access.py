"""What everyone needs: names on all controls, contrast, room for a finger, calm news."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
SLOW = {"num_inference_steps": 60, "width": 256, "height": 256, "shape": "custom"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothingserious(visit: Visit, size: tuple[int, int], scheme: str) -> None:
    visitor = visit(size, color_scheme=scheme)
    page = visitor.page
    page.get_by_role("button", name="Fine tuning").click()
    assert serious(visitor) == []
    visitor.describe("a boat")
    visitor.generate()
    visitor.finished()
    page.wait_for_timeout(700)  # what fades in has no contrast on the way
    assert serious(visitor) == []
    page.goto(f"{visitor.url}/#gallery")
    page.wait_for_selector(".tile")
    assert serious(visitor) == []
    page.locator(".tile-open").first.click()
    assert serious(visitor) == []
    page.keyboard.press("Escape")
    page.goto(f"{visitor.url}/#canvas")
    page.locator(".canvas-latest .frame").first.click()
    page.wait_for_selector(".step")
    assert serious(visitor) == []
    page.goto(f"{visitor.url}/#animate")
    page.get_by_role("button", name="More", exact=True).first.click()
    page.get_by_role("button", name="More about the film").click()
    assert serious(visitor) == []
    page.goto(f"{visitor.url}/#models")
    page.wait_for_selector(".model")
    assert serious(visitor) == []


def serious(visitor: Visitor) -> list[str]:
    """What axe finds, looked at from the page's end: there the pinned button covers nothing."""
    visitor.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    found = Axe().run(visitor.page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_targets_are_large_enough_for_a_finger(visit: Visit) -> None:
    visitor = visit(PHONE)
    page = visitor.page
    visitor.describe("a boat")
    visitor.generate()
    visitor.finished()
    page.get_by_role("button", name="Fine tuning").click()
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, textarea, [role=combobox]')]
          .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 1)
          .filter((each) => !each.classList.contains('link') && !each.classList.contains('name'))
          .map((each) => [each, (each.closest('label') ?? each).getBoundingClientRect()])
          .filter(([, box]) => box.height < 39.5 || box.width < 31.5)
          .map(([each, box]) => `${each.outerHTML.slice(0, 120)} ${box.width}x${box.height}`)"""
    )
    assert small == []


def test_progress_is_told_to_a_screen_reader(visit: Visit) -> None:
    visitor = visit(desk=SLOW)
    page = visitor.page
    visitor.generate()
    bar = page.get_by_role("progressbar", name="Progress")
    page.wait_for_function("document.querySelector('[role=progressbar]').ariaValueNow > 0")
    assert "Step" in (bar.get_attribute("aria-valuetext") or "")
    visitor.finished()
    expect(page.locator(".stage-status [aria-live]")).to_have_text("Done: one picture")


def test_a_studio_that_goes_away_is_said_calmly(visit: Visit) -> None:
    visitor = visit(desk=SLOW)
    page = visitor.page
    visitor.generate()
    page.wait_for_selector(".cell-preview")
    visitor.context.set_offline(True)
    expect(page.get_by_text("The studio does not answer.")).to_be_visible()
    visitor.context.set_offline(False)
    visitor.finished()
    expect(page.get_by_text("The studio does not answer.")).to_be_hidden()
    visitor.complaints.clear()  # the browser names each request that did not get through


def test_a_picture_that_did_not_get_through_is_fetched_again(visit: Visit) -> None:
    visitor = visit(desk={"num_inference_steps": 1})
    files = re.compile(r"/api/v1/pictures/[^/]+$")
    visitor.page.route(files, lambda route: route.abort(), times=1)
    with visitor.page.expect_event("requestfailed", lambda asked: bool(files.search(asked.url))):
        visitor.generate()
    visitor.finished()
    visitor.complaints.clear()
