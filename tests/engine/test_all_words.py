"""All of the prompt language at once, from what is written to the picture made again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from studio import images, infotext
from studio.complete import complete
from studio.engine.engine import Engine
from studio.models.base import LoadedModel, ModelInfo
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from studio.wordbook import Wordbook
from tests.addons import attention, diffusers_layout, layers_of, write
from tests.engine.conftest import pictures, same
from tests.tiny_families import TINY, Listed, tiny_family_pipeline

FAMILIES = ("pocket", "sd1", "sd2", "sdxl")
PIPELINES = {
    "sd1": "StableDiffusionPipeline",
    "sd2": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
}
CLAUSE = "(a __colour__ boat:1.3) on the [sea:lake:0.5], [rain|snow] and {stars|a moon} at night, "
PROMPT = (
    CLAUSE * 7 + "BREAK ((clouds)) [birds] and a castle AND hills in the snow :0.4 <lora:ink:0.8>"
)
CHANGES = {"<lora:ink:0.8>": "", "AND": "and", ":0.5]": ":0.9]", ":1.3": ":0.5", "BREAK": "",
           "|snow": "|fog"}  # fmt: skip
STYLES = ("oil", "film-35mm")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Wordbook]:
    opened = Wordbook(REPOSITORY / "presets", tmp_path / "words")
    yield opened
    opened.close()


def checkpoint(family: str, folder: Path) -> ModelInfo:
    if family == "pocket":
        return Catalog([REPOSITORY / "assets"]).find("pocket")
    tiny_family_pipeline(PIPELINES[family], TINY[family]).save_pretrained(folder / family)
    return ModelInfo(family, folder / family, family=family)


@pytest.fixture(params=FAMILIES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ModelStore:
    """A store with a model of a family, and a LoRA that fits it."""
    info = checkpoint(request.param, tmp_path)
    alone = ModelStore(Listed([info]), "cpu", "fp32").acquire(info.name)
    layers = {"unet": layers_of(alone.parts["unet"], attention)}
    lora = write(diffusers_layout(layers), tmp_path / "ink.safetensors")
    addon = ModelInfo("ink", lora, kind="lora", family=info.family)
    return ModelStore(Listed([info, addon]), "cpu", "fp32")


def state(model: LoadedModel) -> dict[str, torch.Tensor]:
    return {
        f"{part}.{name}": tensor.clone()
        for part, module in model.parts.items()
        for name, tensor in module.state_dict().items()
    }


def test_a_long_prompt_of_everything(store: ModelStore, book: Wordbook) -> None:
    name = store.catalog.of_kind("checkpoint")[0].name
    model = store.acquire(name)
    before = state(model)
    given = {"prompt": PROMPT, "negative_prompt": "(people:1.2), text", "styles": STYLES,
             "model": name, "seed": 5, "num_inference_steps": 4, "width": 64, "height": 64,
             "guidance_scale": 4.0, "sampler": "ddim", "sigma_schedule": "automatic"}  # fmt: skip
    request = book.resolve(complete(given, {}))
    recipe = request.one(0)
    assert len(model.tokenize(recipe.prompt)) > 300
    assert "__" not in recipe.prompt
    assert "{" not in recipe.prompt
    engine = Engine(store)
    (picture,) = pictures(engine.generate(request)).values()

    # what is in the file makes it again, without the wordbook
    file = images.encode_png(picture, infotext.png_info(recipe))
    with Image.open(io.BytesIO(file)) as opened:
        found = infotext.from_image(opened)
    assert found is not None
    again = GenerationRequest.model_validate(found)
    assert again == recipe
    assert same(pictures(engine.generate(again))[0], picture)

    # every part of it has a say
    for part, other in CHANGES.items():
        assert part in recipe.prompt
        changed = recipe.model_copy(update={"prompt": recipe.prompt.replace(part, other)})
        assert not same(pictures(engine.generate(changed))[0], picture), part
    after = state(model)
    assert all(torch.equal(before[key], after[key]) for key in before)
