"""Words at hand: styles, presets, past prompts, wildcards, completion, weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.test_access import serious

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
QUICK = {"num_inference_steps": 2}
ENTER = {"en-GB": ("Styles", "Search styles"), "zh-CN": ("风格", "搜索风格")}


def value(page: Page) -> str:
    return page.locator("#field-prompt textarea").input_value()


@pytest.mark.parametrize(
    ("size", "locale", "scheme"),
    [(DESKTOP, "en-GB", "light"), (DESKTOP, "zh-CN", "dark"), (PHONE, "en-GB", "light")],
    ids=["desktop", "chinese-dark", "phone"],
)
def test_styles_are_put_on_and_taken_off(
    visit: Visit, size: tuple[int, int], locale: str, scheme: str, shots: Path
) -> None:
    visitor = visit(size, locale=locale, color_scheme=scheme)
    page = visitor.page
    door, search = ENTER[locale]
    page.get_by_role("button", name=door, exact=True).click()
    page.locator("[data-style=oil]").click()
    expect(page.locator("[data-style=oil]")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    page.screenshot(path=shots / f"styles-{size[0]}-{locale}.png")
    assert serious(visitor) == []
    page.get_by_label(search).fill("woodbl")
    page.locator("[data-style=woodblock]").click()
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)
    page.screenshot(path=shots / f"chips-{size[0]}-{locale}.png")
    chips = page.locator(".style-chip")
    expect(chips).to_have_count(2)
    page.reload()
    visitor.ready()
    expect(chips).to_have_count(2)
    chips.first.get_by_role("button").click()
    expect(chips).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_where_no_lora_is_installed_none_is_offered(visit: Visit) -> None:
    page = visit().page
    expect(page.get_by_role("button", name="Styles", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="LoRA", exact=True)).to_be_hidden()


def test_a_picture_is_made_in_its_styles(visit: Visit) -> None:
    visitor = visit(desk={**QUICK, "styles": ["oil"]})
    page = visitor.page
    visitor.describe("a red boat")
    visitor.generate()
    visitor.finished()
    expect(page.locator(".label-prompt")).to_contain_text("a red boat, oil painting")


def test_own_styles_are_written_changed_moved_and_deleted(visit: Visit, shots: Path) -> None:
    page = visit().page
    page.get_by_role("button", name="Styles", exact=True).click()
    page.get_by_role("button", name="New style").click()
    page.get_by_label("Name", exact=True).fill("Morning fog")
    page.locator(".sheet-form textarea").first.fill("{prompt}, fog at dawn")
    page.screenshot(path=shots / "style-form.png")
    page.get_by_role("button", name="Save", exact=True).click()
    tile = page.locator("[data-style=morning-fog]")
    expect(tile).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    exported = download.value.path()
    assert "Morning fog" in exported.read_text("utf-8")
    tile.click()
    tile.hover()
    page.get_by_role("button", name="Change Morning fog").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(tile).to_have_count(0)
    expect(page.locator(".style-chip")).to_have_count(0)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import").click()
    chooser.value.set_files(exported)
    expect(tile).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("One style imported.")
    tile.hover()
    page.get_by_role("button", name="Change Morning fog").click()
    page.get_by_role("button", name="Delete", exact=True).click()


def test_a_preset_brings_the_desk_back(visit: Visit, shots: Path) -> None:
    desk = {"num_inference_steps": 7, "num_images": 3, "prompt": "a blue house", "styles": ["oil"]}
    visitor = visit(desk=desk)
    page = visitor.page
    page.get_by_role("button", name="Presets", exact=True).click()
    page.get_by_label("Name of the preset").fill("Three quick ones")
    page.get_by_role("button", name="Save as preset").click()
    row = page.get_by_role("button", name=re.compile("^Three quick ones"))
    expect(row).to_be_visible()
    page.screenshot(path=shots / "presets.png")
    page.keyboard.press("Escape")
    visitor.remember(num_inference_steps=9, num_images=1, prompt="a red boat", styles=[])
    page.get_by_role("button", name="Presets", exact=True).click()
    row.click()
    expect(page.locator("#field-num_images input")).to_have_value("3")
    page.wait_for_function("JSON.parse(localStorage['studio.desk']).num_inference_steps === 7")
    assert value(page) == "a red boat"  # the words were not asked for
    page.get_by_role("button", name="Presets", exact=True).click()
    page.get_by_role("button", name="Delete Three quick ones").click()
    expect(row).to_have_count(0)


def test_past_prompts_are_found_again(visit: Visit, shots: Path) -> None:
    visitor = visit(desk=QUICK)
    page = visitor.page
    for count, prompt in enumerate(("a red boat at dusk", "a green teapot"), 1):
        visitor.describe(prompt)
        visitor.generate()
        expect(page.locator(".frame[data-id]")).to_have_count(count)
    page.get_by_role("button", name="History", exact=True).click()
    rows = page.locator(".past-prompt")
    expect(rows).to_have_text(["a green teapot", "a red boat at dusk"])
    page.screenshot(path=shots / "history.png")
    page.get_by_label("Search your prompts").fill("BOAT")
    expect(rows).to_have_text(["a red boat at dusk"])
    rows.first.click()
    expect(page.locator("#field-prompt textarea")).to_have_value("a red boat at dusk")
    page.get_by_role("button", name="History", exact=True).click()
    page.get_by_role("button", name="Forget all").click()
    expect(rows).to_have_count(0)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_wildcards_are_previewed_and_all_combinations_queued(
    visit: Visit, size: tuple[int, int], shots: Path
) -> None:
    visitor = visit(size, desk=QUICK)
    page = visitor.page
    visitor.describe("a {red|blue} {boat|car} __nowhere__")
    drawn = page.locator(".drawn")
    expect(drawn).to_contain_text(re.compile("For example: a (red|blue) (boat|car)"))
    expect(drawn).to_contain_text("There is no wildcard file for __nowhere__.")
    page.screenshot(path=shots / f"drawn-{size[0]}.png")
    page.get_by_role("button", name="Queue all 4 combinations").click()
    expect(page.locator(".toast")).to_contain_text("4 jobs are in the queue.")
    expect(page.locator(".frame[data-id]")).to_have_count(4)
    visitor.describe("__colour__ " * 8)
    expect(drawn).to_contain_text("More than 10,000 combinations")
    visitor.describe("a plain boat")
    expect(drawn).to_be_hidden()


def test_completion_by_keyboard(visit: Visit, shots: Path) -> None:
    visitor = visit()
    page = visitor.page
    page.locator("#field-prompt textarea").click()
    page.keyboard.type("a __subject/ve")
    listed = page.get_by_role("listbox", name="Completions")
    expect(listed.get_by_role("option")).to_have_text(["subject/vehiclewildcard"])
    combobox = page.locator("#field-prompt textarea")
    expect(combobox).to_have_attribute("role", "combobox")
    page.keyboard.press("Enter")  # nothing was chosen: a new line, as ever
    assert value(page) == "a __subject/ve\n"
    page.keyboard.press("Backspace")
    expect(listed).to_be_visible()
    page.keyboard.press("ArrowDown")
    chosen = listed.get_by_role("option", selected=True)
    expect(combobox).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Tab")
    expect(combobox).to_have_value("a __subject/vehicle__")
    expect(combobox).to_be_focused()
    page.keyboard.press("Control+z")  # the browser's own undo knows it
    assert value(page) != "a __subject/vehicle__"
    page.keyboard.press("Control+Shift+z")
    page.keyboard.type(", ligh")
    expect(listed).to_be_visible()
    page.screenshot(path=shots / "completion.png")
    assert serious(visitor) == []
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    page.keyboard.type(", water")
    page.keyboard.press("ArrowDown")
    expect(listed).to_be_visible()
    listed.get_by_role("option", name="Watercolour style", exact=True).click()
    expect(page.locator(".style-chip")).to_have_text(["Watercolour"])
    assert value(page).endswith("ligh, ")


def test_no_list_is_left_over_what_was_sent(visit: Visit) -> None:
    """Neither one that is open nor one that the last word asked for."""
    page = visit().page
    box = page.locator("#field-prompt textarea")
    listed = page.get_by_role("listbox", name="Completions")
    box.click()
    page.keyboard.type("a __subject/ve")
    expect(listed).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(listed).to_be_hidden()
    box.fill("a __subject/ve")
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(600)
    expect(listed).to_be_hidden()


def test_escape_closes_the_list_and_does_not_stop_the_job(visit: Visit) -> None:
    slow = {"num_inference_steps": 100, "width": 256, "height": 256, "shape": "custom"}
    visitor = visit(desk=slow)
    page = visitor.page
    visitor.describe("a boat")
    visitor.generate()
    page.wait_for_selector(".cell-preview")
    page.locator("#field-prompt textarea").focus()
    page.keyboard.press("End")
    page.keyboard.type(" __col")
    listed = page.get_by_role("listbox", name="Completions")
    expect(listed).to_be_visible()
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    page.wait_for_timeout(300)
    assert "Stopping" not in (page.locator(".status-words").text_content() or "")
    page.keyboard.press("Escape")
    expect(page.locator(".stage")).to_contain_text("Stopped")


def test_nothing_happens_while_a_chinese_word_is_put_together(visit: Visit) -> None:
    visitor = visit(locale="zh-CN")
    page = visitor.page
    area = page.locator("#field-prompt textarea")
    area.click()
    input_method = visitor.context.new_cdp_session(page)
    input_method.send(
        "Input.imeSetComposition", {"text": "shui", "selectionStart": 4, "selectionEnd": 4}
    )
    page.wait_for_timeout(500)
    listed = page.get_by_role("listbox", name="补全")
    expect(listed).to_be_hidden()
    area.dispatch_event("keydown", {"key": "ArrowUp", "ctrlKey": True, "isComposing": True})
    assert value(page) == "shui"
    input_method.send("Input.insertText", {"text": "水"})
    expect(listed).to_be_visible()
    assert value(page) == "水"


def test_weights_by_keyboard(visit: Visit) -> None:
    page = visit().page
    area = page.locator("#field-prompt textarea")
    area.fill("a red boat")
    area.evaluate("box => box.setSelectionRange(4, 4)")
    page.keyboard.press("Control+ArrowUp")
    assert value(page) == "a (red:1.1) boat"
    page.keyboard.press("Control+ArrowUp")
    assert value(page) == "a (red:1.2) boat"
    for _ in range(3):
        page.keyboard.press("Control+ArrowDown")
    assert value(page) == "a (red:0.9) boat"
    page.keyboard.press("Control+ArrowUp")
    assert value(page) == "a red boat"
    area.evaluate("box => box.setSelectionRange(2, 10)")
    page.keyboard.press("Control+ArrowDown")
    assert value(page) == "a (red boat:0.9)"


CASES = [
    ("(boat)", 2, 2, 1, "(boat:1.2)"),
    ("(boat:1.1)", 2, 2, -1, "boat"),
    ("a (red (boat:1.3))", 9, 9, 1, "a (red (boat:1.4))"),
    ("a, 红色的船，海", 4, 4, 1, "a, (红色的船:1.1)，海"),
    ("<lora:ink:0.8> a", 8, 8, 1, "<lora:ink:0.85> a"),
    ("\\(boat\\)", 3, 3, 1, "\\((boat:1.1)\\)"),
    (" red ", 0, 5, -1, " (red:0.9) "),
    ("a, , b", 3, 3, 1, None),
    ("(boat:10)", 2, 2, 1, "(boat:10)"),
    ("(boat:0)", 2, 2, -1, "(boat:0)"),
]


def test_what_is_weighed(visit: Visit) -> None:
    made = visit().page.evaluate(
        """async (cases) => {
          const { weighted } = await import(new URL("studio/js/emphasis.js", document.baseURI));
          return cases.map(([text, start, end, by]) => {
            const change = weighted(text, start, end, by);
            return change && text.slice(0, change.start) + change.text + text.slice(change.end);
          });
        }""",
        [list(case[:4]) for case in CASES],
    )
    assert made == [case[4] for case in CASES]
