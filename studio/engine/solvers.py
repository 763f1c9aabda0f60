"""Samplers that diffusers lacks, or has in a form that would not do here; as its schedulers.

`DPMSolver2SAncestralScheduler`: diffusers' DPMSolverSinglestep is the SDE solver of the paper, a
different method with half the steps, and takes no spacing of timesteps. This is k-diffusion's.
`DPMSolverStochasticScheduler`: diffusers' DPMSolverSDEScheduler draws its noise on the device from
a tree for a whole batch; here each picture's noise comes from its own generator on the CPU.
`LinearMultistepScheduler`: diffusers' LMS with coefficients that take microseconds.
`DPM2Scheduler`, `DPM2AncestralScheduler`: diffusers' KDPM2 without 0.2 s of work at their making.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import (
    EulerDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LMSDiscreteScheduler,
)
from diffusers.schedulers.scheduling_utils import SchedulerOutput
from diffusers.utils.torch_utils import randn_tensor

Generators = list[torch.Generator] | torch.Generator | None


@dataclass
class _Run:
    """Where a two-stage run is: what the first stage leaves for the second."""

    sigmas: list[float]
    sample: torch.Tensor | None = None
    denoised: torch.Tensor | None = None
    noise: torch.Tensor | None = None


class _TwoStageScheduler(EulerDiscreteScheduler):  # type: ignore[misc]
    """Two UNet calls a step, the second at a noise level between; one call for the last step.

    Noise levels, timesteps and input scaling are EulerDiscreteScheduler's. Subclasses say where
    the middle is and what the two stages do.
    """

    order = 2
    sigmas: torch.Tensor
    timesteps: torch.Tensor

    def set_timesteps(self, num_inference_steps: int, device: Any = None, **kwargs: Any) -> None:
        """Euler's levels with a middle one after each but the last."""
        super().set_timesteps(num_inference_steps, device="cpu", **kwargs)
        outer = [float(sigma) for sigma in self.sigmas]
        alphas = self.alphas_cumprod.numpy()
        log_sigmas = np.log((1 - alphas) / alphas) / 2
        sigmas, timesteps = [outer[0]], [float(self.timesteps[0])]
        for index in range(1, len(outer) - 1):
            middle = self.middle(outer[index - 1], outer[index])
            sigmas += [middle, outer[index]]
            at = float(self._sigma_to_t(np.float64(middle), log_sigmas))
            timesteps += [at, float(self.timesteps[index])]
        sigmas.append(outer[-1])
        self._run = _Run(sigmas)
        self.sigmas = torch.tensor(sigmas, dtype=torch.float32)
        self.timesteps = torch.tensor(timesteps, dtype=torch.float32, device=device)

    def middle(self, sigma: float, sigma_next: float) -> float:
        """The noise level of the second call of a step."""
        raise NotImplementedError

    def step(
        self,
        model_output: torch.Tensor,
        timestep: torch.Tensor,
        sample: torch.Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> SchedulerOutput | tuple[torch.Tensor]:
        """The next sample, (B, C, h, w), from the UNet's output at this call."""
        if self.step_index is None:
            self._init_step_index(timestep)
        index, run = self.step_index, self._run
        denoised = self.denoised(model_output, sample, run.sigmas[index])
        if index == len(run.sigmas) - 2:  # the last step goes straight to its end
            following = _towards(sample, denoised, run.sigmas[index], run.sigmas[index + 1])
        elif index % 2 == 0:
            run.sample, run.denoised = sample, denoised
            following = self.first(run, index, generator)
        else:
            following = self.second(run, index - 1, denoised, generator)
            run.sample = run.denoised = run.noise = None
        self._step_index += 1
        return SchedulerOutput(prev_sample=following) if return_dict else (following,)

    def denoised(
        self, model_output: torch.Tensor, sample: torch.Tensor, sigma: float
    ) -> torch.Tensor:
        """The estimate of the clean latents at noise level ``sigma``."""
        if self.config.prediction_type == "v_prediction":
            factor = sigma / math.sqrt(sigma * sigma + 1)
            return sample / (sigma * sigma + 1) - model_output * factor
        if self.config.prediction_type == "epsilon":
            return sample - sigma * model_output
        return model_output  # "sample"

    def first(self, run: _Run, index: int, generator: Generators) -> torch.Tensor:
        """The sample at the middle level."""
        raise NotImplementedError

    def second(
        self, run: _Run, index: int, denoised: torch.Tensor, generator: Generators
    ) -> torch.Tensor:
        """The sample at the next level, from the whole step's start."""
        raise NotImplementedError


class DPMSolver2SAncestralScheduler(_TwoStageScheduler):
    """DPM-Solver++(2S) with ancestral noise, eta 1: what k-diffusion calls dpmpp_2s_ancestral.

    Source: k-diffusion, sampling.py, sample_dpmpp_2s_ancestral; the solver is algorithm 1 of
    "DPM-Solver++" (Lu et al. 2022, arXiv:2211.01095) with r = 1/2.
    """

    def middle(self, sigma: float, sigma_next: float) -> float:
        """Half-way, in log sigma, to the level below the next that the noise is added on."""
        return math.sqrt(sigma * _ancestral(sigma, sigma_next)[0])

    def first(self, run: _Run, index: int, generator: Generators) -> torch.Tensor:
        """Straight to the middle."""
        assert run.sample is not None and run.denoised is not None
        return _towards(run.sample, run.denoised, run.sigmas[index], run.sigmas[index + 1])

    def second(
        self, run: _Run, index: int, denoised: torch.Tensor, generator: Generators
    ) -> torch.Tensor:
        """From the start with the middle's estimate, below the next level; then noise up to it."""
        assert run.sample is not None
        down, up = _ancestral(run.sigmas[index], run.sigmas[index + 2])
        sample = _towards(run.sample, denoised, run.sigmas[index], down)
        return sample + _noise(sample, generator) * up


class DPMSolverStochasticScheduler(_TwoStageScheduler):
    """DPM-Solver++ (stochastic), eta 1, r = 1/2: what k-diffusion calls dpmpp_sde.

    Source: k-diffusion, sampling.py, sample_dpmpp_sde. Its two noises of a step are one Brownian
    path looked at twice; so they are here, from increments that each picture's generator draws.
    """

    def middle(self, sigma: float, sigma_next: float) -> float:
        """Half-way in log sigma."""
        return math.sqrt(sigma * sigma_next)

    def first(self, run: _Run, index: int, generator: Generators) -> torch.Tensor:
        """An ancestral step to the middle level."""
        assert run.sample is not None and run.denoised is not None
        sigma, middle = run.sigmas[index], run.sigmas[index + 1]
        down, up = _ancestral(sigma, middle)
        run.noise = _noise(run.sample, generator)
        return _towards(run.sample, run.denoised, sigma, down) + run.noise * up

    def second(
        self, run: _Run, index: int, denoised: torch.Tensor, generator: Generators
    ) -> torch.Tensor:
        """An ancestral step from the start, with the middle's estimate alone (1/(2r) = 1)."""
        assert run.sample is not None and run.noise is not None
        sigma, middle, following = run.sigmas[index : index + 3]
        down, up = _ancestral(sigma, following)
        before, after = math.sqrt(sigma - middle), math.sqrt(middle - following)
        path = (run.noise * before + _noise(run.sample, generator) * after) / math.hypot(
            before, after
        )
        return _towards(run.sample, denoised, sigma, down) + path * up


class LinearMultistepScheduler(LMSDiscreteScheduler):  # type: ignore[misc]
    """LMS, algorithm as in diffusers; the coefficients' integrals are exact and in closed form.

    Gauss-Legendre with two points is exact for the cubic polynomials of order 4; diffusers'
    adaptive quadrature takes 4 ms a step for the same numbers.
    """

    def get_lms_coefficient(self, order: int, t: int, current_order: int) -> float:
        """The integral of the Lagrange polynomial of ``current_order`` over step ``t``."""
        nodes = [float(self.sigmas[t - k]) for k in range(order)]
        start, end = nodes[0], float(self.sigmas[t + 1])
        centre, half = (start + end) / 2, (end - start) / 2
        total = 0.0
        for point in (centre - half / math.sqrt(3), centre + half / math.sqrt(3)):
            product = 1.0
            for k, node in enumerate(nodes):
                if k != current_order:
                    product *= (point - node) / (nodes[current_order] - node)
            total += product
        return total * half


class _QuicklyMade:
    """Leaves out the thousand timesteps that the constructor sets and nobody uses."""

    def set_timesteps(
        self, num_inference_steps: int, device: Any = None, num_train_timesteps: int | None = None
    ) -> None:
        """As the scheduler it stands before does; only the constructor gives all three."""
        steps = num_inference_steps if num_train_timesteps is None else 2
        super().set_timesteps(steps, device, num_train_timesteps)  # type: ignore[misc]


class DPM2Scheduler(_QuicklyMade, KDPM2DiscreteScheduler):  # type: ignore[misc]
    """DPM-Solver-2 inspired by Karras et al. 2022 (arXiv:2206.00364, algorithm 2); diffusers'."""


class DPM2AncestralScheduler(_QuicklyMade, KDPM2AncestralDiscreteScheduler):  # type: ignore[misc]
    """The same with ancestral noise; diffusers'."""


def _towards(
    sample: torch.Tensor, denoised: torch.Tensor, sigma: float, sigma_next: float
) -> torch.Tensor:
    """The exponential integrator's step: exact while the estimate stays what it is."""
    ratio = sigma_next / sigma
    return ratio * sample + (1 - ratio) * denoised


def _ancestral(sigma: float, sigma_next: float) -> tuple[float, float]:
    """The level to step down to and the noise to add, so that together they make ``sigma_next``."""
    up = min(sigma_next, math.sqrt(sigma_next**2 * (sigma**2 - sigma_next**2)) / sigma)
    return math.sqrt(sigma_next**2 - up**2), up


def _noise(like: torch.Tensor, generator: Generators) -> torch.Tensor:
    drawn: torch.Tensor = randn_tensor(
        like.shape, generator=generator, device=like.device, dtype=like.dtype
    )
    return drawn
