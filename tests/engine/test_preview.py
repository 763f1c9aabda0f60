"""Previews: the right colours, rarely enough, and for next to nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from studio.engine.engine import Engine
from studio.engine.preview import Preview
from studio.events import Progress
from studio.models.base import PreviewColours
from studio.models.colours import SD_COLOURS, fit_colours
from studio.request import GenerationRequest
from tests.tiny import tiny_pipeline


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_pixel_per_cell_by_matrix_and_bias() -> None:
    colours = PreviewColours(((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)), (0.5, 0.0, 0.0))
    latents = torch.zeros(4, 2, 3)
    latents[1, 0, 0] = 1.0
    latents[2, 1, 2] = -5.0
    image = Preview(colours, torch.device("cpu")).of(latents)
    assert image is not None
    assert image.size == (3, 2)
    assert image.getpixel((0, 0)) == (191, 255, 127)
    assert image.getpixel((2, 1)) == (191, 127, 0)


def test_at_most_five_a_second() -> None:
    clock = Clock()
    preview = Preview(SD_COLOURS, torch.device("cpu"), clock)
    made = []
    for _ in range(100):
        made.append(preview.of(torch.zeros(4, 2, 2)) is not None)
        clock.now += 0.0625
    assert made[:5] == [True, False, False, False, True]
    assert sum(made) == 25


def test_previews_come_with_the_progress(
    engine: Engine, recipe: Callable[..., GenerationRequest]
) -> None:
    events = list(engine.generate(recipe()))
    previews = [event.preview for event in events if isinstance(event, Progress) and event.preview]
    assert previews
    assert all(preview.size == (8, 8) for preview in previews)


def test_fitted_colours_follow_the_autoencoder() -> None:
    """An autoencoder that does nothing but shrink: its latents' colours are exactly linear."""

    class Shrinking:
        device, dtype = torch.device("cpu"), torch.float32
        config = type("Config", (), {"scaling_factor": 0.5})

        def encode(self, pixels: torch.Tensor, return_dict: bool) -> tuple[object]:
            small = torch.nn.functional.avg_pool2d(pixels, 8)
            mixed = torch.cat([small, small.sum(1, keepdim=True)], 1) * 2
            return (type("Posterior", (), {"mode": lambda self: mixed})(),)

    colours = fit_colours(Shrinking(), 8)
    red = torch.tensor([1.0, -1.0, -1.0, -1.0])  # a red pixel's latents, × 2 × 0.5
    seen = red @ torch.tensor(colours.matrix) + torch.tensor(colours.bias)
    assert torch.allclose(seen, red[:3], atol=0.05)


def test_fitting_gives_numbers_for_a_real_autoencoder() -> None:
    colours = fit_colours(tiny_pipeline().vae, 8)
    assert len(colours.matrix) == 4
    assert np.isfinite(np.asarray(colours.matrix)).all()
    assert fit_colours(tiny_pipeline().vae, 8) == colours
