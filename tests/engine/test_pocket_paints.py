"""The bundled model in the studio's own engine, as people get it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import Progress
from studio.models.catalog import Catalog
from studio.models.placement import Precision
from studio.models.store import ModelStore
from studio.pocket.data import HELD_OUT, scene_at
from studio.pocket.world import render
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from studio.sources import Sources
from tests.engine.conftest import pictures, same


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog([REPOSITORY / "assets/pocket"])


def request_of(catalog: Catalog, **values: object) -> GenerationRequest:
    info = catalog.find("pocket")
    given = {"prompt": "a red sailboat on the sea", "seed": 1, "num_inference_steps": 2, **values}
    return complete(given, info.defaults.as_values())


def test_pocket_says_what_it_is(catalog: Catalog) -> None:
    (info,) = catalog.list()
    assert (info.name, info.family, info.problem) == ("pocket", "sd1", None)
    assert info.native_size == info.defaults.width == info.defaults.height
    assert info.known_words
    assert info.size < 32 * 2**20


@pytest.mark.parametrize("precision", ["auto", "fp32"])
def test_pocket_paints_the_same_alone_and_in_a_batch(
    catalog: Catalog, precision: Precision
) -> None:
    engine = Engine(ModelStore(catalog, "cpu", precision))
    request = request_of(catalog, num_images=2, batch_size=2)
    events = list(engine.generate(request))
    both = pictures(iter(events))
    assert both[0].size == (request.width, request.height)
    assert same(both[1], pictures(engine.generate(request.one(1)))[0])
    assert not same(both[0], both[1])
    previews = [event.preview for event in events if isinstance(event, Progress)]
    assert any(preview is not None and preview.width * 8 == request.width for preview in previews)


def test_pocket_draws_what_it_is_asked_in_both_languages(catalog: Catalog) -> None:
    engine = Engine(ModelStore(catalog, "cpu"))
    prompts = ["", "a blue castle at night", "夜晚的城市,蓝色的城堡"]
    images = [pictures(engine.generate(request_of(catalog, prompt=one)))[0] for one in prompts]
    assert not any(same(images[left], images[right]) for left, right in ((0, 1), (0, 2), (1, 2)))


def test_a_soft_mask_changes_more_where_it_is_whiter(catalog: Catalog, tmp_path: Path) -> None:
    sources = Sources(tmp_path)
    engine = Engine(ModelStore(catalog, "cpu"), sources=sources)
    picture = render(scene_at(0, HELD_OUT + 3001), 128).resize((192, 128))
    levels = np.repeat(np.array([0, 70, 140, 200, 255], np.uint8), [40, 38, 38, 38, 38])
    request = request_of(
        catalog, prompt="a blue castle at night in the snow", init_image=sources.keep(picture),
        mask_image=sources.keep(Image.fromarray(np.tile(levels, (128, 1)))), mask_blur=0,
        soft_inpainting=True, strength=1.0, num_inference_steps=8, width=192, height=128,
    )  # fmt: skip
    (result,) = pictures(engine.generate(request)).values()
    change = np.abs(np.asarray(result, float) - np.asarray(picture, float)).mean(axis=(0, 2))
    none, little, half, much, all_of_it = (change[levels == level].mean() for level in
                                           (0, 70, 140, 200, 255))  # fmt: skip
    assert not change[levels == 0].any() and none == 0
    assert 0 < little < half < all_of_it and half < much
