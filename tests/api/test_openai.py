"""OpenAI's API of pictures, as its own client speaks it, against a real server."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import openai
import pytest
from PIL import Image

from tests.api.conftest import RunningStudio


@pytest.fixture
def client(studio: RunningStudio) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{studio.url}/v1", api_key="none", max_retries=0) as api:
        yield api


def file(image: Image.Image) -> tuple[str, bytes, str]:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "picture.png", buffer.getvalue(), "image/png"


def opened(text: str | None) -> Image.Image:
    assert text is not None
    return Image.open(io.BytesIO(base64.b64decode(text)))


PLAIN = Image.new("RGB", (64, 64), (200, 120, 40))
HALF = Image.new("RGBA", (64, 64), "black")
HALF.paste((0, 0, 0, 0), (0, 0, 32, 64))  # the left half is drawn anew


def test_pictures_by_address(studio: RunningStudio, client: openai.OpenAI) -> None:
    made = client.images.generate(
        prompt="a red boat", n=2, size="64x64", model="dall-e-3", quality="hd", style="vivid",
        user="someone",
    )  # fmt: skip
    assert made.data is not None
    assert len(made.data) == 2
    for each in made.data:
        assert each.url is not None
        answer = studio.http.get(each.url)
        assert answer.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == (64, 64)
            assert image.info["parameters"].startswith("a red boat\n")
        identifier = each.url.rsplit("/", 1)[1]
        recipe = studio.http.get(f"/api/v1/pictures/{identifier}/parameters").json()
        assert recipe["request"]["model"] == "tiny"


def test_pictures_in_the_answer(client: openai.OpenAI) -> None:
    made = client.images.generate(
        prompt="x", model="pocket", size="64x64", response_format="b64_json"
    )
    assert made.data is not None
    assert opened(made.data[0].b64_json).format == "PNG"
    later = client.images.generate(
        prompt="x", model="gpt-image-1", output_format="webp", output_compression=80
    )
    assert later.data is not None
    assert (later.output_format, opened(later.data[0].b64_json).format) == ("webp", "WEBP")
    assert opened(later.data[0].b64_json).size == (64, 64)  # "auto" is the model's own


def test_an_edit_draws_what_is_transparent(client: openai.OpenAI) -> None:
    cut = PLAIN.convert("RGBA")
    cut.putalpha(HALF.getchannel("A"))
    for given in ({"image": [file(PLAIN)], "mask": file(HALF)}, {"image": file(cut)}):
        made = client.images.edit(prompt="a castle", response_format="b64_json", **given)  # type: ignore[arg-type]
        assert made.data is not None
        result = opened(made.data[0].b64_json).convert("RGB")
        change = np.abs(np.asarray(result).astype(int) - np.asarray(PLAIN))
        assert change[:, 48:].max() == 0  # beyond the mask's soft edge
        assert change[:, :24].mean() > 5


def test_an_edit_as_a_whole_at_another_size(client: openai.OpenAI) -> None:
    made = client.images.edit(
        image=file(PLAIN), prompt="a castle", size="128x64", n=2, response_format="b64_json"
    )
    assert made.data is not None
    assert [opened(each.b64_json).size for each in made.data] == [(128, 64)] * 2


def test_models(client: openai.OpenAI) -> None:
    assert {each.id for each in client.models.list()} == {"pocket", "tiny"}
    assert client.models.retrieve("pocket").object == "model"


REFUSED: list[tuple[Callable[[openai.OpenAI], Any], int, str | None, str]] = [
    (lambda api: api.images.generate(prompt=" "), 400, "prompt", "Give a prompt"),
    (lambda api: api.images.generate(prompt="x", model="nope"), 404, "model", "“nope”"),
    (lambda api: api.images.generate(prompt="x", size="3x"), 400, "size", "“size” is"),
    (lambda api: api.images.generate(prompt="x", size="100x64"), 400, "size", "Width must"),
    (lambda api: api.images.generate(prompt="x", n=1000), 400, "n", "between 1 and 64"),
    (lambda api: api.images.generate(prompt="x", stream=True), 400, "stream", "“stream” is not"),
    (
        lambda api: api.images.edit(image=file(PLAIN), mask=file(PLAIN), prompt="x"),
        400, "mask", "no transparent part",
    ),
    (
        lambda api: api.images.edit(image=("a.png", b"no"), prompt="x"),
        400, "image", "This is no picture",
    ),
    (
        lambda api: api.images.edit(image=[file(PLAIN), file(PLAIN)], prompt="x"),
        400, "image", "Give one picture",
    ),
    (lambda api: api.models.retrieve("nope"), 404, "model", "“nope”"),
    (lambda api: api.files.list(), 404, None, "There is nothing at /v1/files"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "status", "param", "sentence"), REFUSED)
def test_refusals_in_its_own_form(
    client: openai.OpenAI,
    ask: Callable[[openai.OpenAI], Any],
    status: int,
    param: str | None,
    sentence: str,
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        ask(client)
    error = refused.value
    assert (error.status_code, error.param) == (status, param)
    assert error.type == "invalid_request_error"
    assert sentence in error.message


def test_a_body_that_is_no_form(studio: RunningStudio) -> None:
    answer = studio.http.post("/v1/images/edits", json={"prompt": "x"})
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["error"]["message"]
