"""Whatever is sent to the APIs of other programs: one sentence in their form, and never a crash."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from studio.api.a1111.extras import ExtraBatch, ExtraSingle
from studio.api.a1111.fields import ImageToImage, TextToImage
from studio.api.openai.fields import Generation
from tests.api.conftest import RunningStudio

ODD: list[Any] = [
    None, True, -1, 10**30, 1e308, 0.5, "", "nope", "\ud800", "\0", "x" * 20_000, [], [None],
    [[]], {}, {"x": None}, {"args": "x"}, {"x": {"args": [True]}},
]  # fmt: skip
EACH = 5  # a field is tried with every fifth, which is another set for its neighbour
CRASH = "Something went wrong inside"


def _picture() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


PICTURE = _picture()
# Each is refused at the end of its way, so that nothing has to be painted.
BODIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "/sdapi/v1/txt2img": (TextToImage, {"width": 100}),
    "/sdapi/v1/img2img": (
        ImageToImage,
        {"init_images": [PICTURE], "mask": PICTURE, "steps": 500},
    ),
    "/sdapi/v1/extra-single-image": (
        ExtraSingle,
        {
            "image": PICTURE,
            "upscaler_1": "Lanczos",
            "upscaling_resize": 99,
            "upscaling_resize_w": 9,
        },
    ),
    "/sdapi/v1/extra-batch-images": (
        ExtraBatch,
        {
            "imageList": [{"data": PICTURE}],
            "upscaler_1": "Lanczos",
            "upscaling_resize": 99,
            "upscaling_resize_w": 9,
        },
    ),
    "/v1/images/generations": (Generation, {"prompt": "x", "n": 1000}),
}


@pytest.mark.parametrize("path", BODIES)
def test_every_field_with_odd_values(studio: RunningStudio, path: str) -> None:
    kind, refused = BODIES[path]
    for number, name in enumerate(kind.model_fields):
        for value in ODD[number % EACH :: EACH]:
            body = {**refused, name: value}
            if refused.get(name, ...) is not ... and value in (None, "", [], 0.5, True, 1, -1):
                continue  # then it would not be refused any more
            content = json.dumps(body).encode()
            answer = studio.http.post(path, content=content)
            text = answer.text
            assert answer.status_code >= 400, (name, value)
            assert CRASH not in text, (name, str(value)[:60], text)
            assert answer.json().keys() & {"detail", "error"}


@pytest.mark.parametrize("path", [*BODIES, "/sdapi/v1/options", "/sdapi/v1/png-info"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 100_000])
def test_bodies_that_are_none(studio: RunningStudio, path: str, content: bytes) -> None:
    answer = studio.http.post(path, content=content)
    assert answer.status_code >= 400
    assert CRASH not in answer.text
    assert answer.json().keys() & {"detail", "error"}


def test_odd_options_are_refused_and_none_is_set(studio: RunningStudio) -> None:
    before = studio.http.get("/sdapi/v1/options").json()
    for number, name in enumerate(before):
        for value in ODD[number % EACH :: EACH]:
            given = json.dumps({"jpeg_quality": 50, name: value, "nonsense": 1}).encode()
            answer = studio.http.post("/sdapi/v1/options", content=given)
            assert answer.status_code >= 400, (name, value)
            assert CRASH not in answer.text, (name, str(value)[:60], answer.text)
    assert studio.http.get("/sdapi/v1/options").json() == before
