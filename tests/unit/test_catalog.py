"""The catalog: what is on disk, what is wrong with it, in sentences."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from studio.errors import InvalidRequest
from studio.models.catalog import Catalog
from studio.models.threads import share_the_cpu
from studio.models.weights import is_whole, variant


def write_weights(path: Path) -> None:
    """A whole safetensors file with one tensor of four bytes."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a Stable Diffusion model from outside."""
    folder = tmp_path / "models" / "boats"
    write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    write_json(folder / "unet/config.json", {"sample_size": 64, "in_channels": 4})
    write_json(folder / "vae/config.json", {"a": 1})
    write_json(folder / "text_encoder/config.json", {"a": 1})
    write_json(folder / "scheduler/scheduler_config.json", {"a": 1})
    write_json(folder / "tokenizer/tokenizer.json", {"a": 1})
    write_weights(folder / "unet/diffusion_pytorch_model.safetensors")
    write_weights(folder / "vae/diffusion_pytorch_model.safetensors")
    write_weights(folder / "text_encoder/model.safetensors")
    return folder


def problem(model: Path) -> str:
    (info,) = Catalog([model.parent]).list()
    assert info.problem is not None
    return info.problem


def test_a_model_is_described_by_its_small_files(model: Path) -> None:
    (info,) = Catalog([model.parent]).list()
    assert (info.name, info.kind, info.family, info.problem) == ("boats", "checkpoint", "sd1", None)
    assert info.native_size == 512
    assert info.defaults.as_values()["width"] == 512
    assert info.size > 100
    assert not info.known_words
    assert Catalog([model]).list() == [info]  # the folder itself may be given
    assert Catalog([model.parent]).find("boats") == info


def test_a_card_gives_the_defaults(model: Path) -> None:
    card = {"defaults": {"width": 256, "sampler": "unipc", "colour": 1}, "known_words": True}
    write_json(model / "card.json", card)
    (info,) = Catalog([model.parent]).list()
    assert (info.defaults.width, info.defaults.height, info.defaults.sampler) == (256, 512, "unipc")
    assert info.known_words


def test_models_are_found_in_folders_of_folders(model: Path) -> None:
    assert [info.name for info in Catalog([model.parent.parent]).list()] == ["models/boats"]
    assert Catalog([model / "nowhere"]).list() == []


def test_a_name_is_taken_once(model: Path) -> None:
    assert len(Catalog([model.parent, model]).list()) == 1


def test_unknown_and_broken_models_are_refused(model: Path) -> None:
    with pytest.raises(InvalidRequest, match="no model called “x”; there are: boats"):
        Catalog([model.parent]).find("x")
    (model / "vae/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InvalidRequest, match="“boats” cannot be used: Its folder vae has no"):
        Catalog([model.parent]).find("boats")


def test_pickles_are_not_opened(model: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert "pickled weights only" in problem(model)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a zip file, as torch.save writes",
        b"\xff" * 40,
        b"\x02" + b"\0" * 7 + b"[]",
    ],
)
def test_damaged_weights_are_named(model: Path, content: bytes) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(content)
    assert "diffusion_pytorch_model.safetensors, which is damaged" in problem(model)


def test_weights_cut_short_are_damaged(model: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    assert is_whole(weights)
    weights.write_bytes(weights.read_bytes()[:-1])
    assert not is_whole(weights)


def test_other_pipelines_are_named(model: Path) -> None:
    write_json(model / "model_index.json", {"_class_name": "StableDiffusionXLPipeline"})
    assert "made for StableDiffusionXLPipeline" in problem(model)


def test_inpainting_models_are_not_for_text(model: Path) -> None:
    write_json(model / "unet/config.json", {"sample_size": 64, "in_channels": 9})
    assert "not a text-to-image model" in problem(model)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("model_index.json", "cannot run"),
        ("vae/config.json", "vae/config.json is missing"),
        ("scheduler/scheduler_config.json", "scheduler_config.json is missing"),
    ],
)
def test_broken_folders_say_what_is_missing(model: Path, path: str, words: str) -> None:
    (model / path).write_text("{ not json", encoding="utf-8")
    if path.startswith("scheduler"):
        (model / path).unlink()
    assert words in problem(model)


def test_half_precision_files_are_found_by_their_variant(model: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    assert variant(weights.parent) is None
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert variant(weights.parent) == "fp16"
    assert Catalog([model.parent]).list()[0].problem is None


def test_idle_threads_sleep_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    share_the_cpu()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    share_the_cpu()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
