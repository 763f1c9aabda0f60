"""Seed + k is one picture: in any batch size, in any order, whatever else is painted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.engine.engine import Engine
from studio.models.placement import Precision
from studio.models.store import ModelStore
from studio.request import MAX_SEED, GenerationRequest
from tests.engine.conftest import pictures, same

DRAWING = ["dpmpp_2m", "euler_a", "ddpm", "dpm2_a", "dpmpp_2s_a", "dpmpp_sde", "dpmpp_3m_sde",
           "lcm", "tcd"]  # fmt: skip


@pytest.mark.parametrize(
    ("sampler", "precision"),
    [*((name, "fp32") for name in DRAWING), ("dpmpp_2m", "bf16"), ("dpmpp_sde", "bf16")],
)
def test_batch_size_and_order_change_no_bit(
    store_in: Callable[[Precision], ModelStore],
    recipe: Callable[..., GenerationRequest],
    sampler: str,
    precision: Precision,
) -> None:
    engine = Engine(store_in(precision))
    request = recipe(
        sampler=sampler, sigma_schedule="automatic", num_inference_steps=3, num_images=3
    )
    one_by_one = pictures(engine.generate(request))
    in_twos = pictures(engine.generate(request.model_copy(update={"batch_size": 2})))
    last_alone = pictures(engine.generate(request.one(2)))[0]
    resumed = pictures(engine.generate(request, skip=[0, 2]))
    assert all(same(one_by_one[index], in_twos[index]) for index in range(3))
    assert same(one_by_one[2], last_alone)
    assert list(resumed) == [1]
    assert same(one_by_one[1], resumed[1])
    assert not same(one_by_one[0], one_by_one[1])


@pytest.mark.parametrize("sampler", DRAWING)
def test_drawn_together_they_differ_by_rounding_only(
    store: ModelStore, recipe: Callable[..., GenerationRequest], sampler: str
) -> None:
    request = recipe(
        sampler=sampler, sigma_schedule="automatic", num_inference_steps=3, num_images=2,
        batch_size=2,
    )  # fmt: skip
    alone = pictures(Engine(store).generate(request))
    together = pictures(Engine(store, together=True).generate(request))
    for index, image in together.items():
        difference = np.asarray(image, dtype=int) - np.asarray(alone[index], dtype=int)
        assert np.abs(difference).max() <= 1


def test_seeds_count_up_and_around(
    engine: Engine, recipe: Callable[..., GenerationRequest]
) -> None:
    around = pictures(engine.generate(recipe(seed=MAX_SEED, num_images=2)))
    assert same(around[1], pictures(engine.generate(recipe(seed=0)))[0])
