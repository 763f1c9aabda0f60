"""What a request is drawn in: one run of the loop, or two with a larger picture in the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.schedulers import make_scheduler
from studio.engine.surface import start_call
from studio.images.frame import Size, on_grid
from studio.request import GenerationRequest
from studio.samplers import Sampler, find_sampler

_ALMOST_ONE = 0.999  # as in A1111
USUAL_MOST = 150  # steps of a sampler that could take any number
_MOST_STEPS = 999  # a model knows a thousand noise levels


@dataclass(frozen=True)
class Pass:
    """One run of the loop.

    ``request``: of one picture, with the words and steps of this run. ``start``: the call of the
    loop that it begins with. ``canvas``: width and height in pixels of what is drawn without a
    start picture; ``size``: of what of it is the picture, from the upper left corner.
    """

    request: GenerationRequest
    sampler: Sampler
    scheduler: Any
    start: int
    canvas: Size
    size: Size

    @property
    def calls(self) -> int:
        """Of the UNet, for one picture."""
        return len(self.scheduler.timesteps) - self.start


def passes_of(
    request: GenerationRequest, sampler: Sampler, config: Mapping[str, Any], cell: int
) -> list[Pass]:
    """The runs for one picture, with fresh schedulers. ``config``: the model's scheduler's."""
    size = (request.width, request.height)
    scheduler = make_scheduler(sampler, request.sigma_schedule, request.num_inference_steps, config)
    first = Pass(request, sampler, scheduler, start_call(request, sampler), size, size)
    return [first, _second(request, sampler, config, cell)] if request.hires else [first]


def _second(
    request: GenerationRequest, sampler: Sampler, config: Mapping[str, Any], cell: int
) -> Pass:
    """The run that refines. As in A1111, so many steps are run as were asked for, at any strength:
    they are the last of as many more."""
    if request.hires_sampler:
        sampler = find_sampler(request.hires_sampler)
    schedule = (
        request.sigma_schedule if request.sigma_schedule in sampler.schedules else "automatic"
    )
    steps, of = _refining_steps(request, sampler)
    words = {
        "prompt": request.hires_prompt or request.prompt,
        "negative_prompt": request.hires_negative_prompt or request.negative_prompt,
        "num_inference_steps": of,
    }
    scheduler = make_scheduler(sampler, schedule, of, config)
    size = request.hires_size
    start = len(scheduler.timesteps) if not steps else (of - steps) * sampler.order
    refined = request.model_copy(update=words)
    return Pass(refined, sampler, scheduler, start, on_grid(size, cell), size)


def _refining_steps(request: GenerationRequest, sampler: Sampler) -> tuple[int, int]:
    """How many steps refine, and of how many they are the last; fewer where so many are too many
    for the sampler."""
    wanted, strength = request.hires_steps or request.num_inference_steps, request.hires_strength
    if not strength:
        return 0, max(wanted, sampler.min_steps)
    ideal = int(wanted / min(strength, _ALMOST_ONE))
    most = sampler.max_steps if sampler.max_steps < USUAL_MOST else _MOST_STEPS
    of = min(max(ideal, sampler.min_steps), most)
    return (wanted, of) if of == ideal else (max(1, round(of * strength)), of)
