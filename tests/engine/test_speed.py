"""What makes a UNet faster changes no picture, and can be undone; the loop never waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.engine.denoise import denoise
from studio.engine.schedulers import make_scheduler
from studio.models.architectures import SCHEDULER
from studio.models.attention import choose_attention, faster, use_attention
from studio.models.catalog import Catalog
from studio.models.placement import choose
from studio.models.speed import (
    compile_blocks,
    fuse,
    is_fused,
    slow_down,
    speed_up,
    uncompile_blocks,
    unfuse,
    unfused,
)
from studio.models.store import ModelStore
from studio.samplers import SAMPLERS


@pytest.fixture
def unet(models: Path) -> Any:
    return ModelStore(Catalog([models]), "cpu", "fp32").acquire("tiny").parts["unet"]


@torch.no_grad()
def answer(unet: Any) -> torch.Tensor:
    torch.manual_seed(4)
    text = torch.randn(2, 77, 32)
    output: torch.Tensor = unet(torch.randn(2, 4, 8, 8), torch.tensor(500), text).sample
    return output


def test_fused_projections_give_the_same_and_are_undone(unet: Any) -> None:
    before = answer(unet)
    assert fuse(unet)
    assert is_fused(unet)
    assert torch.allclose(answer(unet), before, atol=1e-5)
    assert not any(p.requires_grad for p in unet.parameters())
    with unfused(unet):
        assert not is_fused(unet)
        assert torch.equal(answer(unet), before)
    assert is_fused(unet)
    unfuse(unet)
    assert torch.equal(answer(unet), before)
    assert not any("to_qkv" in name or "to_kv" in name for name, _ in unet.named_modules())


def test_fused_projections_do_compute_the_answer(unet: Any) -> None:
    fuse(unet)
    before = answer(unet)
    joined = next(m for name, m in unet.named_modules() if name.endswith("to_qkv"))
    with torch.no_grad():
        joined.weight.mul_(3)
    assert not torch.allclose(answer(unet), before, atol=1e-4)


def test_a_layer_that_an_add_on_replaced_is_asked(unet: Any) -> None:
    class Doubled(torch.nn.Module):
        def __init__(self, layer: torch.nn.Module) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            doubled: torch.Tensor = 2 * self.layer(given)
            return doubled

    attention = next(m for m in unet.modules() if hasattr(m, "to_q"))
    plain = answer(unet)
    own = attention.to_q
    attention.to_q = Doubled(own)
    changed = answer(unet)
    assert not torch.allclose(changed, plain, atol=1e-5)
    attention.to_q = own
    fuse(unet)
    attention.to_q = Doubled(own)
    assert torch.allclose(answer(unet), changed, atol=1e-5)


def test_on_a_cpu_nothing_is_changed_unless_it_is_asked_for(unet: Any) -> None:
    speed_up(unet, choose("cpu", "fp32"), "sdpa", "auto")
    assert not is_fused(unet)
    assert not any(getattr(m, "_compiled_call_impl", None) for m in unet.modules())


def test_compiling_marks_the_blocks_and_is_undone(unet: Any) -> None:
    """The kernels take minutes to build: here they are only asked for, and taken back."""
    before = answer(unet)
    blocks = compile_blocks(unet)
    if not blocks:
        pytest.skip("there is no C++ compiler here")
    assert blocks == sum(
        getattr(m, "_compiled_call_impl", None) is not None for m in unet.modules()
    )
    assert compile_blocks(unet) == blocks
    uncompile_blocks(unet)
    slow_down(unet)
    assert not any(getattr(m, "_compiled_call_impl", None) for m in unet.modules())
    assert torch.allclose(answer(unet), before, atol=1e-5)  # sums round by where memory lies


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_loop_never_waits_for_the_device(name: str) -> None:
    """On a device whose tensors have no values, whatever asks for one fails."""
    sampler, shape = SAMPLERS[name], (2, 4, 8, 8)
    scheduler = make_scheduler(sampler, "automatic", max(4, sampler.min_steps), SCHEDULER)
    asked = []

    def denoiser(latents: torch.Tensor, timestep: torch.Tensor, index: int) -> torch.Tensor:
        assert latents.device.type == timestep.device.type == "meta"
        asked.append(index)
        return torch.empty_like(latents)

    with torch.device("cpu"):
        generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    latents = torch.empty(shape, device="meta")
    for step in denoise(denoiser, scheduler, latents, generators):
        assert step.latents.device.type == "meta"
        assert step.denoised.shape == shape
    assert asked == list(range(len(scheduler.timesteps)))


def test_the_faster_attention_is_taken_and_pytorchs_when_they_are_alike() -> None:
    assert faster({"sdpa": 0.002, "xformers": 0.001}).name == "xformers"
    assert faster({"sdpa": 0.001, "xformers": 0.002}).name == "sdpa"
    assert faster({"sdpa": 0.00101, "xformers": 0.001}).name == "sdpa"
    assert "PyTorch 2.00 ms, xformers 1.00 ms" in faster({"sdpa": 0.002, "xformers": 0.001}).reason


def test_on_a_cpu_there_is_one_attention_and_it_says_so(tmp_path: Path, unet: Any) -> None:
    choice = choose_attention("xformers", choose("cpu", "fp32"), tmp_path)
    assert choice.name == "sdpa"
    assert "needs an NVIDIA card" in choice.reason
    assert not list(tmp_path.iterdir())
    before = answer(unet)
    use_attention(unet, choice)
    assert torch.equal(answer(unet), before)


def test_what_was_measured_once_is_kept(tmp_path: Path) -> None:
    from studio.models import attention

    choice = faster({"sdpa": 0.002, "xformers": 0.001})
    attention._keep(tmp_path, "a card", choice)
    attention._keep(tmp_path, "another", faster({"sdpa": 0.001, "xformers": 0.002}))
    assert attention._kept(tmp_path, "a card") == choice
    assert attention._kept(tmp_path, "a third") is None
    (tmp_path / "attention.json").write_text(json.dumps([1]))
    assert attention._kept(tmp_path, "a card") is None
