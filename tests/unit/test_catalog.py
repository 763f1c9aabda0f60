"""The catalog: what is on disk, what is wrong with it, in sentences."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from studio.errors import InvalidRequest
from studio.models.catalog import Catalog
from studio.models.threads import share_the_cpu
from studio.models.weights import is_whole, variant
from studio.samplers import check_sampling
from tests.weights import write_json, write_pipeline, write_weights


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a Stable Diffusion model from outside."""
    return write_pipeline(tmp_path / "models" / "boats")


def problem(model: Path) -> str:
    (info,) = Catalog([model.parent]).list()
    assert info.problem is not None
    return info.problem


def test_a_model_is_described_by_its_small_files(model: Path) -> None:
    (info,) = Catalog([model.parent]).list()
    assert (info.name, info.kind, info.family, info.problem) == ("boats", "checkpoint", "sd1", None)
    assert info.native_size == 512
    assert info.defaults.as_values()["width"] == 512
    assert info.size > 100
    assert not info.known_words
    assert Catalog([model]).list() == [info]  # the folder itself may be given
    assert Catalog([model.parent]).find("boats") == info


def test_a_card_gives_the_defaults(model: Path) -> None:
    card = {"defaults": {"width": 256, "sampler": "unipc", "colour": 1}, "known_words": True}
    write_json(model / "card.json", card)
    (info,) = Catalog([model.parent]).list()
    assert (info.defaults.width, info.defaults.height, info.defaults.sampler) == (256, 512, "unipc")
    assert info.known_words


def test_models_are_found_in_folders_of_folders(model: Path) -> None:
    assert [info.name for info in Catalog([model.parent.parent]).list()] == ["models/boats"]
    assert Catalog([model / "nowhere"]).list() == []


def test_a_name_is_taken_once(model: Path) -> None:
    assert len(Catalog([model.parent, model]).list()) == 1


def test_unknown_and_broken_models_are_refused(model: Path) -> None:
    with pytest.raises(InvalidRequest, match="no model called “x”; there are: boats"):
        Catalog([model.parent]).find("x")
    (model / "vae/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InvalidRequest, match="“boats” cannot be used: Its folder vae has no"):
        Catalog([model.parent]).find("boats")


def test_pickles_are_not_opened(model: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert "pickled weights only" in problem(model)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a zip file, as torch.save writes",
        b"\xff" * 40,
        b"\x02" + b"\0" * 7 + b"[]",
    ],
)
def test_damaged_weights_are_named(model: Path, content: bytes) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(content)
    assert "diffusion_pytorch_model.safetensors, which is damaged" in problem(model)


