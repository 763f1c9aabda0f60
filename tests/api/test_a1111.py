"""AUTOMATIC1111's API, as its own client speaks it: every method it has, against a real server."""

from __future__ import annotations

import base64
import inspect
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sd_parsers
import webuiapi
from PIL import Image

from tests.api.conftest import SECONDS, RunningStudio

SMALL: dict[str, Any] = {"width": 64, "height": 64, "steps": 3}
ROOT = "/sdapi/v1"


@pytest.fixture
def client(studio: RunningStudio) -> Iterator[webuiapi.WebUIApi]:
    api = webuiapi.WebUIApi(port=int(studio.url.rsplit(":", 1)[1]))
    yield api
    api.session.close()


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    return Image.fromarray(np.dstack([np.tile(ramp, (64, 1))] * 3))


@pytest.fixture(scope="module")
def mask() -> Image.Image:
    """The left half is drawn anew."""
    left = Image.new("L", (64, 64), 0)
    left.paste(255, (0, 0, 32, 64))
    return left


def pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert("RGB")).astype(int)


# -- pictures ------------------------------------------------------------------------------------


def test_a_picture_from_words_is_the_one_the_studio_makes(
    studio: RunningStudio, client: webuiapi.WebUIApi
) -> None:
    result = client.txt2img(
        prompt="a red sailboat", negative_prompt="people", seed=7, n_iter=2, cfg_scale=5,
        sampler_name="Euler", **SMALL,
    )  # fmt: skip
    assert [image.size for image in result.images] == [(64, 64), (64, 64)]
    info = result.info
    assert (info["seed"], info["all_seeds"], info["index_of_first_image"]) == (7, [7, 8], 0)
    assert (info["steps"], info["cfg_scale"], info["sampler_name"]) == (3, 5, "Euler")
    assert result.parameters["prompt"] == "a red sailboat"
    assert result.image.info["parameters"] == info["infotexts"][0]
    own = studio.end(
        studio.submit(
            prompt="a red sailboat", negative_prompt="people", seed=7, guidance_scale=5,
            sampler="euler", sigma_schedule="automatic", num_inference_steps=3,
        )
    )  # fmt: skip
    same = studio.http.get(f"/api/v1/pictures/{own['picture_ids'][0]}").content
    assert np.array_equal(pixels(result.image), pixels(Image.open(io.BytesIO(same))))


def test_its_pictures_are_in_the_gallery(studio: RunningStudio, client: webuiapi.WebUIApi) -> None:
    client.txt2img(prompt="a lonely zeppelin", send_images=False, **SMALL)
    found = studio.http.get("/api/v1/pictures", params={"query": "lonely zeppelin"}).json()
    assert found["total"] == 1


def test_pocket_s_pictures_are_read_by_another_program(client: webuiapi.WebUIApi) -> None:
    result = client.txt2img(
        prompt="a red sailboat", negative_prompt="text", seed=11, steps=2, width=128, height=128,
        sampler_name="DPM++ 2M Karras", override_settings={"sd_model_checkpoint": "pocket"},
    )  # fmt: skip
    file = io.BytesIO(base64.b64decode(result.json["images"][0]))
    found = sd_parsers.ParserManager().parse(file)
    assert found is not None
    assert found.generator == sd_parsers.data.Generators.AUTOMATIC1111
    assert [prompt.value for prompt in found.prompts] == ["a red sailboat"]
    assert [prompt.value for prompt in found.negative_prompts] == ["text"]
    sampler = found.samplers[0]
    assert sampler.name == "DPM++ 2M"
    told = sampler.parameters
    assert (told["seed"], told["steps"], told["scheduler"]) == ("11", "2", "Karras")
    assert [model.name for model in found.models] == ["pocket"]


def test_outside_the_mask_nothing_changes(
    client: webuiapi.WebUIApi, picture: Image.Image, mask: Image.Image
) -> None:
    told: dict[str, Any] = {**SMALL, "mask_blur": 0, "inpaint_full_res": False, "seed": 3}
    right, left = (slice(None), slice(33, 64)), (slice(None), slice(0, 31))
    for invert, kept, drawn in ((0, right, left), (1, left, right)):
        result = client.img2img(
            images=[picture], mask_image=mask, inpainting_mask_invert=invert,
            denoising_strength=1.0, **told,
        )  # fmt: skip
        change = np.abs(pixels(result.image) - pixels(picture))
        assert change[kept].max() == 0
        assert change[drawn].mean() > 5


