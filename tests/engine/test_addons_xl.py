"""Add-ons on a real SDXL at tiny size, which has two text encoders and a VAE that overflows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from PIL import Image
from safetensors.torch import load_file

from studio.engine.engine import Engine
from studio.errors import InvalidRequest
from studio.models.addons.clip_skip import clip_skipped
from studio.models.base import ModelInfo
from studio.models.placement import Precision
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.addons import Tensors, write
from tests.engine.conftest import encoded, pictures, same
from tests.tiny_families import TINY, Listed, tiny_family_pipeline

PROMPTS = {"prompt": "a boat of mystyle at night", "negative_prompt": "blue mystyle"}


class Desk:
    """A model of SDXL's make with add-ons that are named by hand."""

    def __init__(self, folder: Path, *addons: ModelInfo, precision: Precision = "fp32") -> None:
        xl = ModelInfo("xl", folder / "xl", family="sdxl")
        self.store = ModelStore(Listed([xl, *addons]), "cpu", precision)
        self.model: Any = self.store.acquire("xl")

    def paint(self, **values: Any) -> Image.Image:
        given = {"prompt": "a red boat at night", "negative_prompt": "blue house", "model": "xl",
                 "seed": 11, "num_inference_steps": 2, "guidance_scale": 5.0, "width": 64,
                 "height": 64, "sampler": "ddim", **values}  # fmt: skip
        return pictures(Engine(self.store).generate(GenerationRequest(**given)))[0]

    def state(self) -> dict[str, torch.Tensor]:
        return {
            f"{part}.{name}": tensor.clone()
            for part, module in self.model.parts.items()
            for name, tensor in module.state_dict().items()
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xl")
    tiny_family_pipeline("StableDiffusionXLPipeline", TINY["sdxl"]).save_pretrained(folder / "xl")
    other = tiny_family_pipeline("StableDiffusionXLPipeline", TINY["sdxl"], seed=8)
    other.vae.save_pretrained(folder / "other-vae")
    return folder


def inversion(folder: Path, **parts: int) -> ModelInfo:
    """An embedding of two vectors for each named part."""
    generator = torch.Generator().manual_seed(4)
    tensors = {name: torch.randn(2, width, generator=generator) for name, width in parts.items()}
    path = write(tensors, folder / f"mystyle-{'-'.join(parts)}.safetensors")
    return ModelInfo("mystyle", path, "embedding", family="sdxl")


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_two_parts_act_by_one_name_in_either_prompt(folder: Path, field: str) -> None:
    plain = Desk(folder).paint(**{field: PROMPTS[field]})
    desk = Desk(folder, inversion(folder, clip_l=32, clip_g=32))
    before = desk.state()
    assert not same(plain, desk.paint(**{field: PROMPTS[field]}))
    after = desk.state()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_both_parts_are_heard(folder: Path) -> None:
    whole = inversion(folder, clip_l=32, clip_g=32)
    seen = {Desk(folder, whole).paint(**PROMPTS).tobytes()}
    tensors = load_file(whole.path)
    for part in tensors:
        path = write({**tensors, part: tensors[part] + 1}, folder / f"mystyle-{part}.safetensors")
        info = ModelInfo("mystyle", path, "embedding", family="sdxl")
        seen.add(Desk(folder, info).paint(**PROMPTS).tobytes())
    assert len(seen) == 3


def test_clip_skip_is_diffusers_less_one(folder: Path) -> None:
    pipeline = StableDiffusionXLPipeline.from_pretrained(folder / "xl")
    model = Desk(folder).model
    expected, _, pooled, _ = pipeline.encode_prompt("a red boat", device="cpu", clip_skip=1)
    with clip_skipped(model, 2):
        (ours,) = encoded(model, "a red boat")
    assert torch.allclose(ours.sequence, expected, atol=1e-5)
    assert ours.pooled is not None
    assert torch.allclose(ours.pooled, pooled, atol=1e-5)
    (usual,) = encoded(model, "a red boat")
    assert not torch.allclose(usual.sequence, ours.sequence, atol=1e-3)


def test_another_vae_is_taken_and_one_of_another_family_is_refused(folder: Path) -> None:
    vae = ModelInfo("other", folder / "other-vae", "vae", family="sdxl")
    wrong = ModelInfo("wrong", folder / "other-vae", "vae", family="sd1")
    desk = Desk(folder, vae, wrong)
    usual = desk.paint()
    assert not same(usual, desk.paint(vae="other"))
    assert same(usual, desk.paint())
    with pytest.raises(InvalidRequest, match=r"^The VAE “wrong” .*another kind of model \(sd1\)"):
        desk.paint(vae="wrong")


def overflowing(tensors: Tensors) -> Tensors:
    """The same autoencoder with values inside that half precision cannot hold, as SDXL's own.

    What follows normalises them, so that the picture hardly changes where they can be held.
    """
    loud = ("decoder.conv_in.weight", "decoder.conv_in.bias")
    return {name: tensor * 1e5 if name in loud else tensor for name, tensor in tensors.items()}


def test_a_black_picture_in_half_precision_is_decoded_again_in_fp32(folder: Path) -> None:
    weights = load_file(folder / "other-vae" / "diffusion_pytorch_model.safetensors")
    loud = write(overflowing(weights), folder / "loud.safetensors")
    vae = ModelInfo("loud", loud, "vae", family="sdxl", layout="file")
    half = Desk(folder, vae, precision="fp16")
    with torch.no_grad():
        latents = torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
        exact = Desk(folder, vae)
        applied, exactly = Engine(half.store)._bench.addons, Engine(exact.store)._bench.addons
        request = GenerationRequest(model="xl", vae="loud")
        with exactly.applied(exact.model, request):
            expected = exact.model.decode(latents)
        before = half.state()
        with applied.applied(half.model, request):
            raw = half.model.vae.decode(latents.half() / half.model.vae.config.scaling_factor)
            assert not torch.isfinite(raw.sample).all()
            decoded = half.model.decode(latents)
        assert torch.isfinite(half.model.decode(latents).float()).all()
    assert (decoded.int() - expected.int()).abs().max() <= 2
    assert decoded.float().std() > 2
    after = half.state()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(before[name].dtype == after[name].dtype for name in before)
