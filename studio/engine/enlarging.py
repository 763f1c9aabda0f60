"""What was drawn small, enlarged: the latents themselves, or the picture and encoded anew."""

from __future__ import annotations

from collections.abc import Generator

import torch
from PIL import Image

from studio.engine.passes import Pass
from studio.engine.pixels import as_pixels, decode, encode, enlarged_latents
from studio.engine.workbench import Job
from studio.events import Preparing
from studio.images import frame as frames
from studio.images.frame import Size
from studio.models.base import ModelInfo
from studio.models.upscalers.enlarge import Enlarger
from studio.request import GenerationRequest
from studio.sentences import say
from studio.upscaling import LATENT


def enlarged(
    job: Job, latents: torch.Tensor, to: Pass, enlarger: Enlarger
) -> Generator[Preparing, None, torch.Tensor]:
    """Latents (B, C, h, w) that a job drew small, for the canvas of the run that refines them."""
    model, request = job.model, to.request
    cell, way = model.vae_scale_factor, request.hires_upscaler
    if way in LATENT:
        cells = (to.canvas[0] // cell, to.canvas[1] // cell)
        return enlarged_latents(latents, cells, way, request.around)
    frame = frames.Frame((0, 0, *to.size), to.size, to.canvas)
    made = []
    for row in range(len(latents)):
        small = decode(model, latents[row : row + 1], job.request)
        large = yield from enlarged_picture(
            small, to.size, "hires_upscaler", model.info, request, enlarger
        )
        made.append(encode(model, as_pixels(frame.lay(large)), request))
    return torch.cat(made)


def enlarged_picture(
    picture: Image.Image,
    size: Size,
    field: str,
    model: ModelInfo,
    request: GenerationRequest,
    enlarger: Enlarger,
) -> Generator[Preparing, None, Image.Image]:
    """The picture at ``size``, by the upscaler that the request's ``field`` names.

    What is told of every tile lets a job be stopped between two.
    """
    way = getattr(request, field)
    work = enlarger.enlarge(picture, size, way, model, field, request.around)
    try:
        while True:
            done, of = next(work)
            yield Preparing(say("Enlarging: tile {n} of {of}", n=done, of=of))
    except StopIteration as end:
        result: Image.Image = end.value
        return result
    finally:
        work.close()
