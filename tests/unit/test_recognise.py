"""What a safetensors file is, told by its header: every kind and family, never by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from tests.weights import (
    BIAS,
    FIRST_STAGE,
    UNET,
    VAE,
    Shapes,
    kohya_lora,
    refiner,
    sd1,
    sd2,
    sdxl,
    write_weights,
)

V = {"modelspec.prediction_type": "v"}


def look(tmp_path: Path, shapes: Shapes, **more: Any) -> ModelInfo:
    """The catalog's description of a file, whose name says nothing."""
    write_weights(tmp_path / "file.safetensors", shapes, **more)
    (info,) = Catalog([tmp_path]).list()
    return info


@pytest.mark.parametrize(
    ("shapes", "family", "native", "inpainting"),
    [
        (sd1(), "sd1", 512, False),
        (sd1(9), "sd1", 512, True),
        (sd2(9), "sd2", 512, True),
        (sdxl(), "sdxl", 1024, False),
        (sdxl(9), "sdxl", 1024, True),
        (refiner(), "sdxl_refiner", 1024, False),
    ],
)
def test_checkpoints(
    tmp_path: Path, shapes: Shapes, family: str, native: int, inpainting: bool
) -> None:
    info = look(tmp_path, shapes)
    assert (info.kind, info.layout, info.problem) == ("checkpoint", "file", None)
    assert (info.family, info.native_size, info.inpainting) == (family, native, inpainting)
    assert (info.defaults.width, info.defaults.height) == (native, native)
    assert info.prediction_type == "epsilon"


@pytest.mark.parametrize(
    ("more", "prediction", "native"),
    [
        ({}, "", 768),  # an untrained bias tells nothing
        ({"values": {BIAS: [0.2, -0.2] * 160}}, "v_prediction", 768),
        ({"values": {BIAS: [0.05, -0.05] * 160}}, "epsilon", 512),
        ({"values": {BIAS: [0.2, -0.2] * 160}, "dtype": "F32"}, "v_prediction", 768),
        ({"values": {BIAS: [0.2, -0.2] * 160}, "dtype": "BF16"}, "v_prediction", 768),
        ({"values": {BIAS: [0.05, -0.05] * 160}, "dtype": "BF16"}, "epsilon", 512),
        ({"metadata": V}, "v_prediction", 768),
        ({"metadata": {"modelspec.predict_key": "epsilon"}}, "epsilon", 512),
        ({"metadata": {"modelspec.architecture": "stable-diffusion-v2-768-v"}},
         "v_prediction", 768),
        ({"metadata": {"modelspec.architecture": "stable-diffusion-v2-512"}}, "epsilon", 512),
        ({"metadata": {**V, "modelspec.resolution": "640x640"}}, "v_prediction", 640),
        ({"metadata": {**V, "modelspec.resolution": "²x²"}}, "v_prediction", 768),
    ],
)  # fmt: skip
def test_stable_diffusion_2_comes_in_two_ways(
    tmp_path: Path, more: dict[str, Any], prediction: str, native: int
) -> None:
    info = look(tmp_path, sd2(), **more)
    assert (info.family, info.prediction_type, info.native_size) == ("sd2", prediction, native)


def test_xl_trained_to_v_says_so_by_a_tensor(tmp_path: Path) -> None:
    assert look(tmp_path, {**sdxl(), "v_pred": ()}).prediction_type == "v_prediction"


def test_small_models_of_the_same_make_are_recognised(tmp_path: Path) -> None:
    narrow = {
        name: tuple(min(side, 32) if at != 1 or side > 9 else side for at, side in enumerate(shape))
        for name, shape in sdxl().items()
    }
    info = look(tmp_path, narrow)
    assert (info.family, info.problem) == ("sdxl", None)


def test_stable_diffusion_2_in_sgms_layout_is_no_refiner(tmp_path: Path) -> None:
    renamed = {
        name.replace("cond_stage_model.", "conditioner.embedders.0."): shape
        for name, shape in sd2().items()
    }
    assert look(tmp_path, renamed).family == "sd2"


