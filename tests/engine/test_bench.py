"""The bench: its ways paint the same picture, and it counts right. Nothing here is timed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.bench.__main__ import main
from studio.bench.likeness import ssim
from studio.bench.loading import load_here
from studio.bench.merging import merge_here
from studio.bench.options import read_options
from studio.bench.pairs import compare
from studio.bench.rate import unet_flops
from studio.bench.subject import Subject, model_that_is_there
from studio.bench.swapping import measure_swapping
from studio.bench.ways import DiffusersWay, PartsWay, StudioWay, embeddings_of
from studio.complete import complete
from studio.errors import InvalidRequest
from studio.models.architectures import SD1
from studio.models.networks import empty_unet
from studio.models.store import ModelStore
from studio.settings import Settings
from tests.tiny import save_tiny_model
from tests.tiny_families import TINY, tiny_family_pipeline


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a tiny model of SD 1, one of SDXL and one for inpainting."""
    data = tmp_path_factory.mktemp("data")
    save_tiny_model(data / "models/tiny")
    xl = tiny_family_pipeline("StableDiffusionXLPipeline", TINY["sdxl"])
    xl.save_pretrained(data / "models/tiny-xl")
    nine = tiny_family_pipeline("StableDiffusionInpaintPipeline", TINY["sd1"].inpainting())
    nine.save_pretrained(data / "models/nine")
    return data


@pytest.fixture(params=["tiny", "tiny-xl"])
def subject(request: pytest.FixtureRequest, data: Path) -> Iterator[Subject]:
    with model_that_is_there(request.param, Settings(data_dir=data)) as found:
        yield found


def test_the_ways_paint_the_same_pictures(subject: Subject) -> None:
    store = ModelStore(subject.catalog, "cpu", "fp32")
    model: Any = store.acquire(subject.info.name)
    given = {"prompt": "a red boat", "seed": 3, "model": subject.info.name, "width": 64,
             "height": 64, "num_inference_steps": 3, "num_images": 2, "batch_size": 2}  # fmt: skip
    request = complete(given, subject.info.defaults.as_values())
    told = embeddings_of(model, request)
    plain = DiffusersWay(subject.info, store.placement, told)
    pair = compare(StudioWay(store, model), plain, request, 1, store.placement.device)
    assert pair.alike is not None
    assert pair.alike > 0.99
    assert min(pair.ratio, pair.ours.step_seconds, pair.theirs.step_seconds) > 0
    weights = sum(p.numel() * 4 for part in model.parts.values() for p in part.parameters())
    assert pair.ours.peak is None or pair.ours.peak >= weights
    other = plain.paint(request.model_copy(update={"seed": 900})).pictures
    ours = StudioWay(store, model).paint(request).pictures
    assert ssim(ours[0], other[0]) < 0.9  # so that being alike says something
    bare = compare(StudioWay(store, model), PartsWay(store, model), request, 1, torch.device("cpu"))
    assert bare.alike is None


def test_plain_diffusers_is_left_as_it_comes(subject: Subject) -> None:
    store = ModelStore(subject.catalog, "cpu", "fp32")
    model: Any = store.acquire(subject.info.name)
    request = complete({"prompt": "", "model": subject.info.name}, {"guidance_scale": 5.0})
    way: Any = DiffusersWay(subject.info, store.placement, embeddings_of(model, request))
    weight = next(p for p in way._pipeline.unet.parameters() if p.dim() == 4 and p.shape[2] == 3)
    assert weight.is_contiguous()
    assert not any(getattr(m, "fused_projections", False) for m in way._pipeline.unet.modules())


def test_a_model_that_diffusers_would_paint_otherwise_is_refused(data: Path) -> None:
    with (
        pytest.raises(InvalidRequest, match="without inpainting"),
        model_that_is_there("nine", Settings(data_dir=data)),
    ):
        pass


def test_loading_and_swapping_are_of_the_models_own_files(data: Path) -> None:
    with model_that_is_there("tiny", Settings(data_dir=data)) as subject:
        _loads_and_swaps(subject)


def _loads_and_swaps(subject: Subject) -> None:
    cost = load_here(subject.info.path, "cpu", 1)
    stored = [f.stat().st_size for f in subject.info.path.rglob("*.safetensors")]
    assert cost.file_bytes == sum(stored)
    assert cost.seconds > 0
    assert cost.ratio > 0
    swapped = measure_swapping(subject, "cpu", 2)
    assert swapped.kept is not None
    merged = merge_here(subject.info.path.parent, subject.info.name, subject.twin)
    assert merged.largest == sum(stored)
    assert min(merged.seconds, merged.write_seconds) > 0


def test_a_step_of_stable_diffusion_1_is_counted() -> None:
    """With guidance at 512 × 512: 1.354 TFLOP without attention's own products, which come on top.

    Those are two products of tokens × tokens (or × 77 words) × channels in every block.
    """
    attention = 0
    for tokens, channels, blocks in ((4096, 320, 5), (1024, 640, 5), (256, 1280, 5), (64, 1280, 1)):
        attention += 2 * blocks * 4 * tokens * (tokens + 77) * channels
    config = empty_unet(SD1.unet).config
    assert unet_flops(config, 2, 64, 64) - attention == pytest.approx(1.354e12, rel=0.001)


def test_likeness() -> None:
    ramp = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    noise = Image.effect_noise((64, 64), 60).convert("RGB")
    assert ssim(ramp, ramp) == pytest.approx(1)
    assert ssim(ramp, noise) < 0.2


def test_the_whole_bench(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_DATA_DIR", str(data))
    written = tmp_path / "figures.json"
    given = ["--model", "tiny", "--device", "cpu", "--size", "64", "--steps", "2", "--rounds", "1",
             "--only", "words", "painting", "inpainting", "animation", "--against", "parts", "fp32",
             "--json", str(written)]  # fmt: skip
    assert main(given) == 0
    names = [one["name"] for one in json.loads(written.read_text())["figures"]]
    what = "64×64, 2 steps, batch 1"
    assert f"{what}: studio / plain diffusers fp32" in names
    assert "encoding it again / the first time" in names
    assert f"{what}: share of the matrix products' rate" in names
    assert "64×64, 2 steps: inpainting / from words alone" in names
    assert "16 frames of 64×64, 2 steps: studio, anchored / diffusers" in names
    assert len(names) == len(set(names))
    assert main(["--model", "nowhere", "--only", "painting"]) == 2


@pytest.mark.parametrize(
    "given", [["--steps", "1"], ["--size", "70"], ["--model", "a", "--random", "sd15"]]
)
def test_options_that_make_no_sense(given: list[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(given)
