"""Prompts of any length, encoded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from studio.engine.conditioning import Constant, Guided, PromptEncoder, chunks_of
from studio.engine.engine import Engine
from studio.models.base import TextEmbedding
from studio.models.store import ModelStore
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same


def test_short_prompts_are_encoded_as_diffusers_does(store: ModelStore, models: Any) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(
        models / "tiny", safety_checker=None, requires_safety_checker=False
    )
    for prompt in ["", "a red boat on the sea", "夜晚的城市,蓝色的城堡", "boat " * 75]:
        expected, empty = pipeline.encode_prompt(prompt, "cpu", 1, True, "")
        ours = PromptEncoder().encode(store.acquire("tiny"), prompt, "")
        assert torch.allclose(ours[0].sequence, expected, atol=1e-5)
        assert torch.allclose(ours[1].sequence, empty, atol=1e-5)


def test_long_prompts_go_through_in_chunks_of_75(store: ModelStore) -> None:
    model = store.acquire("tiny")
    long = "boat " * 75 + "sea " * 80
    positive, negative = PromptEncoder().encode(model, long, "blue")
    assert positive.sequence.shape == negative.sequence.shape == (1, 3 * 77, 32)
    parts = [model.encode_tokens([model.tokenize(text)]).sequence
             for text in ("boat " * 75, "sea " * 75, "sea " * 5)]  # fmt: skip
    assert torch.allclose(positive.sequence, torch.cat(parts, dim=1), atol=1e-5)
    filled = [model.encode_tokens([model.tokenize(text)]).sequence for text in ("blue", "", "")]
    assert torch.allclose(negative.sequence, torch.cat(filled, dim=1), atol=1e-5)


def test_a_very_long_prompt_paints(
    engine: Engine, recipe: Callable[..., GenerationRequest]
) -> None:
    long = "a red boat on the sea, " * 430  # close to the 10,000 characters that are allowed
    images = pictures(engine.generate(recipe(prompt=long, num_inference_steps=1)))
    assert not same(images[0], pictures(engine.generate(recipe(num_inference_steps=1)))[0])


def test_special_words_in_a_prompt_do_not_break_it(store: ModelStore) -> None:
    ids = store.acquire("tiny").tokenize("a <|endoftext|> boat " * 40)
    assert all(len(chunk) <= 75 for chunk in chunks_of(ids, 75))


def test_a_prompt_is_encoded_once(store: ModelStore) -> None:
    model: Any = store.acquire("tiny")
    calls: list[int] = []
    handle = model.parts["text_encoder"].register_forward_hook(lambda *_: calls.append(1))
    encoder = PromptEncoder(capacity=2)
    first = encoder.encode(model, "a boat", "")
    again = encoder.encode(model, "a boat", "")
    assert len(calls) == 2
    assert all(left is right for left, right in zip(first, again, strict=True))
    encoder.encode(model, "a house")  # pushes out the oldest
    encoder.encode(model, "a boat")
    handle.remove()
    assert len(calls) == 4


def test_guidance_notices_when_the_prompt_changes(store: ModelStore) -> None:
    model = store.acquire("tiny")
    red, blue = PromptEncoder().encode(model, "red", "blue")

    class Changing:
        """Red for the first step, blue from then on."""

        def at(self, index: int) -> TextEmbedding:
            return red if index == 0 else blue

    guided, plain = Guided(model, Changing(), None, 1.0), Guided(model, Constant(blue), None, 1.0)
    latents, timestep = torch.ones(2, 4, 8, 8), torch.tensor(500.0)
    outputs = [guided(latents, timestep, index) for index in range(2)]
    assert not torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[1], plain(latents, timestep, 1))
