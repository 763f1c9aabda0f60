"""One animation on one model: from moments between keyframes to their latents, in batches.

Two methods, as in the animators that people know, without their faults. Anchored is
andreasjansson's (Replicate, stable-diffusion-animation): all frames share the first part of the
denoising, towards the middle of the keyframes. Walk is nateraw's (stable-diffusion-videos): every
frame is drawn from noise and words between those of its keyframes, and so reaches both exactly.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch

from studio.animation.forking import forked_generators, forked_scheduler
from studio.animation.mixing import MixedConditioning, mixed, per_frame
from studio.animation.plan import Moment, groups
from studio.animation.request import AnimationRequest
from studio.animation.words import encode_keyframes, lora_tags
from studio.engine.addons import AddOns
from studio.engine.conditioning import PromptEncoder
from studio.engine.denoise import Step, denoise
from studio.engine.guidance import Guidance, Guided
from studio.engine.noise import NoiseRecipe, generators_of, initial_noise
from studio.engine.pixels import as_pixels
from studio.engine.schedulers import make_scheduler
from studio.engine.surface import noised, start_call
from studio.images.frame import resized
from studio.images.reading import flattened
from studio.models.base import LoadedModel
from studio.samplers import check_sampling
from studio.sources import Sources

Steps = Generator[Step, None, torch.Tensor]
"""The steps of a run, and the latents that it ends with."""


@dataclass(frozen=True)
class _Anchor:
    """What all frames go on from: one picture's latents before call ``stop``."""

    latents: torch.Tensor
    scheduler: Any
    generator: torch.Generator
    stop: int


