"""The table of samplers: what a person can choose, and which diffusers scheduler does it.

To add one that diffusers has, add a line. The page, the API and the tests follow. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from studio.errors import InvalidRequest
from studio.sentences import say

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
_TRAILING = ("automatic", "sgm_uniform")  # steps by a fixed stride, which "uniform" does not have
_OWN = ("automatic",)  # brings its own timesteps


@dataclass(frozen=True)
class Sampler:
    """One row: ``options`` go to the config of the class that ``scheduler`` names.

    The class is diffusers', or one of `studio.engine.solvers`. ``order`` is the number of UNet
    calls that a step takes (one fewer in all, since the last step needs only one).
    """

    name: str
    label: str
    scheduler: str
    schedules: tuple[str, ...] = _ALL
    options: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    order: int = 1
    min_steps: int = 1
    max_steps: int = 150


def _table() -> tuple[Sampler, ...]:
    multistep = "DPMSolverMultistepScheduler"
    second = {"solver_order": 2, "solver_type": "midpoint"}
    plus, sde = {"algorithm_type": "dpmsolver++"}, {"algorithm_type": "sde-dpmsolver++"}
    return (
        Sampler("euler", "Euler", "EulerDiscreteScheduler", aliases=("k_euler",)),
        Sampler(
            "euler_a", "Euler a", "EulerAncestralDiscreteScheduler", _SPACED,
            aliases=("k_euler_a", "k_euler_ancestral", "euler_ancestral"),
        ),
        Sampler(
            "heun", "Heun", "HeunDiscreteScheduler", aliases=("k_heun",), order=2, min_steps=3
        ),
        Sampler("lms", "LMS", "LinearMultistepScheduler", aliases=("k_lms", "k-lms", "klms")),
        Sampler(
            "pndm", "PLMS", "PNDMScheduler", _TRAILING, {"skip_prk_steps": True},
            aliases=("plms",), min_steps=3,
        ),
        Sampler("ddim", "DDIM", "DDIMScheduler", _TRAILING),
        Sampler("ddpm", "DDPM", "DDPMScheduler", _SPACED),
        Sampler(
            "dpm2", "DPM2", "DPM2Scheduler", aliases=("k_dpm_2",), order=2, min_steps=3
        ),
        Sampler(
            "dpm2_a", "DPM2 a", "DPM2AncestralScheduler",
            aliases=("k_dpm_2_a", "k_dpm_2_ancestral"), order=2, min_steps=3,
        ),
        Sampler(
            "dpmpp_2s_a", "DPM++ 2S a", "DPMSolver2SAncestralScheduler",
            aliases=("k_dpmpp_2s_a", "k_dpmpp_2s_ancestral"), order=2,
        ),
        Sampler(
            "dpmpp_2m", "DPM++ 2M", multistep, options={**plus, **second}, aliases=("k_dpmpp_2m",)
        ),
        Sampler(
            "dpmpp_sde", "DPM++ SDE", "DPMSolverStochasticScheduler", aliases=("k_dpmpp_sde",),
            order=2,
        ),
        Sampler(
            "dpmpp_2m_sde", "DPM++ 2M SDE", multistep, options={**sde, **second},
            aliases=("k_dpmpp_2m_sde",),
        ),
        Sampler(
            "dpmpp_3m_sde", "DPM++ 3M SDE", multistep,
            options={**sde, **second, "solver_order": 3}, aliases=("k_dpmpp_3m_sde",),
        ),
        Sampler(
            "unipc", "UniPC", "UniPCMultistepScheduler",
            options={"solver_order": 2, "solver_type": "bh2"},
        ),
        Sampler(
            "deis", "DEIS", "DEISMultistepScheduler",
            options={"algorithm_type": "deis", "solver_order": 2, "solver_type": "logrho"},
        ),
        Sampler("lcm", "LCM", "LCMScheduler", _OWN, max_steps=50),
        Sampler("tcd", "TCD", "TCDScheduler", _OWN, max_steps=50),
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
    sentence = say(
        "There is no sampler called “{name}”; there are: {known}.", name=name, known=tuple(SAMPLERS)
    )
    raise InvalidRequest.of("sampler", sentence)


def find_schedule(label: str) -> str | None:
    """The sigma schedule by its name or label, in any letter case; None for one not there."""
    wanted = label.strip().casefold()
    for name, said in SIGMA_SCHEDULES.items():
        if wanted in (name, said.casefold()):
            return name
    return None


def find_sampling(label: str) -> tuple[Sampler, str | None]:
    """The sampler, and the sigma schedule where the label ends with one ("DPM++ 2M Karras").

    So older versions of A1111 write it. Raises InvalidRequest as `find_sampler` does.
    """
    try:
        return find_sampler(label), None
    except InvalidRequest:
        head, _, tail = label.strip().rpartition(" ")
        schedule = find_schedule(tail)
        if not head or schedule is None:
            raise
        return find_sampler(head), schedule


def check_sampling(sampler: str, sigma_schedule: str, num_inference_steps: int) -> Sampler:
    """The sampler, when it can do this schedule and number of steps; InvalidRequest otherwise."""
    row = find_sampler(sampler)
    if sigma_schedule not in SIGMA_SCHEDULES:
        sentence = say(
            "There is no sigma schedule called “{name}”; there are: {known}.",
            name=sigma_schedule,
            known=tuple(SIGMA_SCHEDULES),
        )
        raise InvalidRequest.of("sigma_schedule", sentence)
    if sigma_schedule not in row.schedules:
        sentence = say(
            "{sampler} cannot use the {schedule} schedule; it can: {able}.",
            sampler=row.label,
            schedule=SIGMA_SCHEDULES[sigma_schedule],
            able=row.schedules,
        )
        raise InvalidRequest.of("sigma_schedule", sentence)
    if not row.min_steps <= num_inference_steps <= row.max_steps:
        sentence = say(
            "{sampler} takes between {least} and {most} steps; you gave {given}.",
            sampler=row.label,
            least=row.min_steps,
            most=row.max_steps,
            given=num_inference_steps,
        )
        raise InvalidRequest.of("num_inference_steps", sentence)
    return row
