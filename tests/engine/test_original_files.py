"""One file of the original layout is the same model as its folder, and nothing asks the network."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.loaders import single_file_utils as theirs
from safetensors.torch import load_file, save_file

from studio.engine.engine import Engine
from studio.errors import ModelError
from studio.models.architectures import SD1, SD2, SDXL, SDXL_REFINER, Architecture
from studio.models.base import ModelInfo
from studio.models.networks import empty_parts
from studio.models.placement import Precision, choose
from studio.models.random_weights import original_entries
from studio.models.sd1 import StableDiffusion1
from studio.models.sd2 import StableDiffusion2, predicts_v
from studio.models.sdxl import StableDiffusionXL
from studio.models.sdxl_refiner import StableDiffusionXLRefiner
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.engine.conftest import pictures
from tests.tiny_families import TINY, Listed, original_state, save_folder, save_original, tiny_parts

FULL = {
    "sd1": SD1, "sd1-inpainting": SD1.inpainting(), "sd2": SD2, "sdxl": SDXL,
    "sdxl_refiner": SDXL_REFINER,
}  # fmt: skip
PARAMETERS = {  # as published
    "sd1": {"text_encoder": 123_060_480, "unet": 859_520_964, "vae": 83_653_863},
    "sd1-inpainting": {"unet": 859_535_364},
    "sd2": {"text_encoder": 340_387_840, "unet": 865_910_724, "vae": 83_653_863},
    "sdxl": {"text_encoder": 123_060_480, "text_encoder_2": 694_659_840, "unet": 2_567_463_684},
    "sdxl_refiner": {"text_encoder_2": 694_659_840, "unet": 2_259_526_660},
}
FAMILY: dict[str, Any] = {
    "sd1": StableDiffusion1, "sd2": StableDiffusion2, "sdxl": StableDiffusionXL,
    "sdxl_refiner": StableDiffusionXLRefiner,
}  # fmt: skip


def tiny(name: str, nine: bool = False) -> Architecture:
    return TINY[name].inpainting() if nine else TINY[name]


def load(name: str, info: ModelInfo, precision: Precision = "fp32") -> Any:
    return FAMILY[name](TINY[name]).load(info, choose("cpu", precision))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something asked the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", list(FULL))
def test_the_full_size_is_the_published_one(name: str) -> None:
    """Sizes, and every name and shape of the original layout as diffusers' converters read it."""
    architecture, parts = FULL[name], empty_parts(FULL[name])
    counted = {part: sum(p.numel() for p in module.parameters()) for part, module in parts.items()}
    assert {part: counted[part] for part in PARAMETERS[name]} == PARAMETERS[name]
    file: Any = {
        entry.name: torch.empty(entry.shape, device="meta")
        for entry in original_entries(architecture)
    }
    converted = {
        "unet": theirs.convert_ldm_unet_checkpoint(dict(file), dict(parts["unet"].config)),
        "vae": theirs.convert_ldm_vae_checkpoint(dict(file), dict(parts["vae"].config)),
    }
    for part, tensors in converted.items():
        expected = {key: value.shape for key, value in parts[part].state_dict().items()}
        assert {key: value.shape for key, value in tensors.items()} == expected


@pytest.mark.parametrize(("name", "nine"), [(n, False) for n in TINY] + [("sd1", True)])
def test_values_are_where_diffusers_finds_them(tmp_path: Path, name: str, nine: bool) -> None:
    """Not one weight of the same shape is mixed up: read by us = converted by diffusers."""
    architecture = tiny(name, nine)
    state = original_state(tiny_parts(architecture), architecture)
    info = ModelInfo(name, tmp_path / "m.safetensors", layout="file", family=name)
    save_file(state, info.path)
    loaded = load(name, info).parts
    unet = theirs.convert_ldm_unet_checkpoint(dict(state), dict(loaded["unet"].config))
    vae = theirs.convert_ldm_vae_checkpoint(dict(state), dict(loaded["vae"].config))
    _assert_equal(loaded["unet"], unet)
    _assert_equal(loaded["vae"], vae)
    for encoder in architecture.text_encoders:
        module = loaded[encoder.part]
        if encoder.open_clip:
            text = theirs.convert_open_clip_checkpoint(module, dict(state), encoder.prefix)
        else:
            theirs_prefix = f"{encoder.prefix}"
            text = theirs.convert_ldm_clip_checkpoint(dict(state), remove_prefix=theirs_prefix)
        nested = {key.removeprefix("text_model."): value for key, value in text.items()}
        own = {key.removeprefix("text_model."): v for key, v in module.state_dict().items()}
        for key, value in own.items():
            assert torch.equal(value, nested[key]), key


