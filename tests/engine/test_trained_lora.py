"""A LoRA trained on pocket here and now: it changes the picture as trained, and leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch.nn import functional

from studio.complete import complete
from studio.engine.engine import Engine
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.settings import REPOSITORY
from tests.engine.conftest import encoded, pictures, same

POCKET = REPOSITORY / "assets" / "pocket"
PROMPT = "a white windmill in a meadow"
STEPS = 6


def train(model: Any, path: Path) -> None:
    """A few steps that teach a LoRA of rank 4 to paint everything red, saved as diffusers does."""
    torch.manual_seed(0)
    red = torch.tensor([0.9, -0.9, -0.9]).reshape(1, 3, 1, 1).expand(1, 3, 128, 128)
    latents = model.encode(red).expand(4, -1, -1, -1)
    text = encoded(model, PROMPT)[0].sequence.expand(4, -1, -1)
    schedule: Any = DDPMScheduler.from_config(dict(model.scheduler_config))
    unet: Any = UNet2DConditionModel.from_pretrained(POCKET / "unet").requires_grad_(False)
    unet.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=["to_k", "to_v", "to_out.0"]))
    optimizer = torch.optim.Adam([p for p in unet.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(STEPS):
        noise = torch.randn(latents.shape)
        times = torch.randint(100, 1000, (len(latents),))
        noisy = schedule.add_noise(latents, noise, times)
        velocity = schedule.config.prediction_type == "v_prediction"
        wanted = schedule.get_velocity(latents, noise, times) if velocity else noise
        loss = functional.mse_loss(unet(noisy, times, text).sample, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    layers = get_peft_model_state_dict(unet)
    StableDiffusionPipeline.save_lora_weights(
        path.parent, unet_lora_layers=layers, weight_name=path.name
    )


def redness(picture: Image.Image) -> float:
    """How much more red than green and blue there is, in levels of 255."""
    red, green, blue = (np.asarray(band, dtype=float).mean() for band in picture.split())
    return float(red - (green + blue) / 2)


def test_it_changes_the_picture_as_trained_and_leaves_no_trace(tmp_path: Path) -> None:
    store = ModelStore(Catalog([REPOSITORY / "assets", tmp_path]), "cpu", "fp32")
    engine, model = Engine(store), store.acquire("pocket")
    train(model, tmp_path / "loras" / "red.safetensors")

    def paint(prompt: str) -> Image.Image:
        values = {"prompt": prompt, "seed": 5, "model": "pocket", "num_inference_steps": 8,
                  "width": 128, "height": 128}  # fmt: skip
        request = complete(values, model.info.defaults.as_values())
        return pictures(engine.generate(request))[0]

    def weights() -> dict[str, torch.Tensor]:
        parts = model.parts.items()
        return {f"{part}.{name}": t for part, m in parts for name, t in m.state_dict().items()}

    before = {name: tensor.clone() for name, tensor in weights().items()}
    plain = paint(PROMPT)
    slightly = paint(f"{PROMPT} <lora:red:0.2>")
    red = paint(f"{PROMPT} <lora:red:1>")
    assert redness(red) > redness(plain) + 30
    assert redness(plain) + 5 < redness(slightly) < redness(red) - 5
    after = weights()
    assert set(after) == set(before)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert same(paint(PROMPT), plain)
