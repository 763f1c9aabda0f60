"""Embeddings, another VAE and CLIP skip: what they do, and that nothing of them stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from studio.engine.conditioning import Wording
from studio.engine.engine import Engine
from studio.errors import InvalidRequest, ModelError
from studio.models.addons.clip_skip import clip_skipped
from studio.models.addons.embeddings import Vocabulary, read_embedding
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.addons import Tensors, write
from tests.engine.conftest import encoded, pictures, same
from tests.tiny import save_tiny_model, tiny_pipeline

Recipe = Callable[..., GenerationRequest]


class Desk:
    """A model with add-ons beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ModelStore(Catalog([folder]), "cpu", "fp32")
        self.model: Any = self.store.acquire("tiny")
        self.engine = Engine(self.store)

    def add(self, kind: str, name: str, tensors: Tensors) -> Path:
        return write(tensors, self.folder / kind / f"{name}.safetensors")

    def paint(self, request: GenerationRequest) -> Image.Image:
        return pictures(self.engine.generate(request))[0]

    def state(self) -> dict[str, torch.Tensor]:
        return {
            f"{part}.{name}": tensor.clone()
            for part, module in self.model.parts.items()
            for name, tensor in module.state_dict().items()
        }


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def desk(saved: Path, tmp_path: Path) -> Desk:
    (tmp_path / "tiny").symlink_to(saved, target_is_directory=True)
    return Desk(tmp_path)


