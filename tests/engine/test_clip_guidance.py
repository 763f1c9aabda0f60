"""CLIP guidance on pocket, which brings both halves of CLIP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image

from studio.complete import complete
from studio.engine.clip_guidance import ClipGuided, NoiseLevels
from studio.engine.denoise import estimate
from studio.engine.engine import Engine
from studio.engine.schedulers import make_scheduler
from studio.errors import InvalidRequest
from studio.models.catalog import Catalog
from studio.models.clip_pair import ClipPair, load_clip_pair
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.samplers import check_sampling
from studio.settings import REPOSITORY
from tests.engine.conftest import pictures

PROMPT = "a blue castle in the city at night"
Make = Callable[..., GenerationRequest]


@pytest.fixture(scope="module")
def pockets() -> ModelStore:
    return ModelStore(Catalog([REPOSITORY / "assets"]), "cpu", "fp32")


@pytest.fixture(scope="module")
def pair(pockets: ModelStore) -> ClipPair:
    return load_clip_pair(pockets.acquire("pocket"))


@pytest.fixture
def wanted(pockets: ModelStore) -> Make:
    defaults = pockets.catalog.find("pocket").defaults.as_values()

    def make(**values: object) -> GenerationRequest:
        usual = {"prompt": PROMPT, "model": "pocket", "seed": 1, "num_inference_steps": 6}
        return complete({**usual, **values}, defaults)

    return make


def nearness(pair: ClipPair, picture: Image.Image) -> float:
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    shaped = pixels.view(1, picture.height, picture.width, 3).permute(0, 3, 1, 2) / 127.5 - 1
    return float((pair.see(shaped) * pair.read(PROMPT)).sum())


@pytest.mark.parametrize("sampler", ["ddim", "euler"])
def test_pictures_come_nearer_to_the_prompt(
    pockets: ModelStore, pair: ClipPair, wanted: Make, sampler: str
) -> None:
    engine = Engine(pockets)
    made = {
        scale: next(
            iter(
                pictures(
                    engine.generate(
                        wanted(sampler=sampler, sigma_schedule="automatic", guidance_scale=1,
                               clip_guidance_scale=scale)
                    )
                ).values()
            )
        )
        for scale in (0.0, 2.0)
    }  # fmt: skip
    plain, guided = (nearness(pair, made[scale]) for scale in (0.0, 2.0))
    assert guided > plain + 0.1


def test_a_text_and_its_picture_agree_more_than_others(pair: ClipPair) -> None:
    texts = ["a red sailboat on the sea at sunset", "夜晚的城市，蓝色的城堡", PROMPT]
    boat, zh, en = (pair.read(text) for text in texts)
    assert float((zh * en).sum()) > float((boat * en).sum()) + 0.2
    assert float(boat.norm()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_the_estimate_moves_where_clip_points(pair: ClipPair, kind: str) -> None:
    config = {**pair.model.scheduler_config, "prediction_type": kind}
    sampling = check_sampling("ddim", "automatic", 4)
    scheduler = make_scheduler(sampling, "automatic", 4, config)
    levels = NoiseLevels.of(scheduler)
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    said = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    guided = ClipGuided(lambda *_: said, pair, PROMPT, 1.0, levels)
    index = 2
    alpha, sigma = levels.alphas[index], levels.sigmas[index]
    before = estimate(latents, said, alpha, sigma, kind)
    output = guided(latents, scheduler.timesteps[index], index)
    moved = estimate(latents, output, alpha, sigma, kind) - before
    assert float(moved.square().mean().sqrt()) == pytest.approx(0.1 * sigma, rel=1e-2)


def test_a_model_without_a_pair_says_so(engine: Engine, recipe: Make) -> None:
    with pytest.raises(InvalidRequest, match="CLIP guidance needs a model that brings"):
        list(engine.generate(recipe(clip_guidance_scale=1.0)))