def test_a_mask_s_transparency_is_the_mask(
    client: webuiapi.WebUIApi, picture: Image.Image, mask: Image.Image
) -> None:
    cut = Image.new("RGBA", (64, 64), "black")
    cut.putalpha(mask)
    told: dict[str, Any] = {**SMALL, "images": [picture], "seed": 3, "mask_blur": 0}
    one, other = (client.img2img(mask_image=each, **told).image for each in (mask, cut))
    assert np.array_equal(pixels(one), pixels(other))


def test_include_init_images_sends_them_back(
    client: webuiapi.WebUIApi, picture: Image.Image, mask: Image.Image
) -> None:
    told: dict[str, Any] = {**SMALL, "images": [picture], "mask_image": mask}
    without = client.img2img(**told).parameters
    assert (without["init_images"], without["mask"]) == (None, None)
    echoed = client.img2img(include_init_images=True, **told).parameters
    assert len(echoed["init_images"]) == 1
    assert echoed["mask"]


def test_the_hires_fix(client: webuiapi.WebUIApi) -> None:
    result = client.txt2img(
        enable_hr=True, hr_scale=1.5, hr_upscaler="Latent", denoising_strength=0.6,
        hr_second_pass_steps=2, **SMALL,
    )  # fmt: skip
    assert result.image.size == (96, 96)
    assert result.info["denoising_strength"] == 0.6
    assert "Hires upscaler: Latent" in result.info["infotexts"][0]


def test_sd_upscale_is_our_tiled_upscale(client: webuiapi.WebUIApi, picture: Image.Image) -> None:
    result = client.img2img(
        images=[picture], script_name="SD upscale", script_args=["", 16, "Lanczos", 2.0],
        denoising_strength=0.4, **SMALL,
    )  # fmt: skip
    assert result.image.size == (128, 128)
    assert result.info["extra_generation_params"]["Tile size"] == "64"
    assert result.info["extra_generation_params"]["Tile overlap"] == "16"


def test_pictures_made_larger(client: webuiapi.WebUIApi, picture: Image.Image) -> None:
    large = client.extra_single_image(picture, upscaler_1="Lanczos", upscaling_resize=3)
    assert large.image.size == (192, 192)
    same = client.extra_single_image(picture, upscaler_1="None")
    assert np.array_equal(pixels(same.image), pixels(picture))
    to = {"resize_mode": 1, "upscaling_resize_w": 96, "upscaling_resize_h": 128}
    cut = client.extra_batch_images([picture, picture], upscaler_1="Nearest", **to)
    assert [image.size for image in cut.images] == [(96, 128)] * 2
    whole = client.extra_batch_images([picture], upscaler_1="Lanczos", upscaling_crop=False, **to)
    assert [image.size for image in whole.images] == [(128, 128)]


def test_infotext_fills_what_the_body_does_not_say(studio: RunningStudio) -> None:
    text = "a castle\nSteps: 4, Sampler: Heun, CFG scale: 3, Seed: 21, Size: 64x64, Model: tiny"
    body = {"infotext": text, "cfg_scale": 6}
    answer = studio.http.post(f"{ROOT}/txt2img", json=body).json()
    info = json.loads(answer["info"])
    said = ("prompt", "steps", "sampler_name", "cfg_scale", "seed", "width")
    assert [info[name] for name in said] == ["a castle", 4, "Heun", 6, 21, 64]


# -- what goes on --------------------------------------------------------------------------------


