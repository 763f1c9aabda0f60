"""The table of samplers: what a person can choose, and which diffusers scheduler does it.

To add one that diffusers has, add a line. The page, the API and the tests follow. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from studio.errors import InvalidRequest

SIGMA_SCHEDULES: Mapping[str, str] = MappingProxyType(
    {
        "automatic": "Automatic",
        "karras": "Karras",
        "exponential": "Exponential",
        "beta": "Beta",
        "uniform": "Uniform",
        "sgm_uniform": "SGM Uniform",
    }
)
_ALL = tuple(SIGMA_SCHEDULES)
_SPACED = ("automatic", "uniform", "sgm_uniform")  # only the spacing of the timesteps can be chosen
_OWN = ("automatic",)  # brings its own timesteps


@dataclass(frozen=True)
class Sampler:
    """One row: ``scheduler`` is the name of a diffusers class, ``options`` go to its config."""

    name: str
    label: str
    scheduler: str
    schedules: tuple[str, ...] = _ALL
    options: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    one_by_one: bool = False  # its noise cannot be drawn per picture of a batch
    min_steps: int = 1


def _table() -> tuple[Sampler, ...]:
    dpm, single = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
    sde = {"algorithm_type": "sde-dpmsolver++"}
    return (
        Sampler("euler", "Euler", "EulerDiscreteScheduler", aliases=("k_euler",)),
        Sampler(
            "euler_a", "Euler a", "EulerAncestralDiscreteScheduler", _SPACED,
            aliases=("k_euler_a", "euler_ancestral"),
        ),
        Sampler("heun", "Heun", "HeunDiscreteScheduler", aliases=("k_heun",)),
        Sampler("lms", "LMS", "LMSDiscreteScheduler", aliases=("k_lms", "klms")),
        Sampler(
            "pndm", "PLMS", "PNDMScheduler", _SPACED, {"skip_prk_steps": True},
            aliases=("plms",), min_steps=2,
        ),
        Sampler("ddim", "DDIM", "DDIMScheduler", _SPACED),
        Sampler("ddpm", "DDPM", "DDPMScheduler", _SPACED),
        Sampler("dpm2", "DPM2", "KDPM2DiscreteScheduler", aliases=("k_dpm_2",)),
        Sampler(
            "dpm2_a", "DPM2 a", "KDPM2AncestralDiscreteScheduler", aliases=("k_dpm_2_a",)
        ),
        Sampler("dpmpp_2s_a", "DPM++ 2S a", single, options=sde, aliases=("k_dpmpp_2s_a",)),
        Sampler("dpmpp_2m", "DPM++ 2M", dpm, aliases=("k_dpmpp_2m",)),
        Sampler(
            "dpmpp_sde", "DPM++ SDE", "DPMSolverSDEScheduler", aliases=("k_dpmpp_sde",),
            one_by_one=True,
        ),
        Sampler("dpmpp_2m_sde", "DPM++ 2M SDE", dpm, options=sde, aliases=("k_dpmpp_2m_sde",)),
        Sampler(
            "dpmpp_3m_sde", "DPM++ 3M SDE", dpm, options={**sde, "solver_order": 3},
            aliases=("k_dpmpp_3m_sde",),
        ),
        Sampler("unipc", "UniPC", "UniPCMultistepScheduler"),
        Sampler("deis", "DEIS", "DEISMultistepScheduler"),
        Sampler("lcm", "LCM", "LCMScheduler", _OWN),
        Sampler("tcd", "TCD", "TCDScheduler", _OWN),
    )  # fmt: skip


SAMPLERS: Mapping[str, Sampler] = MappingProxyType({row.name: row for row in _table()})


def find_sampler(name: str) -> Sampler:
    """The sampler called ``name``, by its name, label or an alias, in any letter case.

    Raises InvalidRequest that names the field and lists what there is.
    """
    wanted = name.strip().casefold()
    for row in SAMPLERS.values():
        if wanted in {row.name, row.label.casefold(), *row.aliases}:
            return row
    known = ", ".join(SAMPLERS)
    raise InvalidRequest.of("sampler", f"There is no sampler called “{name}”; there are: {known}.")


def check_sampling(sampler: str, sigma_schedule: str, num_inference_steps: int) -> Sampler:
    """The sampler, when it can do this schedule and number of steps; InvalidRequest otherwise."""
    row = find_sampler(sampler)
    if sigma_schedule not in SIGMA_SCHEDULES:
        known = ", ".join(SIGMA_SCHEDULES)
        raise InvalidRequest.of(
            "sigma_schedule",
            f"There is no sigma schedule called “{sigma_schedule}”; there are: {known}.",
        )
    if sigma_schedule not in row.schedules:
        able = ", ".join(row.schedules)
        raise InvalidRequest.of(
            "sigma_schedule",
            f"{row.label} cannot use the {SIGMA_SCHEDULES[sigma_schedule]} schedule; it can: {able}.",
        )
    if num_inference_steps < row.min_steps:
        raise InvalidRequest.of(
            "num_inference_steps", f"{row.label} needs at least {row.min_steps} steps."
        )
    return row
