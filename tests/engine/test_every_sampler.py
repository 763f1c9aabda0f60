"""Every sampler with every schedule it claims: it runs, repeats itself, and is sound."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from diffusers import LMSDiscreteScheduler

from studio.engine.denoise import denoise
from studio.engine.engine import Engine
from studio.engine.noise import generators_of, initial_noise
from studio.engine.schedulers import make_scheduler, signal_levels
from studio.engine.solvers import LinearMultistepScheduler
from studio.events import Progress
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS, Sampler
from tests.engine.conftest import pictures, same

PAIRS = [(row.name, schedule) for row in SAMPLERS.values() for schedule in row.schedules]
CONFIG = {
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
    "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1,
    "timestep_spacing": "leading", "num_train_timesteps": 1000,
}  # fmt: skip
MEAN, SPREAD = 0.7, 0.5


def calls(row: Sampler, steps: int) -> int:
    """How many UNet calls a sampler makes for a number of steps."""
    if row.order == 2:
        return 2 * steps - 1
    return steps + 1 if row.name == "pndm" and steps > 1 else steps


@pytest.mark.parametrize(("sampler", "sigma_schedule"), PAIRS)
def test_it_runs_and_repeats_itself(
    engine: Engine,
    recipe: Callable[..., GenerationRequest],
    sampler: str,
    sigma_schedule: str,
) -> None:
    request = recipe(
        sampler=sampler, sigma_schedule=sigma_schedule, model="tiny-v", num_inference_steps=3
    )
    events = list(engine.generate(request))
    progress = [event for event in events if isinstance(event, Progress)]
    expected = calls(SAMPLERS[sampler], request.num_inference_steps)
    assert [event.step for event in progress] == list(range(1, expected + 1))
    assert {event.steps for event in progress} == {expected}
    again = pictures(engine.generate(request))
    assert same(pictures(iter(events))[0], again[0])
    assert len(set(again[0].get_flattened_data())) > 10


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(("sampler", "sigma_schedule"), PAIRS)
def test_it_samples_the_distribution_it_is_told_of(
    sampler: str, sigma_schedule: str, prediction_type: str
) -> None:
    """For Gaussian data the best prediction is known; a sound sampler ends at mean and spread."""
    row = SAMPLERS[sampler]
    scheduler = make_scheduler(
        row, sigma_schedule, 40, {**CONFIG, "prediction_type": prediction_type}
    )
    levels = signal_levels(scheduler).tolist()

    def perfect(latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        signal = levels[index]
        alpha, sigma = signal**0.5, (1 - signal) ** 0.5
        noise = sigma * (latents - alpha * MEAN) / (signal * SPREAD**2 + 1 - signal)
        if prediction_type == "epsilon":
            return noise
        return alpha * noise - sigma * (latents - sigma * noise) / alpha

    generators = generators_of([3, 4])
    latents = initial_noise(generators, (4, 32, 32), torch.device("cpu"))
    latents = latents * scheduler.init_noise_sigma
    steps = list(denoise(perfect, scheduler, latents, generators))
    assert len(steps) == calls(row, 40)
    end = steps[-1].latents
    assert float(end.mean()) == pytest.approx(MEAN, abs=0.08)
    # LCM takes the model for one that jumps to the end, and so narrows; 3M SDE widens a little.
    low, high = (0.3, 0.55) if sampler == "lcm" else (0.42, 0.68)
    assert low < float(end.std()) < high
    assert torch.allclose(steps[-1].denoised, end, atol=0.3)


@pytest.mark.parametrize(("sampler", "sigma_schedule"), PAIRS)
def test_any_allowed_number_of_steps_makes_as_many(sampler: str, sigma_schedule: str) -> None:
    row = SAMPLERS[sampler]
    for steps in {row.min_steps, row.min_steps + 1, 7, 23, 49, row.max_steps}:
        scheduler = make_scheduler(row, sigma_schedule, steps, CONFIG)
        assert len(scheduler.timesteps) == calls(row, steps)
        if sigma_schedule != "automatic" or steps > 20:  # the model's own may leave some out
            assert float(scheduler.timesteps[0]) > 850  # where there is nothing but noise


def test_one_step_starts_from_pure_noise() -> None:
    for row in SAMPLERS.values():
        if row.min_steps == 1:
            for schedule in row.schedules:
                assert float(make_scheduler(row, schedule, 1, CONFIG).timesteps[0]) == 999


def test_lms_coefficients_are_those_of_diffusers() -> None:
    own, original = (
        kind.from_config(CONFIG) for kind in (LinearMultistepScheduler, LMSDiscreteScheduler)
    )
    own.set_timesteps(12)
    original.set_timesteps(12)
    for step in range(12):
        for order in range(1, min(step, 3) + 2):
            for current in range(order):
                mine = own.get_lms_coefficient(order, step, current)
                assert mine == pytest.approx(
                    original.get_lms_coefficient(order, step, current), rel=1e-3, abs=1e-4
                )


def test_a_new_scheduler_for_every_batch() -> None:
    row = SAMPLERS["dpmpp_2m"]
    first = make_scheduler(row, "karras", 5, CONFIG)
    assert first is not make_scheduler(row, "karras", 5, CONFIG)
