"""Larger pictures: the hires fix, tiled upscale, seamless edges; sizes to the pixel, no seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from studio.engine import engine as engines
from studio.engine import pixels as coding
from studio.engine.engine import Engine
from studio.events import Preparing, Progress
from studio.images.masks import blurred
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS
from studio.sentences import say
from studio.sources import Sources
from tests.engine.conftest import pictures, same
from tests.engine.test_start_pictures import masked, noisy
from tests.upscalers import random_weights, srvgg_shapes

Recipe = Callable[..., GenerationRequest]


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


@pytest.fixture
def engine(store: ModelStore, sources: Sources) -> Engine:
    return Engine(store, sources=sources)


@pytest.fixture(scope="module")
def upscaler(models: Path) -> Iterator[str]:
    path = models / "compact.safetensors"
    save_file(random_weights(srvgg_shapes(2)), path)
    yield "compact"
    path.unlink()


def drawn(engine: Engine, request: GenerationRequest) -> Image.Image:
    (image,) = pictures(engine.generate(request)).values()
    return image


def apart(left: Image.Image, right: Image.Image) -> int:
    """The largest difference of two pictures of one size, in 8-bit values."""
    return int(np.abs(np.asarray(left, int) - np.asarray(right, int)).max())


@pytest.mark.parametrize(
    "way", ["latent", "latent_bicubic_antialiased", "latent_nearest", "lanczos", "nearest", "file"]
)
@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"hires_scale": 1.4}, (101, 90)),
        ({"hires_width": 104, "hires_height": 104}, (104, 104)),
        ({"hires_height": 128}, (144, 128)),
    ],
)
def test_a_hires_picture_has_exactly_its_size(
    engine: Engine, recipe: Recipe, upscaler: str, way: str, asked: Any, size: tuple[int, int]
) -> None:
    way = upscaler if way == "file" else way
    request = recipe(width=72, height=64, hires_upscaler=way, hires_steps=1, **asked)
    assert request.hires_size == size
    assert drawn(engine, request).size == size


def test_hires_is_image_to_image_with_what_was_drawn_small(
    engine: Engine, recipe: Recipe, sources: Sources
) -> None:
    small = recipe(width=72, height=64, num_inference_steps=5)
    start = drawn(engine, small).resize((144, 128), Image.Resampling.LANCZOS)
    again = recipe(
        width=144, height=128, num_inference_steps=8, strength=0.5, sampler="euler",
        sigma_schedule="automatic", prompt="a blue house", init_image=sources.keep(start),
    )  # fmt: skip
    hires = recipe(
        width=72, height=64, num_inference_steps=5, hires_scale=2, hires_steps=4,
        hires_strength=0.5, hires_sampler="euler", hires_prompt="a blue house",
        sigma_schedule=small.sigma_schedule,
    )  # fmt: skip
    again = again.model_copy(update={"sigma_schedule": hires.sigma_schedule})
    assert same(drawn(engine, hires), drawn(engine, again))


@pytest.mark.parametrize("way", ["latent", "lanczos"])
def test_a_hires_picture_is_the_same_in_any_batch(
    store: ModelStore, recipe: Recipe, way: str
) -> None:
    request = recipe(
        num_images=3, batch_size=3, sampler="euler_a", sigma_schedule="automatic",
        hires_scale=1.5, hires_upscaler=way,
    )  # fmt: skip
    together = pictures(Engine(store, True).generate(request))
    one_by_one = pictures(Engine(store, False).generate(request))
    for index in range(3):
        assert same(one_by_one[index], drawn(Engine(store, False), request.one(index)))
        assert apart(together[index], one_by_one[index]) <= 1
    assert not same(one_by_one[0], one_by_one[1])


@pytest.mark.parametrize(
    ("sampler", "strength"),
    [*((name, 0.3) for name in sorted(SAMPLERS)), ("euler", 0.0), ("lcm", 0.001), ("heun", 1.0)],
)
def test_every_sampler_refines_and_tells_its_steps(
    engine: Engine, recipe: Recipe, sampler: str, strength: float
) -> None:
    request = recipe(
        hires_sampler=sampler, hires_strength=strength, hires_steps=3, hires_scale=1.125,
        hires_upscaler="latent", num_images=2, num_inference_steps=3, sampler="ddim",
        sigma_schedule="sgm_uniform",
    )  # fmt: skip
    events = [*engine.generate(request)]
    told = [event for event in events if isinstance(event, Progress)]
    refining = told[0].steps // 2 - 3
    assert [event.step for event in told] == [*range(1, told[0].steps + 1)]
    assert (refining > 0) == (strength > 0)
    if strength == 0.3:
        assert refining in (3, 3 * SAMPLERS[sampler].order - 1, 4)
    assert {image.size for image in pictures(iter(events)).values()} == {(72, 72)}


@contextmanager
def watched(model: Any) -> Iterator[dict[str, int]]:
    """How many latent cells the networks are given at once, at most."""
    most = {"predict": 0, "decode": 0, "encode": 0}

    def watch(name: str) -> Any:
        own = getattr(model, name)

        def call(given: torch.Tensor, *rest: Any) -> Any:
            most[name] = max(most[name], given.shape[2] * given.shape[3])
            return own(given, *rest)

        return call

    for name in most:
        setattr(model, name, watch(name))
    try:
        yield most
    finally:
        for name in most:
            delattr(model, name)


def test_an_upscale_in_tiles_takes_the_same_memory_at_any_size(
    engine: Engine, store: ModelStore, recipe: Recipe, sources: Sources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(coding, "TILE", 96)
    monkeypatch.setattr(coding, "OVERLAP", 32)
    seen = []
    for size in ((61, 43), (157, 101)):
        request = recipe(
            init_image=sources.keep(noisy(*size, 4)), upscale_scale=2.5, tile_size=64,
            tile_overlap=16, strength=0.4, num_inference_steps=4,
        )  # fmt: skip
        with watched(store.acquire("tiny")) as most:
            result = drawn(engine, request)
        assert (result.size, result.mode) == ((round(size[0] * 2.5), round(size[1] * 2.5)), "RGBA")
        seen.append(most)
    assert seen[0] == seen[1] == {"predict": 64, "decode": 144, "encode": 96 * 96}


@pytest.mark.parametrize("way", ["nearest", "file"])
def test_strength_0_only_enlarges(
    engine: Engine, recipe: Recipe, sources: Sources, upscaler: str, way: str
) -> None:
    start = noisy(50, 34)
    request = recipe(
        init_image=sources.keep(start), upscale_scale=2, strength=0,
        upscaler=upscaler if way == "file" else way,
    )  # fmt: skip
    events = [*engine.generate(request)]
    (result,) = pictures(iter(events)).values()
    assert result.size == (100, 68)
    if way == "nearest":
        assert same(result, start.resize((100, 68), Image.Resampling.NEAREST))
    else:
        assert events[:-1] == [Preparing(say("Enlarging: tile {n} of {of}", n=1, of=1))]


def test_outside_a_mask_an_upscale_is_the_enlarged_picture(
    engine: Engine, recipe: Recipe, sources: Sources
) -> None:
    start, mask = noisy(51, 35), masked((51, 35), 10, 8, 30, 20)
    request = recipe(
        init_image=sources.keep(start), mask_image=sources.keep(mask), upscale_scale=2,
        tile_size=64, mask_blur=2,
    )  # fmt: skip
    result = drawn(engine, request)
    larger = start.resize((102, 70), Image.Resampling.LANCZOS)
    soft = np.asarray(blurred(mask.resize((102, 70), Image.Resampling.BICUBIC), 2))
    changed = (np.asarray(result) != np.asarray(larger)).any(axis=2)
    assert result.size == (102, 70)
    assert not changed[soft == 0].any() and changed[soft == 255].mean() > 0.9


def test_tiles_as_large_as_the_picture_change_nothing(engine: Engine, recipe: Recipe) -> None:
    plain = recipe(width=96, height=64)
    assert same(drawn(engine, plain), drawn(engine, plain.model_copy(update={"tile_size": 96})))
    assert not same(drawn(engine, plain), drawn(engine, plain.model_copy(update={"tile_size": 64})))


@pytest.mark.parametrize("tiled", [False, True], ids=["whole", "tiles"])
@pytest.mark.parametrize("tiling", ["none", "x", "y", "both"])
def test_a_seamless_picture_has_no_edge_to_begin_at(
    engine: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tiling: str, tiled: bool
) -> None:
    """The noise turned around an axis gives the picture turned as far: every place is alike."""
    cut = {"tile_size": 64, "tile_overlap": 16} if tiled else {}
    request = recipe(width=96, height=96, tiling=tiling, sampler="ddim",
                     sigma_schedule="automatic", **cut)  # fmt: skip
    plain = drawn(engine, request)
    own = engines.initial_noise
    for axis, goes_around in ((1, request.around[0]), (0, request.around[1])):
        monkeypatch.setattr(
            engines, "initial_noise",
            lambda *given, axis=axis: own(*given).roll(6, 2 + axis),
        )  # fmt: skip
        turned = drawn(engine, request)
        monkeypatch.setattr(engines, "initial_noise", own)
        difference = apart(turned, Image.fromarray(np.roll(np.asarray(plain), 48, axis)))
        assert (difference <= 2) == goes_around


def test_what_makes_a_picture_seamless_is_undone(
    engine: Engine, store: ModelStore, recipe: Recipe
) -> None:
    before = drawn(engine, recipe())
    seamless = engine.generate(recipe(tiling="both"))
    next(event for event in seamless if isinstance(event, Progress))
    unet, vae = (store.acquire("tiny").parts[name] for name in ("unet", "vae"))
    held = [m for part in (unet, vae) for m in part.modules() if "_conv_forward" in vars(m)]
    assert held
    seamless.close()
    assert not any("_conv_forward" in vars(module) for module in held)
    assert same(before, drawn(engine, recipe()))


@pytest.mark.parametrize("way", ["latent", "lanczos"])
def test_a_seamless_hires_picture_has_no_edge_either(
    engine: Engine, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    request = recipe(tiling="x", sampler="ddim", sigma_schedule="automatic", hires_scale=2,
                     hires_upscaler=way, hires_strength=0.3)  # fmt: skip
    plain = drawn(engine, request)
    own, times = engines.initial_noise, iter((4, 8))
    monkeypatch.setattr(engines, "initial_noise", lambda *given: own(*given).roll(next(times), 3))
    turned = drawn(engine, request)
    assert apart(turned, Image.fromarray(np.roll(np.asarray(plain), 64, 1))) <= 2


def test_latents_of_a_start_picture_are_stretched(
    engine: Engine, recipe: Recipe, sources: Sources
) -> None:
    start = sources.keep(noisy(50, 41))
    made = {
        mode: drawn(engine, recipe(init_image=start, resize_mode=mode, width=104, height=72))
        for mode in ("latent", "stretch")
    }
    assert made["latent"].size == made["stretch"].size == (104, 72)
    assert not same(made["latent"], made["stretch"])


def test_a_refiner_takes_over_in_the_second_run(engine: Engine, recipe: Recipe) -> None:
    request = recipe(hires_scale=1.5, refiner="tiny", refiner_switch_at=0.5)
    alone = recipe(hires_scale=1.5)
    assert same(drawn(engine, request), drawn(engine, alone))  # the same model goes on as it was
    told = [e.step for e in engine.generate(request) if isinstance(e, Progress)]
    assert told == [*range(1, len(told) + 1)]


def test_the_catalog_lists_upscalers(models: Path, upscaler: str) -> None:
    (info,) = Catalog([models]).of_kind("upscaler")
    assert (info.name, info.variety) == (upscaler, "srvgg")
