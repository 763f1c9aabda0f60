"""Pictures to start from, over HTTP: as base64, as an id, and what is refused."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio import infotext
from tests.api.conftest import RunningStudio


def noisy(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(width).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def base64_of(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def mask_of(size: tuple[int, int], *box: int) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def picture_of(studio: RunningStudio, job: dict[str, Any]) -> Image.Image:
    assert job["state"] == "done", job
    content = studio.http.get(f"/api/v1/pictures/{job['picture_ids'][0]}").content
    return Image.open(io.BytesIO(content))


def test_inpainting_changes_what_is_masked_and_can_be_done_again(studio: RunningStudio) -> None:
    picture, mask = noisy(117, 89), mask_of((117, 89), 40, 30, 70, 60)
    job = studio.end(
        studio.submit(
            init_image=f"data:image/png;base64,{base64_of(picture)}",
            mask_image=base64_of(mask), mask_blur=0, seed=4, prompt="a boat",
        )
    )  # fmt: skip
    result = picture_of(studio, job)
    changed = (np.asarray(result) != np.asarray(picture)).any(axis=2)
    assert result.size == picture.size
    assert changed[30:60, 40:70].any()
    changed[30:60, 40:70] = False
    assert not changed.any()
    recipe = infotext.from_image(result) or {}
    assert len(recipe["init_image"]) == len(recipe["mask_image"]) == 64
    assert (recipe["width"], recipe["height"]) == (120, 96)
    assert f"Init image: {recipe['init_image']}" in result.info["parameters"]
    recipe.pop("model_hash", None)  # a fact about the picture, no field
    again = studio.end(studio.submit(**recipe))
    assert picture_of(studio, again).tobytes() == result.tobytes()
    assert job["steps"] == 3  # of 4, at a strength of 0.75


def test_a_picture_of_ones_own_may_be_started_from(studio: RunningStudio) -> None:
    first = studio.end(studio.submit(prompt="a boat", seed=1))
    (own,) = first["picture_ids"]
    again = studio.end(studio.submit(prompt="a house", init_image=own, strength=0))
    assert picture_of(studio, again).tobytes() == picture_of(studio, first).tobytes()
    answer = studio.http.post(
        "/api/v1/jobs", json={"init_image": own}, headers={"Cookie": "studio_visitor=somebody"}
    )
    assert answer.status_code == 422
    assert "another visitor's" in answer.json()["detail"]


def test_what_is_made_from_a_picture_knows_its_parent(studio: RunningStudio) -> None:
    """Also where it was drawn over first, and until it is gone."""

    def parents(job: dict[str, Any]) -> list[str]:
        entry = studio.http.get(f"/api/v1/pictures/{job['picture_ids'][0]}/entry").json()
        listed = studio.http.get("/api/v1/pictures").json()["pictures"]
        assert [each for each in listed if each["id"] == entry["id"]] == [entry]
        return list(entry["parents"])

    first = studio.end(studio.submit(prompt="a harbour", seed=77))
    (own,) = first["picture_ids"]
    again = studio.end(studio.submit(prompt="a house", init_image=own, strength=0.5))
    over = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    over.paste((200, 30, 60, 255), (10, 10, 30, 20))
    drawn = {"image": again["request"]["init_image"], "over": base64_of(over)}
    sketch = studio.http.post("/api/v1/sources", json=drawn).json()["hash"]
    sketched = studio.end(studio.submit(prompt="a house", init_image=sketch, strength=0.5))
    assert [parents(job) for job in (first, again, sketched)] == [[], [own], [own]]
    studio.http.delete(f"/api/v1/pictures/{own}")
    assert [parents(job) for job in (again, sketched)] == [[], []]
    studio.http.post(f"/api/v1/pictures/{own}/restore")
    assert parents(again) == [own]


def test_a_picture_grows_on_the_sides_that_are_named(studio: RunningStudio) -> None:
    picture, sides = noisy(64, 48), {"right": 33, "top": 20}
    job = studio.end(studio.submit(init_image=base64_of(picture), outpaint=sides))
    result = picture_of(studio, job)
    assert result.size == (97, 68)
    assert result.crop((0, 20, 64, 68)).tobytes() == picture.tobytes()
    assert (job["request"]["outpaint_right"], job["request"]["outpaint_top"]) == (33, 20)


def test_the_sides_are_one_object_wherever_a_request_is_taken(studio: RunningStudio) -> None:
    paths = studio.http.get("/openapi.json").json()["paths"]
    for method, path in (("post", "jobs"), ("post", "prompts/combinations")):
        body = paths[f"/api/v1/{path}"][method]["requestBody"]["content"]["application/json"]
        described = body["schema"]["properties"]["outpaint"]
        assert [*described["properties"]] == ["left", "top", "right", "bottom"]
    kept = studio.http.put(
        "/api/v1/presets/wide", json={"name": "Wide", "values": {"outpaint": {"left": 64}}}
    )
    assert kept.json()["values"] == {"outpaint_left": 64}
    studio.http.delete("/api/v1/presets/wide")
    given = {"init_image": base64_of(noisy(64, 64)), "outpaint": {"left": 8}, "prompt": "{a|b}"}
    answer = studio.http.post("/api/v1/prompts/combinations", json=given)
    assert [job["request"]["outpaint_left"] for job in answer.json()["jobs"]] == [8, 8]
    for job in answer.json()["jobs"]:
        assert picture_of(studio, studio.end(job["id"])).size == (72, 64)


def test_a_picture_is_handed_over_once_and_named_by_its_hash(studio: RunningStudio) -> None:
    picture = noisy(70, 50)
    answer = studio.http.post("/api/v1/sources", json={"image": base64_of(picture)})
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert (kept["width"], kept["height"]) == picture.size
    again = studio.http.post("/api/v1/sources", json={"image": kept["hash"]})
    assert again.json() == kept
    content = studio.http.get(f"/api/v1/sources/{kept['hash']}").content
    assert Image.open(io.BytesIO(content)).tobytes() == picture.tobytes()
    job = studio.end(studio.submit(init_image=kept["hash"], strength=0))
    assert picture_of(studio, job).tobytes() == picture.tobytes()


def test_colours_are_laid_on_a_picture_and_change_nothing_else(studio: RunningStudio) -> None:
    picture = noisy(70, 50).convert("RGBA")
    picture.putalpha(noisy(70, 50).getchannel("R"))
    over = Image.new("RGBA", (70, 50), (255, 0, 0, 0))
    over.paste((200, 30, 60, 255), (10, 10, 30, 20))
    answer = studio.http.post(
        "/api/v1/sources", json={"image": base64_of(picture), "over": base64_of(over)}
    )
    content = studio.http.get(f"/api/v1/sources/{answer.json()['hash']}").content
    expected = picture.copy()
    expected.paste((200, 30, 60, 255), (10, 10, 30, 20))
    assert Image.open(io.BytesIO(content)).tobytes() == expected.tobytes()
    refused = studio.http.post(
        "/api/v1/sources", json={"image": base64_of(picture), "over": base64_of(noisy(50, 70))}
    )
    assert [problem["field"] for problem in refused.json()["problems"]] == ["over"]


def test_of_several_pictures_each_is_a_job_of_its_own(studio: RunningStudio) -> None:
    """One that cannot be read is refused alone; what the jobs share is given to each."""
    files = [base64_of(noisy(64, 48)), PICTURE[:2000], base64_of(noisy(72, 40))]
    answers = [
        studio.http.post("/api/v1/jobs", json={"init_image": file, "seed": 3, "strength": 0.3})
        for file in files
    ]
    assert [answer.status_code for answer in answers] == [202, 422, 202]
    results = [picture_of(studio, studio.end(answers[k].json()["id"])) for k in (0, 2)]
    assert [result.size for result in results] == [(64, 48), (72, 40)]


@pytest.mark.parametrize("values", [{}, {"image": ""}, {"image": 5}, {"image": "?"}, {"x": 1}])
def test_what_is_no_picture_is_not_kept(studio: RunningStudio, values: dict[str, Any]) -> None:
    answer = studio.http.post("/api/v1/sources", json=values)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["problems"]] == ["image"]


@pytest.mark.parametrize("digest", ["0" * 64, "nothing", "..%2F..%2Fjobs.sqlite"])
def test_a_hash_that_is_not_there(studio: RunningStudio, digest: str) -> None:
    assert studio.http.get(f"/api/v1/sources/{digest}").status_code == 404


PICTURE, BLACK = base64_of(noisy(64, 48)), base64_of(Image.new("L", (64, 48)))
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"init_image": "not a picture!"}, "init_image", "file in base64, or the id"),
    ({"init_image": 7}, "init_image", "file in base64, or the id"),
    ({"init_image": ["a"]}, "init_image", "file in base64"),
    ({"init_image": base64.b64encode(b"hello").decode()}, "init_image", "This is no picture"),
    ({"init_image": PICTURE[:2000]}, "init_image", "damaged or incomplete"),
    ({"init_image": "0" * 64}, "init_image", "not kept here"),
    ({"mask_image": BLACK}, "mask_image", "A mask needs a start picture."),
    ({"init_image": PICTURE, "mask_image": BLACK}, "mask_image", "The mask is empty"),
    (
        {"init_image": PICTURE, "mask_image": base64_of(mask_of((48, 64), 1, 1, 9, 9))},
        "mask_image", "48 × 64 and the start picture 64 × 48",
    ),
    ({"init_image": PICTURE, "strength": 1.5}, "strength", "Denoising strength must be a number"),
    ({"init_image": PICTURE, "resize_mode": "bend"}, "resize_mode", "keep, stretch, crop, fill"),
    ({"init_image": PICTURE, "outpaint": 5}, "outpaint", "some of: left, top, right, bottom"),
    ({"init_image": PICTURE, "outpaint": {"up": 5}}, "outpaint", "some of: left, top"),
    (
        {"init_image": PICTURE, "outpaint": {"left": 9999}},
        "outpaint_left", "between 0 and 1024; you gave 9999",
    ),
    ({"init_image": PICTURE, "mask_blur": -1}, "mask_blur", "between 0 and 64"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "field", "sentence"), BAD, ids=range(len(BAD)))
def test_bad_pictures_are_refused_in_a_sentence(
    studio: RunningStudio, values: dict[str, Any], field: str, sentence: str
) -> None:
    answer = studio.http.post("/api/v1/jobs", json=values)
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["problems"]
    assert problem["field"] == field
    assert sentence in problem["message"]
    assert problem["message"].endswith(".")


def test_a_picture_id_that_is_not_there(studio: RunningStudio) -> None:
    answer = studio.http.post("/api/v1/jobs", json={"init_image": "0123456789abcdef-0"})
    assert answer.status_code == 404


def test_a_picture_is_made_larger_in_tiles_and_can_be_again(studio: RunningStudio) -> None:
    given = {"init_image": base64_of(noisy(57, 43)), "upscale_scale": 2.5, "strength": 0.5}
    result = picture_of(studio, studio.end(studio.submit(**given, prompt="a boat", seed=4)))
    assert result.size == (round(57 * 2.5), round(43 * 2.5))
    recipe = infotext.from_image(result) or {}
    assert (recipe["tile_size"], recipe["tile_overlap"]) == (64, 8)  # the model's own side
    assert "SD upscale by: 2.5, SD upscale upscaler: Lanczos" in result.info["parameters"]
    recipe.pop("model_hash", None)
    again = studio.end(studio.submit(**recipe))
    assert picture_of(studio, again).tobytes() == result.tobytes()


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"upscale_scale": 8, "init_image": (1100, 9)}, "upscale_scale", "8800 × 72"),
        ({"upscale_scale": 2, "init_image": (9, 9), "upscaler": "latent"}, "upscaler", "a picture"),
        ({"upscale_scale": 2, "init_image": (9, 9), "upscaler": "4x"}, "upscaler", "called “4x”"),
        ({"hires_scale": 2, "hires_upscaler": "4x"}, "hires_upscaler", "called “4x”"),
        ({"hires_scale": 2, "hires_sampler": "best"}, "hires_sampler", "called “best”"),
        ({"hires_width": 4096, "width": 64, "height": 2048}, "hires_width", "131072"),
        ({"tile_size": 8}, "tile_size", "at least 64"),
    ],
)
def test_what_cannot_be_made_larger_is_said_at_its_field(
    studio: RunningStudio, values: dict[str, Any], field: str, said: str
) -> None:
    if "init_image" in values:
        values = {**values, "init_image": base64_of(noisy(*values["init_image"]))}
    answer = studio.http.post("/api/v1/jobs", json={"prompt": "a boat", **values})
    (problem,) = answer.json()["problems"]
    assert answer.status_code == 422
    assert (problem["field"], said in problem["message"]) == (field, True)
