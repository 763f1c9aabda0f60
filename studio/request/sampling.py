"""How a picture is drawn: by which model, in which steps, at which size, from which noise."""

from __future__ import annotations

from pydantic import Field

from studio.request.bounds import MAX_MODEL, MAX_NAME, MAX_SEED, MAX_SIDE, Text, infotext
from studio.request.words import Words


class Sampling(Words):
    """Model, sampler, guidance, size and seed."""

    model: Text = Field(
        "pocket",
        min_length=1,
        max_length=MAX_MODEL,
        title="Model",
        description="The model that paints.",
        json_schema_extra=infotext("Model"),
    )
    sampler: Text = Field(
        "dpmpp_2m",
        max_length=MAX_NAME,
        title="Sampler",
        description="How noise is turned into a picture, step by step.",
        json_schema_extra=infotext("Sampler"),
    )
    sigma_schedule: Text = Field(
        "automatic",
        max_length=MAX_NAME,
        title="Sigma schedule",
        description="How the noise levels are spread over the steps.",
        json_schema_extra=infotext("Schedule type"),
    )
    num_inference_steps: int = Field(
        20,
        ge=1,
        le=150,
        title="Steps",
        description="More steps take longer and add detail, up to a point.",
        json_schema_extra=infotext("Steps"),
    )
    guidance_scale: float = Field(
        7.0,
        ge=1.0,
        le=30.0,
        title="CFG scale",
        description="How closely the picture follows the prompt; 1 switches guidance off.",
        json_schema_extra=infotext("CFG scale"),
    )
    guidance_rescale: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        title="CFG rescale",
        description="How far a high CFG scale's glaring contrast is brought back.",
        json_schema_extra=infotext("CFG rescale", unless=0),
    )
    guidance_start: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        title="Guidance from",
        description="The share of the steps before which the CFG scale does not hold yet.",
        json_schema_extra=infotext("Skip Early CFG", unless=0),
    )
    guidance_end: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        title="Guidance until",
        description="The share of the steps after which the CFG scale does not hold any more.",
        json_schema_extra=infotext("CFG end", unless=1),
    )
    clip_guidance_scale: float = Field(
        0.0,
        ge=0.0,
        le=10.0,
        title="CLIP guidance",
        description="How strongly CLIP pulls every step towards the prompt; the road before CFG.",
        json_schema_extra=infotext("CLIP guidance scale", unless=0),
    )
    width: int = Field(
        512,
        ge=64,
        le=MAX_SIDE,
        multiple_of=8,
        title="Width",
        description="In pixels, a multiple of 8.",
        json_schema_extra=infotext("Size"),
    )
    height: int = Field(
        512,
        ge=64,
        le=MAX_SIDE,
        multiple_of=8,
        title="Height",
        description="In pixels, a multiple of 8.",
        json_schema_extra=infotext("Size"),
    )
    seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        title="Seed",
        description="The number the noise is drawn from; the same seed, the same picture.",
        json_schema_extra=infotext("Seed"),
    )
    variation_seed: int = Field(
        0,
        ge=0,
        le=MAX_SEED,
        title="Variation seed",
        description="The noise that is mixed into the seed's own; -1 is a new one each time.",
        json_schema_extra=infotext("Variation seed", only_with="variation_strength"),
    )
    variation_strength: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        title="Variation strength",
        description="How much of the variation's noise; 0 is none, 1 nothing else.",
        json_schema_extra=infotext("Variation seed strength", unless=0),
    )
    seed_resize_width: int = Field(
        0,
        ge=0,
        le=MAX_SIDE,
        multiple_of=8,
        title="Seed from width",
        description="The width of a picture whose composition is kept at this size; 0 is off.",
        json_schema_extra=infotext("Seed resize from", only_with="seed_resize_width"),
    )
    seed_resize_height: int = Field(
        0,
        ge=0,
        le=MAX_SIDE,
        multiple_of=8,
        title="Seed from height",
        description="The height of a picture whose composition is kept at this size; 0 is off.",
        json_schema_extra=infotext("Seed resize from", only_with="seed_resize_height"),
    )
    clip_skip: int = Field(
        1,
        ge=1,
        le=12,
        title="CLIP skip",
        description="Which of the text encoder's layers is heard, from the last; 1 is usual.",
        json_schema_extra=infotext("Clip skip", unless=1),
    )
    vae: Text = Field(
        "automatic",
        max_length=MAX_MODEL,
        title="VAE",
        description="What turns latents into pixels: the model's own, or another that fits it.",
        json_schema_extra=infotext("VAE", unless="automatic"),
    )
    refiner: Text = Field(
        "",
        max_length=MAX_MODEL,
        title="Refiner",
        description="A second model that paints the last steps; empty for none.",
        json_schema_extra=infotext("Refiner", only_with="refiner"),
    )
    refiner_switch_at: float = Field(
        0.8,
        ge=0.0,
        le=1.0,
        title="Refiner from",
        description="The share of the steps after which the refiner takes over.",
        json_schema_extra=infotext("Refiner switch at", only_with="refiner"),
    )
