"""Handing the latents over to a second model for the last, nearly clean steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image

from studio.engine.denoise import Correction, Step
from studio.errors import InvalidRequest
from studio.events import Progress
from studio.models.base import LoadedModel
from studio.request import GenerationRequest
from studio.samplers import Sampler
from studio.sentences import say


@dataclass(frozen=True)
class Run:
    """One batch on its way through the noise levels, whichever model works on it.

    ``batch``: the pictures, by index; ``done``: how many of the request's ``pictures`` are
    finished already. ``start``: the call of the loop that it begins with. ``correct``: see
    `denoise`. ``before``: calls that a picture took in earlier runs; ``calls``: in all of them.
    """

    scheduler: Any
    generators: Sequence[torch.Generator]
    batch: list[int]
    done: int
    pictures: int
    start: int
    before: int
    calls: int
    correct: Correction | None = None

    def progress(self, step: Step, preview: Image | None) -> Progress:
        """How far the whole request is, counted in calls that are really made."""
        made = self.before + step.index + 1 - self.start
        return Progress(
            step=self.done * self.calls + made * len(self.batch),
            steps=self.pictures * self.calls,
            picture=self.batch[0],
            preview=preview,
        )


def handover_call(
    request: GenerationRequest, sampler: Sampler, calls: int, start: int = 0
) -> int | None:
    """The call of the loop from which the refiner works; None when there is nothing for it to do.

    It works on every step that begins at or after the share ``refiner_switch_at`` of the steps, as
    in A1111. A step of a sampler of order 2 takes two calls and is never torn apart.
    A run that begins at ``start``, later than that, is the refiner's alone.
    """
    if not request.refiner or start >= calls:
        return None
    steps = -(-calls // sampler.order)
    first = next(n for n in range(steps + 1) if n / steps >= request.refiner_switch_at)
    return None if first == steps else max(first * sampler.order, start)


def prediction_type(model: LoadedModel) -> str:
    """What the model's UNet answers with: epsilon, v_prediction or sample."""
    return str(model.scheduler_config.get("prediction_type", "epsilon"))


def check_refiner(refiner: LoadedModel, latent_space: tuple[float, ...], prediction: str) -> None:
    """Raise InvalidRequest, naming the field, when the model cannot go on with these latents."""
    if refiner.latent_space != latent_space:
        raise InvalidRequest.of(
            "refiner",
            say(
                "“{name}” cannot refine this model's pictures: the two keep pictures "
                "in different forms.",
                name=refiner.info.name,
            ),
        )
    if prediction_type(refiner) != prediction:
        raise InvalidRequest.of(
            "refiner",
            say(
                "“{name}” cannot refine this model's pictures: the two were trained to "
                "predict different things.",
                name=refiner.info.name,
            ),
        )