def _assert_equal(module: Any, converted: dict[str, torch.Tensor]) -> None:
    state = module.state_dict()
    assert set(state) == set(converted)
    for key, value in converted.items():
        assert torch.equal(state[key], value), key


@pytest.mark.parametrize(("name", "nine"), [(n, False) for n in TINY] + [("sdxl", True)])
def test_a_file_paints_what_its_folder_paints(
    tmp_path: Path, name: str, nine: bool, no_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = tiny(name, nine)
    parts = tiny_parts(architecture)
    folder = save_folder(tmp_path / "folder", parts, architecture)
    file = save_original(tmp_path / "file.safetensors", parts, architecture)
    infos = [
        ModelInfo("folder", folder, family=name),
        ModelInfo("file", file, family=name, layout="file", prediction_type=""),
    ]
    monkeypatch.setattr("studio.models.store.FAMILIES", {name: lambda: FAMILY[name](TINY[name])})
    engine = Engine(ModelStore(Listed(infos), "cpu", "fp32"))
    values = {"prompt": "a lighthouse, 夜晚 <|endoftext|>", "negative_prompt": "café",
              "width": 64, "height": 64, "seed": 3, "num_inference_steps": 3,
              "sampler": "euler"}  # fmt: skip
    of_folder, of_file = (
        pictures(engine.generate(GenerationRequest(model=which, **values)))[0]
        for which in ("folder", "file")
    )
    # Where a weight lies in memory may change the order of a sum, so one level of 255 may differ.
    apart = np.asarray(of_folder).astype(int) - np.asarray(of_file).astype(int)
    assert np.abs(apart).max() <= 1
    assert len(set(of_file.get_flattened_data())) > 50


def test_both_spellings_of_clip_are_read(tmp_path: Path) -> None:
    parts = tiny_parts(TINY["sd1"])
    state = original_state(parts, TINY["sd1"])
    other = {key.replace("transformer.text_model.", "transformer."): v for key, v in state.items()}
    assert set(other) != set(state)
    save_file(other, tmp_path / "m.safetensors")
    loaded = load("sd1", ModelInfo("m", tmp_path / "m.safetensors", layout="file"))
    _assert_equal(loaded.parts["text_encoder"], parts["text_encoder"].state_dict())


@pytest.mark.parametrize(
    ("given", "nine", "expected"),
    [("v_prediction", False, "v_prediction"), ("epsilon", False, "epsilon"), ("", True, "epsilon")],
)
def test_what_a_file_predicts(tmp_path: Path, given: str, nine: bool, expected: str) -> None:
    architecture = tiny("sd2", nine)
    path = save_original(tmp_path / "m.safetensors", tiny_parts(architecture), architecture)
    info = ModelInfo("m", path, family="sd2", layout="file", prediction_type=given)
    assert load("sd2", info).scheduler_config["prediction_type"] == expected


@pytest.mark.parametrize(("answer", "v"), [(0.5, False), (0.2, False), (-0.9, True)])
def test_a_unet_is_asked_what_it_predicts(tmp_path: Path, answer: float, v: bool) -> None:
    """Answering with its input it predicts noise; answering far below, v."""
    parts = tiny_parts(TINY["sd2"])
    with torch.no_grad():
        parts["unet"].conv_out.weight.zero_()
        parts["unet"].conv_out.bias.fill_(answer)
    path = save_original(tmp_path / "m.safetensors", parts, TINY["sd2"])
    info = ModelInfo("m", path, family="sd2", layout="file", prediction_type="")
    model = load("sd2", info)
    assert predicts_v(model) is v
    assert model.scheduler_config["prediction_type"] == ("v_prediction" if v else "epsilon")


def test_a_file_trained_to_no_signal_says_so(tmp_path: Path) -> None:
    mark = {"ztsnr": torch.ones(()), "v_pred": torch.ones(())}
    path = save_original(tmp_path / "m.safetensors", tiny_parts(TINY["sdxl"]), TINY["sdxl"], mark)
    info = ModelInfo("m", path, family="sdxl", layout="file", prediction_type="v_prediction")
    assert load("sdxl", info).scheduler_config["rescale_betas_zero_snr"] is True


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("missing", "input_blocks.2.0 is missing"),
        ("extra", "its unet has weights that this studio does not know: model.diffusion_model.new"),
        ("shape", "has the shape 32 × 4 × 1 × 1, where 32 × 4 × 3 × 3 is needed"),
        ("no_vae", r"and \d+ more of its vae are missing"),
        ("cut", "It is cut short"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, change: str, sentence: str) -> None:
    state = original_state(tiny_parts(TINY["sd1"]), TINY["sd1"])
    prefix = "model.diffusion_model."
    if change == "missing":
        del state[f"{prefix}time_embed.0.bias"]
        sentence = "time_embedding.linear_1.bias of its unet is missing"
    elif change == "extra":
        state[f"{prefix}new.weight"] = torch.zeros(1)
    elif change == "shape":
        state[f"{prefix}input_blocks.0.0.weight"] = torch.zeros(32, 4, 1, 1)
    elif change == "no_vae":
        state = {k: v for k, v in state.items() if not k.startswith("first_stage_model.")}
    path = tmp_path / "m.safetensors"
    save_file(state, path)
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match=sentence):
        load("sd1", ModelInfo("m", path, layout="file"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_a_file_of_any_format_is_kept_in_the_devices(tmp_path: Path, dtype: torch.dtype) -> None:
    parts = tiny_parts(TINY["sd1"])
    state = {k: v.to(dtype) for k, v in original_state(parts, TINY["sd1"]).items()}
    path = tmp_path / "m.safetensors"
    save_file(state, path)
    model = load("sd1", ModelInfo("m", path, layout="file"), "bf16")
    assert model.unet.dtype == model.vae.dtype == torch.bfloat16
    assert model.parts["text_encoder"].dtype == torch.float32  # on a CPU
    weight = model.unet.conv_in.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    stored = state["model.diffusion_model.input_blocks.0.0.weight"]
    assert torch.equal(weight, stored.to(torch.bfloat16))
    assert not any(p.is_meta or p.requires_grad for p in model.unet.parameters())


def test_folders_of_older_makes_load(tmp_path: Path) -> None:
    """A prefix and position numbers in the text encoder, another attention in the autoencoder."""
    parts = tiny_parts(TINY["sd1"])
    folder = save_folder(tmp_path / "old", parts, TINY["sd1"])
    text = folder / "text_encoder/model.safetensors"
    old = {f"text_model.{key}": value for key, value in load_file(text).items()}
    save_file({**old, "text_model.embeddings.position_ids": torch.arange(77)[None]}, text)
    vae = folder / "vae/diffusion_pytorch_model.safetensors"
    names = {
        ".to_q.": ".query.",
        ".to_k.": ".key.",
        ".to_v.": ".value.",
        ".to_out.0.": ".proj_attn.",
    }
    renamed = {}
    for key, value in load_file(vae).items():
        for new, before in names.items():
            key = key.replace(new, before)
        renamed[key] = value
    save_file(renamed, vae)
    loaded = load("sd1", ModelInfo("old", folder))
    for part in ("text_encoder", "vae"):
        _assert_equal(loaded.parts[part], parts[part].state_dict())


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_folders_in_shards_load(tmp_path: Path, variant: str | None) -> None:
    parts = tiny_parts(TINY["sd1"])
    folder = save_folder(tmp_path / "shards", parts, TINY["sd1"])
    shutil.rmtree(folder / "unet")
    parts["unet"].save_pretrained(folder / "unet", max_shard_size="200KB", variant=variant)
    files = sorted((folder / "unet").glob("*.safetensors"))
    assert len(files) > 1
    _assert_equal(load("sd1", ModelInfo("s", folder)).unet, parts["unet"].state_dict())
    files[-1].unlink()
    with pytest.raises(ModelError, match="some of its weights are missing"):
        load("sd1", ModelInfo("s", folder))


def test_the_plain_weights_are_taken_before_a_variant(tmp_path: Path) -> None:
    parts = tiny_parts(TINY["sd1"])
    folder = save_folder(tmp_path / "both", parts, TINY["sd1"])
    tiny_parts(TINY["sd1"], seed=9)["unet"].save_pretrained(folder / "unet", variant="fp16")
    _assert_equal(load("sd1", ModelInfo("b", folder)).unet, parts["unet"].state_dict())
