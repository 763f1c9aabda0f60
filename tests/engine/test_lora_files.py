"""LoRA files as the programs that are about write them, on real networks of several families."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.training_utils import _collate_lora_metadata
from peft import LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from studio.engine.engine import Engine
from studio.errors import InvalidRequest
from studio.models.addons.lora import ActiveLora, Loras
from studio.models.addons.lora_file import compact
from studio.models.base import LoadedModel, ModelInfo, Painting
from studio.models.catalog import Catalog
from studio.models.original_names import UNET_PREFIX, unet_names
from studio.models.store import ModelStore
from studio.prompt.chunks import Chunk
from studio.request import GenerationRequest
from tests.addons import Tensors, attention, factors, layers_of, write
from tests.engine.conftest import pictures, same
from tests.tiny_families import TINY, Listed, tiny_family_pipeline

IDS = [Chunk.of(range(5, 25))]
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "conv1", "ff.net.2"]


@dataclass(frozen=True)
class World:
    """A tiny SDXL in the studio, and the same in diffusers."""

    model: LoadedModel
    store: ModelStore
    folder: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("xl")
    made = tiny_family_pipeline("StableDiffusionXLPipeline", TINY["sdxl"])
    made.save_pretrained(folder / "xl")
    store = ModelStore(Listed([ModelInfo("xl", folder / "xl", family="sdxl")]), "cpu", "fp32")
    return World(store.acquire("xl"), store, folder)


def answer(model: Any) -> torch.Tensor:
    """The UNet's answer about a prompt: text encoders, pooled vector and all."""
    latents = torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
    told = model.conditions(model.encode_tokens(IDS), Painting(64, 64))
    return model.predict(latents, torch.tensor(500.0), told)


def with_lora(model: LoadedModel, path: Path, unet: float = 1.0, text: float = 1.0) -> torch.Tensor:
    with Loras().applied(model, [ActiveLora(ModelInfo(path.stem, path, "lora"), unet, text)]):
        return answer(model)


def kohya_xl(model: LoadedModel, original: bool, seed: int = 0) -> Tensors:
    """As kohya's scripts write it for XL: two text encoders, and the UNet's original names."""
    tensors: Tensors = {}
    unet: Any = model.parts["unet"]
    names = unet_names(unet.config)
    prefixes = {"text_encoder": "lora_te1_text_model_", "text_encoder_2": "lora_te2_text_model_"}
    for part, module in model.parts.items():
        if part == "vae":
            continue
        for path, (down, up) in factors(layers_of(module, attention), 4, seed).items():
            name = prefixes.get(part, "lora_unet_") + compact(path)
            if part == "unet" and original:
                place = names(f"{path}.weight").name.removeprefix(UNET_PREFIX)
                name = "lora_unet_" + compact(place.removesuffix(".weight"))
            tensors[f"{name}.lora_down.weight"], tensors[f"{name}.lora_up.weight"] = down, up
            tensors[f"{name}.alpha"] = torch.tensor(4.0)
    return tensors


def test_kohyas_for_xl_reaches_both_text_encoders_by_either_name(world: World) -> None:
    plain = answer(world.model)
    original, diffusers = (
        write(kohya_xl(world.model, original), world.folder / f"kohya-{original}.safetensors")
        for original in (True, False)
    )
    assert any("input_blocks_" in name for name in load_file(original))
    both = with_lora(world.model, original)
    assert torch.equal(both, with_lora(world.model, diffusers))
    assert not torch.allclose(both, plain, atol=1e-2)
    for encoder in ("te1", "te2"):
        half = {n: t for n, t in load_file(original).items() if encoder in n}
        path = write(half, world.folder / f"{encoder}.safetensors")
        assert not torch.allclose(with_lora(world.model, path), plain, atol=1e-4)
        assert torch.equal(with_lora(world.model, path, text=0.0), plain)
    assert torch.equal(answer(world.model), plain)


def test_kohyas_for_xl_is_what_diffusers_makes_of_it(world: World) -> None:
    path = write(kohya_xl(world.model, False), world.folder / "compare.safetensors")
    pipeline = StableDiffusionXLPipeline.from_pretrained(world.folder / "xl")
    pipeline.load_lora_weights(world.folder, weight_name=path.name, local_files_only=True)
    pipeline.set_adapters(pipeline.get_list_adapters()["unet"], [0.7])
    mine = copy.copy(world.model)
    theirs: Any = mine
    theirs.parts = {name: getattr(pipeline, name) for name in world.model.parts}
    theirs.unet = pipeline.unet
    theirs.towers = tuple(
        type(tower)(getattr(pipeline, name), tower.tokens)
        for name, tower in zip(("text_encoder", "text_encoder_2"), theirs.towers, strict=True)
    )
    expected = answer(theirs)
    assert torch.allclose(with_lora(world.model, path, 0.7, 0.7), expected, atol=2e-5)
    assert not torch.allclose(answer(world.model), expected, atol=1e-3)


