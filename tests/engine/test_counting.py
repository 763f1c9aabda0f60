"""Token counts agree with what a model is really given."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import InvalidRequest
from studio.models.catalog import Catalog
from studio.models.counting import TokenCounter
from studio.models.store import ModelStore
from studio.prompt.chunks import chunks_of
from studio.prompt.plan import Condition, Span
from tests.tiny import save_tiny_model
from tests.weights import write_weights


def test_they_agree_with_the_model(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny")
    catalog = Catalog([tmp_path])
    model = ModelStore(catalog, "cpu").acquire("tiny")
    for prompt in ("", "a red boat, " * 40, "ein Boot 船 🚤"):
        given = chunks_of(Condition((Span(prompt),)), model.tokenize, model.chunk_length)
        counted = TokenCounter(catalog).count("tiny", prompt, prompt)
        assert counted is not None
        assert counted.prompt == counted.negative_prompt == tuple(len(c.ids) for c in given)
        assert counted.length == model.chunk_length


def test_an_embedding_takes_as_many_tokens_as_it_has_vectors(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny")
    write_weights(tmp_path / "harbour.safetensors", {"emb_params": (5, 768)})
    counter = TokenCounter(Catalog([tmp_path]))

    def length(prompt: str) -> int:
        counted = counter.count("tiny", prompt, "")
        assert counted is not None
        return sum(counted.prompt)

    assert length("Harbour") == 5
    assert length("a boat, harbour") == length("a boat,") + 5


def test_the_longest_wording_counts(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "tiny")
    counter = TokenCounter(Catalog([tmp_path]))

    def lengths(prompt: str) -> tuple[int, ...]:
        counted = counter.count("tiny", prompt, "")
        assert counted is not None
        return counted.prompt

    assert lengths("[a:a b c:0.5]") == lengths("[a b c:a:0.5]") == lengths("a b c")
    assert lengths("a AND a b c AND b") == lengths(" a b c ")
    with pytest.raises(InvalidRequest):
        counter.count("nowhere", "a", "")
