"""Starting, stopping, being killed: nothing accepted is lost, nothing shown is broken."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image

from studio.gallery import Gallery
from tests.api.conftest import REPOSITORY, RunningStudio

PICTURES = 6


def attempt(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python app.py`` with flags that do not let it start."""
    return subprocess.run(
        [sys.executable, "app.py", *flags],
        cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def whole(path: Path) -> bool:
    """Whether a PNG can be read to its last pixel."""
    with Image.open(path) as image:
        image.load()
    return True


def test_neither_kills_nor_stops_lose_anything(data_dir: Path) -> None:
    """Two kills at random moments, a stop in mid-job, then the rest is finished."""
    chance = random.Random(20)
    accepted: list[str] = []
    shown: dict[str, bytes] = {}
    for how in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
        studio = RunningStudio(data_dir)
        job = studio.submit(prompt=f"boat {how}", num_images=PICTURES, num_inference_steps=15)
        accepted.append(job)
        watched = threading.Thread(target=_watch, args=(studio.url, job))  # keeps a connection
        watched.start()
        _look(studio, accepted, shown, until=len(shown) + chance.randint(1, 4))
        time.sleep(chance.uniform(0, 0.1))
        began = time.monotonic()
        code = studio.stop(how)
        took = time.monotonic() - began
        watched.join(10)

    assert code == 0
    assert took < 5  # two seconds on a machine that is not busy
    last = RunningStudio(data_dir)
    for job in accepted:
        ended = last.end(job)
        assert (ended["state"], len(ended["picture_ids"])) == ("done", PICTURES), last.logged()
    for picture, content in shown.items():
        assert last.http.get(f"/api/v1/pictures/{picture}").content == content
    assert "Traceback" not in last.logged(), last.logged()
    assert last.stop(signal.SIGINT) == 0
    gallery = Gallery(data_dir / "pictures")
    files = {path for path in gallery.root.rglob("*.png") if whole(path)}
    assert {picture.path for picture in gallery.search(limit=500)} == files
    assert len(files) == PICTURES * len(accepted)
    assert not list(gallery.root.rglob("*.part"))
    gallery.close()


def _look(studio: RunningStudio, jobs: list[str], shown: dict[str, bytes], until: int) -> None:
    """Fetch what is shown, until there are so many pictures or the jobs have ended."""
    while len(shown) < until:
        states = [studio.job(job) for job in jobs]
        for picture in (picture for state in states for picture in state["picture_ids"]):
            if picture not in shown:
                shown[picture] = studio.http.get(f"/api/v1/pictures/{picture}").content
        if all(state["state"] == "done" for state in states):
            return


def _watch(url: str, job: str) -> None:
    with (
        suppress(httpx.TransportError),
        httpx.stream("GET", f"{url}/api/v1/jobs/{job}/events", timeout=60) as answer,
    ):
        answer.read()


def test_a_port_in_use_is_told(data_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = attempt("--port", str(port), "--data-dir", str(data_dir))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"Creative Studio cannot start: port {port} is already in use: stop that program, "
        "or choose another with --port.\n"
    )


def test_a_second_studio_on_the_same_folder_is_refused(studio: RunningStudio) -> None:
    ended = attempt("--port", "0", "--data-dir", str(studio.data_dir), "--model", "tiny")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Another studio is already using" in ended.stderr


@pytest.mark.parametrize(
    ("flags", "environment", "sentence"),
    [
        (["--port", "many"], {}, "--port (or STUDIO_PORT) cannot be “many”"),
        (["--port", "70000"], {}, "--port (or STUDIO_PORT) cannot be “70000”"),
        ([], {"STUDIO_PORT": "x"}, "--port (or STUDIO_PORT) cannot be “x”"),
        (["--device", "tpu"], {}, "--device (or STUDIO_DEVICE) cannot be “tpu”"),
        (["--wings"], {}, "--wings"),
        (["--host", "no.such.host.invalid"], {}, "“no.such.host.invalid” is not an address"),
        (["--port", "0", "--model", "nothing"], {}, "There is no model called “nothing”"),
    ],
)
def test_a_bad_flag_is_told_in_one_sentence(
    tmp_path: Path, flags: list[str], environment: dict[str, str], sentence: str
) -> None:
    ended = attempt("--data-dir", str(tmp_path), *flags, **environment)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Creative Studio cannot start: ")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = attempt("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert ended.returncode == 2
    assert "file/data cannot be written" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_help_names_every_flag_and_variable() -> None:
    ended = attempt("--help")
    assert ended.returncode == 0
    for flag in ("host", "port", "data-dir", "device", "model", "share", "open-browser"):
        assert f"--{flag}" in ended.stdout
        assert f"STUDIO_{flag.replace('-', '_').upper()}" in ended.stdout.replace("\n", "")