def untouched(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> bool:
    return before.keys() == after.keys() and all(
        torch.equal(before[name], after[name]) for name in before
    )


def vectors(count: int, width: int = 32, seed: int = 3) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


# Textual inversion


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_an_embedding_acts_by_its_name(desk: Desk, recipe: Recipe, field: str) -> None:
    words = {"prompt": "a boat in mystyle", "negative_prompt": "blue, mystyle"}
    plain = desk.paint(recipe(**{field: words[field]}))
    before = desk.state()
    path = desk.add("embeddings", "MyStyle", {"emb_params": vectors(2)})
    assert not same(plain, desk.paint(recipe(**{field: words[field]})))
    assert untouched(before, desk.state())
    assert same(
        desk.paint(recipe(**{field: words[field]})),
        desk.paint(recipe(**{field: words[field].replace("mystyle", "MYSTYLE")})),
    )
    path.unlink()
    assert same(plain, desk.paint(recipe(**{field: words[field]})))


def test_its_vectors_stand_where_the_name_stood(desk: Desk) -> None:
    """Learnt vectors that are those of words must read as these words do."""
    ids = desk.model.tokenize("red boat")
    table = desk.model.parts["text_encoder"].get_input_embeddings().weight[ids].clone()
    info = ModelInfo("thing", desk.add("embeddings", "thing", {"emb_params": table}), "embedding")
    vocabulary = Vocabulary(desk.model, {"thing": read_embedding(info, desk.model)})
    with vocabulary.known():
        named = encoded(
            desk.model, "a thing, at night", wording=Wording(desk.model, vocabulary.tokenize)
        )[0]
    written = encoded(desk.model, "a red boat, at night")[0]
    assert torch.equal(named.sequence, written.sequence)
    assert vocabulary.tokenize("a thing")[-2:] == [-1, -2]
    for inside in ("something", "things", "thing2", "a-thing", "thing-a"):
        assert min(vocabulary.tokenize(inside)) >= 0


def test_many_vectors_are_many_tokens(desk: Desk) -> None:
    info = ModelInfo("m", desk.add("embeddings", "m", {"emb_params": vectors(70)}), "embedding")
    vocabulary = Vocabulary(desk.model, {"m": read_embedding(info, desk.model)})
    with vocabulary.known():
        (long,) = encoded(
            desk.model,
            "a boat on the sea at night m",
            wording=Wording(desk.model, vocabulary.tokenize),
        )
    assert long.sequence.shape == (1, 2 * 77, 32)


def test_one_vector_of_one_dimension_is_one_token(desk: Desk) -> None:
    info = ModelInfo("m", desk.add("embeddings", "m", {"<m>": vectors(1)[0]}), "embedding")
    assert len(read_embedding(info, desk.model)) == 1


def test_an_embedding_for_another_model_is_said(desk: Desk, recipe: Recipe) -> None:
    before = desk.state()
    desk.add("embeddings", "wide", {"emb_params": vectors(1, width=48)})
    with pytest.raises(ModelError, match="“wide” is made for another kind of model than “tiny”"):
        desk.paint(recipe(prompt="a wide boat"))
    desk.add("embeddings", "wide", {"clip_l": vectors(1), "clip_g": vectors(1, 48)})
    desk.paint(recipe(prompt="a wide boat"))  # of XL's two parts the first fits
    path = desk.add("embeddings", "wide", {"clip_g": vectors(1, 48)})
    with pytest.raises(ModelError, match="another kind of model"):
        read_embedding(ModelInfo("wide", path, "embedding"), desk.model)
    assert untouched(before, desk.state())


class TwoEncoders:
    """What matters here of a model with two text encoders, as SDXL has them."""

    def __init__(self, first: Any) -> None:
        config = CLIPTextConfig(
            hidden_size=48, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
            vocab_size=first.config.vocab_size, projection_dim=24,
            eos_token_id=2,  # as SDXL's own: what is pooled is taken from the highest id
        )  # fmt: skip
        torch.manual_seed(5)
        second = CLIPTextModelWithProjection(config).eval().requires_grad_(False)
        self.info = ModelInfo("two", Path("two"), family="sdxl")
        self.parts = {"text_encoder": first, "text_encoder_2": second}

    def encode(self, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.tensor([ids])
        first = self.parts["text_encoder"](rows, output_hidden_states=True)
        second = self.parts["text_encoder_2"](rows, output_hidden_states=True)
        both = [first.hidden_states[-2], second.hidden_states[-2]]
        return torch.cat(both, dim=-1), second[0]


def test_two_encoders_have_two_parts_of_an_embedding(desk: Desk, tmp_path: Path) -> None:
    model: Any = TwoEncoders(desk.model.parts["text_encoder"])
    ids = desk.model.tokenize("red boat")
    eos = desk.model.parts["text_encoder"].config.eos_token_id
    tables = {
        name: model.parts[part].get_input_embeddings().weight[ids].clone()
        for part, name in (("text_encoder", "clip_l"), ("text_encoder_2", "clip_g"))
    }
    path = write(tables, tmp_path / "xl.safetensors")
    vocabulary = Vocabulary(model, {"xl": read_embedding(ModelInfo("xl", path), model)})
    with vocabulary.known():
        named = model.encode([5, -1, -2, 7, eos, eos])
    written = model.encode([5, *ids, 7, eos, eos])
    assert all(torch.equal(one, other) for one, other in zip(named, written, strict=True))
    path = write({"emb_params": vectors(2)}, tmp_path / "one.safetensors")
    with pytest.raises(ModelError, match="another kind of model"):
        read_embedding(ModelInfo("one", path), model)


# CLIP skip


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_clip_skip_is_diffusers_less_one(desk: Desk, clip_skip: int) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(
        desk.folder / "tiny", safety_checker=None, requires_safety_checker=False
    )
    CLIPTextModel.text_model = property(lambda model: model)  # what diffusers still expects
    try:
        expected, _ = pipeline.encode_prompt(
            "a red boat", "cpu", 1, False, clip_skip=clip_skip - 1 or None
        )
    finally:
        del CLIPTextModel.text_model
    with clip_skipped(desk.model, clip_skip):
        (ours,) = encoded(desk.model, "a red boat")
    assert torch.allclose(ours.sequence, expected, atol=1e-6)
    (usual,) = encoded(desk.model, "a red boat")
    assert torch.equal(usual.sequence, ours.sequence) == (clip_skip == 1)


def test_clip_skip_with_two_encoders_is_diffusers_less_one(desk: Desk) -> None:
    model: Any = TwoEncoders(desk.model.parts["text_encoder"])
    ids = [5, 6, 7, desk.model.parts["text_encoder"].config.eos_token_id]
    deeper = [
        part(torch.tensor([ids]), output_hidden_states=True).hidden_states[-3]
        for part in model.parts.values()
    ]
    _, pooled = model.encode(ids)
    with clip_skipped(model, 2):
        sequence, still = model.encode(ids)
    assert torch.equal(sequence, torch.cat(deeper, dim=-1))
    assert torch.equal(still, pooled)


def test_clip_skip_changes_the_picture_and_is_encoded_anew(desk: Desk, recipe: Recipe) -> None:
    usual = desk.paint(recipe())
    skipped = desk.paint(recipe(clip_skip=2))
    assert not same(usual, skipped)
    assert same(usual, desk.paint(recipe()))
    assert same(skipped, desk.paint(recipe(clip_skip=2)))
    with pytest.raises(ModelError, match="CLIP skip can be at most 3 with “tiny”"):
        desk.paint(recipe(clip_skip=4))
    assert same(usual, desk.paint(recipe()))


# VAE


@pytest.fixture(scope="module")
def other_vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An autoencoder's folder, of the same make and with other weights."""
    folder = tmp_path_factory.mktemp("vae") / "other"
    tiny_pipeline(seed=9).vae.save_pretrained(folder)
    return folder


def vae_tensors(folder: Path) -> Tensors:
    return dict(load_file(folder / "diffusion_pytorch_model.safetensors"))


def original_layout(tensors: Tensors) -> Tensors:
    """diffusers' names and shapes -> those of the original layout, for the tiny autoencoder."""
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        for old, new in (
            ("down_blocks.", "down."), ("mid_block.resnets.0", "mid.block_1"),
            ("mid_block.resnets.1", "mid.block_2"), ("mid_block.attentions.0", "mid.attn_1"),
            ("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"),
            ("to_out.0", "proj_out"), ("resnets.", "block."), ("conv_shortcut", "nin_shortcut"),
            ("downsamplers.0", "downsample"), ("upsamplers.0", "upsample"),
            ("conv_norm_out", "norm_out"),
        ):  # fmt: skip
            name = name.replace(old, new)
        if "up_blocks." in name:
            before, _, after = name.partition("up_blocks.")
            name = f"{before}up.{3 - int(after[0])}{after[1:]}"
        matrix = "attn_1" in name and tensor.dim() == 2
        renamed[name] = tensor[..., None, None] if matrix else tensor
    return renamed


@pytest.mark.parametrize("layout", ["diffusers", "original", "checkpoint"])
def test_another_vae_decodes_and_goes_again(
    desk: Desk, recipe: Recipe, other_vae: Path, layout: str
) -> None:
    tensors = vae_tensors(other_vae)
    if layout != "diffusers":
        tensors = original_layout(tensors)
    if layout == "checkpoint":
        tensors = {f"first_stage_model.{name}": tensor for name, tensor in tensors.items()}
    desk.add("vae", "other", tensors)
    before = desk.state()
    usual = desk.paint(recipe())
    painted = desk.paint(recipe(vae="other"))
    assert untouched(before, desk.state())
    assert same(usual, desk.paint(recipe(vae="")))
    assert same(painted, desk.paint(recipe(vae="other.safetensors")))
    own = desk.model.vae.state_dict()
    desk.model.vae.load_state_dict(vae_tensors(other_vae))
    expected = desk.paint(recipe())
    desk.model.vae.load_state_dict(own)
    assert same(painted, expected)
    assert not same(painted, usual)


def test_automatic_takes_the_one_beside_the_model(
    desk: Desk, recipe: Recipe, other_vae: Path
) -> None:
    usual = desk.paint(recipe())
    write(vae_tensors(other_vae), desk.folder / "tiny.vae.safetensors")
    assert not same(usual, desk.paint(recipe()))
    assert same(usual, desk.paint(recipe(vae="")))


def test_a_vae_that_does_not_fit_is_said(desk: Desk, recipe: Recipe, other_vae: Path) -> None:
    tensors = vae_tensors(other_vae)
    before = desk.state()
    desk.add("vae", "odd", {**tensors, "decoder.conv_in.bias": torch.zeros(3)})
    with pytest.raises(ModelError, match="The VAE “odd” is made for another kind of model"):
        desk.paint(recipe(vae="odd"))
    with pytest.raises(InvalidRequest, match="There is no VAE called “nowhere”"):
        desk.paint(recipe(vae="nowhere"))
    assert untouched(before, desk.state())


def test_a_black_picture_of_another_vae_is_decoded_again(
    saved: Path, tmp_path: Path, other_vae: Path, recipe: Recipe
) -> None:
    """bf16 overflows in it; the fp32 that it needs is not kept for the model's own."""
    (tmp_path / "tiny").symlink_to(saved, target_is_directory=True)
    desk = Desk(tmp_path)
    desk.store = ModelStore(Catalog([tmp_path]), "cpu", "bf16")
    desk.model = desk.store.acquire("tiny")
    desk.engine = Engine(desk.store)
    decode, seen = desk.model.vae.decode, []

    def overflowing(latents: torch.Tensor, return_dict: bool) -> Any:
        (pixels,) = decode(latents, return_dict=return_dict)
        seen.append(latents.dtype)
        return (pixels * float("inf") if latents.dtype != torch.float32 else pixels,)

    desk.add("vae", "other", vae_tensors(other_vae))
    before = desk.state()
    desk.model.vae.decode = overflowing
    assert len(desk.paint(recipe(vae="other")).getcolors(9999) or []) > 10
    assert seen == [torch.bfloat16, torch.float32]
    assert desk.model.vae.dtype == torch.bfloat16
    assert untouched(before, desk.state())