def running(api: webuiapi.WebUIApi) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while True:
        now: dict[str, Any] = api.get_progress()
        if now["progress"] > 0.02 and now["state"]["job_count"] and now["current_image"]:
            return now
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_progress_interrupt_and_idle(client: webuiapi.WebUIApi) -> None:
    results: list[Any] = []
    asking = threading.Thread(
        target=lambda: results.append(
            client.txt2img(prompt="long", width=64, height=64, steps=150, n_iter=64)
        )
    )
    other = webuiapi.WebUIApi(baseurl=client.baseurl)
    asking.start()
    try:
        now = running(other)
        assert 0 < now["progress"] <= 1
        assert now["state"]["sampling_steps"] == 150
        assert now["state"]["job_count"] == 64
        assert Image.open(io.BytesIO(base64.b64decode(now["current_image"]))).size >= (8, 8)
        refused = other.session.post(f"{other.baseurl}/skip")
        assert (refused.status_code, "interrupt" in refused.json()["detail"]) == (422, True)
        assert other.interrupt() == {}
        asking.join(SECONDS)
        assert len(results[0].images) < 64
        other.util_wait_for_ready(check_interval=0.01)
        idle = other.get_progress()
        assert (idle["progress"], idle["state"]["job_count"], idle["current_image"]) == (0, 0, None)
        assert (other.interrupt(), other.skip()) == ({}, None)
    finally:
        other.session.close()


def test_the_page_answers_while_a_picture_is_drawn(
    studio: RunningStudio, client: webuiapi.WebUIApi
) -> None:
    asking = threading.Thread(
        target=lambda: client.txt2img(prompt="long", width=64, height=64, steps=150, n_iter=8)
    )
    asking.start()
    other = webuiapi.WebUIApi(baseurl=client.baseurl)
    try:
        running(other)
        begun = time.monotonic()
        assert studio.http.get("/healthz").json()["running"] == 1
        assert time.monotonic() - begun < 5
    finally:
        other.interrupt()
        asking.join(SECONDS)
        other.session.close()


def test_options_hold_until_they_are_set_again(
    client: webuiapi.WebUIApi, picture: Image.Image
) -> None:
    before = client.get_options()
    assert before["sd_model_checkpoint"].startswith("tiny")
    assert client.set_options(before) is None  # as some programs do: all of it back
    try:
        client.set_options({"CLIP_stop_at_last_layers": 2, "samples_format": "webp"})
        client.util_set_model("pocket")
        assert client.util_get_current_model().startswith("pocket")
        one = client.txt2img(prompt="x", width=64, height=64, steps=2)
        assert (one.image.format, one.info["clip_skip"]) == ("WEBP", 2)
        assert one.info["sd_model_name"] == "pocket"
        overridden = {"CLIP_stop_at_last_layers": 1, "samples_format": "jpg"}
        two = client.txt2img(
            prompt="x", width=64, height=64, steps=2, override_settings=overridden
        )  # fmt: skip
        assert (two.image.format, two.info["clip_skip"]) == ("JPEG", 1)
        assert client.get_options()["samples_format"] == "webp"
    finally:
        client.set_options(
            {name: before[name] for name in ("CLIP_stop_at_last_layers", "samples_format")}
        )
        client.util_set_model("tiny")
    assert client.util_get_current_model().startswith("tiny")


# -- every method --------------------------------------------------------------------------------

