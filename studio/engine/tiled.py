"""Denoising in overlapping tiles: any size in the memory of one tile, and no seams.

At every step each tile is asked for by itself and what the tiles say is averaged where they overlap
(MultiDiffusion, Bar-Tal et al. 2023, arXiv:2302.08113, equation 5), with weights that fade towards
a tile's edge (as in Mixture of Diffusers, Jiménez 2023, arXiv:2302.02412). Chosen over refining one
tile after another with feathered borders: there every tile runs through all its steps alone, so
that neighbours that went different ways show doubled lines where they are blended at the end; here
they agree from the first step on, in the one loop, and masks, samplers and refiners know nothing
of it. What is kept for the whole picture are its latents: 1/48 of its pixels' numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from studio.engine.denoise import Denoiser
from studio.images.frame import Size
from studio.images.tiles import Strip, strips
from studio.models.base import Canvas
from studio.request import LEAST_TILE, GenerationRequest


@dataclass(frozen=True)
class Cut:
    """How latents are cut: a tile's side and the overlap, in cells; ``around``: across and down."""

    tile: int
    overlap: int
    around: tuple[bool, bool] = (False, False)

    @classmethod
    def of(cls, request: GenerationRequest, cell: int, canvas: Size) -> Cut | None:
        """What a request asks for; None where one tile is the whole ``canvas`` (in pixels)."""
        side = max(LEAST_TILE, request.tile_size)
        if not request.tile_size or max(canvas) <= side:
            return None
        return cls(side // cell, request.tile_overlap // cell, request.around)

    def strips(self, height: int, width: int) -> tuple[list[Strip], list[Strip]]:
        """Rows and columns of tiles over latents of a size."""
        return (
            strips(height, self.tile, self.overlap, self.around[1]),
            strips(width, self.tile, self.overlap, self.around[0]),
        )

    def whole_axes(self, canvas: Size, cell: int) -> tuple[bool, bool]:
        """Which of the axes without an end one tile covers: only there the network goes around.

        Across the others the tiles themselves do.
        """
        whole = [side // cell <= self.tile for side in canvas]
        return self.around[0] and whole[0], self.around[1] and whole[1]


class Tiled:
    """A Denoiser that asks others, tile by tile.

    ``make``: a Denoiser for a canvas (of an inpainting model), or for none; all tiles without one
    share it. ``canvas``: of the whole picture.
    """

    def __init__(
        self, make: Callable[[Canvas | None], Denoiser], cut: Cut, canvas: Canvas | None = None
    ) -> None:
        self._make, self._cut, self._canvas = make, cut, canvas
        self._denoisers: dict[tuple[int, int], Denoiser] = {}

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The output (B, C, h, w) in fp32 for scaled latents (B, C, h, w)."""
        rows, columns = self._cut.strips(*latents.shape[2:])
        total = torch.zeros_like(latents)
        for row in rows:
            for column in columns:
                there = self._places(row, column, latents.device)
                output = self._of(row, column)(latents[there], timestep, index)
                share = torch.outer(torch.from_numpy(row.share), torch.from_numpy(column.share))
                total[there] += output * share.to(latents.device, torch.float32)
        return total

    def _of(self, row: Strip, column: Strip) -> Denoiser:
        place = (row.start, column.start) if self._canvas else (0, 0)
        if place not in self._denoisers:
            canvas = None
            if self._canvas:
                there = self._places(row, column, self._canvas.mask.device)
                canvas = Canvas(self._canvas.mask[there], self._canvas.kept[there])
            self._denoisers[place] = self._make(canvas)
        return self._denoisers[place]

    @staticmethod
    def _places(
        row: Strip, column: Strip, device: torch.device
    ) -> tuple[slice, slice, torch.Tensor, torch.Tensor]:
        """The index of a tile in (B, C, h, w); it may go around the edge."""
        down, across = (torch.from_numpy(each.places).to(device) for each in (row, column))
        return slice(None), slice(None), down[:, None], across[None, :]
