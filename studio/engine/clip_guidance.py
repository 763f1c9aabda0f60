"""Guidance by CLIP: every step is pulled towards what CLIP takes for the prompt.

The road before classifier-free guidance: Dhariwal & Nichol 2021, arXiv:2105.05233, algorithm 2,
with CLIP for the classifier. The gradient is taken at the denoised estimate, not through the UNet,
as in He et al. 2024, arXiv:2311.16424 (without its autoencoder), and only its direction counts: so
the scale means the same for every model and size, and a step costs one decoding and the way back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from studio.engine.denoise import Denoiser, estimate
from studio.engine.schedulers import signal_levels
from studio.models.base import LoadedModel
from studio.models.clip_pair import ClipPair, load_clip_pair
from studio.models.pipelines import has_clip_pair, no_clip_pair
from studio.prompt.plan import PromptPlan

STRENGTH = 0.1
"""At scale 1 an estimate moves by so much (root mean square) of what noise is left."""


@dataclass(frozen=True)
class NoiseLevels:
    """What each call of the loop asks for: alpha² + sigma² = 1, and what the UNet answers with."""

    alphas: tuple[float, ...]
    sigmas: tuple[float, ...]
    prediction_type: str

    @classmethod
    def of(cls, scheduler: Any) -> NoiseLevels:
        """Those of a scheduler whose timesteps are set."""
        signal = signal_levels(scheduler)
        alphas, sigmas = (tuple(each.sqrt().tolist()) for each in (signal, 1 - signal))
        return cls(alphas, sigmas, str(scheduler.config.prediction_type))


class ClipGuided:
    """A Denoiser whose answers are those of another, pulled towards a text. For one run."""

    def __init__(
        self, denoiser: Denoiser, pair: ClipPair, text: str, scale: float, levels: NoiseLevels
    ) -> None:
        self._denoiser, self._pair, self._levels = denoiser, pair, levels
        self._scale, self._wanted = STRENGTH * scale, pair.read(text)

    def __call__(self, latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        """The output (B, C, h, w) in fp32 for scaled latents (B, C, h, w)."""
        output = self._denoiser(latents, timestep, index)
        alpha, sigma = self._levels.alphas[index], self._levels.sigmas[index]
        kind = self._levels.prediction_type
        denoised = estimate(latents, output, alpha, sigma, kind)
        pull = self._scale * self._direction(denoised)
        # so that x0 = alpha · x - sigma · v = (x - sigma · e) / alpha moves by sigma · pull
        if kind == "sample":
            return output + sigma * pull
        return output - pull * (1.0 if kind == "v_prediction" else alpha)

    def _direction(self, denoised: torch.Tensor) -> torch.Tensor:
        """Where the pictures (B, C, h, w) come nearer to the text; root mean square 1 for each."""
        with torch.enable_grad():
            estimates = denoised.detach().requires_grad_()
            nearness = (self._pair.see(self._pair.model.pixels(estimates)) * self._wanted).sum()
            (gradient,) = torch.autograd.grad(nearness, estimates)
        size = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return torch.nan_to_num(gradient / size.clamp(min=1e-12))


class ClipPairs:
    """The pair of the model that was guided last, kept for the next picture. For one thread."""

    def __init__(self) -> None:
        self._kept: ClipPair | None = None

    def of(self, model: LoadedModel) -> ClipPair:
        """The pair that a model brings. Raises InvalidRequest when it brings none."""
        if not has_clip_pair(model.info.path):
            raise no_clip_pair(model.info.name)
        if self._kept is None or self._kept.model is not model:
            self._kept = load_clip_pair(model)
        return self._kept

    def forget(self) -> None:
        """Let it go, to make room."""
        self._kept = None


def said_plainly(plan: PromptPlan) -> str:
    """The words of a prompt's first step, without weights: what CLIP is asked for."""
    conditions = plan.at(0).conditions
    return ", ".join("".join(span.text for span in each.spans).strip() for each in conditions)
