"""Installs over the API, of a studio that may be ended in the middle of one."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import SECONDS, RunningStudio
from tests.stand_in import Repo, StandIn, diffusers_files, safetensors, stand_in

LARGE = 4_000_000
Start = Callable[..., RunningStudio]


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with stand_in() as running:
        running.repos["someone/boats"] = Repo(diffusers_files())
        running.repos["someone/one"] = Repo({"one.safetensors": safetensors(size=LARGE)})
        yield running


@pytest.fixture
def start(data_dir: Path, hub: StandIn) -> Iterator[Start]:
    """Starts a studio whose hub is the stand-in, in the same folder each time."""
    studios: list[RunningStudio] = []

    def begin(**environment: str) -> RunningStudio:
        ours = {"HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1", "HF_TOKEN": "", **environment}
        studios.append(RunningStudio(data_dir, environment=ours))
        return studios[-1]

    yield begin
    for studio in studios:
        studio.close()


def until(studio: RunningStudio, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The one install, as soon as ``true`` holds."""
    deadline = time.monotonic() + SECONDS
    while True:
        (download,) = studio.http.get("/api/v1/downloads").json()["downloads"]
        if true(download):
            return dict(download)
        assert time.monotonic() < deadline and download["state"] != "failed", download
        time.sleep(0.05)


def test_a_studio_that_is_killed_goes_on_where_it_was(
    start: Start, hub: StandIn, data_dir: Path
) -> None:
    hub.pace = 0.05
    studio = start()
    assert hub.asked == []
    answer = studio.http.post("/api/v1/downloads", json={"repo_id": "someone/one"})
    assert answer.status_code == 202
    assert answer.json()["state"] in ("queued", "asking")
    until(studio, lambda now: now["done"] > 500_000)
    studio.stop(signal.SIGKILL)
    wait_until_quiet(hub)  # the child ends with its parent
    asked = len(hub.asked)
    hub.pace = 0.0

    again = start()
    left = until(again, lambda now: True)
    assert left["state"] == "cancelled" and 500_000 < left["done"] < left["total"]
    assert len(hub.asked) == asked
    again.http.post("/api/v1/downloads", json={"repo_id": "someone/one"})
    done = until(again, lambda now: now["state"] == "done")
    assert hub.files_asked()[-1].range == f"bytes={left['done']}-"
    assert done["where"] == str(data_dir / "models/checkpoints/one.safetensors")
    content = Path(done["where"]).read_bytes()
    assert content == hub.repos["someone/one"].files["one.safetensors"]
    assert "one" in {each["name"] for each in again.http.get("/api/v1/models").json()}


def wait_until_quiet(hub: StandIn) -> None:
    """Until nobody fetches from the hub any more."""
    deadline = time.monotonic() + SECONDS
    while hub.sending:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_routes_of_the_hub(start: Start, hub: StandIn, data_dir: Path) -> None:
    http = start().http
    offers = http.get("/api/v1/hub").json()
    families = {each["family"] for each in offers}
    assert {"sd1", "sd2", "sdxl", "sdxl_refiner", "marian"} == families
    assert not any(each["installed"] for each in offers)
    assert all({"en", "zh"} <= set(each["words"]) for each in offers)
    assert offers[0]["page"] == f"{hub.url}/{offers[0]['repo_id']}"
    assert hub.asked == []
    plan = http.post("/api/v1/hub/plan", json={"repo_id": "someone/boats"}).json()
    assert plan["where"] == str(data_dir / "models/checkpoints/boats")
    assert plan["total"] == sum(each["size"] for each in plan["files"]) > 0
    assert hub.files_asked() == []
    for path in ("hub/plan", "downloads"):
        for body in ({}, {"repo_id": 3}, {"repo_id": "boats"}, {"repo_id": "../../x"}):
            refused = http.post(f"/api/v1/{path}", json=body)
            assert refused.status_code == 422
            assert refused.json()["problems"][0]["field"] == "repo_id"
    missing = http.post("/api/v1/hub/plan", json={"repo_id": "someone/nothing"})
    assert (missing.status_code, "has no model" in missing.json()["detail"]) == (404, True)
    assert http.delete("/api/v1/downloads/nothing").status_code == 404
    assert http.get("/api/v1/downloads").json() == {"downloads": []}


def test_offline_is_an_answer_at_once(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    http = start(HF_ENDPOINT=f"http://127.0.0.1:{port}").http
    refused = http.post("/api/v1/hub/plan", json={"repo_id": "someone/boats"})
    assert refused.status_code == 502
    assert "this computer seems to be offline" in refused.json()["detail"]
    assert http.get("/healthz").status_code == 200


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_picture_beside_a_model_is_drawn_anew_and_nothing_else_comes_out(
    start: Start, data_dir: Path
) -> None:
    secret = data_dir / "secret.png"
    secret.write_text("not a picture")
    (data_dir / "models" / "evil.safetensors").write_bytes(safetensors())
    (data_dir / "models" / "evil.png").symlink_to(secret)
    http = start().http
    assert {"evil"} == {each["name"] for each in http.get("/api/v1/models/previews").json()}
    assert http.get("/api/v1/models/preview", params={"name": "evil"}).status_code == 404
    assert http.get("/api/v1/models/preview", params={"name": "../evil"}).status_code == 404
