"""What the engine says while it works. One vocabulary for the worker, the page and the API."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from studio.sentences import Sentence


@dataclass(frozen=True)
class Preparing:
    """Something has to be done before the first step, said in words ("Loading pocket")."""

    what: Sentence


@dataclass(frozen=True)
class Progress:
    """One step is done.

    ``step`` of ``steps`` counts over all pictures of the job. ``preview`` is a small picture of
    the ``denoised`` estimate (one latent cell a pixel, or larger), None when there is no new one.
    """

    step: int
    steps: int
    picture: int
    preview: Image.Image | None = None


@dataclass(frozen=True)
class ImageReady:
    """Picture ``index`` of the request is finished: RGB, at the size that was asked for."""

    index: int
    image: Image.Image


@dataclass(frozen=True)
class FrameReady:
    """Frame ``index`` of an animation is finished, and on the disk."""

    index: int


Event = Preparing | Progress | ImageReady | FrameReady
