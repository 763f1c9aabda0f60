"""Merging from the Models tab in a real browser: from a recipe to a model on the shelf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.addons import attention, kohya, layers_of, write
from tests.api.conftest import RunningStudio, with_model
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_access import serious
from tests.tiny import save_tiny_model, tiny_pipeline
from tests.weights import kohya_lora, sdxl, write_weights

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """A studio with two models of one make, one of another, a LoRA and a VAE."""
    model = save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    data_dir = with_model(tmp_path_factory.mktemp("studio"), model)
    models = data_dir / "models"
    for seed, name in enumerate(("autumn", "harbour"), 1):
        save_tiny_model(models / "checkpoints" / name, seed=seed)
    write_weights(models / "checkpoints/large.safetensors", sdxl())
    layers = layers_of(tiny_pipeline().unet, attention)
    write(kohya({"unet": layers}, rank=2), models / "loras/ink.safetensors")
    write_weights(models / "loras/classic.safetensors", kohya_lora(768))
    tiny_pipeline(seed=7).vae.save_pretrained(models / "vae/clear")
    running = RunningStudio(data_dir)
    running.end(running.submit(prompt="warm", num_inference_steps=1))
    yield running
    running.close()


def form(visitor: Visitor) -> Page:
    page = visitor.page
    page.get_by_role("button", name="Merge", exact=True).first.click()
    expect(page.get_by_label("Model A", exact=True)).to_be_visible()
    return page


def share(page: Page, letter: str) -> str:
    weight = page.locator(".merge-weight").filter(
        has=page.get_by_label(f"Weight of model {letter}", exact=True)
    )
    return weight.locator("output").inner_text()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_a_recipe_to_the_shelf(
    visit: Visit, studio: RunningStudio, size: tuple[int, int], shots: Path
) -> None:
    name = f"autumn harbour {size[0]}"
    visitor = visit(size, tab="models")
    page = form(visitor)
    page.get_by_label("Model A", exact=True).select_option("autumn")
    page.get_by_label("Model B", exact=True).select_option("harbour")
    page.get_by_label("Weight of model A", exact=True).fill("0.2")
    page.get_by_label("Weight of model B", exact=True).fill("0.6")
    assert (share(page, "A"), share(page, "B")) == ("25 %", "75 %")
    expect(page.get_by_label("Weight of model C", exact=True)).to_be_hidden()
    page.get_by_label("LoRAs to bake in").select_option("ink")
    page.get_by_label("Weight of ink").fill("0.4")
    page.get_by_label("VAE", exact=True).last.select_option("clear")
    page.get_by_label("Name of the result").fill(name)
    page.screenshot(path=shots / f"merge-{size[0]}.png", full_page=True)
    assert serious(visitor) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".merge-form").get_by_role("button", name="Merge").click()
    line = page.locator(".merge .download").filter(has_text=name)
    expect(line).to_contain_text("Done")
    expect(page.locator(".toast")).to_contain_text(f"{name} is ready")
    page.screenshot(path=shots / f"merged-{size[0]}.png", full_page=True)
    (merge,) = [m for m in studio.http.get("/api/v1/merges").json()["merges"] if m["name"] == name]
    assert (merge["weights"], merge["vae"]) == ([0.2, 0.6], "clear")
    assert merge["loras"] == [{"name": "ink", "weight": 0.4}]
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("html")).to_have_attribute("data-room", "create")
    page.wait_for_function(
        "name => JSON.parse(localStorage['studio.desk']).model === name", arg=name
    )
    visitor.describe("a boat")
    visitor.generate()
    visitor.finished()


def test_only_what_goes_together_is_offered(visit: Visit) -> None:
    page = form(visit(tab="models"))
    page.get_by_label("Model A", exact=True).select_option("large")
    second = page.get_by_label("Model B", exact=True).locator("option")
    assert second.all_inner_texts() == ["Choose a model", "large"]
    loras = page.get_by_label("LoRAs to bake in").locator("option")
    assert loras.all_inner_texts() == ["Add one", "ink"]  # of which no file says the family
    page.get_by_label("Model A", exact=True).select_option("autumn")
    assert "harbour" in second.all_inner_texts()
    assert "large" not in second.all_inner_texts()
    assert loras.all_inner_texts() == ["Add one", "classic", "ink"]


def test_a_difference_asks_for_three_and_what_is_refused_is_said(
    visit: Visit, studio: RunningStudio
) -> None:
    visitor = visit(tab="models")
    page = form(visitor)
    page.get_by_label("Method").select_option("add_difference")
    expect(page.get_by_label("Weight of model A", exact=True)).to_be_hidden()
    expect(page.get_by_label("Weight of model B", exact=True)).to_be_visible()
    for letter, name in zip("ABC", ("autumn", "harbour", "autumn"), strict=True):
        page.get_by_label(f"Model {letter}", exact=True).select_option(name)
    page.get_by_label("Name of the result").fill("harbour")
    start = page.locator(".merge-form").get_by_role("button", name="Merge")
    start.click()
    expect(page.locator(".merge-form .problem")).to_contain_text("There is a model called")
    page.get_by_label("Name of the result").fill("beyond")
    start.click()
    line = page.locator(".merge .download").filter(has_text="beyond")
    expect(line).to_contain_text("Done")
    expect(page.locator(".merge-form .problem")).to_be_hidden()
    visitor.complaints.clear()  # the browser names each answer that is a no
    line.get_by_role("button", name="Close: beyond").click()
    expect(line).to_have_count(0)
    page.get_by_role("button", name="Installed", exact=True).first.click()
    expect(page.locator(".shelf .model").filter(has_text="beyond")).to_have_count(1)


def test_what_fails_says_why(visit: Visit, studio: RunningStudio) -> None:
    folder = studio.data_dir / "models/checkpoints"
    name = "vae/diffusion_pytorch_model.safetensors"
    broken = save_tiny_model(folder / "broken") / name
    page = form(visit(tab="models"))
    page.get_by_label("Model A", exact=True).select_option("autumn")
    page.get_by_label("Model B", exact=True).select_option("broken")
    page.get_by_label("Name of the result").fill("never")
    write_weights(broken, {"decoder.conv_in.weight": (1, 1, 3, 3)})
    page.locator(".merge-form").get_by_role("button", name="Merge").click()
    line = page.locator(".merge .download").filter(has_text="never")
    expect(line).to_contain_text("Not merged")
    expect(line).to_contain_text("“broken” cannot be merged with “autumn”")
    assert not (folder / "never").exists()
