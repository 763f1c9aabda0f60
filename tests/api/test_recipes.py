"""POST /api/v1/parameters: recipes from anywhere, in the names of this studio; never an error."""

from __future__ import annotations

import base64
import json
import struct
import time
from typing import Any

import httpx
import pytest

from studio.recipes import exif
from tests.api.conftest import RunningStudio

LINES = (
    "a <lora:ink:0.7> boat\nNegative prompt: fog\nSteps: 3, Sampler: Euler a, "
    "Schedule type: Automatic, CFG scale: 6.5, Seed: 42, Size: 64x64, Model hash: {hash}, "
    "Model: {model}, ENSD: 31337, Version: v1.10.1"
)


def read(studio: RunningStudio, **body: Any) -> httpx.Response:
    return studio.http.post("/api/v1/parameters", json=body)


def in_jpeg(text: str) -> str:
    """A JPEG without pixels, in base64."""
    data = exif.with_comment(text)
    start = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(data) + 2)
    return base64.b64encode(start + data + b"\xff\xd9").decode()


def test_a_text_becomes_a_request(studio: RunningStudio) -> None:
    told = read(studio, text=LINES.format(hash="0000000000", model="tiny")).json()
    assert told["source"] == "A1111"
    assert told["request"] == {
        "prompt": "a <lora:ink:0.7> boat", "negative_prompt": "fog", "num_inference_steps": 3,
        "sampler": "euler_a", "sigma_schedule": "automatic", "guidance_scale": 6.5, "seed": 42,
        "width": 64, "height": 64, "model": "tiny", **usual(told["request"]),
    }  # fmt: skip
    assert told["unrecognised"] == ["ENSD: 31337"]
    assert [(one["kind"], one["name"]) for one in told["missing"]] == [("lora", "ink")]


def usual(request: dict[str, Any]) -> dict[str, Any]:
    """What a recipe does not say and means all the same."""
    known = {"clip_skip": 1, "vae": "automatic", "refiner": ""}
    assert known.items() <= request.items()
    said = {"prompt", "negative_prompt", "sampler", "sigma_schedule", "model"}
    return {name: value for name, value in request.items() if name not in said}


def test_a_model_is_meant_by_its_hash_first(studio: RunningStudio) -> None:
    def its_hash() -> str | None:
        listed = studio.http.get("/api/v1/models").json()
        return next(model["hash"] for model in listed if model["name"] == "tiny")

    while (known := its_hash()) is None:  # hashing goes on in the background
        time.sleep(0.1)
    told = read(studio, text=LINES.format(hash=known, model="another name")).json()
    assert told["request"]["model"] == "tiny"


def test_what_is_not_installed_is_said_in_a_sentence(studio: RunningStudio) -> None:
    text = (
        LINES.format(hash="0123456789", model="dreams") + ", VAE: odd.pt, Refiner: fine [01234567]"
    )
    told = read(studio, text=text).json()
    assert {"model", "refiner", "vae"}.isdisjoint(told["request"])
    assert [one["message"] for one in told["missing"]] == [
        "There is no model called “dreams” here.", "There is no model called “fine” here.",
        "There is no VAE called “odd.pt” here.", "There is no LoRA called “ink” here.",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_of_ours_is_made_again(studio: RunningStudio, kind: str) -> None:
    first = studio.end(studio.submit(prompt="a\n(red:1.2) boat ", seed=5, num_inference_steps=2))
    path = f"/api/v1/pictures/{first['picture_ids'][0]}"
    downloaded = studio.http.get(path, params={"format": kind, "download": True})
    assert downloaded.headers["content-type"] == f"image/{kind}"
    ending = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}[kind]
    assert downloaded.headers["content-disposition"].rstrip('"').endswith(ending)
    told = read(studio, image=base64.b64encode(downloaded.content).decode()).json()
    assert (told["unrecognised"], told["missing"]) == ([], [])
    again = studio.end(studio.submit(**told["request"]))
    same = studio.http.get(f"/api/v1/pictures/{again['picture_ids'][0]}").content
    assert same == studio.http.get(path).content


def test_quality_is_the_files_size(studio: RunningStudio) -> None:
    job = studio.end(studio.submit(prompt="a boat", num_inference_steps=1))
    path = f"/api/v1/pictures/{job['picture_ids'][0]}"
    small, large = (
        len(studio.http.get(path, params={"format": "webp", "quality": quality}).content)
        for quality in (5, 95)
    )
    assert small < large
    for wrong in ({"format": "bmp"}, {"format": "jpeg", "quality": 0}, {"quality": 101}):
        assert studio.http.get(path, params=wrong).status_code == 422


def test_a_data_url_and_a_picture_without_pixels(studio: RunningStudio) -> None:
    lines = LINES.format(hash="0123456789", model="tiny")
    for image in (in_jpeg(lines), "data:image/jpeg;base64," + in_jpeg(lines)):
        assert read(studio, image=image).json()["request"]["seed"] == 42


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "Give either “image”"),
    ({"image": "aa", "text": "bb"}, "Give either “image”"),
    ({"picture": "aa"}, "Give either “image”"),
    ({"image": None}, "Give either “image”"),
    ({"text": ["a"]}, "Give either “image”"),
    ({"image": ""}, "no PNG, JPEG or WebP picture, and no film"),
    ({"image": "a"}, "not in base64"),
    ({"image": "夜"}, "not in base64"),
    ({"image": "\ud800"}, "not in base64"),
    ({"image": base64.b64encode(b"GIF89a").decode()}, "no PNG, JPEG or WebP picture, and no film"),
    ({"image": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()}, "carries no recipe"),
    ({"text": ""}, "no parameters"),
    ({"text": "only words"}, "no parameters"),
    ({"text": '{"a": 1}'}, "no parameters"),
    ({"text": "[" * 100_000}, "no parameters"),
    ({"text": "\ud800"}, "no parameters"),
]


@pytest.mark.parametrize(("body", "sentence"), BAD, ids=lambda value: str(value)[:30].encode())
def test_what_has_no_recipe_is_refused_in_a_sentence(
    studio: RunningStudio, body: dict[str, Any], sentence: str
) -> None:
    answer = studio.http.post("/api/v1/parameters", content=json.dumps(body))
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert len(answer.json()["problems"]) == 1


def test_hostile_words_come_back_as_they_are_or_are_listed(studio: RunningStudio) -> None:
    for prompt in ("\ud800", "a\0b", "x" * 20_000, "<lora:../../etc/passwd:1>", "</script>"):
        text = f"{prompt}\nSteps: 3, Sampler: Euler, Seed: 99999999999999999999, Model: ../x"
        answer = studio.http.post("/api/v1/parameters", content=json.dumps({"text": text}))
        assert answer.status_code == 200, answer.text
        assert any("Seed" in line or "seed" in line for line in answer.json()["unrecognised"])


def test_a_body_may_hold_a_picture_but_not_everything(studio: RunningStudio) -> None:
    lines = LINES.format(hash="0123456789", model="tiny")
    large = base64.b64encode(base64.b64decode(in_jpeg(lines)) + b"\0" * 20_000_000).decode()
    assert read(studio, image=large).json()["request"]["seed"] == 42
    answer = read(studio, image="a" * 50_000_000)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body may have at most 48,000,000 bytes."
