"""The Canvas tab in a real browser: real strokes become a mask, and nothing else is touched."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from studio.images.masks import blurred
from tests.browser.conftest import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
Points = list[tuple[float, float]]
WIDTH, HEIGHT = 120, 88
STROKE: Points = [(0.3, 0.3), (0.5, 0.35), (0.6, 0.6), (0.45, 0.7)]
SECOND: Points = [(0.1, 0.85), (0.25, 0.9)]
RADIUS = 0.08 * WIDTH / 2  # the brush as a new visitor finds it


def scene() -> Image.Image:
    """A picture in which every pixel is known."""
    values = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3))
    return Image.fromarray(values.astype(np.uint8))


def png(image: Image.Image) -> dict[str, Any]:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return {"name": "scene.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


@dataclass
class Painter:
    """A hand with a mouse, or a finger where the screen is a phone's."""

    visitor: Visitor
    touches: bool

    def begin(self, picture: Image.Image) -> None:
        self.visitor.page.locator(".canvas > input[type=file]").set_input_files(png(picture))
        expect(self.visitor.page.locator(".step")).to_have_count(1)

    def draw(self, points: Points) -> None:
        """A stroke through points in shares of the picture."""
        box = self.visitor.page.locator(".canvas-extent").bounding_box()
        assert box is not None
        self.drag([(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points])

    def drag(self, points: Points) -> None:
        page = self.visitor.page
        if not self.touches:
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=4)
            page.mouse.up()
            return
        hand = self.visitor.context.new_cdp_session(page)
        for kind, at in [("touchStart", points[0]), *(("touchMove", each) for each in points[1:])]:
            place = [{"x": at[0], "y": at[1]}]
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": place})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def pull(self, handle: Locator, dx: float) -> None:
        box = handle.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.drag([(x, y), (x + dx / 2, y), (x + dx, y)])

    def generate(self) -> tuple[dict[str, Any], npt.NDArray[np.int16]]:
        """The finished job's request, and the picture that came of it."""
        page = self.visitor.page
        known = page.locator(".step").count()
        self.visitor.generate()
        expect(page.locator(".step")).to_have_count(known + 1)
        expect(page.get_by_role("button", name="Go on from here")).to_be_visible()
        job = page.request.get(f"{self.visitor.url}/api/v1/jobs").json()["jobs"][0]
        return job["request"], self.pixels(f"pictures/{job['picture_ids'][0]}")

    def pixels(self, path: str) -> npt.NDArray[np.int16]:
        answer = self.visitor.page.request.get(f"{self.visitor.url}/api/v1/{path}")
        return np.asarray(Image.open(io.BytesIO(answer.body()))).astype(np.int16)


