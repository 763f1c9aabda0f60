"""The loop is the studio's own; its pictures are diffusers'."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from studio.engine.conditioning import PromptEncoder, Wording
from studio.engine.denoise import denoise
from studio.engine.engine import Engine
from studio.engine.guidance import Guidance, Guided
from studio.engine.noise import generators_of, initial_noise
from studio.engine.schedulers import make_scheduler
from studio.models.store import ModelStore
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest
from studio.samplers import find_sampler
from tests.engine.conftest import pictures

SAME = {
    ("ddim", "automatic"): ("DDIMScheduler", {}),
    ("ddim", "sgm_uniform"): ("DDIMScheduler", {"timestep_spacing": "trailing"}),
    ("ddpm", "automatic"): ("DDPMScheduler", {}),
    ("euler", "automatic"): ("EulerDiscreteScheduler", {}),
    ("euler_a", "automatic"): ("EulerAncestralDiscreteScheduler", {}),
    ("heun", "automatic"): ("HeunDiscreteScheduler", {}),
    ("lms", "automatic"): ("LMSDiscreteScheduler", {}),
    ("pndm", "automatic"): ("PNDMScheduler", {"skip_prk_steps": True}),
    ("dpm2", "automatic"): ("KDPM2DiscreteScheduler", {}),
    ("dpmpp_2m", "automatic"): ("DPMSolverMultistepScheduler", {}),
    ("dpmpp_2m", "karras"): ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    ("dpmpp_2m_sde", "karras"): (
        "DPMSolverMultistepScheduler",
        {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"},
    ),
    ("unipc", "automatic"): ("UniPCMultistepScheduler", {}),
    ("lcm", "automatic"): ("LCMScheduler", {}),
}


@pytest.fixture(scope="session")
def pipelines(models: Path) -> dict[str, Any]:
    """diffusers' own pipelines over the same folders."""
    return {
        name: StableDiffusionPipeline.from_pretrained(
            models / name, safety_checker=None, requires_safety_checker=False
        )
        for name in ("tiny", "tiny-v")
    }


def theirs(pipeline: Any, request: GenerationRequest, output: str) -> Any:
    """What diffusers makes of a request."""
    kind, options = SAME[request.sampler, request.sigma_schedule]
    original = pipeline.scheduler
    pipeline.scheduler = getattr(diffusers, kind).from_config(original.config, **options)
    pipeline.set_progress_bar_config(disable=True)
    try:
        return pipeline(
            request.prompt,
            negative_prompt=request.negative_prompt,
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
            width=request.width,
            height=request.height,
            generator=[torch.Generator("cpu").manual_seed(request.seed)],
            output_type=output,
        ).images
    finally:
        pipeline.scheduler = original


def ours(store: ModelStore, request: GenerationRequest) -> torch.Tensor:
    """The finished latents of a request, from the loop alone."""
    model = store.acquire(request.model)
    scheduler = make_scheduler(
        find_sampler(request.sampler),
        request.sigma_schedule,
        request.num_inference_steps,
        model.scheduler_config,
    )
    calls = len(scheduler.timesteps)
    positive, negative = PromptEncoder().encode(
        Wording.plain(model),
        calls,
        plan_prompt(request.prompt, calls),
        plan_prompt(request.negative_prompt, calls),
    )
    guided = Guided(model, positive, negative, Guidance(request.guidance_scale), calls)
    generators = generators_of([request.seed])
    shape = (4, request.height // 8, request.width // 8)
    noise = initial_noise(generators, shape, torch.device("cpu"))
    steps = list(denoise(guided, scheduler, noise * scheduler.init_noise_sigma, generators))
    assert [step.index for step in steps] == list(range(steps[0].of))
    return steps[-1].latents


@pytest.mark.parametrize("model", ["tiny", "tiny-v"])
@pytest.mark.parametrize(("sampler", "sigma_schedule"), list(SAME))
def test_the_loop_ends_where_diffusers_ends(
    store: ModelStore,
    pipelines: dict[str, Any],
    recipe: Callable[..., GenerationRequest],
    sampler: str,
    sigma_schedule: str,
    model: str,
) -> None:
    request = recipe(
        model=model, sampler=sampler, sigma_schedule=sigma_schedule, num_inference_steps=4
    )
    expected = theirs(pipelines[model], request, "latent")
    assert torch.allclose(ours(store, request), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("values", [{}, {"guidance_scale": 1.0}, {"width": 96, "height": 72}])
@pytest.mark.parametrize("sampler", ["ddim", "euler", "dpmpp_2m", "unipc"])
def test_the_pictures_are_diffusers(
    engine: Engine,
    pipelines: dict[str, Any],
    recipe: Callable[..., GenerationRequest],
    sampler: str,
    values: dict[str, Any],
) -> None:
    request = recipe(sampler=sampler, sigma_schedule="automatic", **values)
    image = pictures(engine.generate(request))[0]
    expected = theirs(pipelines["tiny"], request, "pil")[0]
    difference = np.abs(np.asarray(image, dtype=int) - np.asarray(expected, dtype=int))
    assert image.size == (request.width, request.height)
    assert difference.max() <= 1
