"""What a request paints on: a start picture with or without a mask, in pixels and in latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageChops

from studio.engine.denoise import Correction
from studio.engine.differential import free_at
from studio.engine.pixels import as_pixels, encode, enlarged_latents
from studio.images import frame as frames
from studio.images import masks
from studio.images.colours import matched
from studio.images.reading import as_mask, flattened
from studio.models.base import Canvas, LoadedModel
from studio.request import GenerationRequest, MaskedContent
from studio.samplers import Sampler
from studio.sources import Sources, not_kept


@dataclass(frozen=True)
class Ground:
    """A surface in a model's latents, fp32 on its device.

    ``original``: (1, C, h, w), × scaling_factor. ``mask``: (1, 1, h, w), 1 = drawn anew. ``filled``
    is what the masked part starts from where that is another picture. ``canvas``: what an
    inpainting model is shown. ``soft``: the mask is graded, see `differential`.
    """

    original: torch.Tensor
    mask: torch.Tensor | None = None
    filled: torch.Tensor | None = None
    canvas: Canvas | None = None
    soft: bool = False

    def begun(
        self, scheduler: Any, noise: torch.Tensor, request: GenerationRequest, start: int
    ) -> torch.Tensor:
        """Latents (B, C, h, w) at the noise level of call ``start``; ``noise``: standard normal.

        As in diffusers, a masked part at full strength is noise and nothing else; what is added to
        a picture goes on from it all the same.
        """
        seeded = self.filled is not None or self.soft or any(request.outpaint)
        if self.mask is not None and request.strength == 1 and not seeded:
            return noise * float(scheduler.init_noise_sigma)
        first = self.original if self.filled is None else self.filled
        if self.mask is not None:
            first = self._content(first, noise, request.masked_content)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(start)
        return noised(scheduler, first, noise, start)

    def _content(
        self, first: torch.Tensor, noise: torch.Tensor, content: MaskedContent
    ) -> torch.Tensor:
        if self.mask is None or content in ("original", "fill"):
            return first
        return first * (1 - self.mask) + (noise * self.mask if content == "noise" else 0)

    def kept(self, scheduler: Any, noise: torch.Tensor, start: int) -> Correction | None:
        """Puts the original at the right noise level back outside the mask, after every call.

        Source: Avrahami et al. 2022, Blended Latent Diffusion, arXiv:2206.02779; as in diffusers.
        An inpainting model sees the original and is left alone, unless the mask is graded.
        ``start``: the call that the run begins with.
        """
        if self.mask is None or (self.canvas is not None and not self.soft):
            return None
        whole, calls = self.mask, len(scheduler.timesteps)

        def correct(latents: torch.Tensor, index: int) -> torch.Tensor:
            original, mask, following = self.original, whole, min(index + 1, calls - 1)
            if self.soft:
                mask = free_at(whole, following - start, calls - start)
            if index + 1 < calls:
                original = noised(scheduler, original, noise, index + 1)
            return (1 - mask) * original + mask * latents

        return correct


class Surface:
    """The start picture of one request at the size of its result, and its mask.

    What an autoencoder makes of them is kept, for one request is many batches.
    """

    def __init__(
        self, request: GenerationRequest, picture: Image.Image, mask: Image.Image | None
    ) -> None:
        self._small = picture
        if request.resize_mode != "keep":
            size = (request.width, request.height)
            picture = frames.resized(picture, size, request.resize_mode)
            mask = mask and frames.resized(mask, size, request.resize_mode)
        soft = mask and masks.blurred(mask, request.mask_blur)
        if any(margins := request.outpaint):
            anew = masks.added(picture.size, margins)
            fading = masks.faded(picture.size, margins, request.mask_blur)
            mask, soft = _with(mask, anew, margins), _with(soft, fading, margins)
            picture = frames.extended(picture, margins)
        self._request, self.picture = request, picture
        self._mask, self._soft = mask, soft
        self._grounds: dict[str, Ground] = {}

    @classmethod
    def of(
        cls,
        request: GenerationRequest,
        sources: Sources | None,
        larger: Image.Image | None = None,
    ) -> Surface | None:
        """What a request starts from; None for nothing. InvalidRequest when it is not kept.

        ``larger``: the start picture after it was enlarged, where the request wants that.
        """
        if not request.init_image:
            return None
        picture, mask = larger or start_picture(request, sources), None
        if request.mask_image and sources is not None:
            mask = as_mask(sources.get(request.mask_image, "mask_image"))
            if larger is not None:
                mask = mask.resize(larger.size, Image.Resampling.BICUBIC)
        return cls(request, picture, mask)

    def frame(self, cell: int) -> frames.Frame:
        """Where it is drawn; ``cell``: the side of a latent cell in pixels."""
        room = (self._request.width, self._request.height)
        box: frames.Box = (0, 0, *self.picture.size)
        if self._soft is not None and self._request.inpaint_area == "masked":
            inner, padding = masks.bounds(self._soft), self._request.inpaint_padding
            box = frames.box_around(inner, padding, room, self.picture.size)
        elif self._request.upscales:  # pixel by pixel, whatever Width and Height are
            room = self.picture.size
        return frames.frame(box, room, cell)

    def on(self, model: LoadedModel) -> Ground:
        """The surface in the latents of a model, whose autoencoder is the request's by now."""
        name = model.info.name
        if name not in self._grounds:
            self._grounds[name] = self._encoded(model)
        return self._grounds[name]

    def _encoded(self, model: LoadedModel) -> Ground:
        cell, device = model.vae_scale_factor, model.placement.device
        frame = self.frame(cell)
        seen = flattened(self.picture)
        pixels = as_pixels(frame.lay(seen))
        original = self._first_latents(model, pixels)
        if self._mask is None:
            return Ground(original)
        touched = torch.from_numpy(masks.cells(self._mask, frame, cell)).to(device)
        mask = hard = touched[None, None].float()
        soft = self._request.soft_inpainting and self._soft is not None
        if soft and self._soft is not None:
            levels = masks.graded(self._soft, frame, cell)
            mask = torch.from_numpy(levels).to(device)[None, None]
        filled = None
        if self._request.masked_content == "fill":
            hole = masks.core(frame.lay(self._mask))
            filled = encode(model, as_pixels(masks.filled(frame.lay(seen), hole)), self._request)
        canvas = None
        if model.takes_canvas:
            hidden = torch.nn.functional.interpolate(hard.cpu(), scale_factor=float(cell))
            canvas = Canvas(hard, encode(model, pixels * (1 - hidden), self._request))
        return Ground(original, mask, filled, canvas, soft)

    def _first_latents(self, model: LoadedModel, pixels: torch.Tensor) -> torch.Tensor:
        """Those of the picture as it lies there; or of the picture as it was given, stretched.

        The latter is A1111's “just resize (latent upscale)”.
        """
        if self._request.resize_mode != "latent" or any(self._request.outpaint):
            return encode(model, pixels, self._request)
        cell, size = model.vae_scale_factor, self._small.size
        own = frames.frame((0, 0, *size), size, cell)
        latents = encode(model, as_pixels(own.lay(flattened(self._small))), self._request)
        rows, columns = (side // cell for side in pixels.shape[2:])
        return enlarged_latents(latents, (columns, rows), "latent")

    def finished(self, drawn: Image.Image, cell: int) -> Image.Image:
        """The result: as large as the picture, and outside the soft mask the same to the bit."""
        frame = self.frame(cell)
        part = frame.lift(self._matched(drawn, frame) if self._request.colour_match else drawn)
        if self._soft is not None:
            share = masks.opened(self._soft) if self._request.soft_inpainting else self._soft
            part = masks.composite(self.picture, part, share, frame.box[:2])
        elif self.picture.mode == "RGBA":
            part.putalpha(self.picture.getchannel("A"))
        part.info = {**self.picture.info}  # the profile, in whose numbers it was drawn
        return part

    def _matched(self, drawn: Image.Image, frame: frames.Frame) -> Image.Image:
        """What was drawn, with the colours of the picture; judged by what of it stays.

        By all of it where there is no mask, or nothing stays: there the subject itself may change
        its colour, and with it the match.
        """
        judged = np.ones(drawn.size[::-1], dtype=np.bool_)
        if self._soft is not None:
            stays = np.asarray(frame.lay(self._soft, Image.Resampling.BOX)) == 0
            judged = stays if stays.any() else judged
        return matched(drawn, frame.lay(flattened(self.picture)), judged)


def start_picture(request: GenerationRequest, sources: Sources | None) -> Image.Image:
    """The picture (RGB or RGBA) that a request starts from. InvalidRequest when it is not kept."""
    if sources is None:
        raise not_kept(request.init_image, "init_image")
    picture = sources.get(request.init_image, "init_image")
    return picture if picture.mode == "RGBA" else picture.convert("RGB")


def _with(mask: Image.Image | None, other: Image.Image, margins: frames.Box) -> Image.Image:
    """A picture's mask, if there is one, laid on the mask of the larger picture."""
    if mask is not None:
        whole = Image.new("L", other.size)
        whole.paste(mask, margins[:2])
        other = ImageChops.lighter(whole, other)
    return other


def start_call(request: GenerationRequest, sampler: Sampler) -> int:
    """The call of the loop that a request begins with: 0 without a start picture."""
    return (request.num_inference_steps - request.steps_run) * sampler.order


def noised(scheduler: Any, latents: torch.Tensor, noise: torch.Tensor, index: int) -> torch.Tensor:
    """``latents`` with ``noise`` at the level of call ``index``, in the scheduler's own scale.

    The scheduler is asked about plain numbers, for it stays on the CPU.
    """
    at = scheduler.timesteps[index : index + 1]
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    signal = float(scheduler.add_noise(one, zero, at))
    spread = float(scheduler.add_noise(zero, one, at))
    return signal * latents + spread * noise
