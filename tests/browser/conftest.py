"""A real browser at a real studio: app.py in its own process, the tiny model, Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.api.conftest import RunningStudio, with_model
from tests.tiny import save_tiny_model

SECONDS = 30.0
DESKTOP, PHONE = (1440, 900), (375, 812)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; without one the tests are skipped, in CI they fail."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        reason = "no Chromium here: install it, or name it in CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests; each has a context, and so cookies and storage, of its own."""
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """One studio for all browser tests."""
    model = save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    running = RunningStudio(with_model(tmp_path_factory.mktemp("studio"), model))
    running.end(running.submit(prompt="warm", num_inference_steps=1))
    yield running
    running.close()


@dataclass
class Visitor:
    """A person at the page, and what the browser noticed meanwhile."""

    page: Page
    context: BrowserContext
    url: str
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def open(self, tab: str = "") -> None:
        """The page, when all its parts are there."""
        self.page.goto(f"{self.url}/{'#' + tab if tab else ''}")
        self.ready()

    def ready(self) -> None:
        """Wait until the page's own modules have put everything in its place."""
        self.page.wait_for_selector("html[data-ready]")

    def describe(self, prompt: str) -> None:
        """Type a prompt."""
        self.page.get_by_label("Prompt", exact=False).first.fill(prompt)

    def remember(self, **values: object) -> None:
        """Settings as if left on the desk at an earlier visit."""
        self.page.wait_for_timeout(300)  # what the page itself keeps is kept by then
        self.page.evaluate(
            "values => localStorage.setItem('studio.desk', JSON.stringify(values))", values
        )
        self.page.reload()
        self.ready()

    def generate(self) -> None:
        """Press the button."""
        self.page.get_by_role("button", name="Generate").click()

    def finished(self) -> None:
        """Wait until nothing runs any more and a picture hangs."""
        self.page.wait_for_selector(".cell-picture.is-in")
        self.page.wait_for_selector(".stage-status[data-state=rest]", state="attached")

    def leave(self) -> None:
        """Cancel what still runs, and go: no test leaves a job behind for the next."""
        cookies = {str(each["name"]): str(each["value"]) for each in self.context.cookies()}
        self.context.close()
        with httpx.Client(base_url=self.url, cookies=cookies, timeout=SECONDS) as http:
            for job in http.get("/api/v1/jobs?active=1").json()["jobs"]:
                http.delete(f"/api/v1/jobs/{job['id']}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.hosts.add(parts.netloc)


@pytest.fixture
def visit(browser: Browser, studio: RunningStudio) -> Iterator[Callable[..., Visitor]]:
    """Opens the page for a new visitor; afterwards nothing may have been complained about."""
    visitors: list[Visitor] = []

    def enter(
        size: tuple[int, int] = DESKTOP, locale: str = "en-GB", tab: str = "", **options: object
    ) -> Visitor:
        phone = size == PHONE
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale,
            has_touch=phone, is_mobile=phone, **options,  # type: ignore[arg-type]
        )  # fmt: skip
        context.set_default_timeout(SECONDS * 1000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        visitor = Visitor(context.new_page(), context, studio.url)
        visitors.append(visitor)
        page = visitor.page
        page.on("request", lambda request: visitor._asked(request.url))
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: visitor.complaints.append(said.text) if said.type == "error" else None,
        )
        visitor.open(tab)
        return visitor

    yield enter
    own = urlsplit(studio.url).netloc
    for visitor in visitors:
        visitor.leave()
    for visitor in visitors:
        assert visitor.complaints == []
        assert visitor.hosts == {own}


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: STUDIO_SHOTS, or a folder that is forgotten."""
    folder = os.environ.get("STUDIO_SHOTS")
    path = Path(folder) if folder else tmp_path_factory.mktemp("shots")
    path.mkdir(parents=True, exist_ok=True)
    return path
