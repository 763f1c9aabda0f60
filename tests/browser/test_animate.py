"""The Animate tab in a real browser: written, stopped, killed, resumed, played; and its ways in."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, Visitor
from tests.browser.visitors import Windows

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
SEA = ("the sea at noon", "the sea at sunset", "the sea at night, stars")
FRAMES = 4
QUICK = {"num_inference_steps": 4, "seed": 3}
SMALL = {"model": "pocket", "width": 128, "height": 128, "shape": "custom", "seed": 3}
STEPS = 10  # so that a frame takes long enough to be stopped in


def write(page: Page, *prompts: str, frames: int = FRAMES, **film: Any) -> None:
    """Keyframes on the timeline, and what holds for all of them."""
    for name, value in film.items():
        field = page.locator(f"#film-{name}")
        field.set_checked(value) if isinstance(value, bool) else field.select_option(value)
    boxes = page.locator(".keyframe-prompt")
    for number, prompt in enumerate(prompts):
        if number >= boxes.count():
            page.get_by_role("button", name="Add a keyframe").click()
        boxes.nth(number).fill(prompt)
    for number in range(len(prompts) if film.get("loop") else len(prompts) - 1):
        page.locator(".keyframe-way input").nth(number).fill(str(frames))


def animation(page: Page, url: str) -> dict[str, Any]:
    """This visitor's newest animation."""
    found: list[dict[str, Any]] = page.request.get(f"{url}/api/v1/animations").json()["animations"]
    return found[0]


def pixels(studio: RunningStudio, which: dict[str, Any]) -> list[bytes]:
    """Every frame's file."""
    path = f"/api/v1/animations/{which['id']}/frames"
    return [studio.http.get(f"{path}/{k}").content for k in range(which["frames_total"])]


def plays(page: Page) -> None:
    """The film moves, and the browser has nothing to say against it."""
    video = page.locator("#studio-animate video")
    expect(video).to_be_visible()
    page.wait_for_function("document.querySelector('#studio-animate video').readyState >= 2")
    assert video.evaluate("video => video.error") is None
    if video.evaluate("video => video.paused"):
        page.get_by_role("button", name="Play", exact=False).click()
    before = video.evaluate("video => video.currentTime")
    page.wait_for_function(
        "before => document.querySelector('#studio-animate video').currentTime !== before",
        arg=before,
    )


@pytest.fixture
def port() -> int:
    """One that is free: a studio that comes again must be found where it was."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def seaside(windows: Windows, tmp_path: Path, port: int) -> Iterator[tuple[Visitor, list[str]]]:
    """A visitor who has left small settings on the desk, for a studio of their own."""
    (tmp_path / "data").mkdir()
    window = windows.take(DESKTOP, "en-GB")
    visitor = Visitor(window.page, window.page.context, f"http://127.0.0.1:{port}")
    yield visitor, ["--port", str(port)]
    windows.give_back(window)


def begin(data: Path, flags: list[str]) -> RunningStudio:
    """A studio at a known port, with pocket alone."""
    return RunningStudio(data, flags=("--model", "pocket", *flags))


def test_a_day_at_the_sea_is_stopped_killed_resumed_and_played(
    seaside: tuple[Visitor, list[str]], tmp_path: Path, shots: Path
) -> None:
    visitor, flags = seaside
    page, data = visitor.page, tmp_path / "data"
    studio = begin(data, flags)
    visitor.come_as_new({**SMALL, "num_inference_steps": STEPS})
    visitor.open("animate")
    write(page, *SEA, loop=True)
    expect(page.locator(".timeline-summary")).to_have_text("12 frames, 1.0 s")
    visitor.generate()
    page.wait_for_function("document.querySelectorAll('.keyframe-face img').length")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    part = animation(page, studio.url)
    assert part["state"] == "cancelled"
    assert 0 < part["frames_done"] < part["frames_total"] == FRAMES * len(SEA)
    plays(page)
    page.screenshot(path=shots / "animate-stopped.png")
    studio.stop(SIGKILL)

    studio = begin(data, flags)
    visitor.open("animate")
    assert [box.input_value() for box in page.locator(".keyframe-prompt").all()] == [*SEA]
    expect(page.locator("#film-loop")).to_be_checked()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#studio-animate .facts li").first).to_have_text("12 frames")
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()
    plays(page)
    page.screenshot(path=shots / "animate-whole.png")
    whole = animation(page, studio.url)
    assert whole["id"] == part["id"] and whole["whole"] and whole["recipe"]["loop"]
    assert [each["prompt"] for each in whole["recipe"]["keyframes"]] == [*SEA]

    visitor.generate()
    expect(page.locator(".animate-strip .frame")).to_have_count(2)
    page.wait_for_selector(".animate-status[data-state=rest]", state="attached")
    other = animation(page, studio.url)
    assert other["id"] != whole["id"] and other["whole"]
    assert pixels(studio, other) == pixels(studio, whole)
    assert "Traceback" not in studio.logged(), studio.logged()
    studio.close()
