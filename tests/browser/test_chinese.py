"""The whole page in Chinese: every tab and state is walked through, and no English is left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from studio.samplers import SAMPLERS, SIGMA_SCHEDULES
from studio.settings import REPOSITORY
from tests.api.conftest import RunningStudio
from tests.browser.conftest import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]

OFFERS = json.loads((REPOSITORY / "presets" / "models.json").read_text("utf-8"))
NAMES = (
    # what has no Chinese name: the studio's own, makers', models', formats, units, keys
    "Creative Studio", "Hugging Face", "Stable Diffusion", "PyTorch", "SDXL", "LoRA", "VAE", "CLIP",
    "CFG", "SHA-256", "Marian", "LCM", "GPU", "CPU", "fp32", "fp16", "bf16", "safetensors",
    "pickle",
    "KiB", "MiB", "GiB", "kB", "MB", "GB", "Ctrl", "Enter", "Esc", "Del", "PNG", "JPEG", "WebP",
    "pocket", "tiny", "notes", "cut", "EN", "English", "JSON", "CSV", "A1111", "Fooocus",
    "BREAK", "AND", "Tab", "Shift", "Alt", "RGB",
    *(row.label for row in SAMPLERS.values()), *SIGMA_SCHEDULES.values(),
    *(offer["title"] for offer in OFFERS), *(offer["licence"] for offer in OFFERS),
)  # fmt: skip
# Paths, hashes, marks of the prompt language, and what other visitors painted.
PATHS = re.compile(r"打开：.*|[\w.+-]*[/\\.][\w./\\+-]+|[0-9a-f]{10,}|<lora:[^>]*>|__\w+__")
LEFT = re.compile(r"[A-Za-z]{2,}")

SEEN = """() => {
  const said = new Set();
  for (const element of document.querySelectorAll('body *')) {
    if (['SCRIPT', 'STYLE', 'KBD', 'CODE'].includes(element.tagName)) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest('[lang=en]')) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-description']) {
      if (element.getAttribute(name)) said.add(element.getAttribute(name));
    }
    for (const node of element.childNodes) if (node.nodeType === 3 && node.data.trim()) said.add(node.data.trim());
  }
  return [...said];
}"""  # noqa: E501


def english(page: Page) -> list[str]:
    """What is said on the page in English: texts, labels, titles, with more than names in them."""
    names = re.compile("|".join(map(re.escape, sorted(NAMES, key=len, reverse=True))))
    found = []
    for text in page.evaluate(SEEN):
        if LEFT.search(names.sub(" ", PATHS.sub(" ", text))):
            found.append(text)
    return found


@pytest.fixture
def broken_files(studio: RunningStudio) -> Iterator[None]:
    """What cannot be used says so on the shelf."""
    folder = studio.data_dir / "models" / "loras"
    folder.mkdir(exist_ok=True)
    files = {"notes.safetensors": b"buy milk", "cut.ckpt": b"\x80\x02"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    yield
    for name in files:
        (folder / name).unlink()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_is_left_in_english(
    visit: Visit, size: tuple[int, int], broken_files: None, shots: Path
) -> None:
    visitor = visit(size, locale="zh-CN")
    page = visitor.page
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    left: dict[str, list[str]] = {}

    def look(state: str) -> None:
        page.wait_for_timeout(400)
        page.screenshot(path=shots / f"zh-{state}-{size[0]}.png")
        if found := english(page):
            left[state] = found

    for state, reach in _walk(page).items():
        reach()
        look(state)
    assert left == {}


def _walk(page: Page) -> dict[str, Callable[[], None]]:
    """State -> what leads there from the one before."""

    def refused() -> None:
        page.locator("#field-shape label").nth(3).click()
        page.locator("#field-width input").fill("13")
        page.locator("#generate").click()
        expect(page.locator("#problem-width")).to_contain_text("宽度应为 64 到 2048 之间的整数")

    def paint() -> None:
        page.locator("#field-width input").fill("64")
        page.locator("#field-prompt textarea").fill("红色的帆船")
        page.locator("#generate").click()
        page.wait_for_selector(".cell-picture.is-in")
        page.wait_for_selector(".stage-status[data-state=rest]", state="attached")

    def models(view: str) -> Callable[[], None]:
        def go() -> None:
            page.evaluate("location.hash = 'models'")
            page.get_by_role("button", name=view, exact=True).first.click()
            page.wait_for_timeout(600)

        return go

    def drawers() -> None:
        models("已安装")()
        for line in page.locator(".model-open").all():
            line.click()

    def gallery(filter_name: str) -> Callable[[], None]:
        def go() -> None:
            page.evaluate("location.hash = 'gallery'")
            page.get_by_role("button", name=filter_name, exact=True).first.click()

        return go

    return {
        "first": lambda: None,
        "fine": lambda: page.get_by_role("button", name="细调").first.click(),
        "refused": refused,
        "painted": paint,
        "shortcuts": lambda: page.keyboard.press("?"),
        "gallery": lambda: (page.keyboard.press("Escape"), gallery("全部")()),  # type: ignore[dict-item]
        "favourites": gallery("收藏"),
        "bin": gallery("回收站"),
        "shelf": drawers,
        "install": models("获取更多"),
        "merge": models("合并"),
    }


def test_dates_and_numbers_are_as_the_reader_writes_them(visit: Visit) -> None:
    script = """async () => {
      const words = new URL('studio/js/i18n.js', document.baseURI);
      const {moment, count, duration} = await import(words);
      return [moment(0), count(12345), duration(75)];
    }"""
    chinese = visit(locale="zh-CN", timezone_id="UTC").page.evaluate(script)
    assert chinese == ["1970年1月1日 00:00", "12,345", "1 分 15 秒"]
    english_page = visit(locale="en-GB", timezone_id="UTC").page.evaluate(script)
    assert english_page[1:] == ["12,345", "1 min 15 s"]
    assert "1970" in english_page[0] and "年" not in english_page[0]


def test_the_chosen_language_is_kept_and_the_server_speaks_it(
    visit: Visit, broken_files: None
) -> None:
    visitor = visit(locale="en-GB")
    page = visitor.page
    page.get_by_role("button", name="中文").click()
    visitor.ready()
    page.reload()
    visitor.ready()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    models = page.evaluate("fetch('api/v1/models').then((answer) => answer.json())")
    assert "这是文本文件，不是模型。" in [each["problem"] for each in models]
