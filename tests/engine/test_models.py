"""Loading: one model at a time, from safetensors, in the format the device is good at, quietly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.errors import ModelError, StartupError
from studio.models.catalog import Catalog
from studio.models.placement import choose, cpu_has_bf16
from studio.models.sd import LoadedStableDiffusion, read_scheduler_config
from studio.models.store import ModelStore
from tests.tiny import save_tiny_model, tiny_pipeline

QUIET = """
import sys
from pathlib import Path
from studio.engine.engine import Engine
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.complete import complete

catalog = Catalog([Path(sys.argv[1])])
values = {"prompt": "a boat " * 100, "model": "tiny", "num_inference_steps": 2}
request = complete(values, catalog.find("tiny").defaults.as_values())
events = list(Engine(ModelStore(catalog, "cpu")).generate(request))
sys.exit(0 if len(events) == 4 else 1)
"""


def test_painting_in_a_new_process_prints_nothing(models: Path) -> None:
    """Neither xformers' complaint about a CPU nor a library's log line reaches the terminal."""
    done = subprocess.run(
        [sys.executable, "-c", QUIET, str(models)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "."},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_cpu_gets_the_format_it_multiplies_natively() -> None:
    placement = choose("cpu")
    assert placement.dtype == (torch.bfloat16 if cpu_has_bf16() else torch.float32)
    assert placement.label == f"CPU · {'bf16' if cpu_has_bf16() else 'fp32'}"
    assert choose("cpu") == placement
    assert choose("cpu", "fp32").label == "CPU · fp32"
    assert not placement.pictures_together


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(StartupError, match=r"no device “cuda” on this machine; there is: .*cpu"):
        choose("cuda")


def test_weights_keep_their_values_in_every_format(store: ModelStore, models: Path) -> None:
    model: Any = store.acquire("tiny")
    saved = load_file(models / "tiny/unet/diffusion_pytorch_model.safetensors")
    assert torch.equal(model.unet.state_dict()["conv_in.weight"], saved["conv_in.weight"])
    assert not any(parameter.requires_grad for parameter in model.unet.parameters())


def test_a_damaged_part_is_said_in_words(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "broken")
    weights = folder / "unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    tensors["conv_in.weight"] = torch.zeros(1, 2, 3)
    save_file(tensors, weights)
    store = ModelStore(Catalog([tmp_path]), "cpu")
    with pytest.raises(ModelError, match="The model “broken” cannot be loaded"):
        store.acquire("broken")
    assert store.resident == ()


def test_half_precision_files_load_by_their_variant(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    tiny_pipeline().to(torch.float16).save_pretrained(folder, variant="fp16")
    model = ModelStore(Catalog([tmp_path]), "cpu", "fp32").acquire("half")
    assert isinstance(model, LoadedStableDiffusion)
    assert model.unet.dtype == model.parts["text_encoder"].dtype == torch.float32


def test_latents_are_not_clipped_unless_the_model_says_so(tmp_path: Path, models: Path) -> None:
    shutil.copytree(models / "tiny/scheduler", tmp_path / "scheduler")
    path = tmp_path / "scheduler/scheduler_config.json"
    config = json.loads(path.read_text())
    del config["clip_sample"]
    path.write_text(json.dumps(config))
    assert read_scheduler_config(tmp_path)["clip_sample"] is False
    path.write_text(json.dumps({**config, "clip_sample": True}))
    assert read_scheduler_config(tmp_path)["clip_sample"] is True


def test_the_cards_colours_are_used(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "tiny")
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]]
    card = {"preview": {"matrix": rows, "bias": [0.1, 0.2, 0.3]}}
    (folder / "card.json").write_text(json.dumps(card))
    colours = ModelStore(Catalog([tmp_path]), "cpu").acquire("tiny").preview_colours
    assert [list(row) for row in colours.matrix] == rows
    assert colours.bias == (0.1, 0.2, 0.3)


def test_a_black_picture_is_decoded_again_in_fp32(tmp_path: Path) -> None:
    """What bf16 or fp16 cannot hold: the decoder overflows there and not in fp32."""
    save_tiny_model(tmp_path / "tiny")
    model = ModelStore(Catalog([tmp_path]), "cpu", "bf16").acquire("tiny")
    assert isinstance(model, LoadedStableDiffusion)
    decode = model.vae.decode

    def overflowing(latents: torch.Tensor, return_dict: bool) -> Any:
        (pixels,) = decode(latents, return_dict=return_dict)
        return (pixels * float("inf") if latents.dtype != torch.float32 else pixels,)

    model.vae.decode = overflowing
    pixels = model.decode(torch.randn(1, 4, 8, 8))
    assert pixels.shape == (1, 64, 64, 3)
    assert len(pixels.unique()) > 10
    with pytest.raises(ModelError, match="painted no picture"):
        model.decode(torch.full((1, 4, 8, 8), float("nan")))
