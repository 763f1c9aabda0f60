"""What all Stable Diffusions have in common: CLIP text encoders, a UNet, an autoencoder.

The families differ in their text encoders' outputs and in what else their UNet is told; see sd1.py,
sd2.py, sdxl.py and sdxl_refiner.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch

from studio.errors import ModelError, system_reason
from studio.models.architectures import Architecture
from studio.models.assemble import Assembled, assemble, read_scheduler_config
from studio.models.base import (
    Canvas,
    Conditions,
    ModelInfo,
    Painting,
    PreviewColours,
    TextEmbedding,
)
from studio.models.colours import SD_COLOURS, SDXL_COLOURS, fit_colours
from studio.models.header import DamagedFile
from studio.models.placement import Placement
from studio.models.text_tower import TextTower
from studio.models.weights import read_object
from studio.prompt.chunks import Chunk
from studio.sentences import say

__all__ = ["LoadedStableDiffusion", "load_stable_diffusion", "read_scheduler_config"]

WIDTHS = [128, 256, 512, 512]  # of the published autoencoders, whose colours are known
COLOURS: Mapping[float, PreviewColours] = {0.18215: SD_COLOURS, 0.13025: SDXL_COLOURS}

Loaded = TypeVar("Loaded", bound="LoadedStableDiffusion")


def load_stable_diffusion(
    make: Callable[[ModelInfo, Placement, Assembled], Loaded],
    architecture: Architecture,
    info: ModelInfo,
    placement: Placement,
) -> Loaded:
    """The model on its device. Raises ModelError with a sentence when it cannot be read."""
    try:
        return make(info, placement, assemble(info, architecture, placement))
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        sentence = say(
            "The model “{name}” cannot be loaded: {reason}", name=info.name, reason=_reason(error)
        )
        raise ModelError(sentence) from error


def _reason(error: Exception) -> str:
    """What went wrong while files were read; what a library says stays in its own words."""
    if isinstance(error, DamagedFile):
        return error.sentence
    if isinstance(error, OSError) and error.errno:
        return system_reason(error)
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


class LoadedStableDiffusion:
    """A Stable Diffusion model on its device; see `studio.models.base.LoadedModel`."""

    def __init__(self, info: ModelInfo, placement: Placement, assembled: Assembled) -> None:
        self.info: ModelInfo = info
        self.placement: Placement = placement
        self.parts: Mapping[str, torch.nn.Module] = assembled.parts
        self.unet: Any = assembled.parts["unet"]
        self.vae: Any = assembled.parts["vae"]
        self.towers = tuple(
            TextTower(assembled.parts[part], tokens) for part, tokens in assembled.tokens.items()
        )
        self.scheduler_config: Mapping[str, Any] = assembled.scheduler_config
        self.latent_channels: int = int(self.vae.config.latent_channels)
        self.vae_scale_factor: int = 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.chunk_length: int = self.towers[0].tokens.length
        self.zeros_for_empty_negative: bool = assembled.zeros_for_empty_negative
        factor = float(self.vae.config.scaling_factor)
        self.latent_space: tuple[float, ...] = (
            float(self.latent_channels), float(self.vae_scale_factor), factor,
        )  # fmt: skip
        self.guides_itself: bool = self.unet.config.time_cond_proj_dim is not None
        self.takes_canvas: bool = int(self.unet.config.in_channels) == 2 * self.latent_channels + 1
        self.preview_colours: PreviewColours = self._colours()
        self._check_the_unet()

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, without begin and end marks, of any length."""
        return self.towers[0].tokens.read(text)

    def encode_tokens(self, chunks: Sequence[Chunk], keep_mean: bool = True) -> TextEmbedding:
        """Each chunk between its own begin and end marks, padded; their outputs one after another.

        ``chunks``: at most ``chunk_length`` ids each. Returns sequence (1, 77·chunks, D) in fp32.
        """
        hidden, _ = self.towers[0].encode(chunks, keep_mean=keep_mean)
        return TextEmbedding(hidden.to(self.placement.device))

    def pooled_text(self, text: str) -> torch.Tensor:
        """The text encoder's pooled output (1, D); what does not fit into one pass is left out."""
        return self.towers[0].pooled(Chunk.of(self.tokenize(text)[: self.chunk_length]))

    def blank_canvas(self, width: int, height: int) -> Canvas | None:
        """A canvas to be painted all over, encoded from grey; None when the UNet takes none."""
        if not self.takes_canvas:
            return None
        grey = torch.zeros(1, 3, height, width, device=self.placement.device)
        kept = self.encode(grey)
        return Canvas(torch.ones_like(kept[:, :1]), kept)

    def conditions(self, embedding: TextEmbedding, painting: Painting) -> Conditions:
        """The prompt's sequence, the guidance of distilled models, and the canvas of inpainting."""
        device, dtype = self.placement.device, self.placement.dtype
        guidance = canvas = None
        if self.guides_itself:
            size = int(self.unet.config.time_cond_proj_dim)
            guidance = guidance_embedding(painting.guidance_scale, size).to(device, dtype)
        if painting.canvas is not None:
            canvas = torch.cat([painting.canvas.mask, painting.canvas.kept], 1).to(device, dtype)
        return Conditions(
            embedding.sequence.to(device, dtype), guidance=guidance, canvas=canvas
        )  # fmt: skip

    @torch.no_grad()
    def predict(
        self, latents: torch.Tensor, timestep: torch.Tensor, conditions: Conditions
    ) -> torch.Tensor:
        """The UNet's output (B, C, h, w) in fp32: epsilon or v, as the scheduler's config says."""
        dtype, layout = self.placement.dtype, self.placement.memory_format
        seen = latents.to(dtype)
        if conditions.canvas is not None:
            seen = torch.cat([seen, conditions.canvas], dim=1)
        added = None
        if conditions.pooled is not None:
            added = {"text_embeds": conditions.pooled, "time_ids": conditions.time_ids}
        output = self.unet(
            seen.to(memory_format=layout),
            timestep,
            encoder_hidden_states=conditions.sequence,
            timestep_cond=conditions.guidance,
            added_cond_kwargs=added,
            return_dict=False,
        )[0]
        return _tensor(output.to(torch.float32, memory_format=torch.contiguous_format))

    @torch.no_grad()
    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Latents (B, C, h, w), × scaling_factor, of pictures (B, 3, H, W) in -1…1; their mean."""
        return self._in_numbers(self._encode, pixels)

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (B, H, W, 3) uint8 on the CPU from latents (B, C, h, w), × scaling_factor.

        In the weights' format; where that overflows (a black picture), once more in fp32. Raises
        ModelError when there are no numbers in fp32 either.
        """
        pixels = self._in_numbers(self._decode, latents)
        return ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to("cpu", torch.uint8)

    def _in_numbers(
        self, run: Callable[[torch.Tensor], torch.Tensor], given: torch.Tensor
    ) -> torch.Tensor:
        """What the autoencoder makes of ``given``, in fp32 from the first overflow on."""
        result = run(given)
        if not bool(torch.isfinite(result).all()) and self.vae.dtype != torch.float32:
            self.vae.to(torch.float32)  # and stays so: this autoencoder needs it
            result = run(given)
        if not bool(torch.isfinite(result).all()):
            raise ModelError(
                say(
                    "The model “{name}” painted no picture (its numbers overflowed); try "
                    "another sampler, or start the studio with --device cpu.",
                    name=self.info.name,
                )
            )
        return result

    def _encode(self, pixels: torch.Tensor) -> torch.Tensor:
        given = pixels.to(self.vae.dtype, memory_format=self.placement.memory_format)
        mean = self.vae.encode(given, return_dict=False)[0].mode().float()
        return _tensor((mean - self._shift) * self.vae.config.scaling_factor).contiguous()

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self.pixels(latents).permute(0, 2, 3, 1)

    def pixels(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, H, W) in about -1…1, in fp32; gradients flow back through it."""
        scaled = latents / self.vae.config.scaling_factor + self._shift
        given = scaled.to(self.vae.dtype, memory_format=self.placement.memory_format)
        return _tensor(self.vae.decode(given, return_dict=False)[0].float())

    @property
    def _shift(self) -> float:
        return getattr(self.vae.config, "shift_factor", None) or 0.0

    def memory(self) -> int:
        """Bytes of weights held."""
        held = self.parts.values()
        return sum(p.numel() * p.element_size() for part in held for p in part.parameters())

    def _colours(self) -> PreviewColours:
        """The preview's matrix: from the card, the published one, or fitted to the autoencoder."""
        given = read_object(self.info.path / "card.json").get("preview")
        if isinstance(given, dict) and "matrix" in given:
            rows = tuple((float(r), float(g), float(b)) for r, g, b in given["matrix"])
            red, green, blue = (float(value) for value in given.get("bias", (0, 0, 0)))
            return PreviewColours(rows, (red, green, blue))
        config = self.vae.config
        if list(config.block_out_channels) == WIDTHS and config.scaling_factor in COLOURS:
            return COLOURS[config.scaling_factor]
        return fit_colours(self.vae, self.vae_scale_factor)

    def _check_the_unet(self) -> None:
        """Only UNets whose every input the studio can give: latents alone, or with a canvas."""
        channels, latent = int(self.unet.config.in_channels), self.latent_channels
        if channels not in (latent, 2 * latent + 1):
            raise ModelError(
                say(
                    "The model “{name}” cannot be run: its UNet takes {channels} channels, "
                    "where this studio gives {latent} (a picture) or {inpainting} (inpainting).",
                    name=self.info.name,
                    channels=channels,
                    latent=latent,
                    inpainting=2 * latent + 1,
                )
            )


def guidance_embedding(guidance_scale: float, size: int) -> torch.Tensor:
    """The guidance scale as distilled UNets take it: (1, size) fp32, sines then cosines of w.

    w is the scale less 1, as in the paper: guidance 1 is none. Source: Meng et al. 2022,
    arXiv:2210.03142; numbers as in diffusers' LatentConsistencyModelPipeline.
    """
    half = size // 2
    frequencies = torch.exp(torch.arange(half) * (-math.log(10_000.0) / (half - 1)))
    angles = 1000.0 * (guidance_scale - 1.0) * frequencies
    waves = torch.cat([angles.sin(), angles.cos()])
    return torch.nn.functional.pad(waves, (0, size % 2))[None]


def _tensor(value: torch.Tensor) -> torch.Tensor:
    return value