def test_weights_cut_short_are_damaged(model: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    assert is_whole(weights)
    weights.write_bytes(weights.read_bytes()[:-1])
    assert not is_whole(weights)


def test_other_pipelines_are_named(model: Path) -> None:
    write_json(model / "model_index.json", {"_class_name": "FluxPipeline"})
    assert "made for FluxPipeline" in problem(model)
    write_json(model / "model_index.json", {"_class_name": "\ud800" * 5000})
    assert len(problem(model)) < 500
    problem(model).encode()


XL = {"cross_attention_dim": 2048, "use_linear_projection": True, "sample_size": 128}
BOTH = ("text_encoder", "text_encoder_2")


@pytest.mark.parametrize(
    ("pipeline", "unet", "encoders", "family", "native"),
    [
        ("StableDiffusionPipeline", {"cross_attention_dim": 768}, BOTH[:1], "sd1", 512),
        ("StableDiffusionPipeline", {"cross_attention_dim": 1024, "sample_size": 96}, BOTH[:1],
         "sd2", 768),
        ("StableDiffusionPipeline", {"cross_attention_dim": 32, "use_linear_projection": True},
         BOTH[:1], "sd2", 512),
        ("StableDiffusionXLPipeline", XL, BOTH, "sdxl", 1024),
        ("StableDiffusionXLImg2ImgPipeline", {**XL, "cross_attention_dim": 1280}, BOTH[1:],
         "sdxl_refiner", 1024),
        ("LatentConsistencyModelPipeline", {"time_cond_proj_dim": 256}, BOTH[:1], "sd1", 512),
    ],
)  # fmt: skip
def test_families_of_folders(
    tmp_path: Path,
    pipeline: str,
    unet: dict[str, Any],
    encoders: tuple[str, ...],
    family: str,
    native: int,
) -> None:
    write_pipeline(tmp_path / "it", pipeline, unet=unet, encoders=encoders)
    (info,) = Catalog([tmp_path]).list()
    assert (info.family, info.native_size, info.problem) == (family, native, None)
    assert info.defaults.width == native
    (tmp_path / "it" / encoders[-1] / "config.json").unlink()
    (info,) = Catalog([tmp_path]).list()
    assert info.problem is not None


@pytest.mark.parametrize(
    ("pipeline", "encoders"),
    [
        ("StableDiffusionInpaintPipeline", BOTH[:1]),
        ("StableDiffusionXLInpaintPipeline", BOTH),
        ("StableDiffusionPipeline", BOTH[:1]),
    ],
)
def test_inpainting_models_take_nine_channels(
    tmp_path: Path, pipeline: str, encoders: tuple[str, ...]
) -> None:
    write_pipeline(tmp_path / "it", pipeline, unet={"in_channels": 9}, encoders=encoders)
    (info,) = Catalog([tmp_path]).list()
    assert (info.inpainting, info.problem) == (True, None)


def test_other_numbers_of_channels_are_refused(model: Path) -> None:
    write_json(model / "unet/config.json", {"sample_size": 64, "in_channels": 8})
    assert "neither 4 nor 9 channels" in problem(model)


EULER, ANCESTRAL = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"


@pytest.mark.parametrize(
    ("scheduler", "variety", "sampler", "steps"),
    [
        ({"_class_name": "LCMScheduler"}, "lcm", "lcm", 8),
        ({"_class_name": ANCESTRAL, "timestep_spacing": "trailing"}, "turbo", "euler_a", 4),
        ({"_class_name": EULER, "timestep_spacing": "trailing"}, "turbo", "euler", 4),
        ({"_class_name": EULER, "timestep_spacing": "trailing",
          "prediction_type": "v_prediction"}, "", "dpmpp_2m", 25),
        ({"_class_name": EULER, "timestep_spacing": "leading"}, "", "dpmpp_2m", 25),
    ],
)  # fmt: skip
def test_schedulers_tell_how_a_model_was_distilled(
    tmp_path: Path, scheduler: dict[str, Any], variety: str, sampler: str, steps: int
) -> None:
    write_pipeline(tmp_path / "it", scheduler=scheduler)
    (info,) = Catalog([tmp_path]).list()
    assert (info.variety, info.defaults.sampler) == (variety, sampler)
    assert info.defaults.num_inference_steps == steps
    assert info.prediction_type == scheduler.get("prediction_type", "epsilon")
    defaults = info.defaults
    check_sampling(defaults.sampler, defaults.sigma_schedule, defaults.num_inference_steps)


def test_shards_must_all_be_there_and_whole(model: Path) -> None:
    unet = model / "unet"
    (unet / "diffusion_pytorch_model.safetensors").unlink()
    names = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = {"weight_map": {"a": names[0], "b": names[1], "c": names[0]}}
    write_json(unet / "diffusion_pytorch_model.safetensors.index.json", index)
    write_weights(unet / names[0], {"a": (2,), "c": (2,)})
    assert f"lacks {names[1]}" in problem(model)
    shard = write_weights(unet / names[1], {"b": (1000,)})
    (info,) = Catalog([model.parent]).list()
    assert info.problem is None
    assert info.size > 2000
    shard.write_bytes(shard.read_bytes()[:-1])
    assert f"holds {names[1]}, which is damaged" in problem(model)


def test_shards_lie_in_their_folder(model: Path) -> None:
    (model / "unet/diffusion_pytorch_model.safetensors").unlink()
    index = {"weight_map": {"a": "../vae/diffusion_pytorch_model.safetensors"}}
    write_json(model / "unet/diffusion_pytorch_model.safetensors.index.json", index)
    assert "none by the names" in problem(model)


def test_a_folder_without_its_index_says_so(model: Path) -> None:
    (model / "model_index.json").unlink()
    assert "model_index.json is missing" in problem(model)


def test_components_alone(tmp_path: Path) -> None:
    for name, config in {
        "my-vae": {"_class_name": "AutoencoderKL", "scaling_factor": 0.13025},
        "tiny": {"_class_name": "AutoencoderTiny"},
        "my-unet": {"_class_name": "UNet2DConditionModel"},
        "control": {"_class_name": "ControlNetModel"},
    }.items():
        write_json(tmp_path / "parts" / name / "config.json", config)
        write_weights(
            tmp_path / "parts" / name / "diffusion_pytorch_model.safetensors", {"w": (2,)}
        )
    found = {info.name: info for info in Catalog([tmp_path]).list()}
    vae, tiny = found["parts/my-vae"], found["parts/tiny"]
    assert (vae.kind, vae.family, vae.layout, vae.problem) == ("vae", "sdxl", "folder", None)
    assert (tiny.kind, tiny.variety, tiny.problem) == ("vae", "tiny", None)
    assert "UNet alone" in (found["parts/my-unet"].problem or "")
    assert "ControlNet" in (found["parts/control"].problem or "")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("model_index.json", "cannot run"),
        ("vae/config.json", "vae/config.json is missing"),
        ("scheduler/scheduler_config.json", "scheduler_config.json is missing"),
    ],
)
def test_broken_folders_say_what_is_missing(model: Path, path: str, words: str) -> None:
    (model / path).write_text("{ not json", encoding="utf-8")
    if path.startswith("scheduler"):
        (model / path).unlink()
    assert words in problem(model)


def test_half_precision_files_are_found_by_their_variant(model: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    assert variant(weights.parent) is None
    weights.rename(weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert variant(weights.parent) == "fp16"
    assert Catalog([model.parent]).list()[0].problem is None


def test_idle_threads_sleep_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    share_the_cpu()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    share_the_cpu()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
