"""The engine's events: progress, skipping, stopping, and running out of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from studio.engine.engine import Engine
from studio.engine.memory import is_out_of_memory
from studio.errors import InvalidRequest, OutOfMemory
from studio.events import ImageReady, Preparing, Progress
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same

Recipe = Callable[..., GenerationRequest]


@contextmanager
def watched(store: ModelStore, largest: int | None = None) -> Iterator[list[int]]:
    """The batch sizes the tiny UNet is called with; above ``largest`` memory runs out."""
    model: Any = store.acquire("tiny")
    sizes: list[int] = []

    def before(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        sizes.append(len(given[0]))
        if largest is not None and len(given[0]) > largest:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    handle = model.unet.register_forward_pre_hook(before)
    try:
        yield sizes
    finally:
        handle.remove()


def test_progress_counts_over_all_pictures(engine: Engine, recipe: Recipe) -> None:
    events = list(engine.generate(recipe(num_images=3, sampler="heun"), skip=[1]))
    progress = [event for event in events if isinstance(event, Progress)]
    assert [event.step for event in progress] == [*range(8, 15), *range(15, 22)]
    assert {event.steps for event in progress} == {21}
    assert [event.picture for event in progress] == [0] * 7 + [2] * 7
    assert [event.index for event in events if isinstance(event, ImageReady)] == [0, 2]


def test_it_says_what_it_loads_once(store: ModelStore, recipe: Recipe) -> None:
    store.release()
    engine = Engine(store)
    assert next(iter(engine.generate(recipe()))) == Preparing("Loading tiny")
    list(engine.generate(recipe()))
    assert not any(isinstance(event, Preparing) for event in engine.generate(recipe()))
    assert store.resident == ("tiny",)
    assert store.memory().weights > 1_000_000


def test_closing_ends_the_job_and_harms_nothing(
    store: ModelStore, engine: Engine, recipe: Recipe
) -> None:
    request = recipe(sampler="dpmpp_sde", sigma_schedule="automatic", num_images=2)
    undisturbed = pictures(engine.generate(request))
    with watched(store) as calls:
        events = engine.generate(request)
        assert isinstance(next(events), Progress)
        events.close()
        assert len(calls) == 1
        assert list(events) == []
    assert torch.is_grad_enabled()
    after = pictures(engine.generate(request))
    assert all(same(undisturbed[index], after[index]) for index in (0, 1))


def test_guidance_one_is_a_single_pass(store: ModelStore, engine: Engine, recipe: Recipe) -> None:
    with watched(store) as calls:
        with_guidance = pictures(engine.generate(recipe()))
        without = pictures(engine.generate(recipe(guidance_scale=1.0)))
        other = pictures(engine.generate(recipe(guidance_scale=1.0, negative_prompt="house")))
    assert calls == [2] * 4 + [1] * 8
    assert not same(with_guidance[0], without[0])
    assert same(without[0], other[0])


def test_out_of_memory_halves_the_batch_once(store: ModelStore, recipe: Recipe) -> None:
    engine, request = Engine(store, together=True), recipe(num_images=4, batch_size=4)
    expected = pictures(Engine(store).generate(request))
    with watched(store, largest=4) as calls:
        events = list(engine.generate(request))
    assert calls == [8] + [4] * 8
    assert [event.index for event in events if isinstance(event, ImageReady)] == [0, 1, 2, 3]
    assert len(pictures(iter(events))) == len(expected)
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert steps == sorted(steps)
    assert steps[-1] == 16


def test_out_of_memory_twice_is_said_with_the_numbers(store: ModelStore, recipe: Recipe) -> None:
    engine, request = Engine(store, together=True), recipe(num_images=4, batch_size=4)
    expected = pictures(engine.generate(request.one(0)))
    with watched(store, largest=2), pytest.raises(OutOfMemory) as raised:
        list(engine.generate(request))
    assert str(raised.value).startswith("2 pictures of 64 × 64 at once did not fit into the memory")
    assert "CPU · fp32" in str(raised.value)
    assert "GiB" in str(raised.value)
    assert same(pictures(engine.generate(request.one(0)))[0], expected[0])


def test_one_picture_too_large(store: ModelStore, engine: Engine, recipe: Recipe) -> None:
    with watched(store, largest=1), pytest.raises(OutOfMemory, match="try a smaller one"):
        list(engine.generate(recipe()))


def test_what_counts_as_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60)
    assert is_out_of_memory(raised.value)
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(OutOfMemory("said"))


def test_a_pair_that_cannot_be_is_refused(engine: Engine, recipe: Recipe) -> None:
    with pytest.raises(InvalidRequest, match="DDIM cannot use the Karras schedule"):
        next(iter(engine.generate(recipe(sampler="ddim", sigma_schedule="karras"))))


def test_an_unknown_model_is_refused(engine: Engine, recipe: Recipe) -> None:
    request = recipe().model_copy(update={"model": "nowhere"})
    with pytest.raises(InvalidRequest, match="no model called “nowhere”"):
        list(engine.generate(request))


def test_another_model_takes_the_place_of_the_first(models: Any, recipe: Recipe) -> None:
    store = ModelStore(Catalog([models]), "cpu", "fp32")
    engine = Engine(store)
    first = pictures(engine.generate(recipe()))
    other = pictures(engine.generate(recipe(model="tiny-v")))
    assert store.resident == ("tiny-v", "tiny")
    assert not same(first[0], other[0])
    assert same(pictures(engine.generate(recipe()))[0], first[0])
