"""Pictures from a pipeline, many captions at once, and sheets to look at them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from PIL import Image

from studio.pocket.device import half_precision


@torch.no_grad()
def draw(
    pipeline: StableDiffusionPipeline,
    captions: Sequence[str],
    *,
    size: int,
    steps: int = 20,
    guidance: float = 4.0,
    seed: int = 0,
    batch: int = 10,
) -> NDArray[np.uint8]:
    """Draw one picture per caption: uint8 (B, size, size, 3); picture k has the seed `seed` + k."""
    call: Any = pipeline
    drawn = []
    for start in range(0, len(captions), batch):
        texts = list(captions[start : start + batch])
        generators = [torch.Generator().manual_seed(seed + start + k) for k in range(len(texts))]
        with half_precision(pipeline.device):
            images = call(
                texts,
                width=size,
                height=size,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=generators,
                output_type="np",
            ).images
        drawn.append((images.astype(np.float32) * 255).round().astype(np.uint8))
    return np.concatenate(drawn)


def sheet(pictures: NDArray[np.uint8], columns: int = 4) -> Image.Image:
    """Lay uint8 (B, H, W, 3) out in rows of `columns`."""
    count, height, width = pictures.shape[:3]
    rows = math.ceil(count / columns)
    page = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        row, column = divmod(k, columns)
        page[row * height :, column * width :][:height, :width] = picture
    return Image.fromarray(page)
