"""Engines over real pipelines at tiny size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.complete import complete
from studio.engine.conditioning import PromptEncoder, Wording
from studio.engine.engine import Engine
from studio.events import Event, ImageReady
from studio.models.base import LoadedModel, TextEmbedding
from studio.models.catalog import Catalog
from studio.models.placement import Precision
from studio.models.store import ModelStore
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest
from tests.tiny import save_tiny_model


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Tiny tensors are slower on several threads, and far slower on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models: "tiny" and "tiny-v" (which predicts v)."""
    folder = tmp_path_factory.mktemp("models")
    save_tiny_model(folder / "tiny")
    save_tiny_model(folder / "tiny-v", {"prediction_type": "v_prediction"}, seed=1)
    return folder


@pytest.fixture(scope="session")
def store_in(models: Path) -> Callable[[Precision], ModelStore]:
    """A store on the CPU in a number format."""
    stores: dict[Precision, ModelStore] = {}

    def make(precision: Precision) -> ModelStore:
        if precision not in stores:
            stores[precision] = ModelStore(Catalog([models]), "cpu", precision)
        return stores[precision]

    return make


@pytest.fixture(scope="session")
def store(store_in: Callable[[Precision], ModelStore]) -> ModelStore:
    """A store on the CPU in fp32."""
    return store_in("fp32")


@pytest.fixture
def engine(store: ModelStore) -> Engine:
    """An engine in fp32."""
    return Engine(store)


@pytest.fixture
def recipe(models: Path) -> Callable[..., GenerationRequest]:
    """A small request; what is given replaces its values."""

    def make(**values: Any) -> GenerationRequest:
        given = {"prompt": "a red boat at night", "negative_prompt": "blue", "model": "tiny",
                 "seed": 11, "num_inference_steps": 4, "guidance_scale": 5.0, **values}  # fmt: skip
        defaults = Catalog([models]).find(given["model"]).defaults.as_values()
        return complete(given, defaults)

    return make


def pictures(events: Iterator[Event]) -> dict[int, Image.Image]:
    """The pictures among some events, by their index."""
    return {event.index: event.image for event in events if isinstance(event, ImageReady)}


def same(left: Image.Image, right: Image.Image) -> bool:
    """Whether two pictures are the same to the bit."""
    return left.size == right.size and left.tobytes() == right.tobytes()


def encoded(
    model: LoadedModel, *prompts: str, wording: Wording | None = None
) -> list[TextEmbedding]:
    """What the text encoders make of plain prompts, one embedding each."""
    plans = [plan_prompt(prompt, 1) for prompt in prompts]
    conditionings = PromptEncoder().encode(wording or Wording.plain(model), 1, *plans)
    return [conditioning.at(0)[0].embedding for conditioning in conditionings]
