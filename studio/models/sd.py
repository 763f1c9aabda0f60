"""Stable Diffusion 1 and 2, and models of the same make: CLIP text encoder, UNet, autoencoder.

Reads a folder in diffusers' format, part by part, from safetensors and never from the net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from studio.errors import ModelError
from studio.models.base import ModelInfo, PreviewColours, TextEmbedding
from studio.models.colours import SD_COLOURS, fit_colours
from studio.models.placement import Placement
from studio.models.weights import read_object, variant

SD_AUTOENCODER = {"block_out_channels": [128, 256, 512, 512], "scaling_factor": 0.18215}


class StableDiffusion:
    """The family of StableDiffusionPipeline folders."""

    name = "sd1"

    def load(self, info: ModelInfo, placement: Placement) -> LoadedStableDiffusion:
        """The model of a folder, on its device. Raises ModelError when a part cannot be read."""
        try:
            return LoadedStableDiffusion(info, placement)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelError(f"The model “{info.name}” cannot be loaded: {reason}") from error


class LoadedStableDiffusion:
    """A Stable Diffusion model on its device; see `studio.models.base.LoadedModel`."""

    def __init__(self, info: ModelInfo, placement: Placement) -> None:
        self.info, self.placement = info, placement
        self.scheduler_config = read_scheduler_config(info.path)
        self.tokenizer = CLIPTokenizer.from_pretrained(
            info.path / "tokenizer", local_files_only=True
        )
        self.text_encoder = _ready(CLIPTextModel, info, "text_encoder", placement)
        self.unet = _ready(UNet2DConditionModel, info, "unet", placement)
        self.vae = _ready(AutoencoderKL, info, "vae", placement)
        self.parts: Mapping[str, torch.nn.Module] = {
            "text_encoder": self.text_encoder,
            "unet": self.unet,
            "vae": self.vae,
        }
        self.latent_channels = int(self.unet.config.in_channels)
        self.vae_scale_factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.chunk_length = min(int(self.tokenizer.model_max_length), 77) - 2
        self.preview_colours = self._colours()

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, without begin and end marks, of any length."""
        ids = self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return [int(token) for token in ids]

    @torch.no_grad()
    def encode_tokens(self, chunks: Sequence[Sequence[int]]) -> TextEmbedding:
        """Each chunk between its own begin and end marks, padded; their outputs one after another.

        ``chunks``: at most ``chunk_length`` ids each. Returns sequence (1, 77·chunks, D) in fp32.
        """
        bos, eos = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        pad = self.tokenizer.pad_token_id
        pad = eos if pad is None else pad
        rows = [
            [bos, *chunk, eos, *[pad] * (self.chunk_length - len(chunk))] for chunk in chunks
        ]  # fmt: skip
        ids = torch.tensor(rows, device=self.placement.device)
        mask = None
        if getattr(self.text_encoder.config, "use_attention_mask", False):
            lengths = torch.tensor([len(chunk) + 2 for chunk in chunks], device=ids.device)
            mask = (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()
        hidden = self.text_encoder(ids, attention_mask=mask)[0].float()
        return TextEmbedding(hidden.reshape(1, -1, hidden.shape[-1]))

    @torch.no_grad()
    def predict(
        self, latents: torch.Tensor, timestep: torch.Tensor, embedding: TextEmbedding
    ) -> torch.Tensor:
        """The UNet's output (B, C, h, w) in fp32: epsilon or v, as the scheduler's config says."""
        dtype, layout = self.placement.dtype, self.placement.memory_format
        output = self.unet(
            latents.to(dtype, memory_format=layout),
            timestep,
            encoder_hidden_states=embedding.sequence.to(dtype),
            return_dict=False,
        )[0]
        return _tensor(output.to(torch.float32, memory_format=torch.contiguous_format))

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (B, H, W, 3) uint8 on the CPU from latents (B, C, h, w), × scaling_factor.

        In the weights' format; where that overflows (a black picture), once more in fp32. Raises
        ModelError when there are no numbers in fp32 either.
        """
        pixels = self._decode(latents, self.vae.dtype)
        if not bool(torch.isfinite(pixels).all()) and self.vae.dtype != torch.float32:
            self.vae.to(torch.float32)  # and stays so: this autoencoder needs it
            pixels = self._decode(latents, torch.float32)
        if not bool(torch.isfinite(pixels).all()):
            raise ModelError(
                f"The model “{self.info.name}” painted no picture (its numbers overflowed); "
                "try another sampler, or start the studio with --device cpu."
            )
        return ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to("cpu", torch.uint8)

    def _decode(self, latents: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        shift = getattr(self.vae.config, "shift_factor", None) or 0.0
        scaled = latents / self.vae.config.scaling_factor + shift
        layout = self.placement.memory_format
        decoded = self.vae.decode(scaled.to(dtype, memory_format=layout), return_dict=False)[0]
        return _tensor(decoded.float().permute(0, 2, 3, 1))

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
        if all(_plain(config.get(key)) == value for key, value in SD_AUTOENCODER.items()):
            return SD_COLOURS
        return fit_colours(self.vae, self.vae_scale_factor)


def read_scheduler_config(folder: Path) -> Mapping[str, Any]:
    """The model's noise schedule and prediction type, for any scheduler's ``from_config``.

    Latents are never clipped unless the model says so: several schedulers clip to ±1 by default,
    which suits pixels and ruins latents.
    """
    config = read_object(folder / "scheduler/scheduler_config.json")
    if not config:
        raise OSError("its scheduler/scheduler_config.json cannot be read")
    return {"clip_sample": False, **config}


def _ready(part: Any, info: ModelInfo, name: str, placement: Placement) -> Any:
    """One part on its device, frozen. On a CPU the text encoder stays in fp32: it runs once."""
    keeps_fp32 = name == "text_encoder" and placement.device.type == "cpu"
    module = part.from_pretrained(
        info.path / name,
        dtype=torch.float32 if keeps_fp32 else placement.dtype,
        variant=variant(info.path / name),
        local_files_only=True,
        use_safetensors=True,
    )
    module.eval().requires_grad_(False).to(placement.device)
    return module if name == "text_encoder" else module.to(memory_format=placement.memory_format)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _tensor(value: torch.Tensor) -> torch.Tensor:
    return value