GETS: dict[str, Callable[[Any], bool]] = {
    "get_options": lambda found: found["samples_save"] is True,
    "get_cmd_flags": lambda found: found["api"] is True,
    "get_samplers": lambda found: "DPM++ 2M" in [each["name"] for each in found],
    "get_schedulers": lambda found: "karras" in [each["name"] for each in found],
    "get_sd_vae": lambda found: found == [],
    "get_upscalers": lambda found: [each["name"] for each in found][:2] == ["None", "Lanczos"],
    "get_latent_upscale_modes": lambda found: found[0] == {"name": "Latent"},
    "get_loras": lambda found: found == [],
    "get_sd_models": lambda found: {each["model_name"] for each in found} == {"tiny", "pocket"},
    "get_hypernetworks": lambda found: found == [],
    "get_face_restorers": lambda found: found == [],
    "get_realesrgan_models": lambda found: found == [],
    "get_prompt_styles": lambda found: len(found) >= 70 and "{prompt}" in found[0]["prompt"],
    "get_scripts": lambda found: "sd upscale" in found["img2img"],
    "get_embeddings": lambda found: found == {"loaded": {}, "skipped": {}},
    "get_memory": lambda found: found["ram"]["total"] > found["ram"]["used"] > 0,
    "get_progress": lambda found: found["state"]["job_count"] == 0,
    "refresh_checkpoints": lambda found: found is None,
    "util_get_model_names": lambda found: len(found) == 2,
    "util_get_sampler_names": lambda found: "Euler a" in found,
    "util_get_scheduler_names": lambda found: "sgm_uniform" in found,
    "get_artists": lambda found: "/sdapi/v1/artists" in found["detail"],  # gone from A1111 too
    "get_artist_categories": lambda found: "/sdapi/v1/artist-categories" in found["detail"],
}
ELSEWHERE = {
    "txt2img", "img2img", "extra_single_image", "extra_batch_images", "png_info", "interrupt",
    "skip", "set_options", "util_set_model", "util_get_current_model", "util_wait_for_ready",
}  # fmt: skip
"""Proved by the tests above, or by one of their own below."""
OWN = {"set_auth", "check_extensions", "get_endpoint", "custom_get", "custom_post",
       "post_and_get_api_result", "async_post"}  # fmt: skip
"""Of the client alone: they ask nothing that the others do not."""
REFUSED: dict[str, Callable[[webuiapi.WebUIApi, Image.Image], Any]] = {
    "interrogate": lambda api, picture: api.interrogate(picture),
    "controlnet_detect": lambda api, picture: api.controlnet_detect([picture]),
    "prompt_gen": lambda api, picture: api.prompt_gen("a boat"),
}
NOT_HERE = {
    "controlnet_version": "controlnet/version",
    "controlnet_model_list": "controlnet/model_list",
    "controlnet_module_list": "controlnet/module_list",
    "list_prompt_gen_models": "promptgen/list_models",
}


