"""How long a person waits: from ``python app.py`` to the page, and to the first picture."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from studio.errors import StartupError
from studio.sentences import say
from studio.settings import REPOSITORY

_PATIENCE = 180.0  # seconds; a machine slower than that has no figure worth printing


@dataclass(frozen=True)
class Startup:
    """Seconds from starting the process; peak memory of the server in MiB (None on Windows)."""

    page_seconds: float
    first_picture_seconds: float
    peak_memory_mib: float | None


def measure_startup(device: str) -> Startup:
    """Start a server of its own on an empty data directory and time what a first visitor sees."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as data_dir:
        port = _free_port()
        began = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "app.py"), "--port", str(port),
             "--data-dir", data_dir, "--device", device],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            _until_page_answers(server, address + "/")
            page_seconds = time.perf_counter() - began
            _paint_one(address)
            first_picture_seconds = time.perf_counter() - began
            peak = _peak_memory_mib(server.pid)
        finally:
            server.terminate()
            server.wait(timeout=30)
    return Startup(page_seconds, first_picture_seconds, peak)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until_page_answers(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    raise StartupError(say("The studio's page did not come up; run `python app.py` to see why."))


def _paint_one(address: str) -> None:
    body = json.dumps({"prompt": "a red sailboat on the sea at sunset, watercolour", "seed": 1})
    job = _call(Request(f"{address}/api/v1/jobs", body.encode(), _JSON_HEADERS))
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        state = _call(Request(f"{address}/api/v1/jobs/{job['id']}"))
        if state["state"] == "done":
            return
        if state["state"] in {"failed", "cancelled"}:
            raise StartupError(
                say("The first picture failed: {reason}", reason=str(state["error"]))
            )
        time.sleep(0.05)
    raise StartupError(say("The first picture did not come in time."))


_JSON_HEADERS = {"Content-Type": "application/json"}


def _call(request: Request) -> Any:
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _peak_memory_mib(pid: int) -> float | None:
    """The kernel's own high-water mark of the process; None where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
