"""A real browser at a real studio: app.py in its own process, the tiny model, Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.api.conftest import RunningStudio, with_model
from tests.browser.visitors import DESKTOP, PHONE, SECONDS, Visitor, Windows
from tests.tiny import save_tiny_model

__all__ = ["DESKTOP", "PHONE", "Visitor"]

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
    """One browser for all tests."""
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


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Windows:
    """The browser's windows, for all tests."""
    return Windows(browser)


@pytest.fixture
def visit(windows: Windows, studio: RunningStudio) -> Iterator[Callable[..., Visitor]]:
    """Opens the page for a new visitor; afterwards nothing may have been complained about.

    ``desk``: settings as if left on the desk at an earlier visit.
    """
    with ExitStack() as stay:
        visitors: list[Visitor] = []

        def enter(
            size: tuple[int, int] = DESKTOP, locale: str = "en-GB", tab: str = "",
            desk: dict[str, object] | None = None, **options: Any,
        ) -> Visitor:  # fmt: skip
            window = windows.take(size, locale, **options)
            visitor = Visitor(window.page, window.page.context, studio.url)
            visitor.come_as_new(desk)
            stay.callback(windows.give_back, window)
            stay.callback(visitor.leave)
            stay.enter_context(visitor.watched())
            visitors.append(visitor)
            visitor.open(tab)
            return visitor

        yield enter
    own = urlsplit(studio.url).netloc
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
