"""Merges of real networks at tiny size: right numbers, little memory, whole or not at all."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from studio.engine.engine import Engine
from studio.errors import ModelError, StorageError
from studio.models.architectures import Architecture
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.merging.merge import merge
from studio.models.merging.order import Order, find_all
from studio.models.merging.recipe import BakedLora, Recipe, read_recipe
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.addons import attention, kohya, layers_of, write
from tests.engine.conftest import pictures
from tests.tiny import save_tiny_model, tiny_pipeline
from tests.tiny_families import TINY, original_state, save_folder, save_original, tiny_parts

Tensors = Mapping[str, torch.Tensor]


def quiet(done: int, total: int) -> None:
    """Progress that nobody looks at."""


def file_of(folder: Path, name: str, family: str, seed: int) -> tuple[ModelInfo, Tensors]:
    """A checkpoint of one file, and what is in it."""
    parts = tiny_parts(TINY[family], seed)
    path = save_original(folder / f"{name}.safetensors", parts, TINY[family])
    info = ModelInfo(name, path, family=family, layout="file", prediction_type="")
    return info, original_state(parts, TINY[family])


def order(infos: Sequence[ModelInfo], **recipe: Any) -> Order:
    values = {"name": "mix", "models": [info.name for info in infos], "dtype": "float32", **recipe}
    return Order(read_recipe(values), tuple(infos), None, ())


def run(made: Order, folder: Path) -> Tensors:
    """The tensors of the merged file."""
    return load_file(merge(made, folder, quiet, TINY))


@pytest.mark.parametrize("family", list(TINY))
def test_a_weighted_sum_is_one(tmp_path: Path, family: str) -> None:
    (a, left), (b, right) = (file_of(tmp_path, name, family, n) for n, name in enumerate("ab"))
    merged = run(order([a, b], weights=[0.2, 0.6]), tmp_path)
    assert set(merged) == {*left, "alphas_cumprod"}  # and no model_ema
    for name, tensor in left.items():
        wanted = 0.25 * tensor + 0.75 * right[name]
        assert torch.allclose(merged[name], wanted, atol=1e-7), name
        assert merged[name].shape == tensor.shape
    name = next(each for each in left if each.endswith("attn2.to_k.weight"))
    assert not torch.allclose(merged[name], left[name])


def test_three_weighted_and_one_without_weight(tmp_path: Path) -> None:
    models = [file_of(tmp_path, name, "sd1", n) for n, name in enumerate("abc")]
    infos, states = zip(*models, strict=True)
    merged = run(order(infos, weights=[1.0, 0.5, 0.5]), tmp_path)
    for name, tensor in states[0].items():
        wanted = tensor / 2 + states[1][name] / 4 + states[2][name] / 4
        assert torch.allclose(merged[name], wanted, atol=1e-7), name
    alone = run(order(infos, name="alone", weights=[0.0, 0.7, 0.0]), tmp_path)
    assert all(torch.equal(alone[name], tensor) for name, tensor in states[1].items())


def test_a_difference_is_added_and_none_changes_nothing(tmp_path: Path) -> None:
    (a, x), (b, y), (c, z) = (file_of(tmp_path, name, "sdxl", n) for n, name in enumerate("abc"))
    merged = run(order([a, b, c], method="add_difference", weights=[0.7]), tmp_path)
    for name, tensor in x.items():
        assert torch.allclose(merged[name], tensor + 0.7 * (y[name] - z[name]), atol=1e-6), name
    same = order([a, b, b], name="same", method="add_difference", weights=[0.7])
    unchanged = run(same, tmp_path)
    assert all(torch.equal(unchanged[name], tensor) for name, tensor in x.items())


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_files_and_folders_go_together(tmp_path: Path, family: str) -> None:
    architecture = TINY[family]
    folders, files = [], []
    for seed in (0, 1):
        parts = tiny_parts(architecture, seed)
        folder = save_folder(tmp_path / f"folder{seed}", parts, architecture)
        folders.append(ModelInfo(folder.name, folder, family=family, prediction_type=""))
        files.append(file_of(tmp_path, f"file{seed}", family, seed)[0])
    wanted = run(order(files, name="files"), tmp_path)
    mixed = run(order([files[0], folders[1]], name="mixed"), tmp_path)
    assert set(mixed) == set(wanted)
    assert all(torch.equal(mixed[name], tensor) for name, tensor in wanted.items())
    for others in (folders, [folders[0], files[1]]):
        made = merge(order(others, name=f"to-{others[1].name}"), tmp_path, quiet, TINY)
        for part in folders[0].path.glob("*/*.safetensors"):
            there = load_file(made / part.relative_to(folders[0].path))
            ours, theirs = (load_file(each.path / part.parent.name / part.name) for each in folders)
            assert set(there) == set(ours)
            for name, tensor in there.items():
                assert torch.allclose(tensor, (ours[name] + theirs[name]) / 2, atol=1e-7), name


def test_an_inpainting_model_keeps_the_channels_of_its_mask(tmp_path: Path) -> None:
    nine = TINY["sd1"].inpainting()
    parts = tiny_parts(nine, 5)
    path = save_original(tmp_path / "nine.safetensors", parts, nine)
    a = ModelInfo("nine", path, layout="file", inpainting=True)
    x = original_state(parts, nine)
    (b, y), (c, z) = (file_of(tmp_path, name, "sd1", n) for n, name in enumerate("bc"))
    merged = run(order([a, b, c], method="add_difference", weights=[1.0]), tmp_path)
    entrance = "model.diffusion_model.input_blocks.0.0.weight"
    own, mixed = x[entrance], merged[entrance]
    assert mixed.shape == own.shape
    assert torch.equal(mixed[:, 4:], own[:, 4:])
    wanted = own[:, :4] + (y[entrance] - z[entrance])
    assert torch.allclose(mixed[:, :4], wanted, atol=1e-6)


@pytest.fixture
def shelf(tmp_path: Path) -> Catalog:
    """Two tiny models, a LoRA and a VAE, as a catalog finds them."""
    models = tmp_path / "models"
    save_tiny_model(models / "checkpoints/a", seed=0)
    save_tiny_model(models / "checkpoints/b", seed=1)
    layers = layers_of(tiny_pipeline().unet, attention)
    write(kohya({"unet": layers}, rank=2, seed=3), models / "loras/wavy.safetensors")
    tiny_pipeline(seed=7).vae.save_pretrained(models / "vae/other")
    return Catalog([models])


def merged_on(shelf: Catalog, **recipe: Any) -> Path:
    values = {"name": "mix", "models": ["a", "b"], "dtype": "float32", **recipe}
    folder = shelf.find("a").path.parent
    return merge(find_all(shelf, read_recipe(values)), folder, quiet)


def test_the_result_is_a_model_like_any_other_and_says_what_it_is(shelf: Catalog) -> None:
    where = merged_on(shelf, weights=[0.3, 0.7], dtype="float16", vae="other")
    info = shelf.find("mix")
    assert (info.path, info.family, info.defaults.width) == (where, "sd1", 64)
    with safe_open(where / "unet/diffusion_pytorch_model.safetensors", "pt") as file:
        metadata = file.metadata()
        assert file.get_tensor("conv_in.weight").dtype == torch.float16
    recipe = json.loads(metadata["sd_merge_recipe"])
    assert [each["name"] for each in recipe["models"]] == ["a", "b"]
    assert (recipe["weights"], recipe["vae"]) == ([0.3, 0.7], "other")
    assert metadata["modelspec.merged_from"] == "a, b"
    engine = Engine(ModelStore(shelf, "cpu", "fp32"))
    request = GenerationRequest(model="mix", prompt="a boat", width=64, height=64)
    assert len(set(pictures(engine.generate(request))[0].get_flattened_data())) > 50


def test_a_file_keeps_its_prediction_and_its_distillation(tmp_path: Path) -> None:
    info, _ = file_of(tmp_path, "x-turbo", "sd2", 0)
    turbo = replace(info, prediction_type="v_prediction", variety="turbo", native_size=768)
    merge(order([turbo, turbo], name="calm"), tmp_path / "out", quiet, TINY)
    found = Catalog([tmp_path / "out"]).find("calm")
    assert (found.prediction_type, found.variety) == ("v_prediction", "turbo")
    assert (found.family, found.layout) == ("sd2", "file")


def test_a_vae_is_baked_in(shelf: Catalog) -> None:
    where = merged_on(shelf, models=["a"], vae="other")
    name = "vae/diffusion_pytorch_model.safetensors"
    other = load_file(shelf.find("other", "vae").path / Path(name).name)
    baked = load_file(where / name)
    assert set(baked) == set(other)
    assert all(torch.equal(baked[key], tensor) for key, tensor in other.items())
    unet = "unet/diffusion_pytorch_model.safetensors"
    own = load_file(shelf.find("a").path / unet)
    assert all(torch.equal(tensor, own[key]) for key, tensor in load_file(where / unet).items())


def test_a_baked_lora_does_what_it_does_in_the_prompt(shelf: Catalog) -> None:
    merged_on(shelf, models=["a"], loras=[{"name": "wavy", "weight": 0.7}])
    engine = Engine(ModelStore(shelf, "cpu", "fp32"))

    def paint(model: str, prompt: str) -> torch.Tensor:
        request = GenerationRequest(
            model=model, prompt=prompt, width=64, height=64, seed=2, num_inference_steps=3
        )
        image = pictures(engine.generate(request))[0]
        return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).int()

    spoken, baked = paint("a", "a boat <lora:wavy:0.7>"), paint("mix", "a boat")
    assert (spoken - baked).abs().max() <= 2
    assert (paint("a", "a boat") - baked).abs().float().mean() > 2


def test_a_lora_of_another_make_is_refused(shelf: Catalog, tmp_path: Path) -> None:
    layers = {"down_blocks.9.attentions.0.to_q": torch.zeros(4, 4)}
    lora = write(kohya({"unet": layers}), tmp_path / "models/loras/odd.safetensors")
    assert lora.is_file()
    with pytest.raises(ModelError, match="“odd” cannot be baked in: it is made for another"):
        merged_on(shelf, models=["a"], loras=[{"name": "odd"}])
    assert not (tmp_path / "models/checkpoints/mix").exists()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_models_of_other_sizes_are_refused_in_a_sentence(tmp_path: Path) -> None:
    a, _ = file_of(tmp_path, "a", "sd1", 0)
    parts = tiny_parts(TINY["sd1"], 1, unet={"cross_attention_dim": 16})
    path = save_original(tmp_path / "b.safetensors", parts, TINY["sd1"])
    b = ModelInfo("b", path, layout="file")
    before = left(tmp_path)
    with pytest.raises(ModelError, match=r"“b” cannot be merged with “a”: .* 32 × 16, where"):
        run(order([a, b]), tmp_path)
    assert left(tmp_path) == before


def test_a_file_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    a, state = file_of(tmp_path, "a", "sd1", 0)
    lost = next(name for name in state if name.endswith("attn2.to_k.weight"))
    save_file({k: t for k, t in state.items() if k != lost}, tmp_path / "b.safetensors")
    b = ModelInfo("b", tmp_path / "b.safetensors", layout="file")
    with pytest.raises(ModelError, match=r"“b” cannot be merged with “a”: its unet has no .*to_k"):
        run(order([a, b]), tmp_path)
    with pytest.raises(ModelError, match=r"“b” cannot be merged: its unet has no"):
        run(order([b, a]), tmp_path)


def test_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    (a, _), (b, _) = (file_of(tmp_path, name, "sd1", n) for n, name in enumerate("ab"))
    b.path.write_bytes(b.path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="“b” cannot be read: It is cut short"):
        run(order([a, b]), tmp_path)


def test_a_disk_without_room_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (a, _), (b, _) = (file_of(tmp_path, name, "sd1", n) for n, name in enumerate("ab"))
    before = left(tmp_path)
    usage = shutil.disk_usage(tmp_path)._replace(free=300 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    run(order([a, b], name="fits"), tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=257 * 2**20))
    with pytest.raises(StorageError, match=r"The merge takes \d+ MB, but .* 257 MB free: make"):
        run(order([a, b]), tmp_path)
    assert left(tmp_path) == sorted([*before, "fits.safetensors"])


def test_numbers_too_large_for_16_bit_are_refused(tmp_path: Path) -> None:
    a, state = file_of(tmp_path, "a", "sd1", 0)
    name = "model.diffusion_model.out.2.bias"
    save_file({**state, name: torch.full_like(state[name], 1e6)}, a.path)
    with pytest.raises(ModelError, match=r"overflows .* choose 32 bit"):
        run(order([a, a], dtype="float16"), tmp_path)
    assert left(tmp_path) == ["a.safetensors"]
    assert run(order([a, a]), tmp_path)[name].max() == 1e6


def test_a_merge_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    (a, _), (b, _) = (file_of(tmp_path, name, "sd1", n) for n, name in enumerate("ab"))
    before = left(tmp_path)

    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise Enough

    with pytest.raises(Enough):
        merge(order([a, b]), tmp_path, stop, TINY)
    assert left(tmp_path) == before


class Counted(TorchDispatchMode):
    """Counts the bytes of the storages that are alive at once, and the most there ever were."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # fmt: skip
        output = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(output):
            if isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu":
                self._count(tensor.untyped_storage())
        return output

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self.alive:
            self.alive[key] = storage.nbytes()
            weakref.finalize(storage, self.alive.pop, key, None)
            self.peak = max(self.peak, sum(self.alive.values()))