def randomised(adapted: PeftModel) -> PeftModel:
    """Adapters start as nothing; these are something."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "base_layer" not in name and parameter.requires_grad:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return adapted.eval()


CONFIGS: dict[str, Callable[[], Any]] = {
    "lora": lambda: LoraConfig(r=4, lora_alpha=2, target_modules=TARGETS),
    "lora-mixed": lambda: LoraConfig(
        r=4, lora_alpha=2, target_modules=TARGETS, alpha_pattern={"to_q": 8, "ff.net.2": 1}
    ),
    "loha": lambda: LoHaConfig(r=4, alpha=8, target_modules=TARGETS, module_dropout=0.0),
    "loha-conv": lambda: LoHaConfig(
        r=4, alpha=4, target_modules=TARGETS, use_effective_conv2d=True
    ),
    "lokr": lambda: LoKrConfig(r=2, alpha=4, target_modules=TARGETS),
    "lokr-both": lambda: LoKrConfig(
        r=2, alpha=2, target_modules=TARGETS, decompose_both=True, use_effective_conv2d=True
    ),
}


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing")  # peft asks transformers for it
@pytest.mark.parametrize("kind", list(CONFIGS))
@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_what_peft_saves_does_what_peft_does(world: World, kind: str, part: str) -> None:
    config = CONFIGS[kind]()
    if part == "text_encoder":
        config.target_modules = {"q_proj", "out_proj", "fc1"}
        if getattr(config, "alpha_pattern", None):
            config.alpha_pattern = {"q_proj": 8, "layers.1.mlp.fc1": 1}
    module = copy.deepcopy(world.model.parts[part])
    adapted = randomised(get_peft_model(module, config))
    folder = world.folder / f"peft-{kind}-{part}"
    adapted.save_pretrained(folder)
    path = folder / "adapter_model.safetensors"
    theirs: Any = copy.copy(world.model)
    if part == "unet":
        theirs.unet = adapted.base_model.model
    else:
        first, second = theirs.towers
        theirs.towers = (type(first)(adapted.base_model.model, first.tokens), second)
    expected = answer(theirs)
    assert not torch.allclose(answer(world.model), expected, atol=1e-4)
    assert torch.allclose(with_lora(world.model, path), expected, atol=2e-4)


def test_what_diffusers_saves_does_what_diffusers_does(world: World) -> None:
    pipeline = StableDiffusionXLPipeline.from_pretrained(world.folder / "xl")
    config = LoraConfig(r=4, lora_alpha=8, target_modules=TARGETS)
    pipeline.unet.add_adapter(config)
    for name, parameter in pipeline.unet.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.2, generator=torch.Generator().manual_seed(2))
    pipeline.save_lora_weights(
        world.folder,
        unet_lora_layers=get_peft_model_state_dict(pipeline.unet),
        weight_name="diffusers.safetensors",
        **_collate_lora_metadata({"unet": pipeline.unet}),
    )
    theirs: Any = copy.copy(world.model)
    theirs.unet = pipeline.unet
    ours = with_lora(world.model, world.folder / "diffusers.safetensors")
    assert torch.allclose(ours, answer(theirs), atol=2e-5)
    assert not torch.allclose(ours, answer(world.model), atol=1e-2)


@pytest.fixture
def shelf(tmp_path: Path, models: Path) -> Iterator[tuple[Engine, Path]]:
    """An engine over a folder with the tiny model of the first family."""
    (tmp_path / "tiny").symlink_to(models / "tiny", target_is_directory=True)
    yield Engine(ModelStore(Catalog([tmp_path]), "cpu", "fp32")), tmp_path


def test_a_lora_of_another_family_is_refused_with_one_sentence(
    shelf: tuple[Engine, Path], recipe: Callable[..., GenerationRequest]
) -> None:
    engine, folder = shelf
    name = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
    (folder / "loras").mkdir()
    save_file(
        {f"{name}.lora_down.weight": torch.zeros(4, 2048),
         f"{name}.lora_up.weight": torch.zeros(640, 4)},
        folder / "loras" / "ink.safetensors",
    )  # fmt: skip
    plain = pictures(engine.generate(recipe()))[0]
    with pytest.raises(InvalidRequest) as refused:
        pictures(engine.generate(recipe(prompt="a boat <lora:ink:1>")))
    assert str(refused.value) == (
        "The LoRA “ink” is made for another kind of model (sdxl) than “tiny” (sd1)."
    )
    assert [problem.field for problem in refused.value.problems] == ["prompt"]
    assert same(plain, pictures(engine.generate(recipe()))[0])
