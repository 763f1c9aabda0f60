"""Masks by words over HTTP: kept as a source, used by a job, refused in a sentence."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.api.conftest import RunningStudio
from tests.api.test_start_pictures import base64_of, noisy, picture_of


def test_a_mask_is_kept_and_used(studio: RunningStudio) -> None:
    job = studio.end(studio.submit(prompt="a red boat at night", seed=2))
    (picture,) = job["picture_ids"]
    answer = studio.http.post("/api/v1/masks", json={"picture": picture, "words": "the boat"})
    assert answer.status_code == 201, answer.text
    mask = answer.json()
    assert (mask["width"], mask["height"]) == (64, 64)
    content = studio.http.get(f"/api/v1/sources/{mask['hash']}").content
    image = Image.open(io.BytesIO(content))
    assert image.mode == "L" and {level for _, level in image.getcolors() or []} == {0, 255}
    again = studio.end(
        studio.submit(prompt="a blue house", init_image=picture, mask_image=mask["hash"], seed=1)
    )
    assert picture_of(studio, again).size == (64, 64)


def test_what_it_was_painted_from_is_the_prompt(studio: RunningStudio) -> None:
    (picture,) = studio.end(studio.submit(prompt="a red boat at night", seed=2))["picture_ids"]

    def mask(**more: Any) -> str:
        body = {"picture": picture, "words": "the boat", **more}
        return str(studio.http.post("/api/v1/masks", json=body).json()["hash"])

    assert mask() == mask(prompt="a red boat at night")
    assert mask() != mask(prompt="", threshold=0.9, grow=0)


def test_a_source_will_do(studio: RunningStudio) -> None:
    kept = studio.http.post("/api/v1/sources", json={"image": base64_of(noisy(70, 50))}).json()
    body = {"source": kept["hash"], "words": "boat", "threshold": 0.5, "grow": 3}
    answer = studio.http.post("/api/v1/masks", json=body)
    assert (answer.json()["width"], answer.json()["height"]) == (70, 50)


PICTURE = base64_of(noisy(64, 48))


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"words": "boat"}, 422, "picture"),
        ({"picture": PICTURE, "source": "0" * 64, "words": "boat"}, 422, "picture"),
        ({"picture": "?", "words": "boat"}, 422, "picture"),
        ({"source": "0" * 64, "words": "boat"}, 422, "picture"),
        ({"picture": PICTURE}, 422, "words"),
        ({"picture": PICTURE, "words": ""}, 422, "words"),
        ({"picture": PICTURE, "words": "  "}, 422, "words"),
        ({"picture": PICTURE, "words": "boat", "grow": 1000}, 422, "grow"),
        ({"picture": PICTURE, "words": "boat", "model": "nobody"}, 422, "model"),
        ({"picture": PICTURE, "words": "boat", "x": 1}, 422, "x"),
        ({"picture": "0123456789abcdef-0", "words": "boat"}, 404, ""),
    ],
)
def test_what_cannot_be_looked_for(
    studio: RunningStudio, values: dict[str, Any], status: int, field: str
) -> None:
    answer = studio.http.post("/api/v1/masks", json=values)
    assert answer.status_code == status, answer.text
    assert [problem["field"] for problem in answer.json()["problems"]] == [field] * bool(field)
    assert answer.json()["detail"].endswith(".")
