"""A real studio: app.py in a process of its own, with a real model at tiny size."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.tiny import save_tiny_model

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 90.0  # until something must have happened, on a busy machine


class RunningStudio:
    """``python app.py`` on a free port; ``http`` talks to it.

    ``flags`` and ``environment`` are added to its own.
    """

    def __init__(
        self,
        data_dir: Path,
        script: str = "app.py",
        flags: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.log = (data_dir / "log.txt").open("a+")
        self.process = subprocess.Popen(
            [sys.executable, script, "--port", "0", "--data-dir", str(data_dir),
             "--model", "tiny", "--device", "cpu", *flags],
            cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        )  # fmt: skip
        self.url = self._address()
        self.http = httpx.Client(base_url=self.url, timeout=SECONDS)

    def _address(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + self.logged()
        return found[0]

    def logged(self) -> str:
        """What it wrote to stderr."""
        self.log.seek(0)
        return self.log.read()

    def submit(self, **values: Any) -> str:
        """A job's id."""
        answer = self.http.post("/api/v1/jobs", json=values)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job: str) -> dict[str, Any]:
        """A job as the API tells it."""
        answer = self.http.get(f"/api/v1/jobs/{job}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, job: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The job as soon as ``until`` holds."""
        deadline = time.monotonic() + SECONDS
        while not until(now := self.job(job)):
            assert time.monotonic() < deadline, (now, self.logged())
            time.sleep(0.02)
        return now

    def end(self, job: str) -> dict[str, Any]:
        """The job once it has ended."""
        return self.wait(job, lambda now: now["state"] in ("done", "failed", "cancelled"))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process; its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(SECONDS)
        self.close()
        return code

    def close(self) -> None:
        """Let go of what belongs to it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.http.close()
        self.log.close()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that paints 64 × 64 in milliseconds."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def with_model(data_dir: Path, model: Path) -> Path:
    """A data directory in which ``model`` lies."""
    (data_dir / "models").mkdir(parents=True)
    (data_dir / "models" / "tiny").symlink_to(model, target_is_directory=True)
    return data_dir


@pytest.fixture
def data_dir(tmp_path: Path, tiny_model: Path) -> Path:
    """A fresh data directory."""
    return with_model(tmp_path / "data", tiny_model)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[RunningStudio]:
    """One studio for all tests that leave it running; it notes what it does outside its room."""
    data_dir = with_model(tmp_path_factory.mktemp("studio"), tiny_model)
    running = RunningStudio(data_dir, script="tests/api/watched.py")
    yield running
    running.close()
