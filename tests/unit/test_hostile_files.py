"""A folder of damaged and hostile files: each is listed with a sentence, and none does harm."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from studio.models.catalog import Catalog
from studio.models.header import os_sentence
from tests.hostile import make_hostile
from tests.weights import VAE, kohya_lora, sd1, write_json, write_weights


def test_a_folder_of_damaged_and_hostile_files_is_listed(tmp_path: Path) -> None:
    mark = tmp_path / "unpickled"
    folder = tmp_path / "models" / "checkpoints"
    words = make_hostile(folder, mark) if not folder.mkdir(parents=True) else {}
    write_weights(folder / "good.safetensors", sd1())
    catalog = Catalog([tmp_path / "models"])
    models = catalog.list()
    assert len(words) > 40
    found = {info.name: info for info in models}
    assert len(found) == len(models)  # each has a name of its own
    for name, sentence in words.items():
        problem = found[name].problem
        assert problem is not None, name
        assert sentence in problem, (name, problem)
        assert problem.endswith("."), problem
    json.dumps([(info.name, info.where, info.problem) for info in models]).encode()
    "".join(f"{info.name}{info.where}{info.problem}" for info in models).encode()
    assert "too long" in str(next(info for info in models if "yyy" in info.where).problem)
    assert [info.name for info in catalog.of_kind("checkpoint")] == ["good"]
    assert catalog.list() == models
    assert not mark.exists()


def test_files_in_the_wrong_folder_are_listed_as_what_they_are(tmp_path: Path) -> None:
    write_weights(tmp_path / "models/checkpoints/a.safetensors", kohya_lora(768))
    write_weights(tmp_path / "models/checkpoints/b.safetensors", VAE)
    write_weights(tmp_path / "models/loras/c.safetensors", sd1())
    kinds = {info.name: (info.kind, info.problem) for info in Catalog([tmp_path]).list()}
    assert kinds == {"a": ("lora", None), "b": ("vae", None), "c": ("checkpoint", None)}


def test_what_lies_beside_models_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "checkpoints"
    write_weights(folder / "cat.safetensors", sd1())
    for name in (
        "cat.png", "cat.preview.png", "cat.txt", "cat.civitai.info", "cat.json", "README.md",
        "cat.yaml", "Put Stable Diffusion checkpoints here.txt", "put_checkpoints_here",
        "dog.safetensors.part", ".hidden.safetensors",
    ):  # fmt: skip
        (folder / name).write_text("x")
    write_json(folder / ".cache/model_index.json", {})
    assert [info.name for info in Catalog([tmp_path]).list()] == ["cat"]


def test_what_may_not_be_read_says_so(tmp_path: Path) -> None:
    assert "change the file's permissions" in os_sentence(tmp_path, PermissionError(13, "no"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_that_may_not_be_read_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    write_weights(folder / "cat.safetensors", sd1())
    folder.chmod(0)
    try:
        (info,) = Catalog([tmp_path]).list()
    finally:
        folder.chmod(0o700)
    assert "may not be read" in str(info.problem)
