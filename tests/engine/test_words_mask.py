"""Masks by words: the attention they come from, every family, and where pocket sees things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor
from PIL import Image

from studio.engine.attention_maps import collecting, spread_out
from studio.engine.engine import Engine
from studio.engine.words_mask import Wanted, mask_by_words, tokens_of
from studio.errors import InvalidRequest
from studio.models.base import ModelInfo, Painting
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.data import HELD_OUT, scene_at
from studio.pocket.world import Scene, full_caption, render
from studio.pocket.world.render import compose
from studio.pocket.world.vocabulary import KINDS
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from tests.engine.conftest import encoded, pictures, same
from tests.tiny_families import TINY, Listed, tiny_family_pipeline

FAMILIES: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "sd2-v": ("sd2", "StableDiffusionPipeline", {"scheduler": {"prediction_type": "v_prediction"}}),
    "xl": ("sdxl", "StableDiffusionXLPipeline", {}),
    "inpaint": ("sd1", "StableDiffusionInpaintPipeline", {"unet": {"in_channels": 9}}),
    "lcm": ("sd1", "StableDiffusionPipeline", {"unet": {"time_cond_proj_dim": 16}}),
}


def noisy(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(width).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    folder, infos = tmp_path_factory.mktemp("families"), []
    for name, (family, kind, options) in FAMILIES.items():
        tiny_family_pipeline(kind, TINY[family], **options).save_pretrained(folder / name)
        infos.append(ModelInfo(name, folder / name, family=family, native_size=64))
    return ModelStore(Listed(infos), "cpu", "fp32")


@pytest.mark.parametrize("model", FAMILIES)
@pytest.mark.parametrize("size", [(64, 64), (517, 389)])
def test_every_family_finds_and_paints_afterwards_as_before(
    families: ModelStore, model: str, size: tuple[int, int]
) -> None:
    request = GenerationRequest(
        prompt="a red boat", model=model, num_inference_steps=2, sampler="ddim", width=64, height=64
    )
    before = pictures(Engine(families).generate(request))[0]
    picture = noisy(*size)
    mask = mask_by_words(families, model, picture, Wanted("the boat", "a red boat at night"))
    assert (mask.size, mask.mode) == (size, "L")
    assert {level for _, level in mask.getcolors()} == {0, 255}
    again = mask_by_words(families, model, picture, Wanted("the boat", "a red boat at night"))
    assert same(mask, again)
    assert same(before, pictures(Engine(families).generate(request))[0])
    unet = families.acquire(model).parts["unet"]
    assert not any(module._forward_pre_hooks for module in unet.modules())


def test_the_maps_are_what_the_unet_computes(store: ModelStore) -> None:
    model = store.acquire("tiny")
    unet: Any = model.parts["unet"]
    latents = torch.randn(2, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    told = model.conditions(encoded(model, "a red boat at night")[0], Painting(96, 64))
    both = type(told)(told.sequence.expand(2, -1, -1))
    with collecting(unet, (8, 12), slice(1, 2)) as maps:
        output = model.predict(latents, torch.tensor(300), both)
    seen: dict[bool, list[torch.Tensor]] = {True: [], False: []}

    class Spy(AttnProcessor):
        def __call__(
            self, attn: Any, hidden: Any, encoder_hidden_states: Any = None, **n: Any
        ) -> Any:
            query, key = (
                attn.to_q(hidden),
                attn.to_k(hidden if encoder_hidden_states is None else encoder_hidden_states),
            )
            scores = attn.get_attention_scores(
                attn.head_to_batch_dim(query), attn.head_to_batch_dim(key)
            )
            heads = scores.unflatten(0, (2, -1))[1].mean(0)
            seen[encoder_hidden_states is None].append(heads)
            return super().__call__(attn, hidden, encoder_hidden_states, **n)

    kept = dict(unet.attn_processors)
    unet.set_attn_processor(Spy())
    try:
        model.predict(latents, torch.tensor(300), both)
    finally:
        unet.set_attn_processor(kept)
    fine, coarse = (
        torch.stack([m for m in seen[False] if len(m) == places]).mean(0)[:, [2, 3]].mean(1)
        for places in (96, 24)
    )
    enlarged = torch.nn.functional.interpolate(coarse.view(1, 1, 4, 6), (8, 12), mode="bicubic")
    token = spread_out((fine.view(8, 12) + enlarged[0, 0]) / 2)
    assert torch.allclose(maps.of_tokens([2, 3], (8, 12)), token, atol=1e-3)
    around = torch.stack([m for m in seen[True] if len(m) == 96]).mean(0)
    gathered = spread_out((around @ token.flatten()).view(8, 12))
    assert torch.allclose(maps.gathered([2, 3]), gathered, atol=1e-2)
    assert torch.equal(output, model.predict(latents, torch.tensor(300), both))


def test_compiled_blocks_wait_meanwhile_and_work_again(store: ModelStore) -> None:
    model = store.acquire("tiny")
    unet: Any = model.parts["unet"]

    def compiled(*given: Any, **named: Any) -> Any:
        raise AssertionError("compiled code sees no hooks")

    (block, *_) = [m for m in unet.modules() if type(m).__name__ == "BasicTransformerBlock"]
    block._compiled_call_impl = compiled
    try:
        with pytest.raises(ZeroDivisionError), collecting(unet, (8, 8)) as maps:
            told = model.conditions(encoded(model, "a boat")[0], Painting(64, 64))
            model.predict(torch.zeros(1, 4, 8, 8), torch.tensor(5), told)
            assert maps.of_tokens([1], (8, 8)).shape == (8, 8)
            raise ZeroDivisionError
        assert block._compiled_call_impl is compiled
        assert not any(module._forward_pre_hooks for module in unet.modules())
    finally:
        block._compiled_call_impl = None


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text if letter != " "]


@pytest.mark.parametrize(
    ("words", "prompt", "text", "found", "others"),
    [
        ("the ab", "c ab d", "cabd", [2, 3], [[4]]),  # c says how it is
        ("the ab", "x c ab d", "xcabd", [3, 4], [[1], [5]]),
        ("ab", "cd", "ab", [1, 2], []),
        ("d b", "a b c d", "abcd", [2, 4], []),
        ("的", "", "的", [1], []),
        ("the", "", "the", [1, 2, 3], []),
    ],
)
def test_words_are_found_in_the_prompt_or_stand_alone(
    words: str, prompt: str, text: str, found: list[int], others: list[list[int]]
) -> None:
    told = tokens_of(Wanted(words, prompt), letters, 75)
    assert "".join(map(chr, told.text)) == text
    assert told.looked_for == found
    assert told.others == others


def test_no_words_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="what to look for"):
        tokens_of(Wanted(" "), letters, 75)


@pytest.fixture(scope="module")
def pocket() -> ModelStore:
    return ModelStore(Catalog([REPOSITORY / "assets/pocket"]), "cpu", "fp32")


def of_one_subject(count: int) -> list[Scene]:
    scenes = (scene_at(0, HELD_OUT + 7000 + k) for k in range(100))
    return [s for s in scenes if len(s.subjects) == 1 and s.subjects[0].count == 1][:count]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pocket_finds_the_subject(pocket: ModelStore, language: Any) -> None:
    overlaps = []
    for scene in of_one_subject(4):
        truth = np.asarray(compose(scene, 256).figures[0].layer.mask) > 127
        noun = getattr(KINDS[scene.subjects[0].kind], language)[0]
        wanted = Wanted(noun, full_caption(scene, language), grow=0)
        mask = np.asarray(mask_by_words(pocket, "pocket", render(scene), wanted)) > 127
        overlaps.append((mask & truth).sum() / (mask | truth).sum())
    assert np.mean(overlaps) > 0.5 and min(overlaps) > 0.2, overlaps


def test_a_wider_rim_and_a_lower_threshold_give_more(pocket: ModelStore) -> None:
    (scene,) = of_one_subject(1)
    picture, words = render(scene), KINDS[scene.subjects[0].kind].en[0]

    def area(**more: Any) -> int:
        mask = mask_by_words(pocket, "pocket", picture, Wanted(words, **more))
        return int((np.asarray(mask) > 127).sum())

    assert area(grow=0) < area() < area(grow=24)
    assert area(threshold=0.7) < area(threshold=0.3)
