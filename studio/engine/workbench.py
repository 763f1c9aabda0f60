"""A model made ready for one run: its add-ons on, its prompts read, what it starts from encoded."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import torch

from studio.engine.addons import AddOns
from studio.engine.clip_guidance import ClipGuided, ClipPairs, NoiseLevels, said_plainly
from studio.engine.conditioning import PromptEncoder, Wording, says_nothing
from studio.engine.denoise import Correction, Denoiser
from studio.engine.guidance import Guidance, Guided
from studio.engine.passes import Pass
from studio.engine.pixels import in_tiles
from studio.engine.preview import Preview
from studio.engine.seamless import seamless
from studio.engine.surface import Ground, Surface
from studio.engine.tiled import Cut, Tiled
from studio.images.frame import Size
from studio.models.addons.listing import Catalog
from studio.models.base import Canvas, LoadedModel
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest


@dataclass(frozen=True)
class Job:
    """One run with the model that works on it now, and what is made for the two.

    ``canvas``: width and height in pixels of what is drawn. ``surface``: the picture it starts
    from, ``ground`` the same in the model's latents.
    """

    run: Pass
    model: LoadedModel
    denoiser: Denoiser
    preview: Preview
    canvas: Size
    surface: Surface | None = None
    ground: Ground | None = None

    @property
    def request(self) -> GenerationRequest:
        """Of one of the pictures, whose words are those of all that are drawn with it."""
        return self.run.request

    def begun(self, noise: torch.Tensor, first: torch.Tensor | None) -> torch.Tensor:
        """Latents (B, C, h, w) at the noise level that the run begins with.

        ``noise``: standard normal. ``first``: latents to go on from, those of an earlier run.
        """
        ground, scheduler = self.ground if first is None else Ground(first), self.run.scheduler
        if ground is None:
            return noise * float(scheduler.init_noise_sigma)
        if not self.run.calls:
            return ground.original
        return ground.begun(scheduler, noise, self.request, self.run.start)

    def kept(self, noise: torch.Tensor) -> Correction | None:
        """What puts the start picture back outside its mask."""
        if self.ground is None:
            return None
        return self.ground.kept(self.run.scheduler, noise, self.run.start)


class Workbench:
    """Makes jobs, and keeps what the next one may need. For one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self.prompts = PromptEncoder()
        self.addons = AddOns(catalog)
        self.pairs = ClipPairs()

    def look_again(self) -> None:
        """A new request: what is installed may have changed since the last."""
        self.addons.look_again()

    def forget(self) -> None:
        """Let go of what is kept, to make room."""
        self.addons.forget()
        self.pairs.forget()

    def prepared(
        self, each: Pass, model: LoadedModel, addons: ExitStack, surface: Surface | None
    ) -> Job:
        """A pass's prompts in the words of a model, for every call that its scheduler makes.

        What the request wants on the model is on it until ``addons`` is closed.
        """
        request, steps = each.request, each.request.num_inference_steps
        words = addons.enter_context(self.addons.applied(model, request))
        calls = len(each.scheduler.timesteps)
        canvas = surface.frame(model.vae_scale_factor).canvas if surface else each.canvas
        cut = Cut.of(request, model.vae_scale_factor, canvas)
        _make_seamless(model, request, cut, canvas, addons)
        plan = plan_prompt(words.prompt, steps)
        positive, negative = self.prompts.encode(
            Wording(model, words.vocabulary.tokenize, words.variant, request.normalize_emphasis),
            calls,
            plan,
            plan_prompt(words.negative_prompt, steps, composed=False),
        )
        if model.zeros_for_empty_negative and not request.negative_prompt:
            negative = says_nothing(negative)
        ground = surface.on(model) if surface else None
        scale = request.clip_guidance_scale
        guided_by_clip = scale and model.info.name == request.model  # a refiner brings no CLIP

        def make(canvas: Canvas | None) -> Denoiser:
            guidance = Guidance.of(request)
            denoiser: Denoiser = Guided(model, positive, negative, guidance, calls, canvas)
            if guided_by_clip:
                pair, levels = self.pairs.of(model), NoiseLevels.of(each.scheduler)
                denoiser = ClipGuided(denoiser, pair, said_plainly(plan), scale, levels)
            return denoiser

        seen = ground.canvas if ground else None
        denoiser = Tiled(make, cut, seen) if cut else make(seen)
        preview = Preview(
            model.preview_colours, model.placement.device, decoder=self.addons.tiny.of(model)
        )
        return Job(each, model, denoiser, preview, canvas, surface, ground)


def _make_seamless(
    model: LoadedModel,
    request: GenerationRequest,
    cut: Cut | None,
    canvas: Size,
    addons: ExitStack,
) -> None:
    """Its networks go around where the request wants that and no tiles do."""
    around = cut.whole_axes(canvas, model.vae_scale_factor) if cut else request.around
    addons.enter_context(seamless(model.parts["unet"], *around))
    if not in_tiles(request, canvas):
        addons.enter_context(seamless(model.parts["vae"], *request.around))
