"""Prompts of any length and weight, encoded once and told at the right step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline

from studio.engine.conditioning import (
    Conditioning,
    Constant,
    PromptEncoder,
    Said,
    Scheduled,
    Wording,
)
from studio.engine.engine import Engine
from studio.errors import InvalidRequest
from studio.models.base import LoadedModel
from studio.models.store import ModelStore
from studio.prompt.chunks import Chunk, chunks_of
from studio.prompt.plan import Condition, Span, plan_prompt
from studio.request import GenerationRequest
from tests.engine.conftest import pictures, same


def encode(model: LoadedModel, *prompts: str, steps: int = 4) -> list[Conditioning]:
    plans = [plan_prompt(prompt, steps) for prompt in prompts]
    return PromptEncoder().encode(Wording.plain(model), steps, *plans)


def sequence(conditioning: Conditioning, index: int = 0) -> torch.Tensor:
    (said,) = conditioning.at(index)
    return said.embedding.sequence


def alone(model: LoadedModel, text: str) -> torch.Tensor:
    """One chunk, straight through the text encoder."""
    ids = tuple(model.tokenize(text))
    return model.encode_tokens([Chunk(ids, (1.0,) * len(ids))]).sequence


def test_short_prompts_are_encoded_as_diffusers_does(store: ModelStore, models: Any) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(
        models / "tiny", safety_checker=None, requires_safety_checker=False
    )
    for prompt in ["", "a red boat on the sea", "夜晚的城市,蓝色的城堡", "boat " * 75]:
        expected, empty = pipeline.encode_prompt(prompt, "cpu", 1, True, "")
        ours = encode(store.acquire("tiny"), prompt, "")
        assert torch.allclose(sequence(ours[0]), expected, atol=1e-5)
        assert torch.allclose(sequence(ours[1]), empty, atol=1e-5)


def test_long_prompts_go_through_in_chunks_of_75(store: ModelStore) -> None:
    model = store.acquire("tiny")
    positive, negative = encode(model, "boat " * 75 + "sea " * 80, "blue")
    assert sequence(positive).shape == sequence(negative).shape == (1, 3 * 77, 32)
    parts = [alone(model, text) for text in ("boat " * 75, "sea " * 75, "sea " * 5)]
    assert torch.allclose(sequence(positive), torch.cat(parts, dim=1), atol=1e-5)
    padded = [alone(model, text) for text in ("blue", "", "")]
    assert torch.allclose(sequence(negative), torch.cat(padded, dim=1), atol=1e-5)


def test_a_chunk_ends_behind_a_comma_that_is_near(store: ModelStore) -> None:
    tokenize = store.acquire("tiny").tokenize
    near = "boat " * 60 + ", " + "sea " * 30
    chunks = chunks_of(Condition((Span(near),)), tokenize)
    assert [len(chunk.ids) for chunk in chunks] == [61, 30]
    far = "boat " * 40 + ", " + "sea " * 50
    chunks = chunks_of(Condition((Span(far),)), tokenize)
    assert [len(chunk.ids) for chunk in chunks] == [75, 16]


def test_break_starts_a_chunk(store: ModelStore) -> None:
    model = store.acquire("tiny")
    (broken,) = encode(model, "a boat BREAK the sea")
    parts = [alone(model, text) for text in ("a boat", "the sea")]
    assert torch.allclose(sequence(broken), torch.cat(parts, dim=1), atol=1e-5)


def test_a_very_long_prompt_paints(
    engine: Engine, recipe: Callable[..., GenerationRequest]
) -> None:
    long = "a red boat on the sea, " * 430  # close to the 10,000 characters that are allowed
    images = pictures(engine.generate(recipe(prompt=long, num_inference_steps=1)))
    assert not same(images[0], pictures(engine.generate(recipe(num_inference_steps=1)))[0])


def test_special_words_in_a_prompt_do_not_break_it(store: ModelStore) -> None:
    condition = Condition((Span("a <|endoftext|> boat " * 40),))
    chunks = chunks_of(condition, store.acquire("tiny").tokenize)
    assert all(len(chunk.ids) <= 75 for chunk in chunks)


def test_a_prompt_is_encoded_once(store: ModelStore) -> None:
    model: Any = store.acquire("tiny")
    calls: list[int] = []
    handle = model.parts["text_encoder"].register_forward_hook(lambda *_: calls.append(1))
    encoder, wording = PromptEncoder(capacity=4), Wording.plain(model)

    def embeddings(*prompts: str) -> list[Said]:
        plans = [plan_prompt(prompt, 4) for prompt in prompts]
        return [each.at(0)[0] for each in encoder.encode(wording, 4, *plans)]

    first, again = embeddings("a boat", ""), embeddings("a boat", "")
    assert len(calls) == 2
    assert all(a.embedding is b.embedding for a, b in zip(first, again, strict=True))
    embeddings("a house", "a tree")  # pushes the older ones out
    embeddings("a boat")
    handle.remove()
    assert len(calls) == 5


def test_emphasis_multiplies_and_keeps_the_mean(store: ModelStore) -> None:
    """Against the computation of A1111, written down once more."""
    model = store.acquire("tiny")
    words = [("a ", 1.0), ("red", 1.3), (" boat on ", 1.0), ("the sea", 1 / 1.1)]
    ids = [model.tokenize(text) for text, _ in words]
    weights = [weight for part, (_, weight) in zip(ids, words, strict=True) for _ in part]
    states = alone(model, "a red boat on the sea")
    multipliers = torch.ones(1, 77, 1)
    multipliers[0, 1 : 1 + len(weights), 0] = torch.tensor(weights)
    expected = states * multipliers
    expected = expected * (states.mean() / expected.mean())
    (ours,) = encode(model, "a (red:1.3) boat on [the sea]")
    assert torch.allclose(sequence(ours), expected, atol=1e-5)
    assert not torch.allclose(sequence(ours), states, atol=1e-3)


def test_emphasis_without_norm_only_multiplies(store: ModelStore) -> None:
    model = store.acquire("tiny")
    wording = Wording(model, model.tokenize, keep_mean=False)
    (ours,) = PromptEncoder().encode(wording, 4, plan_prompt("(boat:2)", 4))
    states, count = alone(model, "boat"), len(model.tokenize("boat"))
    expected = states.clone()
    expected[0, 1 : 1 + count] *= 2
    assert torch.allclose(sequence(ours), expected, atol=1e-5)


def test_a_switch_changes_what_is_told_at_its_step(store: ModelStore) -> None:
    model = store.acquire("tiny")
    (switched,) = encode(model, "[boat:house:0.5]", steps=4)
    told = [sequence(switched, index) for index in range(4)]
    assert told[0] is told[1]
    assert told[2] is told[3]
    assert torch.equal(told[0], alone(model, "boat"))
    assert torch.equal(told[3], alone(model, "house"))


def test_second_order_samplers_switch_between_steps() -> None:
    steps = tuple((Said(embedding=None, weight=k),) for k in range(4))  # type: ignore[arg-type]
    of_seven = Scheduled(steps, calls=7)  # 4 steps of two calls, the last of one
    assert [of_seven.at(call)[0].weight for call in range(7)] == [0, 0, 1, 1, 2, 2, 3]
    assert [Scheduled(steps, 4).at(call)[0].weight for call in range(5)] == [0, 1, 2, 3, 3]


def test_plain_prompts_stay_constant(store: ModelStore) -> None:
    (plain,) = encode(store.acquire("tiny"), "a boat", steps=50)
    assert isinstance(plain, Constant)


def test_a_prompt_of_too_many_chunks_is_refused_in_a_sentence(
    engine: Engine, recipe: Callable[..., GenerationRequest]
) -> None:
    """Nine thousand emoji come to 36,000 tokens: 480 passes, and minutes for every step."""
    with pytest.raises(InvalidRequest, match=r"in 480 parts .*at most 150"):
        pictures(engine.generate(recipe(prompt="🙂" * 9_000)))
    with pytest.raises(InvalidRequest, match=r"at most 150"):
        pictures(engine.generate(recipe(negative_prompt="BREAK " * 151)))
    assert pictures(engine.generate(recipe(prompt="a, " * 3_333, num_inference_steps=1)))
