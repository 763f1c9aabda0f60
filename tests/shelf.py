"""A models folder as people have them: good ones of every kind, pictures beside some, accidents."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from studio.settings import REPOSITORY
from tests.weights import VAE, kohya_lora, refiner, sd1, sd2, sdxl, write_pipeline, write_weights

GOOD = {
    "dreamlike-photoreal": ("checkpoint", "Stable Diffusion 1"),
    "v2-1_768-ema-pruned": ("checkpoint", "Stable Diffusion 2"),
    "sd_xl_base_1.0": ("checkpoint", "SDXL"),
    "sd_xl_refiner_1.0": ("checkpoint", "SDXL refiner"),
    "sd-v1-5-inpainting": ("checkpoint", "Stable Diffusion 1"),
    "watercolour": ("checkpoint", "Stable Diffusion 1"),
    "ink-wash": ("lora", "Stable Diffusion 1"),
    "clear-vae": ("vae", ""),
}
DAMAGED = {
    "half-a-download": "cut short",
    "wrong-site": "web page",
    "old-model": "save it as safetensors",
}
_PICTURES = {"dreamlike-photoreal": "lighthouse", "watercolour": "sailboat", "ink-wash": "cat"}


def fill_shelf(models: Path) -> None:
    """Put the files of GOOD and DAMAGED, which are sparse, under a studio's ``models`` folder."""
    checkpoints = models / "checkpoints"
    write_weights(checkpoints / "dreamlike-photoreal.safetensors", sd1())
    write_weights(checkpoints / "v2-1_768-ema-pruned.safetensors", sd2())
    write_weights(checkpoints / "sd_xl_base_1.0.safetensors", sdxl())
    write_weights(checkpoints / "sd_xl_refiner_1.0.safetensors", refiner())
    write_weights(checkpoints / "sd-v1-5-inpainting.safetensors", sd1(9))
    write_pipeline(checkpoints / "watercolour", unet={"cross_attention_dim": 768})
    write_weights(models / "loras/ink-wash.safetensors", kohya_lora(768))
    write_weights(models / "vae/clear-vae.safetensors", VAE)
    write_weights(checkpoints / "half-a-download.safetensors", sd1())
    os.truncate(checkpoints / "half-a-download.safetensors", 100_000)
    page = b"<!DOCTYPE html><html><title>404</title></html>"
    (checkpoints / "wrong-site.safetensors").write_bytes(page)
    (checkpoints / "old-model.ckpt").write_bytes(b"\x80\x02}q\x00.")
    for name, picture in _PICTURES.items():
        example = REPOSITORY / "assets" / "examples" / f"{picture}.webp"
        beside = next(models.rglob(f"{name}*"))
        goal = beside / "preview.png" if beside.is_dir() else beside.with_suffix(".png")
        with Image.open(example) as image:
            image.convert("RGB").save(goal)
