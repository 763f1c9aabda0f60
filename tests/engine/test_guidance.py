"""Guidance: several conditions, between two noise levels, rescaled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

from studio.engine.conditioning import PromptEncoder, Scheduled, Wording
from studio.engine.engine import Engine
from studio.engine.guidance import Guidance, Guided
from studio.models.base import LoadedModel
from studio.models.store import ModelStore
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same

CALLS = 10
TIMESTEP = torch.tensor(500.0)


@pytest.fixture
def model(store: ModelStore) -> LoadedModel:
    return store.acquire("tiny")


@pytest.fixture
def latents() -> torch.Tensor:
    return torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))


def guided(model: LoadedModel, prompt: str, guidance: Guidance, negative: str = "") -> Guided:
    plans = plan_prompt(prompt, CALLS), plan_prompt(negative, CALLS, composed=False)
    towards, without = PromptEncoder().encode(Wording.plain(model), CALLS, *plans)
    return Guided(model, towards, without, guidance, CALLS)


def plain(model: LoadedModel, prompt: str, latents: torch.Tensor) -> torch.Tensor:
    return guided(model, prompt, Guidance())(latents, TIMESTEP, 0)


def test_several_conditions_are_added_in_noise_space(
    model: LoadedModel, latents: torch.Tensor
) -> None:
    ours = guided(model, "boat AND night sky :0.5", Guidance(4.0))(latents, TIMESTEP, 0)
    without, boat, sky = (plain(model, text, latents) for text in ("", "boat", "night sky"))
    expected = without + 4 * ((boat - without) + 0.5 * (sky - without))
    assert torch.allclose(ours, expected, atol=1e-4)


def test_several_conditions_count_at_scale_1_too(model: LoadedModel, latents: torch.Tensor) -> None:
    ours = guided(model, "boat AND sea", Guidance(1.0), "red")(latents, TIMESTEP, 0)
    without, boat, sea = (plain(model, text, latents) for text in ("red", "boat", "sea"))
    assert torch.allclose(ours, boat + sea - without, atol=1e-4)


def test_guidance_holds_between_two_shares_of_the_run(
    model: LoadedModel, latents: torch.Tensor
) -> None:
    part = guided(model, "boat", Guidance(5.0, start=0.2, end=0.8))
    whole = guided(model, "boat", Guidance(5.0))
    off = plain(model, "boat", latents)
    for index in range(CALLS):
        ours = part(latents, TIMESTEP, index)
        expected = whole(latents, TIMESTEP, index) if 2 <= index < 8 else off
        assert torch.allclose(ours, expected, atol=1e-5), index


def test_rescaling_is_diffusers(model: LoadedModel, latents: torch.Tensor) -> None:
    ours = guided(model, "boat", Guidance(9.0, rescale=0.7))(latents, TIMESTEP, 0)
    full = guided(model, "boat", Guidance(9.0))(latents, TIMESTEP, 0)
    boat = plain(model, "boat", latents)
    assert torch.allclose(ours, rescale_noise_cfg(full, boat, 0.7), atol=1e-4)
    assert not torch.allclose(ours, full, atol=1e-3)


def test_one_pass_where_the_scale_is_1(model: LoadedModel, latents: torch.Tensor) -> None:
    sizes: list[int] = []
    handle = model.parts["unet"].register_forward_hook(
        lambda _, given, __: sizes.append(len(given[0]))
    )
    for guidance in (Guidance(1.0), Guidance(3.0), Guidance(3.0, end=0.0)):
        guided(model, "boat", guidance)(latents, TIMESTEP, 0)
    handle.remove()
    assert sizes == [2, 4, 2]


def test_guidance_notices_when_the_prompt_changes(
    model: LoadedModel, latents: torch.Tensor
) -> None:
    changing = guided(model, "[red:blue:1]", Guidance())
    assert isinstance(changing._positive, Scheduled)
    outputs = [changing(latents, TIMESTEP, index) for index in range(2)]
    assert torch.equal(outputs[0], plain(model, "red", latents))
    assert torch.equal(outputs[1], plain(model, "blue", latents))


def test_the_language_paints(engine: Engine, recipe: Callable[..., GenerationRequest]) -> None:
    """Through the whole engine: every construct makes another picture than the plain words."""
    drawn = {
        prompt: pictures(engine.generate(recipe(prompt=prompt, sampler="heun")))[0]
        for prompt in ("a boat, the sea", "a (boat:1.5), the sea", "a boat AND the sea",
                       "a [boat|house], the sea", "a [boat:house:0.5], the sea",
                       "a boat BREAK the sea")
    }  # fmt: skip
    images = list(drawn.values())
    assert not any(same(a, b) for k, a in enumerate(images) for b in images[k + 1 :])
