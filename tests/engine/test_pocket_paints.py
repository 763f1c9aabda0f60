"""The bundled model in the studio's own engine, as people get it."""

from __future__ import annotations

import pytest

from studio.complete import complete
from studio.engine.engine import Engine
from studio.events import Progress
from studio.models.catalog import Catalog
from studio.models.placement import Precision
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from tests.engine.conftest import pictures, same


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog([REPOSITORY / "assets/pocket"])


def request_of(catalog: Catalog, **values: object) -> GenerationRequest:
    info = catalog.find("pocket")
    given = {"prompt": "a red sailboat on the sea", "seed": 1, "num_inference_steps": 3, **values}
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