class Case(NamedTuple):
    """Models to merge, one as large as the other."""

    architecture: Architecture
    infos: tuple[ModelInfo, ...]
    size: int


@pytest.fixture
def large(tmp_path: Path) -> Callable[[int], Case]:
    """Models whose largest weight is a small part of them, as in real ones."""

    def make(count: int) -> Case:
        small = TINY["sd1"]
        text = replace(
            small.text_encoders[0],
            config={**small.text_encoders[0].config, "vocab_size": 512, "num_hidden_layers": 12},
        )
        unet = {**small.unet, "layers_per_block": 3, "block_out_channels": (64, 64)}
        built = replace(small, text_encoders=(text,), unet=unet)
        infos = []
        for seed in range(count):
            path = tmp_path / f"{seed}.safetensors"
            save_original(path, tiny_parts(built, seed), built)
            infos.append(ModelInfo(str(seed), path, layout="file"))
        return Case(built, tuple(infos), max(info.path.stat().st_size for info in infos))

    return make


@pytest.mark.parametrize("method", ["weighted_sum", "add_difference"])
def test_never_more_than_a_few_weights_are_in_memory(
    tmp_path: Path, large: Callable[[int], Case], method: str
) -> None:
    architecture, infos, size = large(3)
    with Counted() as counted:
        recipe = Recipe("mix", ("0", "1", "2"), method, (0.5,) * (3 if method[0] == "w" else 1))  # type: ignore[arg-type]
        where = merge(
            Order(recipe, infos, None, ()), tmp_path, quiet, {"sd1": architecture}
        )  # fmt: skip
    largest = max(tensor.numel() for tensor in load_file(infos[0].path).values()) * 4
    assert where.stat().st_size > 0.4 * size
    assert largest <= counted.peak <= 5 * largest
    assert counted.peak <= 0.5 * size < 1.2 * size
    assert len(counted.alive) < 4


def test_loras_are_read_layer_by_layer(tmp_path: Path, large: Callable[[int], Case]) -> None:
    architecture, infos, size = large(1)
    layers = layers_of(tiny_parts(architecture)["unet"])
    path = write(kohya({"unet": layers}, rank=64), tmp_path / "big.safetensors")
    lora = ModelInfo("big", path, kind="lora")
    recipe = Recipe("mix", ("0",), weights=(1.0,), loras=(BakedLora("big", 0.5),) * 3)
    made = Order(recipe, infos, None, (lora,) * 3)
    assert path.stat().st_size > size / 2
    with Counted() as counted:
        merge(made, tmp_path, quiet, {"sd1": architecture})
    assert counted.peak <= 0.5 * size
