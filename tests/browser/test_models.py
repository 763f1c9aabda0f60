"""The Models tab in a real browser: good and damaged files, installs from a stand-in of the hub."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from studio.settings import REPOSITORY
from tests.api.conftest import RunningStudio, with_model
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_access import serious
from tests.hostile import make_hostile
from tests.shelf import DAMAGED, GOOD, fill_shelf
from tests.stand_in import Repo, StandIn, diffusers_files, safetensors, stand_in
from tests.tiny import save_tiny_model
from tests.weights import sd1, write_weights

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
OFFERS = json.loads((REPOSITORY / "presets" / "models.json").read_text("utf-8"))
FIRST = "stable-diffusion-v1-5/stable-diffusion-v1-5"


@pytest.fixture(scope="module")
def hub() -> Iterator[StandIn]:
    """A hub with one model of the curated list and some others."""
    with stand_in() as running:
        running.repos["someone/boats"] = Repo(diffusers_files(200_000))
        running.repos["someone/closed"] = Repo(diffusers_files(), gated=True)
        several = {"a.safetensors": safetensors(), "b.safetensors": safetensors()}
        running.repos["someone/several"] = Repo(several, pipeline=None)
        yield running


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, hub: StandIn) -> Iterator[RunningStudio]:
    """A studio of its own for these tests, with a well filled shelf."""
    model = save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    data_dir = with_model(tmp_path_factory.mktemp("studio"), model)
    fill_shelf(data_dir / "models")
    environment = {"HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1", "HF_TOKEN": ""}
    running = RunningStudio(data_dir, environment=environment)
    running.end(running.submit(prompt="warm", num_inference_steps=1))
    yield running
    running.close()


@pytest.fixture(autouse=True)
def nothing_asked_unasked(hub: StandIn) -> Iterator[None]:
    """Looking at the tab never reaches the hub; each test says itself when it has been asked."""
    hub.asked.clear()
    hub.pace, hub.away = 0.0, False
    yield


def row(page: Page, name: str) -> Locator:
    return page.locator(".shelf .model").filter(has=page.get_by_text(name, exact=True))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@SIZES
def test_what_is_there_and_what_is_wrong_with_it(
    visit: Visit, hub: StandIn, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size, tab="models")
    page = visitor.page
    for name, (_, family) in GOOD.items():
        expect(row(page, name)).to_contain_text(family)
    broken = page.locator(".shelf-group").filter(has_text="Cannot be used")
    for name, sentence in DAMAGED.items():
        expect(broken.locator(".model").filter(has_text=name)).to_contain_text(sentence)
    expect(broken.locator(".model")).to_have_count(len(DAMAGED))
    expect(row(page, "sd-v1-5-inpainting")).to_contain_text("inpainting")
    picture = row(page, "watercolour").locator("img")
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    page.screenshot(path=shots / f"shelf-{size[0]}.png", full_page=True)
    line = row(page, "dreamlike-photoreal").locator(".model-open")
    line.focus()
    page.keyboard.press("Enter")
    expect(line).to_have_attribute("aria-expanded", "true")
    facts = row(page, "dreamlike-photoreal").locator(".model-facts")
    expect(facts).to_contain_text(re.compile(r"SHA-256[0-9a-f]{64}"))
    expect(facts).to_contain_text("models/checkpoints/dreamlike-photoreal.safetensors")
    assert serious(visitor) == []
    assert fits(page)
    assert hub.asked == []


@SIZES
def test_searched_and_filtered(visit: Visit, size: tuple[int, int]) -> None:
    visitor = visit(size, tab="models")
    page = visitor.page
    lines = page.locator(".shelf .model")
    expect(lines.first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("sdxl refiner")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("sd_xl_refiner_1.0")
    page.get_by_label("Search models").fill("nothing like it")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    page.get_by_label("Search models").fill("")
    kind = page.get_by_label("Kind of model")
    kind.select_option("lora")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("ink-wash")
    kind.select_option("problem")
    expect(lines).to_have_count(len(DAMAGED))
    assert fits(page)


def test_a_new_file_is_found_and_a_mended_one_is_usable(
    visit: Visit, studio: RunningStudio
) -> None:
    visitor = visit(tab="models")
    page = visitor.page
    expect(row(page, "ink-wash")).to_be_visible()
    folder = studio.data_dir / "models" / "checkpoints"
    write_weights(folder / "fresh.safetensors", sd1())
    try:
        page.get_by_role("button", name="Look again").click()
        expect(row(page, "fresh")).to_contain_text("Stable Diffusion 1")
        expect(page.locator(".toast")).to_contain_text("models found")
        (folder / "fresh.safetensors").write_text("no model")
        expect(row(page, "fresh")).to_contain_text("It is a text file")  # seen without being asked
    finally:
        (folder / "fresh.safetensors").unlink()
    expect(row(page, "fresh")).to_have_count(0)


def test_used_from_the_shelf(visit: Visit) -> None:
    visitor = visit(tab="models")
    page = visitor.page
    row(page, "watercolour").locator(".model-open").click()
    page.get_by_role("button", name="Use on Create: watercolour").click()
    expect(page.locator("html")).to_have_attribute("data-room", "create")
    expect(page.get_by_label("Model", exact=True).first).to_have_value("watercolour")


def test_loaded_let_go_and_made_the_default(visit: Visit, studio: RunningStudio) -> None:
    if "/api/v1/models/load" not in studio.http.get("/openapi.json").json()["paths"]:
        pytest.skip("this studio loads models only when a picture needs them")
    visitor = visit(tab="models")
    page = visitor.page
    line = row(page, "pocket").locator(".model-open")
    expect(line).to_contain_text("Ready")
    line.click()
    page.get_by_role("button", name="Load: pocket").click()
    expect(line).to_contain_text("Loaded")
    expect(page.locator(".meter-note")).to_contain_text("2 models")
    page.get_by_role("button", name="Unload: pocket").click()
    expect(line).to_contain_text("Ready")
    page.get_by_role("button", name="Make default: pocket").click()
    expect(line).to_contain_text("default")
    expect(row(page, "tiny").locator(".model-open")).not_to_contain_text("default")


@SIZES
def test_a_folder_of_hostile_files_harms_nobody(
    visit: Visit, studio: RunningStudio, size: tuple[int, int], tmp_path: Path, shots: Path
) -> None:
    folder = studio.data_dir / "models" / "checkpoints" / f"hostile-{size[0]}"
    folder.mkdir()
    mark = tmp_path / "unpickled"
    words = make_hostile(folder, mark)
    assert len(words) > 40
    try:
        visitor = visit(size, tab="models")
        page = visitor.page
        page.get_by_label("Search models").fill(folder.name)
        lines = page.locator(".shelf .model.is-problem")
        expect(lines.first).to_be_visible()
        told = lines.evaluate_all(
            """all => Object.fromEntries(all.map((each) => [
              each.querySelector('.model-name').innerText,
              each.querySelector('.model-trouble').innerText,
            ]))"""
        )
        for name, sentence in words.items():
            assert sentence in told[f"{folder.name}/{name}"], name
        page.screenshot(path=shots / f"hostile-{size[0]}.png", full_page=True)
        for each in range(0, lines.count(), 7):
            lines.nth(each).locator(".model-open").click()
        assert fits(page)
        assert not mark.exists()
        assert studio.http.get("/healthz").json()["status"] == "ok"
    finally:
        folder.rename(tmp_path / "away")


@SIZES
def test_installed_from_the_curated_list_with_progress_stop_and_resume(
    visit: Visit, studio: RunningStudio, hub: StandIn, size: tuple[int, int], shots: Path
) -> None:
    repository = {DESKTOP: FIRST, PHONE: "riffusion/riffusion-model-v1"}[size]
    title = {DESKTOP: "Stable Diffusion 1.5", PHONE: "Riffusion"}[size]
    hub.repos[repository] = Repo(diffusers_files(3_000_000))
    hub.pace = 0.05
    visitor = visit(size, tab="models")
    page = visitor.page
    page.get_by_role("button", name="Get more").click()
    offer = page.locator(".offer").filter(has=page.get_by_text(title, exact=True))
    expect(page.locator(".offer")).to_have_count(len(OFFERS))
    expect(offer).to_contain_text(re.compile(r"CreativeML OpenRAIL-M"))
    assert hub.asked == []
    offer.get_by_role("button").click()
    bar = page.get_by_role("progressbar", name=f"Progress: {repository}")
    page.wait_for_function("bar => Number(bar.ariaValueNow) >= 5", arg=bar.element_handle())
    expect(page.locator(".download")).to_contain_text(re.compile(r"MB of 9 MB.*MB/s"))
    expect(offer.get_by_role("button")).to_have_text(re.compile(r"\d+ %"))
    page.screenshot(path=shots / f"installing-{size[0]}.png", full_page=True)
    page.get_by_role("button", name=f"Cancel: {repository}").click()
    expect(page.locator(".download")).to_contain_text("Stopped")
    page.reload()  # nothing is forgotten with the page
    visitor.ready()
    expect(page.locator(".download")).to_contain_text("Stopped")
    assert serious(visitor) == []
    hub.pace = 0.0
    hub.asked.clear()
    page.get_by_role("button", name=f"Resume: {repository}").first.click()
    expect(offer.get_by_text("Installed")).to_be_visible()
    first = hub.files_asked()[0]
    assert first.range and first.range != "bytes=0-"
    assert (studio.data_dir / "models/checkpoints" / repository.split("/")[1]).is_dir()
    page.get_by_role("button", name=f"Close: {repository}").click()
    expect(page.locator(".download")).to_have_count(0)
    page.get_by_role("button", name="Installed", exact=True).click()
    expect(row(page, repository.split("/")[1])).to_have_count(1)
    assert fits(page)


def test_an_address_is_looked_at_before_it_is_fetched(
    visit: Visit, studio: RunningStudio, hub: StandIn, shots: Path
) -> None:
    visitor = visit(tab="models")
    page = visitor.page
    page.get_by_role("button", name="Get more").click()
    address = page.get_by_label("From Hugging Face")
    address.fill(f"{hub.url}/someone/boats/tree/main")
    address.press("Enter")
    card = page.locator(".plan-card")
    expect(card).to_contain_text("10 files")
    expect(card).to_contain_text(str(studio.data_dir / "models/checkpoints/boats"))
    card.get_by_text("The files").click()
    expect(card).to_contain_text("unet/diffusion_pytorch_model.fp16.safetensors")
    expect(card).not_to_contain_text(".bin")
    assert hub.files_asked() == []
    page.screenshot(path=shots / "plan.png", full_page=True)
    assert serious(visitor) == []
    card.get_by_role("button", name=re.compile("Install 5")).click()
    expect(page.locator(".toast")).to_contain_text("boats is installed.")
    address.fill("someone/closed")
    address.press("Enter")
    expect(card).to_contain_text("licence must be accepted first")
    expect(card.get_by_role("link", name="Open its page")).to_have_attribute(
        "href", f"{hub.url}/someone/closed"
    )
    expect(card.get_by_role("button", name="Install")).to_have_count(0)
    address.fill("someone/several")
    address.press("Enter")
    card.get_by_role("button", name="b.safetensors").click()
    expect(card).to_contain_text("models/checkpoints/b.safetensors")


def test_a_hub_that_is_away_and_an_address_that_is_none_are_said(
    visit: Visit, hub: StandIn, shots: Path
) -> None:
    visitor = visit(tab="models")
    page = visitor.page
    page.get_by_role("button", name="Get more").click()
    address = page.get_by_label("From Hugging Face")
    problem = page.locator(".plan .problem")
    address.fill("not an address")
    address.press("Enter")
    expect(problem).to_contain_text("those look like owner/name")
    address.fill("someone/nowhere")
    address.press("Enter")
    expect(problem).to_contain_text("has no model “someone/nowhere”")
    hub.away = True
    page.locator(".offer").filter(has_text="SDXL-Turbo").get_by_role("button").click()
    failed = page.locator(".download").filter(has_text="sdxl-turbo")
    expect(failed.get_by_role("alert")).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("An install broke off.")
    page.screenshot(path=shots / "away.png", full_page=True)
    failed.get_by_role("button", name="Discard").click()
    expect(failed).to_have_count(0)
    visitor.complaints.clear()  # the browser names each answer that is a no


def test_merging_is_explained_in_chinese_too(visit: Visit) -> None:
    visitor = visit(PHONE, locale="zh-CN", tab="models")
    page = visitor.page
    for name in ("已安装", "获取更多", "合并"):
        page.get_by_role("button", name=name, exact=True).click()
        assert serious(visitor) == []
        assert fits(page)
