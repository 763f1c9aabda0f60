"""Latents to colours without the autoencoder: a 4 × 3 matrix, published or fitted."""

from __future__ import annotations

from typing import Any

import torch

from studio.models.base import PreviewColours

# Fitted by keturn for Stable Diffusion 1's autoencoder:
# https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204
SD_COLOURS = PreviewColours(
    (
        (0.298, 0.207, 0.208),
        (0.187, 0.286, 0.173),
        (-0.158, 0.189, 0.264),
        (-0.184, -0.271, -0.473),
    )
)

# ComfyUI's for Stable Diffusion XL's autoencoder: comfy/latent_formats.py, class SDXL.
SDXL_COLOURS = PreviewColours(
    (
        (0.3651, 0.4232, 0.4341),
        (-0.2533, -0.0042, 0.1068),
        (0.1076, 0.1111, -0.0362),
        (-0.3165, -0.2492, -0.2188),
    ),
    (0.1084, -0.0175, -0.0011),
)

SAMPLES, CELLS = 12, 8


@torch.no_grad()
def fit_colours(vae: Any, vae_scale_factor: int) -> PreviewColours:
    """The matrix and bias that best turn an autoencoder's latents into colours, least squares.

    Encodes twelve small pictures of smooth random colours (always the same ones), then solves
    ``[latents, 1] @ X = colour`` over their 12 · 8 · 8 cells. Source of the idea: see SD_COLOURS.
    """
    generator = torch.Generator("cpu").manual_seed(0)
    coarse = torch.rand(SAMPLES, 3, 3, 3, generator=generator) * 2 - 1
    cells = torch.nn.functional.interpolate(coarse, size=(CELLS, CELLS), mode="bilinear")
    side = CELLS * vae_scale_factor
    pixels = torch.nn.functional.interpolate(cells, size=(side, side), mode="bilinear")
    encoded = vae.encode(pixels.to(vae.device, vae.dtype), return_dict=False)[0].mode()
    latents = (encoded * vae.config.scaling_factor).float().cpu().nan_to_num(0.0, 0.0, 0.0)
    flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    ones = torch.ones(len(flat), 1)
    colours = cells.permute(0, 2, 3, 1).reshape(-1, 3)
    answer = torch.linalg.lstsq(torch.cat([flat, ones], 1), colours, driver="gelsd").solution
    rows = [(float(r), float(g), float(b)) for r, g, b in answer]
    return PreviewColours(tuple(rows[:-1]), rows[-1])