def without(shapes: Shapes, prefix: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if not name.startswith(prefix)}


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (without(sd1(), "cond_stage"), "UNet alone"),
        (without(sd1(), "first_stage"), "no autoencoder"),
        (sd1(8), "edits by instruction"),
        (sd2(5), "depth map"),
        (sd2(7), "enlarges"),
        (sd1(13), "takes 13 channels"),
        ({**sd2(), f"{UNET}label_emb.0.0.weight": (1280, 2048)}, "unCLIP"),
        ({**sdxl(), "edm_mean": (4,)}, "EDM"),
        (without(sdxl(), f"{UNET}middle_block.1.transformer_blocks.9"), "shortened SDXL"),
        ({f"{UNET}joint_blocks.0.x_block.attn.qkv.weight": (8, 8)}, "Stable Diffusion 3"),
        ({f"{UNET}double_blocks.0.img_attn.qkv.weight": (8, 8)}, "Flux"),
    ],
)
def test_checkpoints_that_cannot_be_run_say_why(tmp_path: Path, shapes: Shapes, words: str) -> None:
    info = look(tmp_path, shapes)
    assert info.kind == "checkpoint"
    assert info.problem is not None
    assert words in info.problem


SGM = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
PEFT = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
TEXT = "lora_te_text_model_encoder_layers_0_self_attn_k_proj"


@pytest.mark.parametrize(
    ("shapes", "family", "variety"),
    [
        (kohya_lora(768), "sd1", "kohya"),
        (kohya_lora(1024), "sd2", "kohya"),
        (kohya_lora(2048), "sdxl", "kohya"),
        ({f"{SGM}.lora_down.weight": (4, 1280), f"{SGM}.lora_up.weight": (768, 4)},
         "sdxl_refiner", "kohya"),
        ({f"{PEFT}.lora_A.weight": (4, 768), f"{PEFT}.lora_B.weight": (320, 4)}, "sd1", "peft"),
        ({f"{PEFT}.lora.down.weight": (4, 2048), f"{PEFT}.lora.up.weight": (640, 4)},
         "sdxl", "peft"),
        ({f"{PEFT.replace('.to_k', '.processor.to_k_lora')}.down.weight": (4, 768)},
         "sd1", "peft"),
        ({f"{SGM}.hada_w1_a": (640, 4), f"{SGM}.hada_w1_b": (4, 2048),
          f"{SGM}.hada_w2_a": (640, 4), f"{SGM}.hada_w2_b": (4, 2048)}, "sdxl", "loha"),
        ({f"{SGM}.lokr_w1": (8, 16), f"{SGM}.lokr_w2": (80, 128)}, "sdxl", "lokr"),
        ({f"{SGM}.lokr_w1": (8, 8), f"{SGM}.lokr_w2_a": (80, 4), f"{SGM}.lokr_w2_b": (4, 96)},
         "sd1", "lokr"),
        ({f"{TEXT}.lora_down.weight": (4, 768)}, "sd1", "kohya"),
        ({f"{TEXT}.lora_down.weight": (4, 1024)}, "sd2", "kohya"),
        ({f"{TEXT.replace('te', 'te2', 1)}.lora_down.weight": (4, 1280)}, "sdxl", "kohya"),
        ({f"{PEFT}.lora_A.weight": (4, 192)}, "", "peft"),  # of pocket, say
    ],
)  # fmt: skip
def test_loras_and_what_they_fit(tmp_path: Path, shapes: Shapes, family: str, variety: str) -> None:
    info = look(tmp_path, shapes)
    assert (info.kind, info.problem) == ("lora", None)
    assert (info.family, info.variety) == (family, variety)


def test_a_lora_may_say_itself_what_it_fits(tmp_path: Path) -> None:
    shapes: Shapes = {"lora_unet_conv_in.lora_down.weight": (4, 4, 3, 3)}
    metadata = {"ss_base_model_version": "sdxl_base_v1-0"}
    assert look(tmp_path, shapes, metadata=metadata).family == "sdxl"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("transformer.transformer_blocks.0.attn.to_q.lora_A.weight", "another make"),
        ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "another make"),
        (f"{SGM}.oft_blocks", "of a form"),
    ],
)
def test_loras_that_cannot_be_applied_say_why(tmp_path: Path, name: str, words: str) -> None:
    info = look(tmp_path, {name: (4, 3072)})
    assert info.kind == "lora"
    assert info.problem is not None
    assert words in info.problem


DIFFUSERS_VAE: Shapes = {
    "decoder.conv_in.weight": (512, 4, 3, 3), "decoder.up_blocks.0.resnets.0.conv1.weight": (8, 8),
    "encoder.conv_in.weight": (128, 3, 3, 3),
}  # fmt: skip


@pytest.mark.parametrize("shapes", [VAE, FIRST_STAGE, DIFFUSERS_VAE])
def test_an_autoencoder_alone(tmp_path: Path, shapes: Shapes) -> None:
    info = look(tmp_path, shapes)
    assert (info.kind, info.variety, info.problem) == ("vae", "", None)


