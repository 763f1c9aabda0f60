"""Chinese words for a model that reads English only: translated, shown, edited, painted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.translators import CHINESE, ENGLISH, save_tiny_translator

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
QUICK = {"num_inference_steps": 1, "model": "tiny"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_translator(tmp_path_factory.mktemp("translator") / "zh-en")


@pytest.fixture
def translator(studio: RunningStudio, trained: Path) -> Iterator[None]:
    """A translator is installed while the test lasts."""
    place = studio.data_dir / "models" / "translators" / "zh-en"
    shutil.copytree(trained, place)
    yield
    shutil.rmtree(place)


def painted(studio: RunningStudio) -> dict[str, str]:
    """The newest picture's request."""
    answer = studio.http.get("/api/v1/pictures?limit=1").json()
    return dict(answer["pictures"][0]["request"])


def test_without_a_translator_the_page_says_how_to_get_one(
    visit: Visit, studio: RunningStudio
) -> None:
    visitor = visit(desk=QUICK)
    page = visitor.page
    visitor.describe("a boat")
    expect(page.locator("#studio-english-prompt .english")).to_be_hidden()
    visitor.describe(CHINESE[0])
    note = page.locator("#studio-english-prompt .word-note")
    expect(note).to_contain_text("tiny reads English only.")
    expect(page.locator("#english-prompt")).to_be_hidden()
    visitor.generate()
    visitor.finished()
    assert painted(studio)["prompt"] == CHINESE[0], "what is said is what is painted"
    note.get_by_role("button", name="Get it").click()
    expect(page.locator(".offer", has_text="Chinese to English")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_english_is_shown_edited_and_painted(
    visit: Visit, studio: RunningStudio, translator: None, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size, locale="zh-CN", desk={**QUICK, "negative_prompt": CHINESE[1]})
    page = visitor.page
    prompt, english = page.get_by_label("画面描述").first, page.locator("#english-prompt")
    prompt.fill(f"({CHINESE[0]}:1.2), <lora:none:0>")
    expect(english).to_have_value(f"({ENGLISH[0]}:1.2), <lora:none:0>")
    expect(page.locator("#english-negative_prompt")).to_have_value(ENGLISH[1])
    prompt.fill(CHINESE[2])
    expect(english).to_have_value(ENGLISH[2])
    english.fill(f"{ENGLISH[2]}, ink")
    page.screenshot(path=shots / f"translated-{size[0]}.png")
    page.reload()
    visitor.ready()
    expect(english).to_have_value(f"{ENGLISH[2]}, ink")
    page.get_by_role("button", name="开始画").click()
    visitor.finished()
    assert painted(studio)["prompt"] == f"{ENGLISH[2]}, ink"
    assert painted(studio)["negative_prompt"] == ENGLISH[1]
    expect(prompt).to_have_value(CHINESE[2])


def test_generate_waits_for_the_english(
    visit: Visit, studio: RunningStudio, translator: None
) -> None:
    visitor = visit(desk=QUICK)
    visitor.describe(CHINESE[3])
    visitor.page.keyboard.press("Control+Enter")
    visitor.finished()
    assert painted(studio)["prompt"] == ENGLISH[3]
