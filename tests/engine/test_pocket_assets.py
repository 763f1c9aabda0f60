"""The bundled model: whole, small, and loadable by diffusers and transformers alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file
from transformers import CLIPVisionModelWithProjection

POCKET = Path(__file__).parents[2] / "assets" / "pocket"


@pytest.fixture(scope="module")
def pipeline() -> Any:
    loaded = StableDiffusionPipeline.from_pretrained(
        POCKET, dtype=torch.float32, local_files_only=True
    )
    loaded.set_progress_bar_config(disable=True)
    return loaded


def test_it_is_small_and_has_no_pickles() -> None:
    files = [path for path in POCKET.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 32 * 2**20
    assert {path.suffix for path in files} <= {".json", ".safetensors"}


def test_it_is_a_stable_diffusion_pipeline(pipeline: Any) -> None:
    index = json.loads((POCKET / "model_index.json").read_text("utf-8"))
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert index["safety_checker"] == [None, None]
    assert index["feature_extractor"] == [None, None]
    assert pipeline.vae_scale_factor == 8
    assert pipeline.vae.config.latent_channels == pipeline.unet.config.in_channels == 4
    assert pipeline.scheduler.config.prediction_type == "v_prediction"


def test_it_draws_what_the_card_asks_for(pipeline: Any) -> None:
    card = json.loads((POCKET / "card.json").read_text("utf-8"))
    defaults = card["defaults"]
    picture = pipeline(
        "一座红色的房子",
        width=defaults["width"],
        height=defaults["height"],
        num_inference_steps=2,
        guidance_scale=defaults["guidance_scale"],
        generator=torch.Generator().manual_seed(0),
    ).images[0]
    assert picture.size == (card["native_size"], card["native_size"])


@pytest.mark.parametrize(
    "text", ["a red sailboat on the sea at sunset , watercolour", "夜晚的城市", "两只粉色的兔子"]
)
def test_its_tokenizer_reads_both_languages(pipeline: Any, text: str) -> None:
    tokenizer = pipeline.tokenizer
    ids = tokenizer(text).input_ids
    assert tokenizer.model_max_length == 77
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id == len(tokenizer) - 1
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text
    chinese = [char for char in text if char >= "\u4e00"]
    if chinese:
        assert len(ids) == len(chinese) + 2


def test_its_image_encoder_and_projection_fit_together(pipeline: Any) -> None:
    encoder = CLIPVisionModelWithProjection.from_pretrained(
        POCKET / "image_encoder", dtype=torch.float32, local_files_only=True
    )
    scoring = load_file(POCKET / "text_projection.safetensors")
    projection = scoring["text_projection.weight"]
    assert projection.shape == (
        encoder.config.projection_dim,
        pipeline.text_encoder.config.hidden_size,
    )
    assert scoring["logit_scale"].numel() == 1
    size = encoder.config.image_size
    embeds = encoder(pixel_values=torch.zeros(1, 3, size, size)).image_embeds
    assert embeds.shape == (1, encoder.config.projection_dim)


def test_its_card_is_complete() -> None:
    card = json.loads((POCKET / "card.json").read_text("utf-8"))
    wanted = {"name", "command", "seed", "samples_seen", "hardware", "code_version", "native_size"}
    assert wanted | {"metrics", "defaults"} <= card.keys()
    assert card["defaults"].keys() >= {
        "width",
        "height",
        "sampler",
        "sigma_schedule",
        "num_inference_steps",
        "guidance_scale",
    }
    measures = {"time_of_day", "place", "subject", "colour", "position", "style", "binding"}
    accuracy = card["metrics"]["accuracy"]
    for row in (accuracy, accuracy["en"], accuracy["zh"]):
        assert all(0 <= row[key] <= 1 for key in measures)
    assert card["metrics"]["fid"] > 0
    assert 0 <= card["metrics"]["retrieval"] <= 1
