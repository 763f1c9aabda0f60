"""The shapes of pocket's networks: every width and depth, in one place.

Sizes follow from two measurements on two CPU cores: a guided forward pass at 32x32 latents has to
cost at most 0.10 s, and all weights together have to fit 32 MiB in fp16.
"""

from typing import Final

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

NATIVE_SIZE: Final = 256
VISION_SIZE: Final = 128
TEXT_WIDTH: Final = 192
PROJECTION_WIDTH: Final = 128
MAX_TOKENS: Final = 77
LATENT_CHANNELS: Final = 4
VAE_SCALE_FACTOR: Final = 8


def make_autoencoder() -> AutoencoderKL:
    """Build the autoencoder: (B, 3, H, W) in [-1, 1] <-> (B, 4, H/8, W/8).

    Narrow where the picture is large, because those layers are bound by memory traffic. It
    starts with almost no latent noise (std 0.05): with the usual std of 1, the decoder first
    learns to ignore its input.
    """
    autoencoder = AutoencoderKL(
        block_out_channels=(16, 32, 64, 128),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=NATIVE_SIZE,
        mid_block_add_attention=False,
    )
    with torch.no_grad():
        autoencoder.quant_conv.weight[LATENT_CHANNELS:] = 0
        autoencoder.quant_conv.bias[LATENT_CHANNELS:] = -6
    return autoencoder


def make_text_encoder(vocab_size: int) -> CLIPTextModel:
    """Build the text tower: token ids (B, 77) -> states (B, 77, 192); the last id ends a text."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab_size,
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            projection_dim=PROJECTION_WIDTH,
            num_hidden_layers=4,
            num_attention_heads=6,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=vocab_size - 2,
            eos_token_id=vocab_size - 1,
            pad_token_id=vocab_size - 1,
        )
    )


def make_image_encoder() -> CLIPVisionModelWithProjection:
    """Build the vision tower: (B, 3, 128, 128) in [-1, 1] -> image_embeds (B, 128)."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=TEXT_WIDTH,
            intermediate_size=3 * TEXT_WIDTH,
            projection_dim=PROJECTION_WIDTH,
            num_hidden_layers=4,
            num_attention_heads=6,
            image_size=VISION_SIZE,
            patch_size=16,
        )
    )


def make_unet(size: int = NATIVE_SIZE) -> UNet2DConditionModel:
    """Build the denoiser: latents (B, 4, h, w), timestep, text states (B, 77, 192) -> v.

    Attention only at half the latent resolution and below: text decides there, and the full
    resolution stays cheap.
    """
    return UNet2DConditionModel(
        sample_size=size // VAE_SCALE_FACTOR,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        layers_per_block=1,
        block_out_channels=(48, 96, 192),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=(3, 3, 6),
        norm_num_groups=16,
    )


def make_scheduler() -> DPMSolverMultistepScheduler:
    """Build the noise schedule and its default sampler, DPM++ 2M with Karras sigmas.

    v-prediction (Salimans and Ho 2022): at high noise the network answers with the picture
    itself, so a shortly trained model keeps colours that epsilon would amplify errors of.
    The last sigma (about 30) is twice Stable Diffusion's, so that a dark night can start from
    noise alone.
    """
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.016,
        prediction_type="v_prediction",
        algorithm_type="dpmsolver++",
        solver_order=2,
        use_karras_sigmas=True,
        timestep_spacing="leading",
        steps_offset=1,
    )