class Drawing:
    """Paints moments of an animation. What it puts on the model stays until ``stack`` is closed.

    Embeddings are encoded once, the shared part is computed once. Later noise of samplers that
    draw some is the first keyframe's in all frames, so that it does not flicker.
    """

    def __init__(
        self,
        animation: AnimationRequest,
        model: LoadedModel,
        addons: AddOns,
        prompts: PromptEncoder,
        sources: Sources | None,
        stack: ExitStack,
    ) -> None:
        self._animation, self._model, self._sources = animation, model, sources
        self._addons, self._stack = addons, stack
        self._requests = [keyframe.request for keyframe in animation.keyframes]
        common = animation.common
        self._sampler = check_sampling(
            common.sampler, common.sigma_schedule, common.num_inference_steps
        )
        self.calls = len(self._scheduler().timesteps)
        self._words = encode_keyframes(self._requests, model, addons, prompts, self.calls)
        self._noise = [self._drawn(number) for number in range(len(self._requests))]
        self._anchor: _Anchor | None = None
        self._clean: dict[int, torch.Tensor] = {}
        self._canvas = model.blank_canvas(common.width, common.height)
        self._worn: str | None = None

    def calls_of(self, moment: Moment) -> int:
        """How often the UNet is asked for a frame, the shared part aside."""
        if self._has_picture(moment):
            return max(self.calls - self._picture_start(), 0)
        return max(self.calls - self._stop(), 0) if self._anchored else self.calls

    def batches(
        self, frames: Sequence[int], moments: Sequence[Moment], together: int
    ) -> list[tuple[int, ...]]:
        """The frames that are painted together, by their numbers; always the same ones."""
        size = 1 if self._model.guides_itself else together

        def kind(frame: int) -> tuple[bool, str]:
            return self._has_picture(moments[frame]), lora_tags(self._requests, moments[frame])

        runs = (tuple(run) for _, run in groupby(frames, kind))
        return [batch for run in runs for batch in groups(run, size)]

    def filled(self, moments: Sequence[Moment], together: int) -> list[Moment]:
        """A batch from `batches` as it is painted.

        What was measured first is painted in whole batches, filled up with the last moment: matrix
        products of another size round otherwise, and where a picture turns over that decides on
        which side a frame is.
        """
        whole = self._animation.even_pacing and not self._model.guides_itself
        return [*moments, *[moments[-1]] * (together - len(moments) if whole else 0)]

    def paint(self, moments: Sequence[Moment]) -> Steps:
        """The latents (B, C, h, w) of a batch from `batches`."""
        if self._has_picture(moments[0]):
            return (yield from self._repainted(moments))
        if not self._anchored:
            return (yield from self._walked(moments))
        if self._anchor is None:
            self._anchor = yield from self._shared_part()
        self._wear(lora_tags(self._requests, moments[0]))
        anchor, count = self._anchor, len(moments)
        latents = anchor.latents.expand(count, *anchor.latents.shape[1:]).clone()
        scheduler = forked_scheduler(anchor.scheduler, latents.shape)
        generators = forked_generators(anchor.generator, count)
        return (yield from self._run(moments, scheduler, latents, generators, anchor.stop))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (B, H, W, 3) uint8 of latents (B, C, h, w)."""
        if self._worn is None:
            self._wear(lora_tags(self._requests, Moment(0, 0, 0.0)))
        return self._model.decode(latents)

    # -- the ways to paint -----------------------------------------------------------------------

    def _walked(self, moments: Sequence[Moment]) -> Steps:
        """Every frame from its own noise."""
        self._wear(lora_tags(self._requests, moments[0]))
        scheduler = self._scheduler()
        latents = self._noises(moments) * scheduler.init_noise_sigma
        generators = [self._generator() for _ in moments]
        return (yield from self._run(moments, scheduler, latents, generators, 0))

    def _shared_part(self) -> Generator[Step, None, _Anchor]:
        """The first part of the denoising, with the words and noise in the middle."""
        last = len(self._requests) - 1
        middle = Moment(last // 2, (last + 1) // 2, 0.5 if last % 2 else 0.0)
        self._wear(lora_tags(self._requests, middle))
        scheduler, generator, stop = self._scheduler(), self._generator(), self._stop()
        latents = self._noises([middle]) * scheduler.init_noise_sigma
        run = self._run([middle], scheduler, latents, [generator], 0, stop)
        return _Anchor((yield from run), scheduler, generator, stop)

    def _repainted(self, moments: Sequence[Moment]) -> Steps:
        """Between two pictures, one of which was given: mixtures of them, drawn over.

        At the ends the pictures themselves, in the middle what was drawn, and in between a mixture
        of the two, so that nothing jumps where a keyframe is reached.
        """
        for keyframe in sorted({k for m in moments for k in (m.start, m.end)}):
            if keyframe not in self._clean:
                self._clean[keyframe] = yield from self._clean_latents(keyframe)
        self._wear(lora_tags(self._requests, moments[0]))
        scheduler, start = self._scheduler(), self._picture_start()
        clean = torch.cat(
            [mixed(self._clean[m.start], self._clean[m.end], m.share, "lerp") for m in moments]
        )
        if start >= self.calls:
            return clean
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(start)
        latents = noised(scheduler, clean, self._noises(moments), start)
        generators = [self._generator() for _ in moments]
        painted = yield from self._run(moments, scheduler, latents, generators, start)
        drawn = per_frame([math.sin(math.pi * m.share) for m in moments], clean.device)
        return clean + drawn * (painted - clean)

    def _clean_latents(self, number: int) -> Steps:
        """What a keyframe shows, (1, C, h, w): its picture's latents, or what its words make."""
        request = self._requests[number]
        if not request.init_image or self._sources is None:
            return (yield from self._walked([Moment(number, number, 0.0)]))
        self._wear(lora_tags(self._requests, Moment(number, number, 0.0)))
        picture = flattened(self._sources.get(request.init_image, "init_image"))
        mode = "crop" if request.resize_mode == "keep" else request.resize_mode
        pixels = as_pixels(resized(picture, (request.width, request.height), mode))
        return self._model.encode(pixels.to(self._model.placement.device))

    def _run(
        self,
        moments: Sequence[Moment],
        scheduler: Any,
        latents: torch.Tensor,
        generators: Sequence[torch.Generator],
        start: int,
        stop: int | None = None,
    ) -> Steps:
        """The one denoising loop, told what lies between the keyframes."""
        positive, negative = (
            MixedConditioning(words, moments, self._animation.blend) for words in self._words
        )
        request = self._animation.common
        scales = [
            _between(
                self._requests[m.start].guidance_scale, self._requests[m.end].guidance_scale, m
            )
            for m in moments
        ]
        guidance = Guidance(
            per_frame(scales, latents.device),
            request.guidance_rescale, request.guidance_start, request.guidance_end,
        )  # fmt: skip
        guided = Guided(self._model, positive, negative, guidance, self.calls, self._canvas)
        with closing(denoise(guided, scheduler, latents, generators, start, stop)) as steps:
            for step in steps:
                latents = step.latents
                yield step
        return latents

    # -- what they start from --------------------------------------------------------------------

    @property
    def _anchored(self) -> bool:
        return self._animation.method == "anchored"

    def _stop(self) -> int:
        """The call before which the shared part ends; a step of two calls is never torn apart."""
        steps = self._animation.common.num_inference_steps
        shared = round(steps * (1 - self._animation.prompt_strength))
        return min(shared * self._sampler.order, self.calls)

    def _picture_start(self) -> int:
        """The call that drawing over a picture begins with."""
        with_picture = next((r for r in self._requests if r.init_image), self._animation.common)
        return start_call(with_picture, self._sampler)

    def _has_picture(self, moment: Moment) -> bool:
        """Whether one of the two keyframes is a picture that was given."""
        return any(self._requests[k].init_image for k in (moment.start, moment.end))

    def _scheduler(self) -> Any:
        common = self._animation.common
        return make_scheduler(
            self._sampler, common.sigma_schedule, common.num_inference_steps,
            self._model.scheduler_config,
        )  # fmt: skip

    def _shape(self) -> tuple[int, int, int]:
        cell, common = self._model.vae_scale_factor, self._animation.common
        return self._model.latent_channels, common.height // cell, common.width // cell

    def _drawn(self, number: int) -> torch.Tensor:
        """A keyframe's first noise (1, C, h, w), as a picture of the same request has it."""
        recipe = NoiseRecipe.of(self._requests[number], self._model.vae_scale_factor)
        device = self._model.placement.device
        return initial_noise(generators_of([recipe.seed]), self._shape(), device, [recipe])

    def _noises(self, moments: Sequence[Moment]) -> torch.Tensor:
        """The first noise of each frame, on the arc between its keyframes': (B, C, h, w)."""
        noise = self._noise
        return torch.cat([_arc(noise[m.start], noise[m.end], m.share) for m in moments])

    def _generator(self) -> torch.Generator:
        """The first keyframe's, past its first noise, as it is in a picture."""
        (generator,) = generators_of([self._requests[0].seed])
        torch.randn(self._shape(), generator=generator)
        return generator

    def _wear(self, tags: str) -> None:
        """Have the LoRAs of ``tags`` on the model, and the VAE that is wanted."""
        if tags != self._worn:
            self._stack.close()
            request = self._requests[0].model_copy(update={"prompt": tags, "negative_prompt": ""})
            self._stack.enter_context(self._addons.applied(self._model, request))
            self._worn = tags


def _between(start: float, end: float, moment: Moment) -> float:
    return start if start == end else start + moment.share * (end - start)


def _arc(start: torch.Tensor, end: torch.Tensor, share: float) -> torch.Tensor:
    """Equal noise is left as it is: an arc of no length is not to the bit."""
    return start if torch.equal(start, end) else mixed(start, end, share, "slerp")
