"""The Animate tab in a real browser: written, stopped, killed, resumed, played; and its ways in."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Page, expect

from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, PHONE, Visitor
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
    reads(page, *SEA)
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


def reads(page: Page, *prompts: str) -> None:
    """The keyframes say this, in this order."""
    boxes = page.locator(".keyframe-prompt")
    expect(boxes).to_have_count(len(prompts))
    for number, prompt in enumerate(prompts):
        expect(boxes.nth(number)).to_have_value(prompt)


def test_a_picture_and_a_film_find_their_way_to_the_timeline(visit: Visit) -> None:
    visitor = visit(desk=QUICK)
    page = visitor.page
    visitor.describe("a red boat")
    visitor.generate()
    visitor.finished()
    page.locator("#studio-stage").get_by_role("button", name="Animate").click()
    expect(page.locator("html[data-room=animate]")).to_be_attached()
    expect(page.locator(".keyframe-prompt").first).to_have_value("a red boat")
    expect(page.locator(".keyframe-face img")).to_have_count(1)
    write(page, "a red boat", "a blue house", frames=2, format="webm")
    page.locator(".keyframe-face").nth(1).click()  # drawn as an ordinary picture
    expect(page.locator(".keyframe-face:not(.is-busy) img")).to_have_count(2)
    visitor.generate()
    plays(page)
    made = animation(page, visitor.url)
    first = page.request.get(f"{visitor.url}/api/v1/animations/{made['id']}/frames/0").body()
    pictures = page.request.get(f"{visitor.url}/api/v1/pictures").json()["pictures"]
    drawn = page.request.get(f"{visitor.url}/api/v1/pictures/{pictures[1]['id']}").body()
    assert same_pixels(first, drawn)  # the keyframe is the very picture that was sent

    film = page.request.get(f"{visitor.url}{made['film']}").body()
    page.get_by_role("button", name="Remove this keyframe").last.click()
    page.get_by_role("button", name="Remove this keyframe").first.click()
    reads(page, "", "")
    chosen = {"name": "film.webm", "mimeType": "video/webm", "buffer": film}
    page.locator("#studio-recipe input[type=file]").set_input_files(chosen)
    expect(page.locator(".keyframe-prompt").nth(1)).to_have_value("a blue house")
    expect(page.locator("#film-format")).to_have_value("webm")
    visitor.generate()
    expect(page.locator(".animate-strip .frame")).to_have_count(2)
    page.wait_for_selector(".animate-status[data-state=rest]", state="attached")
    again = animation(page, visitor.url)
    assert again["recipe"] == made["recipe"]

    page.goto(f"{visitor.url}/#gallery")
    page.locator(".tile-open").first.click()
    page.get_by_role("button", name="Animate").click()
    expect(page.locator(".keyframe-prompt")).to_have_count(3)
    page.get_by_role("button", name="The picture itself").click()
    expect(page.get_by_role("button", name="Words instead of the picture")).to_be_visible()
    broken = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"no film"}
    page.locator("#studio-recipe input[type=file]").set_input_files(broken)
    expect(page.locator("#studio-animate .notice")).to_contain_text("no film made here")
    expect(page.locator(".keyframe-prompt")).to_have_count(3)
    visitor.complaints.clear()  # the browser names each request that was refused


def same_pixels(one: bytes, other: bytes) -> bool:
    """Whether two files show the same, whatever else is in them."""
    pictures = [Image.open(io.BytesIO(each)).convert("RGB") for each in (one, other)]
    return ImageChops.difference(*pictures).getbbox() is None


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_keyframes_are_moved_copied_and_kept(visit: Visit, size: tuple[int, int]) -> None:
    visitor = visit(size, tab="animate")
    page = visitor.page
    write(page, "one", "two", "three")
    page.get_by_role("button", name="Keyframe 1 of 3: move").focus()
    page.keyboard.press("ArrowRight")
    reads(page, "two", "one", "three")
    expect(page.get_by_role("button", name="Keyframe 2 of 3: move")).to_be_focused()
    handles = page.locator(".keyframe-handle")
    handles.nth(0).evaluate("handle => handle.scrollIntoView({ block: 'center' })")
    start, end = handles.nth(1).bounding_box(), handles.nth(0).bounding_box()
    assert start is not None and end is not None
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 4, end["y"] + 4, steps=12)
    expect(page.locator(".keyframe").first).to_have_class("keyframe is-held")
    page.mouse.up()
    reads(page, "one", "two", "three")
    page.get_by_role("button", name="Duplicate this keyframe").nth(1).click()
    reads(page, "one", "two", "two", "three")
    page.get_by_role("button", name="Remove this keyframe").nth(0).click()
    reads(page, "two", "two", "three")
    page.get_by_role("button", name="Undo", exact=True).last.click()
    reads(page, "one", "two", "two", "three")
    page.reload()
    visitor.ready()
    reads(page, "one", "two", "two", "three")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_wrong_is_said_beside_it(visit: Visit) -> None:
    visitor = visit(tab="animate", desk=QUICK)
    page = visitor.page
    visitor.generate()
    expect(page.locator("#studio-animate .notice")).to_contain_text("There are no keyframes yet.")
    write(page, "a boat", "a house", frames=0)
    visitor.generate()
    problem = page.locator(".keyframe").first.locator(".problem:visible")
    expect(problem).to_have_text(
        "Keyframe 1: Frames must be a whole number between 1 and 10000; you gave 0."
    )
    expect(page.locator(".keyframe-way input").first).to_be_focused()
    write(page, "a boat", "a house", frames=2)
    expect(problem).to_have_count(0)
    page.locator("#film-loop").check()
    page.locator("#film-ping_pong").check()
    expect(page.locator("#film-loop")).not_to_be_checked()
    visitor.complaints.clear()  # the browser names each request that was refused
