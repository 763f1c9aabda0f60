"""LoRAs: they change the picture as the arithmetic says, and leave no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.engine.engine import Engine
from studio.errors import InvalidRequest, ModelError
from studio.events import Progress
from studio.models.addons import lora as loras_module
from studio.models.addons.lora import ActiveLora, Loras
from studio.models.base import ModelInfo, Painting
from studio.models.catalog import Catalog
from studio.models.placement import Precision
from studio.models.store import ModelStore
from studio.prompt.chunks import Chunk
from studio.request import GenerationRequest
from tests.addons import attention, diffusers_layout, kohya, layers_of, loha, lokr, write
from tests.engine.conftest import pictures, same
from tests.tiny import save_tiny_model

Recipe = Callable[..., GenerationRequest]


class Bench:
    """A store of its own, with loras beside the model."""

    def __init__(self, folder: Path, precision: Precision = "fp32") -> None:
        self.folder = folder
        self.store = ModelStore(Catalog([folder]), "cpu", precision)
        self.model: Any = self.store.acquire("tiny")
        self.engine = Engine(self.store)

    def add(self, name: str, tensors: dict[str, torch.Tensor]) -> ActiveLora:
        path = write(tensors, self.folder / "loras" / f"{name}.safetensors")
        return ActiveLora(ModelInfo(name, path, "lora", family=""), 1.0, 1.0)

    def layers(self, part: str, wanted: Callable[[str], bool] = attention) -> Any:
        return layers_of(self.model.parts[part], wanted)

    def both(self) -> dict[str, Any]:
        return {"unet": self.layers("unet"), "text_encoder": self.layers("text_encoder")}

    def paint(self, request: GenerationRequest) -> Image.Image:
        return pictures(self.engine.generate(request))[0]

    def state(self) -> dict[str, torch.Tensor]:
        return {
            f"{part}.{name}": tensor.clone()
            for part, module in self.model.parts.items()
            for name, tensor in module.state_dict().items()
        }

    def outputs(self, part: str) -> torch.Tensor:
        """What a part answers to the same question."""
        if part == "text_encoder":
            return self.model.encode_tokens([Chunk.of(range(20))]).sequence
        latents = torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
        embedding = self.model.encode_tokens([Chunk.of(range(20))])
        told = self.model.conditions(embedding, Painting(64, 64))
        return self.model.predict(latents, torch.tensor(500.0), told)


def untouched(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> bool:
    return before.keys() == after.keys() and all(
        torch.equal(before[name], after[name]) for name in before
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("with-loras")
    save_tiny_model(folder / "tiny")
    return folder


@pytest.fixture
def bench(saved: Path, tmp_path: Path) -> Bench:
    (tmp_path / "tiny").symlink_to(saved / "tiny", target_is_directory=True)
    return Bench(tmp_path)


def test_a_lora_changes_the_picture_and_leaves_no_trace(bench: Bench, recipe: Recipe) -> None:
    bench.add("ink", kohya(bench.both()))
    before = bench.state()
    plain = bench.paint(recipe())
    with_lora = bench.paint(recipe(prompt="a red boat at night<lora:ink:1>"))
    assert not same(plain, with_lora)
    assert untouched(before, bench.state())
    assert same(plain, bench.paint(recipe()))
    assert same(with_lora, bench.paint(recipe(prompt="a red boat at night<lora:ink:1>")))


def test_weights_count_and_zero_is_the_base_picture(bench: Bench, recipe: Recipe) -> None:
    bench.add("ink", kohya(bench.both()))
    prompt = "a red boat at night"
    seen = [bench.paint(recipe(prompt=f"{prompt}<lora:ink:{weights}>"))
            for weights in ("0", "1", "0.5", "1:0", "0:1", "te=0:unet=1")]  # fmt: skip
    assert same(seen[0], bench.paint(recipe(prompt=prompt)))
    assert same(seen[4], seen[5])
    assert len({picture.tobytes() for picture in seen}) == 5


def test_two_loras_act_together(bench: Bench, recipe: Recipe) -> None:
    one = bench.add("ink", kohya(bench.both(), seed=1))
    two = bench.add("wash", kohya({"unet": bench.layers("unet")}, rank=2, seed=2))
    plain = bench.outputs("unet")
    seen = []
    for active in ([one], [two], [one, two], [two, one]):
        with Loras().applied(bench.model, active):
            seen.append(bench.outputs("unet"))
    assert not any(torch.allclose(plain, each, atol=1e-4) for each in seen)
    assert not torch.allclose(seen[2], seen[0], atol=1e-4)
    assert torch.allclose(seen[2], seen[3], atol=1e-4)
    assert torch.equal(plain, bench.outputs("unet"))
    both = bench.paint(recipe(prompt="a boat<lora:ink:0.7><lora:wash:0.4>"))
    assert not same(both, bench.paint(recipe(prompt="a boat<lora:ink:0.7>")))


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
@pytest.mark.parametrize("alphas", [(4.0,), (1.0, 2.0, 8.0)])
def test_kohyas_is_what_merging_by_hand_gives(
    bench: Bench, part: str, alphas: tuple[float, ...]
) -> None:
    everything = bench.layers(part, lambda _: True)  # convolutions too
    tensors = kohya({part: everything}, rank=4, alphas=alphas)
    lora = bench.add("ink", tensors)
    with Loras().applied(bench.model, [ActiveLora(lora.info, 0.8, 0.8)]):
        ours = bench.outputs(part)
    module, keep = bench.model.parts[part], copy.deepcopy(bench.model.parts[part].state_dict())
    for number, path in enumerate(everything):
        name = [key for key in tensors if key.endswith("lora_down.weight")][number]
        down, up = tensors[name], tensors[name.replace("lora_down", "lora_up")]
        change = torch.einsum("or,ri->oi", up.flatten(1), down.flatten(1))
        weight = module.get_submodule(path).weight
        weight += 0.8 * alphas[number % len(alphas)] / 4 * change.reshape(weight.shape)
    by_hand = bench.outputs(part)
    module.load_state_dict(keep)
    assert torch.allclose(ours, by_hand, atol=2e-5)
    assert not torch.allclose(ours, bench.outputs(part), atol=1e-2)


def test_every_layout_of_the_same_lora_is_the_same(bench: Bench) -> None:
    made = [
        bench.add("kohya", kohya(bench.both())),
        bench.add("peft", diffusers_layout(bench.both())),
    ]
    old = {
        name.replace(".lora_A.", ".lora.down.").replace(".lora_B.", ".lora.up."): tensor
        for name, tensor in diffusers_layout(bench.both()).items()
    }
    processors = {
        name.replace(f".{letter}.lora", f".processor.{letter}_lora"): tensor
        for name, tensor in old.items()
        for letter in [name.split(".")[-4]]
    }
    made += [
        bench.add("old", old),
        bench.add(
            "processors",
            {name: tensor for name, tensor in processors.items() if name.startswith("unet")}
            | {name: tensor for name, tensor in old.items() if name.startswith("text")},
        ),
    ]
    seen = []
    for lora in made:
        with Loras().applied(bench.model, [lora]):
            seen.append(bench.outputs("unet"))
    assert not torch.allclose(seen[0], bench.outputs("unet"), atol=1e-3)
    assert all(torch.equal(seen[0], each) for each in seen[1:])


def test_diffusers_alphas_are_read_from_the_metadata(bench: Bench) -> None:
    layers = {"unet": bench.layers("unet")}
    plain = bench.add("plain", diffusers_layout(layers))
    path = write(diffusers_layout(layers), bench.folder / "loras/with.safetensors",
                 {"lora_adapter_metadata": '{"unet.r": 4, "unet.lora_alpha": 8}'})  # fmt: skip
    with Loras().applied(bench.model, [ActiveLora(plain.info, 2.0, 0.0)]):
        doubled = bench.outputs("unet")
    with Loras().applied(bench.model, [ActiveLora(ModelInfo("with", path, "lora"), 1.0, 0.0)]):
        assert torch.allclose(doubled, bench.outputs("unet"), atol=1e-5)


@pytest.mark.parametrize("make", [loha, lokr])
def test_lycoris_is_what_merging_by_hand_gives(bench: Bench, make: Any) -> None:
    layers = bench.layers("unet")
    tensors = make(layers)
    lora = bench.add("ly", tensors)
    with Loras().applied(bench.model, [lora]):
        ours = bench.outputs("unet")
    unet = bench.model.parts["unet"]
    keep = copy.deepcopy(unet.state_dict())
    names = dict.fromkeys(name.split(".")[0] for name in tensors)
    for path, name in zip(layers, names, strict=True):
        piece = {
            key.split(".")[1]: tensor
            for key, tensor in tensors.items()
            if key.startswith(f"{name}.")
        }
        if make is loha:
            change = (piece["hada_w1_a"] @ piece["hada_w1_b"]) * (
                piece["hada_w2_a"] @ piece["hada_w2_b"]
            )
        else:
            change = torch.kron(piece["lokr_w1"], piece["lokr_w2_a"] @ piece["lokr_w2_b"])
        unet.get_submodule(path).weight += change / 2  # alpha 1, rank 2
    by_hand = bench.outputs("unet")
    unet.load_state_dict(keep)
    assert torch.allclose(ours, by_hand, atol=2e-5)
    assert not torch.allclose(ours, bench.outputs("unet"), atol=1e-3)


def test_the_second_time_nothing_is_read(
    bench: Bench, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add("ink", kohya(bench.both()))
    read: list[Path] = []
    made: list[int] = []
    original, mix = loras_module.LoraFile, Loras._mix

    def reading(path: Path) -> Any:
        read.append(path)
        return original(path)

    def mixing(*given: Any) -> Any:
        made.append(1)
        return mix(*given)

    monkeypatch.setattr(loras_module, "LoraFile", reading)
    monkeypatch.setattr(Loras, "_mix", mixing)
    first = bench.paint(recipe(prompt="a boat<lora:ink:1>"))
    bench.paint(recipe())
    assert same(first, bench.paint(recipe(prompt="a boat<lora:ink:1>")))
    assert (len(read), len(made)) == (1, 1)
    bench.paint(recipe(prompt="a boat<lora:ink:0.5>"))
    assert (len(read), len(made)) == (1, 2)


def test_stopping_in_the_middle_leaves_no_trace(bench: Bench, recipe: Recipe) -> None:
    bench.add("ink", kohya(bench.both()))
    before = bench.state()
    events = bench.engine.generate(recipe(prompt="a boat<lora:ink:1>", num_images=2))
    assert isinstance(next(events), Progress)
    assert not untouched(before, bench.state())  # the layers stand in for the model's own
    events.close()
    assert untouched(before, bench.state())


def test_failing_in_the_middle_leaves_no_trace(bench: Bench, recipe: Recipe) -> None:
    bench.add("ink", kohya(bench.both()))
    before = bench.state()

    def fail(*_: object) -> None:
        raise RuntimeError("the device is gone")

    handle = bench.model.unet.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="the device is gone"):
        bench.paint(recipe(prompt="a boat<lora:ink:1>"))
    handle.remove()
    assert untouched(before, bench.state())


@pytest.fixture
def wrong(bench: Bench) -> Iterator[dict[str, dict[str, torch.Tensor]]]:
    tensors = kohya({"unet": bench.layers("unet")})
    first = next(iter(tensors))
    yield {
        "size": {**tensors, first: torch.zeros(4, 77)},
        "names": {f"lora_unet_double_{name}": tensor for name, tensor in tensors.items()},
        "other": {"first_stage_model.encoder.conv_in.weight": torch.zeros(3)},
        "dora": {**tensors, first.replace("lora_down.weight", "dora_scale"): torch.zeros(4, 1)},
        "half": {first: tensors[first]},
        "empty": {},
    }


@pytest.mark.parametrize("kind", ["size", "names", "other", "dora", "half", "empty"])
def test_what_does_not_fit_is_said_and_does_no_harm(
    bench: Bench, recipe: Recipe, wrong: dict[str, Any], kind: str
) -> None:
    bench.add("ink", wrong[kind])
    before = bench.state()
    sentence = r"^The LoRA “ink” cannot be used( with “tiny”)?: .*\.$"
    with pytest.raises((ModelError, InvalidRequest), match=sentence):
        bench.paint(recipe(prompt="a boat<lora:ink:1>"))
    assert untouched(before, bench.state())
    bench.paint(recipe())


def test_a_lora_that_is_not_there_is_refused(bench: Bench, recipe: Recipe) -> None:
    with pytest.raises(InvalidRequest, match="There is no LoRA called “nowhere”"):
        bench.paint(recipe(prompt="a boat<lora:nowhere:1>"))


def test_fused_attention_takes_a_lora(bench: Bench) -> None:
    lora = bench.add("ink", kohya(bench.both()))
    with Loras().applied(bench.model, [lora]):
        expected = bench.outputs("unet")
    with torch.no_grad():
        bench.model.unet.fuse_qkv_projections()
    before = bench.state()
    loras = Loras()
    with loras.applied(bench.model, [lora]):
        assert torch.allclose(expected, bench.outputs("unet"), atol=1e-5)
    assert untouched(before, bench.state())


def test_what_is_kept_goes_with_the_model(bench: Bench, recipe: Recipe) -> None:
    bench.add("ink", kohya(bench.both()))
    bench.paint(recipe(prompt="a boat<lora:ink:1>"))
    kept = bench.engine._bench.addons._loras._mixtures
    assert len(kept) == 1
    bench.model = None
    bench.engine._bench.prompts.forget()
    bench.store.release()
    assert len(kept) == 0


def test_bf16_weights_do_not_swallow_a_fine_change(saved: Path, tmp_path: Path) -> None:
    """Added to the weights themselves, a change this small would be rounded away."""
    (tmp_path / "tiny").symlink_to(saved / "tiny", target_is_directory=True)
    bench = Bench(tmp_path, "bf16")
    lora = bench.add("ink", kohya({"unet": bench.layers("unet")}))
    plain = bench.outputs("unet")
    with Loras().applied(bench.model, [ActiveLora(lora.info, 0.01, 0.0)]):
        assert not torch.equal(plain, bench.outputs("unet"))
