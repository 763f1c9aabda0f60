"""The Create tab in a real browser: from typed words to a picture on the easel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.browser
SLOW = {"num_inference_steps": 60, "width": 256, "height": 256, "shape": "custom"}
Visit = Callable[..., Visitor]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_words_become_a_picture(visit: Visit, size: tuple[int, int], shots: Path) -> None:
    visitor = visit(size, desk=SLOW)
    page = visitor.page
    page.screenshot(path=shots / f"first-{size[0]}.png")
    visitor.describe("a red boat on the sea")
    previews: set[str] = set()
    page.on(
        "request", lambda asked: previews.add(asked.url) if "/preview?v=" in asked.url else None
    )
    visitor.generate()
    page.wait_for_selector(".cell-preview")
    first = page.get_attribute(".cell-preview", "src")
    expect(page.locator(".cell-preview")).not_to_have_attribute("src", first or "")
    expect(page.locator(".status-words")).to_have_text(re.compile(r"Step \d+ of 60"))
    page.screenshot(path=shots / f"generating-{size[0]}.png")
    visitor.finished()
    assert len(previews) >= 2
    expect(page.locator(".label-prompt")).to_have_text("a red boat on the sea")
    expect(page.locator(".stage .facts")).to_contain_text("256 × 256")
    expect(page.locator(".frame[data-id]")).to_have_count(1)
    page.screenshot(path=shots / f"finished-{size[0]}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_reacts_within_100_ms(visit: Visit) -> None:
    visitor = visit()
    visitor.describe("a boat")
    took = visitor.page.evaluate(
        """() => new Promise((resolve) => {
          const status = document.querySelector('.stage-status');
          const start = performance.now();
          new MutationObserver(() => resolve(performance.now() - start))
            .observe(status, {attributes: true, subtree: true});
          document.querySelector('#generate').click();
        })"""
    )
    assert took < 100
    visitor.finished()


def test_stop_keeps_what_is_finished(visit: Visit) -> None:
    visitor = visit(desk={**SLOW, "num_inference_steps": 40, "num_images": 20})
    page = visitor.page
    visitor.generate()
    page.wait_for_selector(".cell-picture.is-in")
    page.keyboard.press("Escape")
    page.wait_for_selector(".stage-status[data-state=rest]", state="attached")
    kept = page.locator(".frame[data-id]").count()
    assert 1 <= kept < 20
    expect(page.locator(".cell")).to_have_count(kept)
    visitor.remember()  # the next job is unharmed
    visitor.generate()
    expect(page.locator(".frame[data-id]")).to_have_count(kept + 1)


def test_a_reload_finds_the_running_job(visit: Visit) -> None:
    visitor = visit(desk={**SLOW, "num_inference_steps": 30, "num_images": 6})
    page = visitor.page
    visitor.describe("a house at night")
    visitor.generate()
    page.wait_for_selector(".cell-picture.is-in")
    page.reload()
    visitor.ready()
    expect(page.locator(".label-prompt")).to_have_text("a house at night")
    expect(page.locator(".cell")).to_have_count(6)
    assert page.locator(".cell-picture").count() >= 1
    expect(page.locator(".status-words")).to_have_text(re.compile(r"Step \d+ of 180"))
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".stage-status[data-state=rest]", state="attached")
    page.reload()
    visitor.ready()
    assert page.locator(".frame[data-id]").count() >= 1, "the last pictures are there again"
    expect(page.locator(".label-prompt")).to_have_text("a house at night")


def test_settings_survive_a_reload(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    visitor.describe("一只橙色的猫")
    page.get_by_role("button", name="Fine tuning").click()
    page.get_by_label("Steps").first.fill("7")
    page.get_by_label("Seed").first.fill("12345")
    page.locator("#field-shape label").nth(1).click()
    page.locator("#field-sampler input").click()
    page.get_by_role("option", name="Euler a").click()
    expect(page.locator("#field-sigma_schedule input")).to_have_value("Automatic")
    page.wait_for_timeout(300)
    page.reload()
    visitor.ready()
    expect(page.get_by_label("Prompt").first).to_have_value("一只橙色的猫")
    expect(page.get_by_label("Steps").first).to_have_value("7")
    expect(page.get_by_label("Seed").first).to_have_value("12345")
    expect(page.locator("#field-sampler input")).to_have_value("Euler a")
    expect(page.locator("#field-shape input").nth(1)).to_be_checked()
    expect(page.get_by_role("button", name="Fine tuning")).to_have_attribute(
        "aria-expanded", "true"
    )


def test_only_the_schedules_that_a_sampler_can_do(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.get_by_role("button", name="Fine tuning").click()
    page.locator("#field-sampler input").click()
    page.get_by_role("option", name="Euler a").click()
    expect(page.locator("#field-sigma_schedule input")).to_have_value("Automatic")
    page.locator("#field-sigma_schedule input").click()
    options = page.locator("#field-sigma_schedule [role=option], ul.options [role=option]")
    expect(options).to_have_count(3)


def test_bad_input_names_its_field(visit: Visit, shots: Path) -> None:
    visitor = visit()
    page = visitor.page
    page.locator("#field-shape label").nth(3).click()
    page.locator("#field-width input").fill("13")
    page.get_by_role("button", name="Fine tuning").click()
    page.get_by_label("Seed").first.fill("many")
    visitor.generate()
    problem = page.locator("#problem-width")
    expect(problem).to_contain_text("Width must be a whole number between 64 and 2048")
    expect(page.locator("#field-width input")).to_be_focused()
    expect(page.locator("#problem-seed")).to_contain_text("Seed")
    expect(page.locator("#field-width input")).to_have_value("13")
    page.screenshot(path=shots / "problem.png")
    page.locator("#field-width input").fill("64")
    expect(problem).to_have_count(0)
    expect(page.locator(".frame[data-id]")).to_have_count(0)


def test_settings_of_a_picture_again(visit: Visit) -> None:
    visitor = visit(desk={"num_inference_steps": 3, "seed": 99})
    page = visitor.page
    visitor.describe("a blue house")
    visitor.generate()
    visitor.finished()
    visitor.describe("something else")
    page.get_by_role("button", name="Fine tuning").click()
    page.get_by_label("Steps").first.fill("9")
    page.get_by_label("Seed").first.fill("")
    page.get_by_role("button", name="Use settings").click()
    expect(page.get_by_label("Prompt").first).to_have_value("a blue house")
    expect(page.get_by_label("Steps").first).to_have_value("3")
    expect(page.get_by_label("Seed").first).to_have_value("99")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator(".frame[data-id]")).to_have_count(2)
    page.get_by_role("button", name="Copy parameters").click()
    expect(page.locator(".toast")).to_have_text("Parameters copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("a blue house")
    assert "Steps: 3" in copied


def test_four_variations_of_a_picture(visit: Visit, studio: RunningStudio) -> None:
    visitor = visit(desk={"num_inference_steps": 2, "seed": 41})
    page = visitor.page
    visitor.describe("a blue house by the sea")
    visitor.generate()
    visitor.finished()
    page.get_by_role("button", name="Variations").click()
    expect(page.locator(".easel-grid .cell")).to_have_count(4)
    expect(page.locator(".frame[data-id]")).to_have_count(5)
    found = studio.http.get("/api/v1/pictures", params={"query": "blue house by the sea"}).json()
    near = [each["request"] for each in found["pictures"] if each["request"]["variation_strength"]]
    assert {request["seed"] for request in near} == {41}
    assert len({request["variation_seed"] for request in near}) == 4
    expect(page.get_by_label("Prompt").first).to_have_value("a blue house by the sea")
    page.get_by_role("button", name="Fine tuning").click()
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_label("Variation strength").first).to_have_value("0")


def test_unknown_words_are_named_kindly(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    visitor.describe("a red dragon on the sea")
    page.keyboard.press("Tab")
    expect(page.locator("#studio-words .word-note")).to_contain_text("“dragon”")
    page.get_by_role("button", name="Models with larger vocabularies").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()


def test_by_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#field-prompt') !== null"):
            break
    page.keyboard.type("a boat at night")
    page.keyboard.press("Control+Enter")
    visitor.finished()
    assert page.get_by_label("Prompt").first.input_value() == "a boat at night"
    page.keyboard.press("Control+Enter")
    expect(page.locator(".frame[data-id]")).to_have_count(2)
    page.wait_for_selector(".stage-status[data-state=rest]", state="attached")
    page.locator(".frame[data-id]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".frame[data-id]").nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Remove from favourites")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    page.keyboard.press("4")
    expect(page.get_by_label("Search prompts")).to_be_visible()


def test_chinese_page_and_the_language_switch(visit: Visit, shots: Path) -> None:
    visitor = visit(locale="zh-TW", color_scheme="dark")
    page = visitor.page
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    expect(page.get_by_role("button", name="开始画")).to_be_visible()
    page.screenshot(path=shots / "chinese-dark.png")
    page.get_by_label("画面描述").first.fill("夜晚的城市")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="English").click()
    visitor.ready()
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    expect(page.get_by_label("Prompt").first).to_have_value("夜晚的城市")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_job_too_short_to_be_seen_at_work(visit: Visit) -> None:
    visitor = visit(desk={"num_inference_steps": 1})
    for count in (1, 2, 3):
        visitor.generate()
        expect(visitor.page.locator(".frame[data-id]")).to_have_count(count)
        newest = visitor.page.locator(".frame[data-id]").first
        expect(newest).to_have_attribute("aria-current", "true")
