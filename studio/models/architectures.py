"""The sizes of the networks of each Stable Diffusion, for files that carry weights and no sizes.

What stands here differs from the defaults of diffusers' and transformers' own classes; the defaults
are Stable Diffusion 1's. Source: the published configurations of each model. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

TextClass = Literal["CLIPTextModel", "CLIPTextModelWithProjection"]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class TextEncoder:
    """A text encoder: its class and sizes, where its weights stand in an original file, its pad.

    ``open_clip``: named as open_clip does, else as transformers does. ``pad``: the token that fills
    a prompt up; None is the end mark.
    """

    part: str
    kind: TextClass
    config: Values
    prefix: str
    open_clip: bool = False
    pad: int | None = None


@dataclass(frozen=True)
class Architecture:
    """All networks of a model, by what diffusers' constructors take."""

    text_encoders: tuple[TextEncoder, ...]
    unet: Values
    vae: Values
    scheduler: Values
    zeros_for_empty_negative: bool = False

    def inpainting(self) -> Architecture:
        """The same with a UNet of nine channels: latents, mask, and the masked picture."""
        return replace(self, unet={**self.unet, "in_channels": 9})


def _fixed(**values: Any) -> Values:
    return MappingProxyType(values)


# eos_token_id is said as it is: the published 2 makes transformers take the largest id for the end
# of the text, which is wrong as soon as an embedding has added a token.
_VOCABULARY = {"vocab_size": 49408, "bos_token_id": 49406, "eos_token_id": 49407}

CLIP_L = _fixed(
    hidden_size=768, intermediate_size=3072, projection_dim=768, num_hidden_layers=12,
    num_attention_heads=12, hidden_act="quick_gelu", pad_token_id=49407, **_VOCABULARY,
)  # fmt: skip
# OpenCLIP ViT-H/14 without its last layer, whose output Stable Diffusion 2 does not use.
OPEN_CLIP_H = _fixed(
    hidden_size=1024, intermediate_size=4096, projection_dim=1024, num_hidden_layers=23,
    num_attention_heads=16, hidden_act="gelu", pad_token_id=0, **_VOCABULARY,
)  # fmt: skip
OPEN_CLIP_BIG_G = _fixed(
    hidden_size=1280, intermediate_size=5120, projection_dim=1280, num_hidden_layers=32,
    num_attention_heads=20, hidden_act="gelu", pad_token_id=0, **_VOCABULARY,
)  # fmt: skip

_VAE_SHAPE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}
VAE = _fixed(**_VAE_SHAPE, sample_size=512, scaling_factor=0.18215)
VAE_XL = _fixed(**_VAE_SHAPE, sample_size=1024, scaling_factor=0.13025, force_upcast=True)

_NOISE = {
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
    "num_train_timesteps": 1000, "steps_offset": 1, "set_alpha_to_one": False,
    "clip_sample": False, "skip_prk_steps": True,
}  # fmt: skip
SCHEDULER = _fixed(**_NOISE)
SCHEDULER_XL = _fixed(**_NOISE, interpolation_type="linear", timestep_spacing="leading")

SD1 = Architecture(
    text_encoders=(
        TextEncoder("text_encoder", "CLIPTextModel", CLIP_L, "cond_stage_model.transformer."),
    ),
    unet=_fixed(sample_size=64, cross_attention_dim=768),
    vae=VAE,
    scheduler=SCHEDULER,
)

SD2 = Architecture(
    text_encoders=(
        TextEncoder(
            "text_encoder", "CLIPTextModel", OPEN_CLIP_H, "cond_stage_model.model.",
            open_clip=True, pad=0,
        ),
    ),
    unet=_fixed(
        sample_size=96, cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20),
        use_linear_projection=True, upcast_attention=True,
    ),
    vae=VAE,
    scheduler=SCHEDULER,
)  # fmt: skip

_XL_EMBEDS = {
    "sample_size": 128, "use_linear_projection": True, "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
}  # fmt: skip

SDXL = Architecture(
    text_encoders=(
        TextEncoder(
            "text_encoder", "CLIPTextModel", CLIP_L, "conditioner.embedders.0.transformer."
        ),
        TextEncoder(
            "text_encoder_2", "CLIPTextModelWithProjection", OPEN_CLIP_BIG_G,
            "conditioner.embedders.1.model.", open_clip=True, pad=0,
        ),
    ),
    unet=_fixed(
        **_XL_EMBEDS, block_out_channels=(320, 640, 1280), attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048, transformer_layers_per_block=(1, 2, 10),
        projection_class_embeddings_input_dim=1280 + 6 * 256,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    ),
    vae=VAE_XL,
    scheduler=SCHEDULER_XL,
    zeros_for_empty_negative=True,
)  # fmt: skip

SDXL_REFINER = Architecture(
    text_encoders=(
        TextEncoder(
            "text_encoder_2", "CLIPTextModelWithProjection", OPEN_CLIP_BIG_G,
            "conditioner.embedders.0.model.", open_clip=True, pad=0,
        ),
    ),
    unet=_fixed(
        **_XL_EMBEDS, block_out_channels=(384, 768, 1536, 1536), attention_head_dim=(6, 12, 24, 24),
        cross_attention_dim=1280, transformer_layers_per_block=4,
        projection_class_embeddings_input_dim=1280 + 5 * 256,
        down_block_types=(
            "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
        ),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    ),
    vae=VAE_XL,
    scheduler=SCHEDULER_XL,
)  # fmt: skip

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {"sd1": SD1, "sd2": SD2, "sdxl": SDXL, "sdxl_refiner": SDXL_REFINER}
)
"""The architecture of each family."""
