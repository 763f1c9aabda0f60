"""Stable Diffusion XL's refiner: for the last, nearly clean steps; it is told how good to be."""

from __future__ import annotations

from studio.models.architectures import SDXL_REFINER, Architecture
from studio.models.base import ModelInfo, Painting
from studio.models.placement import Placement
from studio.models.sd import load_stable_diffusion
from studio.models.sdxl import LoadedStableDiffusionXL

AESTHETIC_SCORE, NEGATIVE_AESTHETIC_SCORE = 6.0, 2.5  # diffusers' and the paper's own


class StableDiffusionXLRefiner:
    """The refiner; ``architecture``: the sizes of a file."""

    name = "sdxl_refiner"

    def __init__(self, architecture: Architecture = SDXL_REFINER) -> None:
        self._architecture = architecture

    def load(self, info: ModelInfo, placement: Placement) -> LoadedRefiner:
        """The model on its device. Raises ModelError when a part cannot be read."""
        return load_stable_diffusion(LoadedRefiner, self._architecture, info, placement)


class LoadedRefiner(LoadedStableDiffusionXL):
    """The refiner on its device: the second text encoder alone."""

    def time_ids(self, painting: Painting) -> list[float]:
        """The size and corner as for the base model, then an aesthetic score from 1 to 10."""
        height, width = float(painting.height), float(painting.width)
        score = NEGATIVE_AESTHETIC_SCORE if painting.negative else AESTHETIC_SCORE
        return [height, width, 0.0, 0.0, score]
