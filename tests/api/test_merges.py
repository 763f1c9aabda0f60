"""Merges over the API: from a recipe to a model that paints."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from diffusers import UNet2DConditionModel

from studio.errors import NotFound
from studio.models.catalog import Catalog
from studio.models.merging import merge as merging
from studio.models.merging.merges import Merge, Merges
from tests.api.conftest import SECONDS, RunningStudio
from tests.tiny import save_tiny_model


def ended(studio: RunningStudio, identifier: str) -> dict[str, Any]:
    """The merge once it has ended."""
    deadline = time.monotonic() + SECONDS
    while True:
        merge = studio.http.get(f"/api/v1/merges/{identifier}").json()
        if merge["state"] in ("done", "failed", "cancelled"):
            return dict(merge)
        assert time.monotonic() < deadline, merge
        time.sleep(0.02)


def test_a_merge_becomes_a_model_that_paints(studio: RunningStudio) -> None:
    save_tiny_model(studio.data_dir / "models/checkpoints/other", seed=4)
    recipe = {"name": "half and half", "models": ["tiny", "other"], "weights": [0.5, 0.5]}
    answer = studio.http.post("/api/v1/merges", json=recipe)
    assert answer.status_code == 202
    started = answer.json()
    assert started["state"] in ("queued", "running")
    assert (started["method"], started["dtype"]) == ("weighted_sum", "float16")
    merge = ended(studio, started["id"])
    assert (merge["state"], merge["progress"], merge["error"]) == ("done", 1.0, None)
    listed = {each["name"]: each for each in studio.http.get("/api/v1/models").json()}
    assert listed["half and half"]["where"] == merge["where"]
    assert listed["half and half"]["problem"] is None
    job = studio.end(studio.submit(model="half and half", prompt="a boat", num_inference_steps=2))
    assert job["state"] == "done"
    again = studio.http.post("/api/v1/merges", json=recipe)
    assert again.status_code == 422
    assert again.json()["problems"][0]["field"] == "name"
    rest = studio.http.delete(f"/api/v1/merges/{merge['id']}").json()["merges"]
    assert merge["id"] not in [each["id"] for each in rest]
    assert studio.http.get(f"/api/v1/merges/{merge['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "models": ["tiny", "nothing"]}, "models"),
        ({"name": "../x", "models": ["tiny", "tiny"]}, "name"),
        ({"name": "x", "models": ["tiny", "tiny"], "vae": "none such"}, "vae"),
        ({"name": "x", "models": ["tiny", "tiny"], "colour": 1}, "colour"),
    ],
)
def test_a_wrong_recipe_is_refused(studio: RunningStudio, body: Any, field: str) -> None:
    answer = studio.http.post("/api/v1/merges", json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["problems"]] == [field]


def test_models_of_other_shapes_fail_in_a_sentence(studio: RunningStudio) -> None:
    """Both are of one family: only their weights tell them apart."""
    narrow = save_tiny_model(studio.data_dir / "models/checkpoints/narrow")
    config = {**UNet2DConditionModel.load_config(narrow / "unet"), "block_out_channels": (32, 32)}
    UNet2DConditionModel.from_config(config).save_pretrained(narrow / "unet")
    body = {"name": "odd", "models": ["tiny", "narrow"]}
    merge = ended(studio, studio.http.post("/api/v1/merges", json=body).json()["id"])
    assert merge["state"] == "failed"
    assert "“narrow” cannot be merged with “tiny”" in merge["error"]
    assert not (studio.data_dir / "models/checkpoints/odd").exists()
    assert not (studio.data_dir / "models/checkpoints/.merges").exists()


class Gate:
    """The real merge, held at its first step until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        real = merging.merge

        def held(order: Any, folder: Path, progress: Any) -> Path:
            def slow(done: int, total: int) -> None:
                self.reached.set()
                assert self.open.wait(SECONDS)
                progress(done, total)

            return real(order, folder, slow)

        monkeypatch.setattr(merging, "merge", held)


@pytest.fixture
def merges(tmp_path: Path) -> Merges:
    """Merges of two tiny models, outside of any studio."""
    for seed, name in enumerate("ab"):
        save_tiny_model(tmp_path / "checkpoints" / name, seed=seed)
    merges = Merges(tmp_path / "checkpoints", Catalog([tmp_path]))
    merges.begin()
    return merges


def settled(merges: Merges, identifier: str) -> Merge:
    deadline = time.monotonic() + SECONDS
    while (merge := merges.get(identifier)).state in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return merge


def test_one_at_a_time_and_each_can_be_stopped(
    merges: Merges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    running, waiting, last = (
        merges.start({"name": name, "models": ["a", "b"]}).id for name in ("one", "two", "three")
    )
    assert gate.reached.wait(SECONDS)
    assert [each.state for each in merges.list()] == ["running", "queued", "queued"]
    merges.cancel(waiting)
    merges.cancel(running)
    assert [each.state for each in merges.list()] == ["cancelled", "cancelled", "queued"]
    gate.open.set()
    assert settled(merges, last).state == "done"
    assert [merges.get(each).state for each in (running, waiting)] == ["cancelled"] * 2
    folder = tmp_path / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "three"]
    merges.cancel(waiting)
    with pytest.raises(NotFound):
        merges.get(waiting)
    with pytest.raises(NotFound):
        merges.cancel("nothing")
    merges.close()


def test_a_name_is_taken_while_its_merge_is_coming(
    merges: Merges, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    first = merges.start({"name": "mix", "models": ["a", "b"]})
    with pytest.raises(Exception, match="There is a model called “Mix” already"):
        merges.start({"name": "Mix", "models": ["a", "b"]})
    merges.cancel(first.id)
    gate.open.set()
    second = merges.start({"name": "mix", "models": ["a", "b"]})
    assert settled(merges, second.id).state == "done"
    merges.close()


def test_closing_stops_and_cleans_up(
    merges: Merges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    merges.start({"name": "mix", "models": ["a", "b"]})
    assert gate.reached.wait(SECONDS)
    gate.open.set()
    merges.close()
    assert merges.list()[0].state in ("cancelled", "done")
    if merges.list()[0].state == "cancelled":
        assert not (tmp_path / "checkpoints/mix").exists()