@pytest.mark.parametrize(
    "shapes",
    [
        {"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)},
        {"taesd_decoder.1.weight": (64, 4, 3, 3), "taesd_decoder.3.conv.0.weight": (64, 64, 3, 3)},
        {"decoder.layers.0.weight": (64, 4, 3, 3), "decoder.layers.2.conv.0.weight": (8, 8, 3, 3)},
    ],
)
def test_a_tiny_autoencoder(tmp_path: Path, shapes: Shapes) -> None:
    info = look(tmp_path, shapes)
    assert (info.kind, info.variety, info.problem) == ("vae", "tiny", None)


@pytest.mark.parametrize(
    ("shapes", "family"),
    [
        ({"emb_params": (4, 768)}, "sd1"),
        ({"emb_params": (2, 1024)}, "sd2"),
        ({"clip_l": (8, 768), "clip_g": (8, 1280)}, "sdxl"),
        ({"<cat>": (768,)}, "sd1"),
        ({"emb_params": (2, 32)}, ""),
    ],
)
def test_embeddings(tmp_path: Path, shapes: Shapes, family: str) -> None:
    info = look(tmp_path, shapes)
    assert (info.kind, info.family, info.problem) == ("embedding", family, None)


@pytest.mark.parametrize(
    ("shapes", "variety"),
    [
        ({"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)},
         "rrdbnet"),
        ({"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)},
         "rrdbnet"),
        ({"params_ema.conv_first.weight": (64, 3, 3, 3),
          "params_ema.body.0.rdb1.conv1.weight": (32, 64, 3, 3)}, "rrdbnet"),
        ({"body.0.weight": (64, 3, 3, 3), "body.1.weight": (64,), "body.2.weight": (64, 64, 3, 3)},
         "srvgg"),
    ],
)  # fmt: skip
def test_upscalers(tmp_path: Path, shapes: Shapes, variety: str) -> None:
    info = look(tmp_path, shapes)
    assert (info.kind, info.variety, info.problem) == ("upscaler", variety, None)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, "ControlNet"),
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (8, 8)}, "text encoder"),
        ({"time_embedding.linear_1.weight": (8, 8), "conv_in.weight": (8, 4, 3, 3)}, "UNet alone"),
        ({"down_blocks.0.motion_modules.0.x": (8,)}, "video"),
        ({"weight": (8, 8)}, "not a model of a kind"),
        ({}, "nothing in it"),
        ({**VAE, "decoder.conv_in.weight": (512, 16, 3, 3)}, "16 channels"),
    ],
)
def test_strangers_are_told_in_a_sentence(tmp_path: Path, shapes: Shapes, words: str) -> None:
    info = look(tmp_path, shapes)
    assert info.problem is not None
    assert words in info.problem
    assert info.problem.endswith(".")


@pytest.mark.parametrize(
    ("title", "variety", "sampler", "steps"),
    [
        ("SDXL Lightning 8-Step", "lightning", "euler", 8),
        ("juggernaut_xl_hyper", "hyper", "ddim", 8),
        ("sd_xl_turbo_1.0", "turbo", "euler_a", 4),
        ("LCM dreams 6steps", "lcm", "lcm", 6),
        ("hypernatural turbocharged", "", "dpmpp_2m", 30),
    ],
)
def test_titles_of_distilled_models_give_defaults(
    tmp_path: Path, title: str, variety: str, sampler: str, steps: int
) -> None:
    info = look(tmp_path, sdxl(), metadata={"modelspec.title": title})
    defaults = info.defaults
    assert (info.variety, defaults.sampler, defaults.num_inference_steps) == (
        variety, sampler, steps,
    )  # fmt: skip
    assert (defaults.guidance_scale == 1.0) is bool(variety)
    assert defaults.width == (512 if title.startswith("sd_xl_turbo") else 1024)


def test_the_name_is_the_last_resort_for_defaults(tmp_path: Path) -> None:
    write_weights(tmp_path / "cat_lightning_4step.safetensors", sdxl())
    (info,) = Catalog([tmp_path]).list()
    assert (info.variety, info.defaults.num_inference_steps) == ("lightning", 4)


def test_lcms_own_unet_is_recognised(tmp_path: Path) -> None:
    info = look(tmp_path, {**sd1(), f"{UNET}time_embed.cond_proj.weight": (320, 256)})
    assert (info.variety, info.defaults.sampler) == ("lcm", "lcm")
