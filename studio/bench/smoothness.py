"""How evenly animations move: ``python -m studio.bench.smoothness [--frames 24] [--size 128]``.

For 5 fixed animations: the largest step from one frame to the next, and the 95th percentile, over
the mean step; 1 would be perfectly even. Distances are those of `studio.animation.pacing`. Beside
the studio's two methods, with and without even pacing, stand the two animators they come from, as
published: andreasjansson's cog-stable-diffusion (branch animate, head 7d0ab00) and nateraw's
stable-diffusion-videos.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from studio.animation.animator import Animator
from studio.animation.mixing import mixed
from studio.animation.pacing import distance, small
from studio.animation.reading import read_animation
from studio.animation.reel import Reels
from studio.bench.animating import FrameByFrame
from studio.bench.subject import Subject, model_that_is_there
from studio.bench.ways import embeddings_of
from studio.complete import complete
from studio.engine.guidance import stacked
from studio.engine.noise import generators_of, initial_noise
from studio.models.base import Painting, TextEmbedding
from studio.models.sd import LoadedStableDiffusion
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.settings import Settings

ANIMATIONS = (
    ("the sea at noon", "the sea at night, stars"),
    ("a castle in the mountains at sunrise", "a castle in the mountains at night"),
    ("a city at noon", "a city at sunset"),
    ("a cat in a meadow", "a dog in a meadow"),
    ("a red sailboat on the sea", "a white lighthouse by the sea"),
)
SEEDS = (1, 2)  # nateraw's animator has a seed for each prompt; the others use the first
_PROMPT_STRENGTH = 0.8

Frames = Sequence[Image.Image]


def unevenness(frames: Frames) -> tuple[float, float]:
    """The largest step and the 95th percentile, each over the mean; (1, 1) where nothing moves."""
    steps = np.array([distance(one, other) for one, other in pairwise(frames)])
    mean = float(steps.mean())
    return (float(steps.max()) / mean, float(np.percentile(steps, 95)) / mean) if mean else (1, 1)


class Ways:
    """Every way to make one animation, on one model; frames come out at the size compared."""

    def __init__(self, subject: Subject, store: ModelStore, folder: Path) -> None:
        model = store.acquire(subject.info.name)
        if not isinstance(model, LoadedStableDiffusion):
            raise TypeError("the bench knows models of the Stable Diffusion family")
        self._subject, self._store, self._model, self._folder = subject, store, model, folder
        self._animator = Animator(store)

    def all(
        self, prompts: tuple[str, str], frames: int, **given: Any
    ) -> Iterator[tuple[str, Frames]]:
        """The name of each way and the frames that it makes."""
        start, end = (
            self._request(prompt=prompt, seed=seed, **given)
            for prompt, seed in zip(prompts, SEEDS, strict=True)
        )
        same = end.model_copy(update={"seed": start.seed})
        yield "cog-stable-diffusion", self._replicate(start, same, frames)
        yield "stable-diffusion-videos", self._nateraw(start, end, frames)
        for method, seeds in (("anchored", (1, 1)), ("walk", SEEDS)):
            for even in (False, True):
                name = f"studio, {method}{', even pacing' * even}"
                keyframes = [{"prompt": p, "seed": s} for p, s in zip(prompts, seeds, strict=True)]
                asked = {"keyframes": keyframes, "frames": frames - 1, "method": method,
                         "even_pacing": even, **given}  # fmt: skip
                yield name, self._studio(asked)

    def _request(self, **values: Any) -> GenerationRequest:
        named = {"model": self._subject.info.name, **values}
        return complete(named, self._subject.info.defaults.as_values())

    def _studio(self, asked: Mapping[str, Any]) -> Frames:
        animation = read_animation(asked, lambda values: self._request(**values))
        reel = Reels(self._folder).begin(secrets.token_hex(8), animation, "bench")
        for _ in self._animator.animate(reel):
            pass
        return [small(picture) for picture in reel.pictures()]

    def _nateraw(self, start: GenerationRequest, end: GenerationRequest, frames: int) -> Frames:
        told = [embeddings_of(self._model, request) for request in (start, end)]
        way = FrameByFrame(self._subject.info, self._store.placement, told[0])
        return [small(picture) for picture in way.frames((start, end), told, frames)]

    @torch.no_grad()
    def _replicate(self, start: GenerationRequest, end: GenerationRequest, frames: int) -> Frames:
        """Its last version, with what is wrong in it: the end is not reached, PNDM starts anew."""
        model, device = self._model, self._model.placement.device
        cell = model.vae_scale_factor
        whole = [
            torch.cat([negative.sequence, positive.sequence])
            for positive, negative in (embeddings_of(model, each) for each in (start, end))
        ]
        shape = (model.latent_channels, start.height // cell, start.width // cell)
        noise = initial_noise(generators_of([start.seed]), shape, device)
        shared = int(start.num_inference_steps * (1 - _PROMPT_STRENGTH))
        run = self._pndm(start, mixed(whole[0], whole[1], 0.5, "slerp"))
        anchor = run(noise, 1, shared)
        pictures = []
        for number in range(frames):
            words = mixed(whole[0], whole[1], number / frames, "slerp")
            latents = self._pndm(start, words)(anchor, shared, None)
            pictures.append(small(Image.fromarray(model.decode(latents)[0].numpy())))
        return pictures

    def _pndm(
        self, request: GenerationRequest, words: torch.Tensor
    ) -> Callable[[torch.Tensor, int, int | None], torch.Tensor]:
        """A run with a scheduler of its own, over a part of its timesteps."""
        import diffusers

        model, scale = self._model, request.guidance_scale
        config = {**model.scheduler_config, "skip_prk_steps": False}
        scheduler = diffusers.PNDMScheduler.from_config(config)
        scheduler.set_timesteps(request.num_inference_steps)
        painting = Painting(request.width, request.height, scale)
        rows = [model.conditions(TextEmbedding(row[None]), painting) for row in words]
        told = stacked(rows, 1)

        def run(latents: torch.Tensor, first: int, last: int | None) -> torch.Tensor:
            for timestep in scheduler.timesteps[first:last]:
                output = model.predict(torch.cat([latents] * 2), timestep, told)
                without, towards = output.chunk(2)
                guided = without + scale * (towards - without)
                latents = scheduler.step(guided, timestep, latents, return_dict=False)[0]
            return latents

        return run


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table; with ``--json``, write the figures as well."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.bench.smoothness", description="How evenly animations move."
    )
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--animations", type=int, default=len(ANIMATIONS), help="only the first")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    found: list[dict[str, Any]] = []
    asked = {"width": given.size, "height": given.size, "num_inference_steps": given.steps}
    with (
        TemporaryDirectory(prefix="studio-bench-") as folder,
        model_that_is_there(given.model, Settings()) as subject,
    ):
        ways = Ways(subject, ModelStore(subject.catalog, given.device), Path(folder))
        print(f"{'max/mean':>8}  {'p95/mean':>8}")
        for prompts in ANIMATIONS[: given.animations]:
            print(" → ".join(prompts))
            for name, frames in ways.all(prompts, given.frames, **asked):
                worst, most = unevenness(frames)
                print(f"{worst:8.2f}  {most:8.2f}  {name}", flush=True)
                found.append({"animation": prompts, "way": name, "max": worst, "p95": most})
    if given.json:
        given.json.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
