"""The store: several models under a budget, and memory that comes back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.engine.engine import Engine
from studio.errors import InvalidRequest, NotFound, OutOfMemory
from studio.models.budget import GIB
from studio.models.catalog import Catalog
from studio.models.plan import Work
from studio.models.residency import Rules
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same
from tests.tiny import save_tiny_model

Recipe = Callable[..., GenerationRequest]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for seed, name in enumerate(("tiny", "b", "c")):
        save_tiny_model(folder / name, seed=seed)
    return folder


def store_for(folder: Path, models: float, **rules: Any) -> ModelStore:
    """A store whose budget holds so many of the tiny models."""
    one = ModelStore(Catalog([folder]), "cpu", "fp32")
    one.acquire("tiny")
    size = one.memory().weights
    return ModelStore(Catalog([folder]), "cpu", "fp32", Rules(ram_gib=models * size / GIB, **rules))


def test_several_models_stay_and_the_longest_unused_goes(three: Path) -> None:
    store = store_for(three, 2.5)
    first = store.acquire("tiny")
    store.acquire("b")
    assert store.acquire("tiny") is first
    assert store.resident == ("tiny", "b")
    store.acquire("c")
    assert store.resident == ("c", "tiny")
    assert store.acquire("tiny") is first


def test_a_model_larger_than_the_budget_still_loads_alone(three: Path) -> None:
    store = store_for(three, 0.5)
    store.acquire("tiny")
    store.acquire("b")
    assert store.resident == ("b",)


def test_letting_go(three: Path) -> None:
    store = store_for(three, 3.5)
    for name in ("tiny", "b", "c"):
        store.acquire(name)
    store.release("b")
    assert store.resident == ("c", "tiny")
    with pytest.raises(NotFound, match="“b” is not loaded"):
        store.release("b")
    store.release()
    assert store.resident == ()
    assert store.memory().weights == 0


def test_the_unused_are_let_go_after_a_while(three: Path) -> None:
    store = store_for(three, 3.5)
    store.acquire("tiny")
    time.sleep(0.2)
    store.acquire("b")
    assert store.release_idle(0.15) == ("tiny",)
    assert store.resident == ("b",)


def test_a_model_whose_files_changed_is_loaded_anew(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny")
    store = ModelStore(Catalog([tmp_path]), "cpu", "fp32")
    before = store.acquire("tiny")
    weights = tmp_path / "tiny/unet/diffusion_pytorch_model.safetensors"
    halved = {name: value * 0.5 for name, value in load_file(weights).items()}
    save_file(halved, weights)
    os.utime(weights, ns=(1, time.time_ns()))
    after: Any = store.acquire("tiny")
    assert after is not before
    assert torch.equal(after.unet.conv_in.weight, halved["conv_in.weight"])
    shutil.rmtree(tmp_path / "tiny")
    with pytest.raises(InvalidRequest):
        store.acquire("tiny")


def test_what_is_resident_says_how_it_is_kept(three: Path) -> None:
    store = store_for(three, 3.5, memory="low")
    store.acquire("tiny", Work(64, 64))
    (one,) = store.residents
    assert (one.name, one.where) == ("tiny", "device")
    assert one.plan is not None
    assert one.plan.tile_vae
    assert one.plan.reason.startswith("Chosen by --memory low")


def test_memory_returns_after_swaps_and_failures(three: Path, recipe: Recipe) -> None:
    """50 swaps among three models, every other one with a job that runs out of memory."""
    store = store_for(three, 1.5)
    engine, process = Engine(store), psutil.Process()
    expected = pictures(engine.generate(recipe(num_inference_steps=1)))[0]

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    sizes: list[int] = []
    for swap in range(50):
        name = ("tiny", "b", "c")[swap % 3]
        request = recipe(num_inference_steps=1).model_copy(update={"model": name})
        if swap % 2:
            handle = store.acquire(name).parts["unet"].register_forward_pre_hook(fail)
            with pytest.raises(OutOfMemory):
                list(engine.generate(request))
            handle.remove()
        else:
            list(engine.generate(request))
        sizes.append(process.memory_info().rss)
    assert sizes[-1] <= 1.05 * sizes[8]
    assert same(pictures(engine.generate(recipe(num_inference_steps=1)))[0], expected)


def test_a_decoder_that_does_not_fit_works_in_tiles(three: Path, recipe: Recipe) -> None:
    store = store_for(three, 3.5)
    engine, calls = Engine(store), []
    model: Any = store.acquire("tiny")

    def once(*_: Any) -> None:
        calls.append(model.vae.use_tiling)
        if not model.vae.use_tiling:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    handle = model.vae.decoder.register_forward_pre_hook(once)
    assert len(pictures(engine.generate(recipe(num_inference_steps=1)))) == 1
    handle.remove()
    assert calls[0] is False
    assert all(calls[1:])
    (one,) = store.residents
    assert one.plan is not None
    assert one.plan.tile_vae