def test_no_method_of_the_client_is_forgotten() -> None:
    methods = {
        name
        for name, _ in inspect.getmembers(webuiapi.WebUIApi, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods == {*GETS, *ELSEWHERE, *OWN, *REFUSED, *NOT_HERE}


@pytest.mark.parametrize("name", GETS)
def test_what_the_client_asks_for(client: webuiapi.WebUIApi, name: str) -> None:
    assert GETS[name](getattr(client, name)())


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_studio_cannot_do(
    client: webuiapi.WebUIApi, picture: Image.Image, name: str
) -> None:
    with pytest.raises(RuntimeError, match=r"not part of this studio|this studio has none"):
        REFUSED[name](client, picture)


@pytest.mark.parametrize("name", NOT_HERE)
def test_extensions_that_are_not_here(client: webuiapi.WebUIApi, name: str) -> None:
    with pytest.raises(KeyError):  # all that this client does with a refusal
        getattr(client, name)()
    assert "not part of this studio" in client.custom_get(NOT_HERE[name])["detail"]


def test_the_other_routes(studio: RunningStudio, picture: Image.Image) -> None:
    for path in ("refresh-vae", "refresh-embeddings", "refresh-loras"):
        assert studio.http.post(f"{ROOT}/{path}").json() is None
    for path in ("unload-checkpoint", "reload-checkpoint"):
        assert studio.http.post(f"{ROOT}/{path}").json() == {}
    scripts = studio.http.get(f"{ROOT}/script-info").json()
    assert [each["name"] for each in scripts] == ["sd upscale", "soft inpainting"]
    assert studio.http.get(f"{ROOT}/extensions").json() == []
    assert float(studio.http.get(f"{ROOT}/samplers").headers["x-process-time"]) >= 0


def test_png_info(studio: RunningStudio, client: webuiapi.WebUIApi) -> None:
    made = client.txt2img(prompt="a boat", negative_prompt="fog", seed=4, **SMALL)
    body = {"image": made.json["images"][0]}
    found = studio.http.post(f"{ROOT}/png-info", json=body).json()
    assert found["info"] == made.info["infotexts"][0]
    told = found["parameters"]
    assert (told["Prompt"], told["Negative prompt"], told["Seed"]) == ("a boat", "fog", "4")
    assert (told["Size-1"], told["Size-2"]) == ("64", "64")
    assert json.loads(found["items"]["studio"])["seed"] == 4
    assert client.png_info(made.image).info == found["info"]
    assert client.png_info(Image.new("RGB", (8, 8))).info == ""


# -- refusals ------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"sampler_name": "nope"}, 400, "There is no sampler called “nope”"),
    ({"scheduler": "nope"}, 422, "There is no sigma schedule called “nope”"),
    ({"steps": 500}, 422, "Steps must be a whole number between 1 and 150; you gave 500."),
    ({"width": 100}, 422, "Width must be"),
    ({"restore_faces": True}, 422, "“restore_faces” is not part of this studio"),
    ({"eta": 0.5}, 422, "“eta” is not part of this studio"),
    ({"hr_checkpoint_name": "other"}, 422, "“hr_checkpoint_name” is not part of this studio"),
    ({"script_name": "X/Y/Z plot"}, 422, "Script “X/Y/Z plot” not found"),
    ({"alwayson_scripts": {"ADetailer": {"args": [True]}}}, 422, "always on script “ADetailer”"),
    ({"styles": ["nope"]}, 422, "There is no style “nope”"),
    ({"override_settings": {"sd_model_checkpoint": "nope"}}, 500, "no model called “nope”"),
    ({"override_settings": {"nope": 1}}, 422, "There is no option “nope” here"),
    ({"override_settings": {"CLIP_stop_at_last_layers": 99}}, 422, "must be one of: 1–12"),
    ({"override_settings": {"return_grid": True}}, 422, "“return_grid” must be one of: false"),
    ({"refiner_checkpoint": "nope"}, 422, "no model called “nope”"),
]


@pytest.mark.parametrize(("values", "status", "sentence"), BAD)
def test_what_is_wrong_is_said_in_its_own_form(
    studio: RunningStudio, values: dict[str, Any], status: int, sentence: str
) -> None:
    answer = studio.http.post(f"{ROOT}/txt2img", json={**SMALL, **values})
    assert answer.status_code == status
    body = answer.json()
    assert body.keys() == {"error", "detail", "body", "errors"}
    assert sentence in body["detail"]


def test_other_refusals(studio: RunningStudio, picture: Image.Image) -> None:
    def said(path: str, body: Any, **headers: str) -> tuple[int, Any]:
        answer = studio.http.post(f"{ROOT}/{path}", json=body, headers=headers)
        return answer.status_code, answer.json()["detail"]

    status, detail = said("txt2img", {"width": "x"})
    assert (status, detail[0]["loc"], detail[0]["type"]) == (422, ["body", "width"], "int_parsing")
    status, detail = said("img2img", {})
    assert (status, detail.startswith("Init image not found")) == (404, True)
    assert said("img2img", {"init_images": ["?!"]})[0] == 500
    status, detail = said("img2img", {"init_images": ["http://example.com/a.png"]})
    assert (status, "fetches no picture from elsewhere" in detail) == (500, True)
    status, detail = said("txt2img", {"eta": 0.5}, **{"Accept-Language": "zh"})
    assert "eta" in detail
    assert "本工作室" in detail
    assert studio.http.get(f"{ROOT}/txt2img").status_code == 405
    assert said("options", {"sd_model_checkpoint": "nope"})[0] == 500
    assert said("options", {"samples_format": "gif"})[0] == 422
    status, detail = said("extra-single-image", {"image": "", "gfpgan_visibility": 1})
    assert (status, "gfpgan_visibility" in detail) == (422, True)
    status, detail = said("extra-single-image", {"image": "", "upscaler_1": "LDSR"})
    assert "there are: None, Lanczos, Nearest" in detail


def test_what_asks_for_nothing_is_let_pass(client: webuiapi.WebUIApi) -> None:
    nothing = {"ADetailer": {"args": [False]}, "ControlNet": {"args": []}}
    made = client.txt2img(prompt="x", alwayson_scripts=nothing, n_iter=1, **SMALL)
    assert made.image.size == (64, 64)
