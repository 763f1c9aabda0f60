"""The one denoising loop. Everything that paints goes through it, whatever it starts from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from studio.engine.schedulers import signal_levels, takes_generator


class Denoiser(Protocol):
    """What is asked at every step: guidance around a UNet, later with control on top."""

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The model's output (B, C, h, w) for scaled latents at call ``index`` of the loop."""


Correction = Callable[[torch.Tensor, int], torch.Tensor]
"""Latents (B, C, h, w) after call ``index`` -> those that the next call starts from."""


@dataclass(frozen=True)
class Step:
    """One UNet call is done.

    ``index`` counts calls, from 0 to ``of`` - 1 (samplers of second order make two a step).
    ``latents`` (B, C, h, w) is what the next call starts from; ``denoised`` (B, C, h, w) is the
    present estimate of the finished latents. Both are fp32 on the device.
    """

    index: int
    of: int
    timestep: float
    latents: torch.Tensor
    denoised: torch.Tensor


@torch.no_grad()
def denoise(
    denoiser: Denoiser,
    scheduler: Any,
    latents: torch.Tensor,
    generators: Sequence[torch.Generator],
    start: int = 0,
    stop: int | None = None,
    correct: Correction | None = None,
) -> Generator[Step, None, None]:
    """Denoise ``latents`` step by step; closing the generator ends it at once.

    ``scheduler``: fresh, its timesteps set, on the CPU. ``latents``: (B, C, h, w) fp32 at the noise
    level of call ``start`` (pure noise × ``init_noise_sigma`` for 0). ``stop``: the call before
    which to end; another run may go on from there with the same scheduler, which keeps the state of
    what was done. ``correct``: what is done to the latents after every call, as a mask does.
    ``generators``: one per picture, for samplers that add noise. Nothing here makes
    the host wait for the device.
    """
    timesteps = scheduler.timesteps
    fine = timesteps.float() if timesteps.is_floating_point() else timesteps  # MPS has no doubles
    on_device = fine.to(latents.device)
    alphas = signal_levels(scheduler).sqrt().tolist()
    sigmas = (1 - signal_levels(scheduler)).sqrt().tolist()
    numbers = timesteps.tolist()
    prediction_type = scheduler.config.prediction_type
    noise = {"generator": list(generators)} if takes_generator(scheduler) else {}
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(start)
    for index in range(start, len(numbers) if stop is None else stop):
        scaled = scheduler.scale_model_input(latents, timesteps[index])
        output = denoiser(scaled, on_device[index], index)
        denoised = estimate(scaled, output, alphas[index], sigmas[index], prediction_type)
        latents = scheduler.step(output, timesteps[index], latents, return_dict=False, **noise)[0]
        if correct is not None:
            latents = correct(latents, index)
        yield Step(index, len(numbers), numbers[index], latents, denoised)


def estimate(
    scaled: torch.Tensor, output: torch.Tensor, alpha: float, sigma: float, prediction_type: str
) -> torch.Tensor:
    """The finished latents as the model sees them now, from its own input and output.

    ``scaled`` = ``alpha`` · x0 + ``sigma`` · noise, with alpha² + sigma² = 1.
    """
    if prediction_type == "v_prediction":
        return alpha * scaled - sigma * output
    if prediction_type == "sample":
        return output
    return (scaled - sigma * output) / alpha
