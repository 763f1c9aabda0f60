"""Previews by a tiny decoder: taesd's own network with random weights, in every layout it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderTiny

from studio.engine.engine import Engine
from studio.engine.preview import Preview
from studio.events import ImageReady, Progress
from studio.models.addons.tiny import TinyDecoder, TinyDecoders
from studio.models.base import PreviewColours
from studio.models.catalog import Catalog
from studio.models.colours import SD_COLOURS, SDXL_COLOURS
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.addons import Tensors, write
from tests.engine.conftest import pictures, same

Recipe = Callable[..., GenerationRequest]
LATENTS = torch.linspace(-2, 2, 256).reshape(1, 4, 8, 8)


@pytest.fixture(scope="module")
def taesd() -> AutoencoderTiny:
    torch.manual_seed(3)
    return AutoencoderTiny().eval().requires_grad_(False)


def by_its_author(decoder: Tensors, prefix: str = "") -> Tensors:
    """The decoder's tensors as taesd's author names them: the clamp is layer 0."""
    renamed = {}
    for name, tensor in decoder.items():
        _, number, rest = name.split(".", 2)
        renamed[f"{prefix}{int(number) + 1}.{rest}"] = tensor
    return renamed


def save(taesd: AutoencoderTiny, folder: Path, layout: str, name: str = "taesd") -> None:
    decoder = dict(taesd.decoder.state_dict())
    match layout:
        case "folder":
            taesd.save_pretrained(folder / "vae_approx" / name)
        case "author":
            write(by_its_author(decoder), folder / "vae_approx" / f"{name}_decoder.safetensors")
        case "joined":
            joined = by_its_author(decoder, "taesd_decoder.")
            write(joined, folder / "vae_approx" / f"{name}.safetensors")
        case "diffusers":
            write(dict(taesd.state_dict()), folder / "vae_approx" / f"{name}.safetensors")


def shelf(models: Path, folder: Path, colours: PreviewColours = SD_COLOURS) -> ModelStore:
    """A store with the tiny model, whose card says that its latents are those of ``colours``."""
    (folder / "tiny").mkdir()
    for item in (models / "tiny").iterdir():
        (folder / "tiny" / item.name).symlink_to(item)
    card = json.loads((models / "tiny/card.json").read_text())
    card["preview"] = {"matrix": colours.matrix, "bias": colours.bias}
    (folder / "tiny/card.json").unlink()
    (folder / "tiny/card.json").write_text(json.dumps(card))
    return ModelStore(Catalog([folder]), "cpu", "fp32")


@pytest.mark.parametrize("layout", ["folder", "author", "joined", "diffusers"])
def test_it_is_found_and_decodes_as_diffusers_does(
    models: Path, tmp_path: Path, taesd: AutoencoderTiny, layout: str
) -> None:
    store = shelf(models, tmp_path)
    model = store.acquire("tiny")
    assert TinyDecoders(store.catalog).of(model) is None
    save(taesd, tmp_path, layout)
    decoders = TinyDecoders(store.catalog)
    decoder = decoders.of(model)
    assert decoder is not None
    assert torch.allclose(decoder(LATENTS), taesd.decode(LATENTS).sample, atol=1e-5)
    assert decoders.of(model) is decoder  # read once


@pytest.mark.parametrize(
    ("name", "colours", "fits"),
    [("taesd", SD_COLOURS, True), ("taesd", SDXL_COLOURS, False), ("taesdxl", SDXL_COLOURS, True),
     ("taesdxl", SD_COLOURS, False), ("taesd", PreviewColours(((1.0, 0, 0),) * 4), False)],
)  # fmt: skip
def test_only_latents_that_it_knows(
    models: Path, tmp_path: Path, taesd: AutoencoderTiny, name: str,
    colours: PreviewColours, fits: bool,
) -> None:  # fmt: skip
    """Another model's latents (pocket's, say) would show as noise."""
    store = shelf(models, tmp_path, colours)
    save(taesd, tmp_path, "author", name)
    assert (TinyDecoders(store.catalog).of(store.acquire("tiny")) is not None) == fits


def test_previews_come_from_it_and_pictures_do_not(
    models: Path, tmp_path: Path, taesd: AutoencoderTiny, recipe: Recipe
) -> None:
    store = shelf(models, tmp_path)
    plain = pictures(Engine(store).generate(recipe()))[0]
    save(taesd, tmp_path, "author")
    events = list(Engine(store).generate(recipe()))
    sizes = {e.preview.size for e in events if isinstance(e, Progress) and e.preview}
    assert sizes == {(64, 64)}
    assert all(same(e.image, plain) for e in events if isinstance(e, ImageReady))
    vae = recipe(vae="taesd_decoder")
    with pytest.raises(Exception, match="There is no VAE called “taesd_decoder”"):
        list(Engine(store).generate(vae))  # it is no VAE to paint with


def test_large_latents_are_shrunk_first(
    models: Path, tmp_path: Path, taesd: AutoencoderTiny
) -> None:
    store = shelf(models, tmp_path)
    save(taesd, tmp_path, "author")
    decoder = TinyDecoder(
        tmp_path / "vae_approx/taesd_decoder.safetensors", store.acquire("tiny")
    )  # fmt: skip
    assert decoder(torch.zeros(1, 4, 96, 65)).shape == (1, 3, 384, 264)


def test_a_broken_one_costs_no_picture(
    models: Path, tmp_path: Path, taesd: AutoencoderTiny, recipe: Recipe
) -> None:
    store = shelf(models, tmp_path)
    tensors = by_its_author(dict(taesd.decoder.state_dict()))
    write(dict(list(tensors.items())[:9]), tmp_path / "vae_approx/taesd_decoder.safetensors")
    events = list(Engine(store).generate(recipe()))
    assert {e.preview.size for e in events if isinstance(e, Progress) and e.preview} == {(8, 8)}
    assert sum(isinstance(event, ImageReady) for event in events) == 1


def test_on_a_cpu_it_takes_a_twentieth_of_the_time_at_most() -> None:
    now = [100.0]

    def slow(latents: torch.Tensor) -> torch.Tensor:
        now[0] += 0.5
        return torch.zeros(1, 3, 64, 64)

    clock: Any = lambda: now[0]  # noqa: E731
    preview = Preview(SD_COLOURS, torch.device("cpu"), clock, slow)
    made = []
    for _ in range(100):
        made.append(preview.of(torch.zeros(4, 8, 8)) is not None)
        now[0] += 0.5
    assert sum(made) == 6  # at the start, and every ten seconds from then on
