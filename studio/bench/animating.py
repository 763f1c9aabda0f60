"""The chapter on animation: frames a second, against a loop that makes one after another."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from PIL import Image

from studio.animation.animator import Animator
from studio.animation.mixing import mixed_embedding
from studio.animation.reading import read_animation
from studio.animation.reel import Reels
from studio.animation.request import AnimationRequest
from studio.bench.meters import now
from studio.bench.options import Options
from studio.bench.report import Figure
from studio.bench.subject import Subject
from studio.bench.ways import DiffusersWay, embeddings_of
from studio.complete import complete
from studio.engine.noise import generators_of, initial_noise, slerp
from studio.models.base import TextEmbedding
from studio.models.sd import LoadedStableDiffusion
from studio.models.store import ModelStore
from studio.request import GenerationRequest

_FRAMES = 16
_PROMPTS = ("the sea at noon", "the sea at night, stars")
_AIMS = {"cpu": "at least 1.3", "cuda": "at least 2.5"}


class FrameByFrame(DiffusersWay):
    """A loop over diffusers' own pipeline, as stable-diffusion-videos' ``walk`` makes its frames.

    Words on the straight line, noise on the arc, every frame a full run, both ends included.
    """

    def frames(
        self, requests: tuple[GenerationRequest, GenerationRequest], told: Any, count: int
    ) -> Iterator[Image.Image]:
        """``count`` frames. ``told``: for each request its words and its negative ones."""
        first, _ = requests
        cell, device = self._model.vae_scale_factor, self._placement.device
        shape = (self._model.latent_channels, first.height // cell, first.width // cell)
        start, end = (initial_noise(generators_of([each.seed]), shape, device) for each in requests)
        for number in range(count):
            share = number / max(count - 1, 1)
            words = mixed_embedding(told[0][0], told[1][0], share, "lerp")
            self._told: tuple[TextEmbedding, TextEmbedding] = (words, told[0][1])
            noise = start if torch.equal(start, end) else slerp(start, end, share)
            generators = generators_of([first.seed])
            yield self._call(first, noise.to(self._placement.dtype), generators, None)[0]


def measure_animating(
    subject: Subject, options: Options, say: Callable[[str], None]
) -> Iterator[Figure]:
    """The figures, as they come. ``say`` takes what is being measured, in words."""
    store = ModelStore(subject.catalog, options.device)
    model = store.acquire(subject.info.name)
    if not isinstance(model, LoadedStableDiffusion):
        raise TypeError("the bench knows models of the Stable Diffusion family")
    device, steps = store.placement.device, (options.steps or (20,))[0]
    walk = animation_of(subject, steps, options.size, method="walk")
    requests = (walk.keyframes[0].request, walk.keyframes[1].request)
    what = f"{_FRAMES} frames of {walk.common.width}×{walk.common.height}, {steps} steps"
    told = [embeddings_of(model, request) for request in requests]
    plain = FrameByFrame(subject.info, store.placement, told[0])
    with TemporaryDirectory(prefix="studio-bench-", dir=options.folder) as folder:
        animator = Animator(store)

        def theirs() -> None:
            for _ in plain.frames(requests, told, _FRAMES):
                pass

        for method in ("walk", "anchored"):
            say(f"{what}: the studio, {method}, and diffusers by turns")
            animation = animation_of(subject, steps, options.size, method=method)
            reels = Reels(Path(folder))

            def ours(animation: AnimationRequest = animation, reels: Reels = reels) -> None:
                for _ in animator.animate(reels.begin(secrets.token_hex(8), animation, "bench")):
                    pass

            rounds = _by_turns(theirs, ours, min(options.rounds or 3, 8), device)
            yield from _figures(f"{what}: ", method, rounds, device)
    store.release()


def animation_of(subject: Subject, steps: int, size: int | None, **film: Any) -> AnimationRequest:
    """Two prompts, ``_FRAMES`` frames in all."""
    given = {
        "keyframes": [{"prompt": prompt} for prompt in _PROMPTS], "frames": _FRAMES - 1,
        "model": subject.info.name, "num_inference_steps": steps, "seed": 1, **film,
    }  # fmt: skip
    if size is not None:
        given |= {"width": size, "height": size}

    def completed(values: Mapping[str, Any]) -> GenerationRequest:
        return complete(values, subject.info.defaults.as_values())

    return read_animation(given, completed)


Round = tuple[float, float]
"""Seconds of diffusers and of the studio, one right after the other."""


def _by_turns(
    theirs: Callable[[], None], ours: Callable[[], None], rounds: int, device: torch.device
) -> list[Round]:
    """Both in turns after a warm-up, so that a machine that slows down slows both alike."""

    def seconds(make: Callable[[], None]) -> float:
        began = now(device)
        make()
        return now(device) - began

    theirs()
    ours()
    return [(seconds(theirs), seconds(ours)) for _ in range(rounds)]


def _figures(what: str, method: str, rounds: list[Round], device: torch.device) -> Iterator[Figure]:
    """Frames a second of both, and the median of the rounds' own ratios."""
    theirs, ours = (_FRAMES / median(each) for each in zip(*rounds, strict=True))
    yield Figure(f"{what}diffusers, frame by frame, in turn with {method}", theirs, "/s")
    yield Figure(f"{what}the studio, {method}, saved", ours, "/s")
    ratio = median(a / b for a, b in rounds)
    yield Figure(f"{what}studio, {method} / diffusers", ratio, "×", _AIMS.get(device.type, ""))
