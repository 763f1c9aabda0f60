"""From the user's sampler and sigma schedule to a fresh diffusers scheduler.

Schedulers keep the state of one run, so each batch gets its own. They stay on the CPU: their
scalars then never make the host wait for the device.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from studio.samplers import Sampler

_NO_SIGMAS = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
}

# The three curves span the whole range of noise the model knows, as in k-diffusion ("linspace"),
# not the part that the model's own spacing of timesteps would leave.
SCHEDULE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "automatic": {},
    "karras": {**_NO_SIGMAS, "use_karras_sigmas": True, "timestep_spacing": "linspace"},
    "exponential": {**_NO_SIGMAS, "use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "beta": {**_NO_SIGMAS, "use_beta_sigmas": True, "timestep_spacing": "linspace"},
    "uniform": {**_NO_SIGMAS, "timestep_spacing": "linspace"},
    "sgm_uniform": {**_NO_SIGMAS, "timestep_spacing": "trailing"},
}


def make_scheduler(
    sampler: Sampler,
    sigma_schedule: str,
    num_inference_steps: int,
    config: Mapping[str, Any],
) -> Any:
    """A scheduler with its timesteps set, for one batch.

    ``config``: the model's scheduler config (its betas and prediction type are kept). The pair of
    sampler and schedule must have passed `studio.samplers.check_sampling`.
    """
    import diffusers  # here: diffusers may be imported only once ModelStore has quietened it

    from studio.engine import solvers

    kind = getattr(solvers, sampler.scheduler, None) or getattr(diffusers, sampler.scheduler)
    # One step has one noise level, the highest: spacings that count from the clean end miss it.
    schedule = "sgm_uniform" if num_inference_steps == 1 else sigma_schedule
    wanted = {**SCHEDULE_OPTIONS[schedule], **sampler.options}
    known = inspect.signature(kind.__init__).parameters
    scheduler = kind.from_config(
        dict(config), **{key: value for key, value in wanted.items() if key in known}
    )
    scheduler.set_timesteps(num_inference_steps, device="cpu")
    return scheduler


def takes_generator(scheduler: Any) -> bool:
    """Whether the scheduler draws noise of its own at its steps."""
    return "generator" in inspect.signature(scheduler.step).parameters


def signal_levels(scheduler: Any) -> torch.Tensor:
    """The share of signal, alpha-bar, at each of the scheduler's timesteps: (steps,) fp32, CPU.

    Timesteps between two whole ones are interpolated in log sigma, as schedulers themselves do.
    """
    alphas = scheduler.alphas_cumprod.double().clamp(1e-8, 1 - 1e-8)
    log_sigmas = ((1 - alphas) / alphas).log() / 2
    at = scheduler.timesteps.double().clamp(0, len(alphas) - 1)
    low, share = at.floor().long(), at.frac()
    high = (low + 1).clamp(max=len(alphas) - 1)
    log_sigma = log_sigmas[low] * (1 - share) + log_sigmas[high] * share
    levels: torch.Tensor = 1 / (1 + (2 * log_sigma).exp())
    return levels.float()
