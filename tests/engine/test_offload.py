"""Plans carried out on real networks: the hooks run on a CPU as they do beside a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from studio.engine.engine import Engine
from studio.models.catalog import Catalog
from studio.models.offload import Arrangement, park
from studio.models.plan import Mode, Plan
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same
from tests.tiny_families import TINY, tiny_family_pipeline

Recipe = Callable[..., GenerationRequest]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("offload")
    (made / "tiny").symlink_to(models / "tiny")
    xl = tiny_family_pipeline("StableDiffusionXLPipeline", TINY["sdxl"])
    xl.save_pretrained(made / "tiny-xl")
    return made


@pytest.mark.parametrize("mode", ["text_encoder_off", "model_offload", "sequential_offload"])
@pytest.mark.parametrize("name", ["tiny", "tiny-xl"])
def test_the_picture_is_the_same_however_the_model_is_kept(
    folder: Path, name: str, mode: Mode
) -> None:
    store = ModelStore(Catalog([folder]), "cpu", "fp32")
    request = GenerationRequest(
        prompt="a red boat", model=name, seed=2, width=64, height=64, num_inference_steps=2
    )
    expected = pictures(Engine(store).generate(request))[0]
    parts = store.acquire(name).parts
    before = {key: value.clone() for key, value in _weights(parts).items()}
    arrangement = Arrangement(parts, Plan(mode, False, 0, ""), CPU)
    hooked = {key for key, part in parts.items() for m in part.modules() if hasattr(m, "_hf_hook")}
    assert hooked == set(parts)
    if mode == "sequential_offload":
        assert all(p.device.type == "meta" for part in parts.values() for p in part.parameters())
        assert arrangement.on_device == 0
    painted = pictures(Engine(store).generate(request))[0]  # which encodes the prompt anew
    assert same(painted, expected)
    arrangement.undo()
    after = _weights(parts)
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert not any(hasattr(m, "_hf_hook") for part in parts.values() for m in part.modules())
    assert same(pictures(Engine(store).generate(request))[0], expected)


def _weights(parts: Any) -> dict[str, torch.Tensor]:
    return {f"{p}.{k}": v for p, part in parts.items() for k, v in part.state_dict().items()}


class Traveller(torch.nn.Module):
    """A part that only knows where it is."""

    def __init__(self, journal: list[str], name: str) -> None:
        super().__init__()
        self.place, self._journal, self._name = "cpu", journal, name

    def to(self, *args: Any, **_: Any) -> Traveller:
        device = cast("torch.device", args[0])
        if device.type != self.place:
            self._journal.append(f"{self._name} -> {device.type}")
        self.place = device.type
        return self

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        yield SimpleNamespace(
            device=torch.device(self.place), numel=lambda: 1, element_size=lambda: 2
        )

    def forward(self) -> str:
        return self.place


def test_parts_take_turns_on_the_device() -> None:
    journal: list[str] = []
    parts = {name: Traveller(journal, name) for name in ("text_encoder", "unet", "vae")}
    gpu = torch.device("cuda")  # a name here: nothing is allocated
    Arrangement(parts, Plan("model_offload", False, 0, ""), gpu)
    for name in ("text_encoder", "unet", "unet", "vae"):
        assert parts[name]() == "cuda"
        assert [each for each, part in parts.items() if part.place == "cuda"] == [name]
    assert journal == ["text_encoder -> cuda", "text_encoder -> cpu", "unet -> cuda",
                       "unet -> cpu", "vae -> cuda"]  # fmt: skip


def test_the_text_encoder_leaves_once_the_unet_works() -> None:
    journal: list[str] = []
    parts = {name: Traveller(journal, name) for name in ("text_encoder", "unet", "vae")}
    made = Arrangement(parts, Plan("text_encoder_off", False, 0, ""), torch.device("cuda"))
    assert made.on_device == 4
    for name in ("text_encoder", "unet", "vae", "unet"):
        assert parts[name]() == "cuda"
    assert journal[-2:] == ["text_encoder -> cuda", "text_encoder -> cpu"]
    assert made.on_device == 4
    made.undo()
    park(parts)
    assert {part.place for part in parts.values()} == {"cpu"}
