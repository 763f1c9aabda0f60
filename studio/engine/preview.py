"""Small pictures of what is coming, straight from the latents; they cost next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from PIL import Image

from studio.models.base import PreviewColours

PER_SECOND = 5.0
SHARE = 0.05
"""Of the time, what previews may take on a CPU, where nothing else goes on meanwhile."""

Decoder = Callable[[torch.Tensor], torch.Tensor]
"""Latents (B, C, h, w) to pictures (B, 3, H, W) in -1…1."""


class Preview:
    """Turns denoised latents into small pictures, at most five a second.

    With a ``decoder`` they are what it makes; without, a pixel per cell by the ``colours``.

    On a device other than the CPU the pixels travel while it works on: a picture offered now is
    handed out at a later step, and nobody waits for it.
    """

    def __init__(
        self,
        colours: PreviewColours,
        device: torch.device,
        clock: Callable[[], float] = time.monotonic,
        decoder: Decoder | None = None,
    ) -> None:
        self._decoder = decoder
        self._rest = 1 / PER_SECOND
        self._matrix = torch.tensor(colours.matrix, dtype=torch.float32, device=device)
        self._bias = torch.tensor(colours.bias, dtype=torch.float32, device=device)
        self._clock = clock
        self._last = float("-inf")
        self._travelling: tuple[torch.Tensor, torch.cuda.Event] | None = None

    @torch.no_grad()
    def of(self, denoised: torch.Tensor) -> Image.Image | None:
        """A picture of one latent (C, h, w); None when it is not time for one."""
        arrived = self._arrived()
        now = self._clock()
        if now - self._last < self._rest:
            return arrived
        self._last = now
        pixels = self._pixels(denoised)
        if pixels.device.type == "cpu":
            self._rest = max(1 / PER_SECOND, (self._clock() - now) / SHARE)
            return Image.fromarray(pixels.numpy())
        if pixels.device.type == "cuda":
            self._send(pixels)
            return arrived
        return Image.fromarray(pixels.cpu().numpy())

    def _pixels(self, denoised: torch.Tensor) -> torch.Tensor:
        """(h, w, 3) or what the decoder makes, uint8 on the latents' device."""
        if self._decoder is not None:
            rgb = self._decoder(denoised[None])[0].permute(1, 2, 0)
        else:
            rgb = denoised.float().permute(1, 2, 0) @ self._matrix + self._bias
        return ((rgb / 2 + 0.5).clamp(0, 1) * 255).to(torch.uint8).contiguous()

    def _send(self, pixels: torch.Tensor) -> None:
        host = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=True)
        host.copy_(pixels, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._travelling = (host, event)

    def _arrived(self) -> Image.Image | None:
        if self._travelling is None:
            return None
        host, event = self._travelling
        if not event.query():  # type: ignore[no-untyped-call]
            return None
        self._travelling = None
        return Image.fromarray(host.numpy().copy())


class Pace:
    """Keeps the host at most one step ahead of a CUDA device, so that progress is true.

    Waiting for the step before the one just queued leaves the device with work to do.
    """

    def __init__(self, device: torch.device) -> None:
        self._events = device.type == "cuda"
        self._before: torch.cuda.Event | None = None

    def wait(self) -> None:
        """Call once per step, after its work is queued."""
        if not self._events:
            return
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = event
