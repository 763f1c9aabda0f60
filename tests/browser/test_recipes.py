"""Recipes in a real browser: dropped, pasted, chosen, sent as a link, taken along in a download."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, expect

from studio.recipes import read_picture
from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_access import serious

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

THEIRS = """a lighthouse at dusk <lora:ink:0.7>
Negative prompt: fog
Steps: 7, Sampler: Euler a, Schedule type: Automatic, CFG scale: 4.5, Seed: 42, Size: 96x64, \
Model hash: 0123456789, Model: dreams, Clip skip: 2, ENSD: 31337, ADetailer model: face, \
Version: v1.10.1"""
SETTINGS = {
    "prompt": "a red boat, “(at) sea”", "negative_prompt": "people", "sampler": "euler_a",
    "sigma_schedule": "automatic", "num_inference_steps": 3, "guidance_scale": 5.5, "seed": 77,
    "width": 96, "height": 64, "clip_skip": 2, "guidance_rescale": 0.5, "guidance_end": 0.75,
    "normalize_emphasis": False, "variation_seed": 9, "variation_strength": 0.25,
}  # fmt: skip


def foreign(size: tuple[int, int] = (64, 64)) -> bytes:
    """A PNG as A1111 leaves it."""
    info, file = PngInfo(), io.BytesIO()
    info.add_text("parameters", THEIRS)
    Image.effect_noise(size, 90).save(file, "png", pnginfo=info)
    return file.getvalue()


def drop(page: Page, content: bytes, name: str = "picture.png", kind: str = "image/png") -> None:
    """Drop a file into the middle of the page, as from another window."""
    transfer = page.evaluate_handle(
        """([content, name, type]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type }));
          return transfer;
        }""",
        [base64.b64encode(content).decode(), name, kind],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#studio-stage", event, {"dataTransfer": transfer})


def paste(page: Page, text: str) -> None:
    """Paste text where the focus is."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+v")


def desk(page: Page, **expected: object) -> dict[str, object]:
    """What the desk keeps, once it holds what is expected."""
    page.wait_for_function(
        """expected => {
          const kept = JSON.parse(localStorage.getItem('studio.desk') ?? '{}');
          return Object.entries(expected).every(([name, value]) => kept[name] === value);
        }""",
        arg=expected,
    )
    return dict(json.loads(page.evaluate("localStorage.getItem('studio.desk')")))


def made(studio: RunningStudio) -> str:
    """The address of a picture with SETTINGS."""
    job = studio.end(studio.submit(**SETTINGS))
    return f"/api/v1/pictures/{job['picture_ids'][0]}"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_foreign_picture_sets_the_desk_and_lists_the_rest(
    visit: Visit, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size)
    page = visitor.page
    visitor.describe("what was here before")
    before = desk(page, prompt="what was here before")
    drop(page, foreign())
    notice = page.locator(".notice")
    expect(notice).to_contain_text("The recipe from A1111 is on the desk.")
    lines = ["The model “dreams” is not installed here.", "The LoRA “ink” is not installed here.",
             "ENSD: 31337", "ADetailer model: face"]  # fmt: skip
    expect(notice.locator("li")).to_have_text(lines)
    page.screenshot(path=shots / f"recipe-rest-{size[0]}.png")
    expect(page.get_by_label("Prompt").first).to_have_value("a lighthouse at dusk <lora:ink:0.7>")
    desk(
        page, negative_prompt="fog", num_inference_steps=7, sampler="euler_a", seed=42,
        guidance_scale=4.5, width=96, height=64, clip_skip=2, model="tiny",
    )  # fmt: skip
    notice.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Prompt").first).to_have_value("what was here before")
    assert desk(page, prompt="what was here before", seed=None) == before
    expect(notice).to_be_hidden()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_of_ours_is_dropped_and_made_again(
    visit: Visit, studio: RunningStudio, kind: str
) -> None:
    address = made(studio)
    content = studio.http.get(address, params={"format": kind}).content
    visitor = visit()
    page = visitor.page
    drop(page, content, f"picture.{kind}", f"image/{kind}")
    expect(page.locator(".toast")).to_contain_text("The recipe is on the desk.")
    desk(page, **SETTINGS)
    visitor.generate()
    visitor.finished()
    again = page.locator(".frame[data-id]").first.get_attribute("data-id")
    assert again is not None and again not in address
    first, second = (
        Image.open(io.BytesIO(studio.http.get(each).content))
        for each in (address, f"/api/v1/pictures/{again}")
    )
    assert first.tobytes() == second.tobytes()


