"""Request -> picture file -> request is the identity: every field, every sampler, every format."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio import infotext
from studio.recipes import read_picture, read_text
from studio.recipes.encode import QUALITY, Format, encode
from studio.request import MAX_PROMPT, GenerationRequest
from studio.samplers import SAMPLERS
from tests.requests import requests

FORMATS: tuple[Format, ...] = get_args(Format)
PAPER = Image.new("RGB", (16, 16), "white")
EVERY_FIELD = {"prompt", *infotext.keys()}


def travelled(request: GenerationRequest, kind: Format) -> GenerationRequest:
    """The request as its picture's file tells it; every field is told, usual values too."""
    recipe = read_picture(encode(PAPER, kind, QUALITY, request, "0123456789"))
    assert recipe is not None
    assert recipe.values.keys() >= EVERY_FIELD
    assert recipe.source == infotext.STUDIO
    assert (recipe.unrecognised, recipe.hashes) == ((), {"model": "0123456789"})
    return GenerationRequest(**recipe.values)


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=60, deadline=None)
@given(requests())
def test_a_request_comes_back_from_its_picture(kind: Format, one: GenerationRequest) -> None:
    assert travelled(one, kind) == one


@settings(max_examples=100, deadline=None)
@given(requests())
def test_a_request_comes_back_from_its_text(request: GenerationRequest) -> None:
    recipe = read_text(infotext.write(request))
    assert recipe is not None
    assert recipe.values.keys() >= EVERY_FIELD
    assert GenerationRequest(**recipe.values) == request


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_with_every_schedule(sampler: str, kind: Format) -> None:
    for schedule in SAMPLERS[sampler].schedules:
        request = GenerationRequest(prompt="a boat", sampler=sampler, sigma_schedule=schedule)
        assert travelled(request, kind) == request


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_the_longest_prompts_come_back(kind: Format, data: st.DataObject) -> None:
    """In UTF-16 they are longer than what EXIF in a JPEG can be."""
    letter = data.draw(st.sampled_from(["a", "一", "🙂", '"', " "]))
    word = data.draw(st.sampled_from(["", ", ", "\n"])) + letter
    text = (word * MAX_PROMPT)[:MAX_PROMPT]
    request = GenerationRequest(prompt=text, negative_prompt=text)
    assert travelled(request, kind) == request


@pytest.mark.parametrize("kind", FORMATS)
def test_the_file_is_an_ordinary_picture(kind: Format) -> None:
    content = encode(PAPER, kind, QUALITY, GenerationRequest(prompt="一" * MAX_PROMPT))
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert (image.format, image.size) == (kind.upper(), PAPER.size)
        assert min(channel[0] for channel in image.getextrema()) > 250


def test_other_studios_find_their_text_in_a_jpeg() -> None:
    request = GenerationRequest(prompt="夜晚的城市", seed=5)
    for kind in FORMATS[1:]:
        with Image.open(io.BytesIO(encode(PAPER, kind, QUALITY, request))) as image:
            comment = image.getexif().get_ifd(0x8769)[0x9286]
        assert comment == b"UNICODE\0" + infotext.write(request).encode("utf-16-be")
