"""LoRAs and other VAEs from the desk, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.addons import attention, kohya, layers_of, write
from tests.api.conftest import RunningStudio, with_model
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_access import serious
from tests.tiny import save_tiny_model, tiny_pipeline
from tests.weights import kohya_lora, write_weights

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
QUICK = {"num_inference_steps": 2, "width": 64, "height": 64, "shape": "custom", "seed": 3}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio with LoRAs for the tiny model, one for SD 2 and another VAE."""
    model = save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    data_dir = with_model(tmp_path_factory.mktemp("studio"), model)
    models = data_dir / "models"
    layers = layers_of(tiny_pipeline().unet, attention)
    for seed, name in enumerate(("ink-lines", "portraits/soft-light", "paper-cut")):
        write(kohya({"unet": layers}, rank=2, seed=seed), models / f"loras/{name}.safetensors")
    Image.new("RGB", (64, 64), "teal").save(models / "loras/ink-lines.png")
    write_weights(models / "loras/second.safetensors", kohya_lora(1024))
    tiny_pipeline(seed=7).vae.save_pretrained(models / "vae/clear")
    running = RunningStudio(data_dir)
    running.end(running.submit(prompt="warm", num_inference_steps=1))
    yield running
    running.close()


def prompt(page: Page) -> str:
    return page.locator("#field-prompt textarea").input_value()


def says(page: Page, text: str) -> None:
    expect(page.locator("#field-prompt textarea")).to_have_value(text)


def door(page: Page) -> None:
    page.get_by_role("button", name="LoRA", exact=True).click()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_chosen_weighed_and_taken_out(
    visit: Visit, studio: RunningStudio, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size, desk={**QUICK, "prompt": "a boat"})
    page = visitor.page
    door(page)
    offered = page.locator("[data-lora]")
    expect(offered).to_have_count(3)
    page.locator("[data-lora=ink-lines] img").wait_for()
    page.get_by_label("Search LoRAs").fill("soft")
    expect(offered).to_have_count(1)
    page.keyboard.press("Enter")
    says(page, "a boat <lora:portraits/soft-light:0.8>")
    page.get_by_label("Search LoRAs").fill("")
    page.locator("[data-lora=ink-lines]").click()
    expect(page.locator("[data-lora=ink-lines]")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    page.screenshot(path=shots / f"loras-{size[0]}.png")
    assert serious(visitor) == []
    page.keyboard.press("Escape")
    says(page, "a boat <lora:portraits/soft-light:0.8> <lora:ink-lines:0.8>")
    weight = page.get_by_label("Weight of ink-lines")
    weight.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    says(page, "a boat <lora:portraits/soft-light:0.8> <lora:ink-lines:0.9>")
    expect(weight).to_be_focused()
    page.screenshot(path=shots / f"lora-rows-{size[0]}.png")
    assert serious(visitor) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Without portraits/soft-light").click()
    says(page, "a boat <lora:ink-lines:0.9>")
    page.locator("#field-prompt textarea").fill("a boat <lora:ink-lines:-0.5>, red")
    expect(page.locator(".lora-rows output")).to_have_text("-0.50")
    visitor.generate()
    visitor.finished()
    (picture,) = studio.http.get("/api/v1/pictures?limit=1").json()["pictures"]
    assert picture["request"]["prompt"] == "a boat <lora:ink-lines:-0.5>, red"


def test_a_weight_of_the_text_encoder_stays(visit: Visit) -> None:
    page = visit().page
    box = page.locator("#field-prompt textarea")
    box.fill("<lora:ink-lines:0.5:1> and <lora:paper-cut:te=0.3>")
    weights = page.locator(".lora-rows input")
    expect(page.locator(".lora-rows output")).to_have_text(["1.00", "0.30"])
    weights.first.focus()
    page.keyboard.press("ArrowLeft")
    says(page, "<lora:ink-lines:0.5:unet=0.95> and <lora:paper-cut:te=0.3>")
    weights.last.focus()
    page.keyboard.press("ArrowRight")
    says(page, "<lora:ink-lines:0.5:unet=0.95> and <lora:paper-cut:te=0.3:unet=0.35>")
    box.fill("<lora:ink-lines:much> <lora:> boat")
    expect(page.locator(".lora-rows li")).to_have_count(0)


def test_another_vae_and_clip_skip_are_part_of_the_recipe(
    visit: Visit, studio: RunningStudio
) -> None:
    visitor = visit(desk={**QUICK, "prompt": "a boat", "vae": "gone"})
    page = visitor.page
    page.get_by_role("button", name="Fine tuning").click()
    vae = page.get_by_label("VAE", exact=True).first
    expect(vae).to_have_value("Automatic")  # the one that was kept is not there any more
    vae.click()
    page.get_by_role("option", name="clear").click()
    page.locator("#field-clip_skip input[type=number]").fill("2")
    page.keyboard.press("Tab")
    visitor.generate()
    visitor.finished()
    (picture,) = studio.http.get("/api/v1/pictures?limit=1").json()["pictures"]
    assert (picture["request"]["vae"], picture["request"]["clip_skip"]) == ("clear", 2)
    assert "VAE: clear" in picture["parameters"]