def away_from(points: Points) -> npt.NDArray[np.float64]:
    """How far the middle of every pixel is from the line through points."""
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    scaled = [(x * WIDTH, y * HEIGHT) for x, y in points]
    for (ax, ay), (bx, by) in pairwise(scaled):
        dx, dy = bx - ax, by - ay
        along = np.clip(((xs - ax) * dx + (ys - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        nearest = np.minimum(nearest, np.hypot(xs - ax - along * dx, ys - ay - along * dy))
    return nearest


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["mouse", "touch"])
def test_what_is_painted_over_changes_and_nothing_else(
    visit: Visit, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size, tab="canvas")
    page, painter = visitor.page, Painter(visitor, touches=size == PHONE)
    picture = scene()
    original = np.asarray(picture).astype(np.int16)
    painter.begin(picture)
    undo = page.get_by_role("button", name="Undo", exact=True)
    painter.draw(STROKE)
    painter.draw(SECOND)
    undo.click()
    page.get_by_role("button", name="Redo").click()
    undo.click()
    page.screenshot(path=shots / f"canvas-{size[0]}.png")
    visitor.describe("a red boat")
    request, result = painter.generate()
    mask = painter.pixels(f"sources/{request['mask_image']}")[..., 0]
    far = away_from(STROKE)
    assert mask.shape == (HEIGHT, WIDTH)
    assert far[mask >= 128].max() <= RADIUS + 2
    assert mask[far <= RADIUS - 2].min() >= 128
    kept = np.asarray(blurred(Image.fromarray(mask.astype(np.uint8)), 4)) == 0
    assert result.shape == original.shape
    assert (result[kept] == original[kept]).all()
    assert np.abs(result - original)[mask >= 128].mean() > 8
    page.screenshot(path=shots / f"canvas-result-{size[0]}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("button", name="Go on from here").click()
    painter.pull(page.get_by_role("slider", name="Outpaint right"), 60)
    sides = page.locator("#field-outpaint_right input")
    expect(sides).not_to_have_value("0")
    added = int(sides.input_value())
    request, wider = painter.generate()
    assert request["outpaint_right"] == added
    assert wider.shape == (HEIGHT, WIDTH + added, 3)
    assert (wider[:, :WIDTH] == result).all()
    page.reload()
    visitor.ready()
    expect(page.locator(".step")).to_have_count(3)
    expect(page.locator(".step").nth(2)).to_have_attribute("aria-current", "step")
    page.locator(".step").nth(0).click()
    expect(page.get_by_role("button", name="Clear", exact=True)).to_be_enabled()  # the mask is back


def test_a_picture_is_sent_to_the_canvas_and_its_recipe_back(visit: Visit) -> None:
    visitor = visit(desk={"num_inference_steps": 2, "seed": 5})
    page, painter = visitor.page, Painter(visitor, touches=False)
    visitor.describe("a blue house")
    visitor.generate()
    visitor.finished()
    page.get_by_role("button", name="Send to Canvas").click()
    expect(page.locator(".canvas-extent")).to_be_visible()
    expect(page.locator(".step")).to_have_count(1)
    page.get_by_role("button", name="Colour", exact=True).click()
    page.locator(".canvas-pane").focus()
    for key in ("Enter", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    request, _ = painter.generate()
    assert not request["mask_image"]
    sketch = painter.pixels(f"sources/{request['init_image']}")
    first = page.request.get(f"{visitor.url}/api/v1/jobs").json()["jobs"][1]
    plain = painter.pixels(f"pictures/{first['picture_ids'][0]}")
    touched = (sketch != plain).any(axis=2)
    assert 0 < touched.sum() < touched.size / 8
    assert tuple(sketch[32, 32]) == (0x2F, 0x6F, 0xB3)

    page.goto(f"{visitor.url}/#gallery")
    page.locator(".tile-open").first.click()
    large = page.locator(".large-picture")
    page.get_by_role("button", name="Open the picture that this one was made from").click()
    expect(large).to_have_attribute("src", re.compile(first["picture_ids"][0]))
    page.keyboard.press("ArrowLeft")  # back to what was made from it
    expect(page.locator(".large-parent")).to_be_visible()
    page.get_by_role("button", name="Use settings").click()
    expect(page.locator("html[data-room=canvas]")).to_be_attached()
    expect(page.locator(".step")).to_have_count(3)  # the sketched picture, brought back by its hash
    again, _ = painter.generate()
    assert again["init_image"] == request["init_image"]
    assert again["seed"] == request["seed"]


def test_bad_files_are_refused_in_one_sentence_and_several_are_a_batch(visit: Visit) -> None:
    visitor = visit(tab="canvas")
    page, painter = visitor.page, Painter(visitor, touches=False)
    visitor.generate()
    expect(page.locator(".canvas .notice")).to_contain_text("There is no picture on the canvas yet")
    choose = page.locator(".canvas > input[type=file]")
    broken = {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"}
    choose.set_input_files([broken])
    expect(page.locator(".canvas .notice")).to_contain_text("broken.png cannot be painted on.")
    visitor.complaints.clear()  # the browser names each request that was refused
    choose.set_input_files([png(scene()), png(scene().rotate(180))])
    expect(page.locator(".canvas-pill")).to_contain_text("2 pictures")
    visitor.generate()
    expect(page.locator(".step")).to_have_count(4)
    jobs = page.request.get(f"{visitor.url}/api/v1/jobs").json()["jobs"]
    starts = {job["request"]["init_image"] for job in jobs[:2]}
    assert len(starts) == 2
    assert painter.pixels(f"sources/{starts.pop()}").shape == (HEIGHT, WIDTH, 3)
