"""Between pictures and latents: whole, or in tiles where a request is drawn in tiles.

An autoencoder's decoder takes more memory than all else, and it grows with the picture. In tiles of
a fixed size it does not; they overlap by a quarter and fade into each other, for the decoder's
attention and norms see one tile alone, which shifts its tones a little.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from studio.images.frame import Size
from studio.images.tiles import Mosaic, grown, strips
from studio.models.base import LoadedModel
from studio.request import GenerationRequest
from studio.upscaling import LATENT

TILE = 512  # pixels
OVERLAP = 128
MARGIN = 64  # of what lies at the other side of a picture without an end


def in_tiles(request: GenerationRequest, canvas: Size) -> bool:
    """Whether the autoencoder works in tiles for a canvas (width, height) in pixels."""
    return bool(request.tile_size) and max(canvas) > TILE


def as_pixels(image: Image.Image) -> torch.Tensor:
    """A picture in RGB as (1, 3, H, W) in fp32 in -1…1."""
    values = torch.from_numpy(np.array(image, dtype=np.float32)) / 127.5 - 1
    return values.permute(2, 0, 1)[None].contiguous()


def encode(model: LoadedModel, pixels: torch.Tensor, request: GenerationRequest) -> torch.Tensor:
    """Latents (1, C, h, w), × scaling_factor, of a picture (1, 3, H, W) in -1…1 on any device.

    Where the picture has no end it is encoded with a margin of its other side.
    """
    across, down = (MARGIN if each else 0 for each in request.around)
    pixels = _wrapped(pixels, across, down)
    cell, device = model.vae_scale_factor, model.placement.device
    size = (pixels.shape[3], pixels.shape[2])
    if in_tiles(request, size):
        latents = _encoded_in_tiles(model, pixels)
    else:
        latents = model.encode(pixels.to(device))
    top, left = down // cell, across // cell
    return latents[:, :, top : latents.shape[2] - top, left : latents.shape[3] - left]


def _encoded_in_tiles(model: LoadedModel, pixels: torch.Tensor) -> torch.Tensor:
    cell, device = model.vae_scale_factor, model.placement.device
    height, width = (side // cell for side in pixels.shape[2:])
    total = torch.zeros(1, model.latent_channels, height, width, device=device)
    rows, columns = (strips(side, TILE // cell, OVERLAP // cell) for side in (height, width))
    for row in rows:
        for column in columns:
            tall, wide = len(row.share), len(column.share)
            y, x = row.start, column.start
            part = pixels[:, :, y * cell : (y + tall) * cell, x * cell : (x + wide) * cell]
            share = torch.outer(torch.from_numpy(row.share), torch.from_numpy(column.share))
            latents = model.encode(part.to(device)) * share.to(device, torch.float32)
            total[:, :, y : y + tall, x : x + wide] += latents
    return total


def decode(model: LoadedModel, latents: torch.Tensor, request: GenerationRequest) -> Image.Image:
    """The picture (RGB) of latents (1, C, h, w), × scaling_factor.

    Of a picture without an end the convolutions see to that (see `seamless`) where it is decoded
    whole, and a margin of its other side where it is in tiles.
    """
    cell = model.vae_scale_factor
    size = (latents.shape[3] * cell, latents.shape[2] * cell)
    if not in_tiles(request, size):
        return Image.fromarray(model.decode(latents)[0].numpy())
    across, down = (MARGIN // cell if each else 0 for each in request.around)
    latents = _wrapped(latents, across, down)
    height, width = latents.shape[2:]
    tile, overlap = TILE // cell, OVERLAP // cell
    rows, columns = strips(height, tile, overlap), strips(width, tile, overlap)
    mosaic = Mosaic((width * cell, height * cell))
    for row, tall in zip(rows, grown(rows, height, overlap, cell), strict=True):
        for column, wide in zip(columns, grown(columns, width, overlap, cell), strict=True):
            down_to, across_to = row.start + len(row.share), column.start + len(column.share)
            part = latents[:, :, row.start : down_to, column.start : across_to]
            mosaic.lay(model.decode(part)[0].numpy(), tall, wide)
    left, top = across * cell, down * cell
    return mosaic.picture().crop((left, top, left + size[0], top + size[1]))


def enlarged_latents(
    latents: torch.Tensor, cells: Size, way: str, around: tuple[bool, bool] = (False, False)
) -> torch.Tensor:
    """Latents (B, C, h, w) as ``cells`` (columns, rows), cut to their proportions as in A1111.

    ``way``: of `studio.upscaling.LATENT`. ``around``: across and down, whether they go on at their
    other side.
    """
    height, width = latents.shape[2:]
    columns, rows = cells
    scale = max(columns / width, rows / height)
    tall, wide = max(rows, round(height * scale)), max(columns, round(width * scale))
    across, down = (3 if each else 1 for each in around)  # three in a row: the middle sees the edge
    several = latents.repeat(1, 1, down, across)
    larger = functional.interpolate(
        several, (tall * down, wide * across),
        mode=LATENT[way].mode, antialias=LATENT[way].antialias,
    )  # fmt: skip
    top = tall * (down // 2) + (tall - rows) // 2
    left = wide * (across // 2) + (wide - columns) // 2
    return larger[:, :, top : top + rows, left : left + columns].contiguous()


def _wrapped(given: torch.Tensor, across: int, down: int) -> torch.Tensor:
    """(B, C, H, W) with so much of its other side on each side; a small one several times."""
    while across or down:
        wide, tall = min(across, given.shape[3]), min(down, given.shape[2])
        given = functional.pad(given, (wide, wide, tall, tall), mode="circular")
        across, down = across - wide, down - tall
    return given
