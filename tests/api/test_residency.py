"""Models loaded, let go and chosen over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.keeper import ModelKeeper
from studio.models.catalog import Catalog
from studio.settings import Settings
from tests.api.conftest import RunningStudio
from tests.tiny import save_tiny_model


def resident(studio: RunningStudio) -> list[str]:
    return [one["name"] for one in studio.http.get("/api/v1/memory").json()["resident"]]


def tell(studio: RunningStudio, what: str, body: dict[str, Any]) -> Any:
    return studio.http.post(f"/api/v1/models/{what}", json=body)


def test_load_and_unload(studio: RunningStudio) -> None:
    loaded = tell(studio, "load", {"name": "pocket"})
    assert loaded.status_code == 200
    held = loaded.json()
    assert "pocket" in [one["name"] for one in held["resident"]]
    assert 0 < held["used"] < held["total"]
    assert held["device"].startswith("CPU")
    assert held["plan"]
    assert held["resident"][0]["bytes"] > 1_000_000
    listed = {m["name"]: m["resident"] for m in studio.http.get("/api/v1/models").json()}
    assert listed["pocket"] is True
    assert tell(studio, "unload", {"name": "pocket"}).status_code == 200
    assert "pocket" not in resident(studio)
    again = tell(studio, "unload", {"name": "pocket"})
    assert again.status_code == 404
    assert "is not loaded" in again.json()["detail"]
    assert tell(studio, "unload", {}).json()["resident"] == []


@pytest.mark.parametrize("what", ["load", "default"])
def test_a_model_that_is_not_there(studio: RunningStudio, what: str) -> None:
    answer = tell(studio, what, {"name": "nowhere"})
    assert answer.status_code == 422
    assert "nowhere" in answer.json()["detail"]
    assert tell(studio, what, {"name": 7}).status_code == 422
    assert tell(studio, what, {}).status_code == 422


def test_the_default_survives_a_restart(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "models/mine")
    settings = Settings(data_dir=tmp_path)
    catalog = Catalog(settings.models_dirs)
    keeper = ModelKeeper(settings, catalog)
    assert keeper.default == "pocket"
    assert keeper.make_default("mine") == "mine"
    assert ModelKeeper(settings, catalog).default == "mine"
    said = Settings(data_dir=tmp_path, model="pocket")
    assert ModelKeeper(said, catalog).default == "pocket"  # the command line goes before
    (tmp_path / "default-model.json").write_text("[broken")
    assert ModelKeeper(settings, catalog).default == "pocket"
    ModelKeeper(settings, catalog).make_default("mine")
    (tmp_path / "models/mine/model_index.json").unlink()
    assert ModelKeeper(settings, Catalog(settings.models_dirs)).default == "pocket"
