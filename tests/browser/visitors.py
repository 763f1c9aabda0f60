"""People at the page, one after the other at the same few browser windows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

SECONDS = 120.0  # until something must have happened, on a busy machine
DESKTOP, PHONE = (1440, 900), (375, 812)
KEPT_WINDOWS = 4
_LEFT_AT_HOME = "healthz"  # an address of the studio without a line of script
_AS_LEFT = """async desk => {
  localStorage.clear();
  sessionStorage.clear();
  for (const { name } of await indexedDB.databases()) {
    await new Promise((resolve, reject) => {
      const gone = indexedDB.deleteDatabase(name);
      gone.onsuccess = resolve;
      gone.onerror = () => reject(gone.error);
    });
  }
  if (desk) localStorage.setItem('studio.desk', desk);
}"""


@dataclass(frozen=True)
class Window:
    """A page in a context of its own, which is what it was opened with."""

    opened_with: str
    page: Page

    def close(self) -> None:
        """It is not needed any more."""
        self.page.context.close()


class Windows:
    """Browser windows that are used again: loading the page in a new one takes twice the time."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: list[Window] = []

    def take(self, size: tuple[int, int], locale: str, **options: Any) -> Window:
        """A window as it was before anyone used it, except for the browser's caches."""
        wanted = repr((size, locale, sorted(options.items())))
        for window in self._free:
            if window.opened_with == wanted:
                self._free.remove(window)
                window.page.context.clear_cookies()
                return window
        phone = size == PHONE
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=locale,
            has_touch=phone, is_mobile=phone, **options,
        )  # fmt: skip
        context.set_default_timeout(SECONDS * 1000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        return Window(wanted, context.new_page())

    def give_back(self, window: Window) -> None:
        """Keep it for whoever wants one of its kind; of many, the longest unused is closed."""
        window.page.context.set_offline(False)
        window.page.mouse.move(0, 0)
        self._free.append(window)
        if len(self._free) > KEPT_WINDOWS:
            self._free.pop(0).close()


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

    def come_as_new(self, desk: dict[str, object] | None = None) -> None:
        """Forget earlier visits, except that these settings are on the desk."""
        self.page.goto(f"{self.url}/{_LEFT_AT_HOME}")
        self.page.evaluate(_AS_LEFT, None if desk is None else json.dumps(desk))

    def remember(self, **values: object) -> None:
        """Settings as if left on the desk at an earlier visit; ``visit(desk=…)`` is quicker."""
        tab = urlsplit(self.page.url).fragment
        self.page.goto(f"{self.url}/{_LEFT_AT_HOME}")  # what the page itself keeps is kept by then
        self.page.evaluate("desk => localStorage.setItem('studio.desk', desk)", json.dumps(values))
        self.open(tab)

    def generate(self) -> None:
        """Press the button."""
        self.page.get_by_role("button", name="Generate").click()

    def finished(self) -> None:
        """Wait until nothing runs any more and a picture hangs."""
        self.page.wait_for_selector(".cell-picture.is-in")
        self.page.wait_for_selector(".stage-status[data-state=rest]", state="attached")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what the page asks for and what the browser complains about."""
        self.page.on("request", self._asked)
        self.page.on("pageerror", self._failed)
        self.page.on("console", self._said)
        try:
            yield
        finally:
            self.page.remove_listener("request", self._asked)
            self.page.remove_listener("pageerror", self._failed)
            self.page.remove_listener("console", self._said)

    def leave(self) -> None:
        """Cancel what still runs, and go: no test leaves a job behind for the next."""
        cookies = {str(each["name"]): str(each["value"]) for each in self.context.cookies()}
        self.page.goto(f"{self.url}/{_LEFT_AT_HOME}")
        with httpx.Client(base_url=self.url, cookies=cookies, timeout=SECONDS) as http:
            for job in http.get("/api/v1/jobs?active=1").json()["jobs"]:
                http.delete(f"/api/v1/jobs/{job['id']}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.hosts.add(parts.netloc)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)
