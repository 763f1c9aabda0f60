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


@dataclass(frozen=True)
class _Tile:
    """A tile's place in (B, C, h, w), which may go around the edge, its share, and who draws it."""

    there: tuple[slice, slice, torch.Tensor, torch.Tensor]
    share: torch.Tensor
    denoiser: Denoiser


class Tiled:
    """A Denoiser that asks others, tile by tile.

    ``make``: a Denoiser for a canvas (of an inpainting model), or for none; all tiles without one
    share it. ``canvas``: of the whole picture.
    """

    def __init__(
        self, make: Callable[[Canvas | None], Denoiser], cut: Cut, canvas: Canvas | None = None
    ) -> None:
        self._make, self._cut, self._canvas = make, cut, canvas
        self._tiles: list[_Tile] = []

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The output (B, C, h, w) in fp32 for scaled latents (B, C, h, w), of one size always."""
        if not self._tiles:
            self._tiles = self._cut_up(latents)
        total = torch.zeros_like(latents)
        for tile in self._tiles:
            total[tile.there] += tile.denoiser(latents[tile.there], timestep, index) * tile.share
        return total

    def _cut_up(self, latents: torch.Tensor) -> list[_Tile]:
        """The tiles, once for all steps: nothing is sent to the device between them."""
        device = latents.device
        rows, columns = self._cut.strips(*latents.shape[2:])
        shared = None if self._canvas else self._make(None)
        tiles = []
        for row in rows:
            for column in columns:
                down, across = (torch.from_numpy(each.places).to(device) for each in (row, column))
                there = (slice(None), slice(None), down[:, None], across[None, :])
                share = torch.outer(torch.from_numpy(row.share), torch.from_numpy(column.share))
                denoiser = shared or self._make(self._part(there))
                tiles.append(_Tile(there, share.to(device, torch.float32), denoiser))
        return tiles

    def _part(self, there: tuple[slice, slice, torch.Tensor, torch.Tensor]) -> Canvas | None:
        """What of the canvas a tile sees."""
        if self._canvas is None:
            return None
        device = self._canvas.mask.device
        every, channels, down, across = there
        place = (every, channels, down.to(device), across.to(device))
        return Canvas(self._canvas.mask[place], self._canvas.kept[place])
