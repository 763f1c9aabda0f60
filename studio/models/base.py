"""What a model is to the rest of the studio: a description without torch, and two Protocols.

A family (Stable Diffusion, later SDXL and others) is one file that implements `Family` and whose
`LoadedModel` the engine drives. The engine knows no family by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from studio.sentences import Sentence

if TYPE_CHECKING:
    import torch

    from studio.models.placement import Placement
    from studio.prompt.chunks import Chunk


Kind = Literal["checkpoint", "vae", "lora", "embedding", "upscaler", "translator"]
Layout = Literal["folder", "file"]
"""A folder in diffusers' format, or one file in the original (LDM/SGM) layout."""


@dataclass(frozen=True)
class ModelDefaults:
    """What a request takes from its model when it leaves something out."""

    width: int = 512
    height: int = 512
    sampler: str = "dpmpp_2m"
    sigma_schedule: str = "karras"
    num_inference_steps: int = 25
    guidance_scale: float = 7.0

    def as_values(self) -> dict[str, Any]:
        """The defaults by the names of GenerationRequest's fields."""
        return asdict(self)


@dataclass(frozen=True)
class ModelInfo:
    """Weights on disk. ``size`` is in bytes; ``native_size`` is the side it was trained at.

    ``family`` is a key of FAMILIES for a checkpoint, and for an add-on the family it fits ("" when
    that cannot be told). ``problem`` is one sentence why it cannot be used, None when it can.
    ``known_words`` says that the model understands a small vocabulary only. ``prediction_type``
    (of a file, which carries no scheduler) is what its UNet answers with. ``inpainting``: its UNet
    takes nine channels. ``sha256`` is None until it was computed. ``prediction_type`` is "" where
    the file does not tell. ``variety`` is what it is within its kind, "" where that is usual or not
    known: "lcm", "turbo", "lightning", "hyper" (checkpoint), "tiny" (vae), "kohya", "peft", "loha",
    "lokr" (lora), "rrdbnet", "srvgg", "spandrel" (upscaler). ``languages``: what a checkpoint's
    prompts may be written in, or what a translator reads and writes.
    """

    name: str
    path: Path
    kind: Kind = "checkpoint"
    family: str = "sd1"
    size: int = 0
    native_size: int = 512
    defaults: ModelDefaults = field(default_factory=ModelDefaults)
    problem: Sentence | None = None
    known_words: bool = False
    layout: Layout = "folder"
    prediction_type: str = "epsilon"
    inpainting: bool = False
    sha256: str | None = None
    variety: str = ""
    languages: tuple[str, ...] = ("en",)

    @property
    def short_hash(self) -> str | None:
        """The hash as A1111 writes it into a picture: the first ten digits of ``sha256``."""
        return self.sha256[:10] if self.sha256 else None

    @property
    def where(self) -> str:
        """The path for people to read: what of it is no text is shown as a mark."""
        return os.fsencode(self.path).decode("utf-8", "replace")


@dataclass(frozen=True)
class TextEmbedding:
    """A prompt as the UNet takes it: ``sequence`` (B, T, D); ``pooled`` (B, P) if there is one."""

    sequence: torch.Tensor
    pooled: torch.Tensor | None = None


@dataclass(frozen=True)
class PreviewColours:
    """Latents to colours without the autoencoder: ``rgb = latents @ matrix + bias``, in -1…1.

    ``matrix``: one row (red, green, blue) per latent channel; ``bias``: three numbers.
    """

    matrix: tuple[tuple[float, float, float], ...]
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Canvas:
    """What an inpainting UNet sees of the picture it works on, at the size of the latents.

    ``mask``: (1 or B, 1, h, w), 1 = repaint. ``kept``: (1 or B, C, h, w), the latents of the
    picture with the masked part grey, × scaling_factor.
    """

    mask: torch.Tensor
    kept: torch.Tensor


@dataclass(frozen=True)
class Conditions:
    """All that a UNet is told beside latents and timestep, one row a picture.

    ``sequence``: (B, T, D). ``pooled``: (B, P) and ``time_ids``: (B, 5 or 6), of models that are
    told the size. ``guidance``: (B, G), of distilled models that take the guidance as an input.
    ``canvas``: (B, 1 + C, h, w), of inpainting models.
    """

    sequence: torch.Tensor
    pooled: torch.Tensor | None = None
    time_ids: torch.Tensor | None = None
    guidance: torch.Tensor | None = None
    canvas: torch.Tensor | None = None


@dataclass(frozen=True)
class Painting:
    """What is painted, for `LoadedModel.conditions`: sizes in pixels, and for which prompt."""

    width: int
    height: int
    guidance_scale: float = 1.0
    negative: bool = False
    canvas: Canvas | None = None


class LoadedModel(Protocol):
    """A model on its device, ready to paint."""

    info: ModelInfo
    placement: Placement
    scheduler_config: Mapping[str, Any]
    latent_channels: int
    vae_scale_factor: int
    preview_colours: PreviewColours
    parts: Mapping[str, torch.nn.Module]
    """The networks by diffusers' names: ``text_encoder``, ``text_encoder_2``, ``unet``, ``vae``."""
    chunk_length: int
    """How many tokens of a prompt one pass of the text encoder takes (75 for CLIP)."""
    zeros_for_empty_negative: bool
    """Whether an empty negative prompt is zeros, and not what the text encoder makes of it."""
    guides_itself: bool
    """Whether its UNet takes the guidance scale as an input; a negative prompt then has no say."""
    takes_canvas: bool
    """Whether its UNet is shown the picture it works on: an inpainting model."""
    latent_space: tuple[float, ...]
    """Two models with the same one can go on with each other's latents."""

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, without begin and end marks, of any length."""

    def encode_tokens(self, chunks: Sequence[Chunk], keep_mean: bool = True) -> TextEmbedding:
        """A prompt from its chunks of at most ``chunk_length`` ids: sequence (1, 77·chunks, D).

        ``keep_mean``: emphasis leaves the mean of the hidden states as it was.
        """

    def pooled_text(self, text: str) -> torch.Tensor:
        """The first text encoder's pooled output (1, D) in fp32; a text is cut to one pass."""

    def blank_canvas(self, width: int, height: int) -> Canvas | None:
        """A canvas to be painted all over; None for a UNet that takes none. Sizes in pixels."""

    def conditions(self, embedding: TextEmbedding, painting: Painting) -> Conditions:
        """What the UNet is told for a prompt: one row, in the format and place it takes them."""

    def predict(
        self, latents: torch.Tensor, timestep: torch.Tensor, conditions: Conditions
    ) -> torch.Tensor:
        """The UNet's output (B, C, h, w) in fp32 for scaled latents (B, C, h, w) in fp32."""

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Latents (B, C, h, w) in fp32, × scaling_factor, of pictures (B, 3, H, W) in -1…1."""

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (B, H, W, 3) uint8 on the CPU from latents (B, C, h, w), × scaling_factor."""

    def pixels(self, latents: torch.Tensor) -> torch.Tensor:
        """As ``decode``, but (B, 3, H, W) in about -1…1, in fp32, and gradients flow back."""

    def memory(self) -> int:
        """Bytes of weights held."""


class Family(Protocol):
    """One kind of model: how its folder is read."""

    name: str

    def load(self, info: ModelInfo, placement: Placement) -> LoadedModel:
        """The model on its device. Raises ModelError with a sentence when it cannot be read."""