def test_pixels_stay_at_home(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    content = foreign((1024, 1024))
    assert len(content) > 500_000
    with page.expect_request("**/api/v1/parameters") as sent:
        drop(page, content)
    assert len(sent.value.post_data or "") < 2_000
    expect(page.locator(".notice")).to_contain_text("A1111")


def test_parameters_are_pasted_anywhere_and_words_where_they_belong(visit: Visit) -> None:
    visitor = visit(tab="gallery")
    page = visitor.page
    page.locator("body").click(position={"x": 5, "y": 300})
    paste(page, THEIRS)
    expect(page.locator(".notice")).to_contain_text("A1111")
    assert page.evaluate("document.documentElement.dataset.room") == "create"
    desk(page, seed=42)
    prompt = page.get_by_label("Prompt").first
    prompt.fill("")
    prompt.click()
    paste(page, "a boat, Steps: many")
    expect(prompt).to_have_value("a boat, Steps: many")
    paste(page, THEIRS)
    expect(prompt).to_have_value("a lighthouse at dusk <lora:ink:0.7>")


def test_what_has_no_recipe_is_said_calmly(visit: Visit, shots: Path) -> None:
    visitor = visit()
    page = visitor.page
    visitor.describe("what was here before")
    before = desk(page, prompt="what was here before")
    plain = io.BytesIO()
    Image.new("RGB", (64, 64)).save(plain, "png")
    # The browser itself notes in its console that the server found nothing.
    for content in (plain.getvalue(), b"%PDF-1.4", b"", plain.getvalue()[:20], b"\xff\xd8\xff"):
        drop(page, content)
        expect(page.locator(".notice")).to_contain_text("No recipe was found in it.")
        page.get_by_role("button", name="Close").click()
    visitor.complaints[:] = [said for said in visitor.complaints if "422" not in said]
    page.wait_for_timeout(400)
    assert desk(page) == before


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_button_opens_a_file(visit: Visit, size: tuple[int, int], shots: Path) -> None:
    visitor = visit(size)
    page = visitor.page
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Read a recipe").click()
    page.screenshot(path=shots / f"recipe-button-{size[0]}.png", full_page=True)
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": foreign()})
    expect(page.locator(".notice")).to_contain_text("A1111")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Read a recipe").click()
    beside = THEIRS.replace("Seed: 42", "Seed: 43").encode()
    chooser.value.set_files({"name": "a.txt", "mimeType": "text/plain", "buffer": beside})
    desk(page, seed=43)


def test_a_link_restores_all_settings_in_another_browser(
    visit: Visit, studio: RunningStudio
) -> None:
    address = made(studio)
    sender = visit(tab="gallery").page
    sender.get_by_role("button", name=f"Open: {SETTINGS['prompt']}").first.click()
    sender.get_by_role("dialog").get_by_role("button", name="Copy recipe link").click()
    expect(sender.locator(".toast")).to_contain_text("Recipe link copied")
    link = str(sender.evaluate("navigator.clipboard.readText()"))
    assert link.startswith(f"{studio.url}/#recipe=")
    assert address.rsplit("/", 1)[1] not in link
    receiver = visit()
    page = receiver.page
    page.goto("about:blank")
    page.goto(link)
    receiver.ready()
    expect(page.get_by_label("Prompt").first).to_have_value(str(SETTINGS["prompt"]))
    desk(page, **SETTINGS)
    assert page.url == f"{studio.url}/", "a reload does not set it again"


@pytest.mark.parametrize("end", ["", "AAAA", "%", "!", "q83v" * 50, "q83v" * 50_000])
def test_a_damaged_link_is_said_in_a_sentence(visit: Visit, end: str) -> None:
    visitor = visit()
    page = visitor.page
    visitor.describe("what was here before")
    page.wait_for_timeout(300)
    page.evaluate("end => { location.hash = `recipe=${end}`; }", end)
    expect(page.locator(".notice")).to_contain_text("This recipe link is damaged.")
    expect(page.get_by_label("Prompt").first).to_have_value("what was here before")
    visitor.complaints[:] = [said for said in visitor.complaints if "422" not in said]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_download_keeps_the_recipe_in_every_format(
    visit: Visit, studio: RunningStudio, size: tuple[int, int], shots: Path
) -> None:
    made(studio)
    page = visit(size, tab="gallery").page
    page.get_by_role("button", name=f"Open: {SETTINGS['prompt']}").first.click()
    large = page.get_by_role("dialog")
    button = large.get_by_role("button", name="Download")
    for label, ending in (("PNG", "png"), ("JPEG", "jpg"), ("WebP", "webp")):
        button.click()
        item = large.get_by_role("menuitem", name=re.compile(label))
        expect(item).to_be_visible()
        page.screenshot(path=shots / f"download-{size[0]}.png")
        with page.expect_download() as download:
            item.click()
        assert download.value.suggested_filename.endswith(f".{ending}")
        recipe = read_picture(Path(download.value.path()).read_bytes())
        assert recipe is not None
        assert SETTINGS.items() <= dict(recipe.values).items()
        expect(item).to_be_hidden()


def test_the_menu_is_walked_by_keyboard(visit: Visit, studio: RunningStudio) -> None:
    made(studio)
    page = visit(tab="gallery").page
    page.get_by_role("button", name=f"Open: {SETTINGS['prompt']}").first.click()
    large = page.get_by_role("dialog")
    button = large.get_by_role("button", name="Download")
    button.press("Enter")
    items = large.get_by_role("menuitem")
    expect(items.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(items.nth(2)).to_be_focused()
    page.keyboard.press("Escape")
    expect(items.nth(0)).to_be_hidden()
    expect(large).to_be_visible()
    expect(button).to_be_focused()


def test_something_held_over_the_page_is_welcome(visit: Visit, shots: Path) -> None:
    page = visit().page
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(['x'], 'x.png', { type: 'image/png' }));
          const over = new DragEvent('dragenter', { dataTransfer: transfer, bubbles: true });
          document.body.dispatchEvent(over);
        }"""
    )
    expect(page.get_by_text("Let go, and its recipe is on the desk")).to_be_visible()
    page.wait_for_timeout(300)
    page.screenshot(path=shots / "recipe-veil.png")
    page.evaluate("document.body.dispatchEvent(new DragEvent('dragleave', { bubbles: true }))")
    expect(page.get_by_text("Let go, and its recipe is on the desk")).to_be_hidden()


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_in_what_lies_on_top(
    visit: Visit,
    studio: RunningStudio,
    size: tuple[int, int],
    locale: str,
    scheme: str,
    shots: Path,
) -> None:
    made(studio)
    visitor = visit(size, locale=locale, color_scheme=scheme)
    page = visitor.page
    drop(page, foreign())
    expect(page.locator(".notice li")).to_have_count(4)
    assert serious(visitor) == []
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=shots / f"recipe-rest-{locale}-{size[0]}.png")
    page.evaluate("location.hash = 'gallery'")
    page.locator(".tile-open").first.click()
    page.locator("dialog [aria-haspopup=menu]").click()
    expect(page.locator("dialog .menu-item")).to_have_count(3)
    page.screenshot(path=shots / f"download-{locale}-{size[0]}.png")
    assert serious(visitor) == []
