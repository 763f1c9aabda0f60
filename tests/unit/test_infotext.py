"""The parameters text: A1111's form, and every request comes back from it."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio import images, infotext
from studio.request import GenerationRequest
from studio.samplers import SAMPLERS
from tests.requests import requests


@settings(max_examples=100, deadline=None)
@given(requests())
def test_every_request_comes_back_from_its_text(request: GenerationRequest) -> None:
    assert infotext.recovered(infotext.read(infotext.write(request))) == request


@settings(max_examples=25, deadline=None)
@given(requests())
def test_every_request_comes_back_from_its_picture(request: GenerationRequest) -> None:
    image = Image.new("RGB", (8, 8))
    content = images.encode_png(image, infotext.png_info(request))
    with Image.open(io.BytesIO(content)) as opened:
        assert infotext.from_image(opened) == request.model_dump(mode="json")


A1111S_OWN = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


@settings(max_examples=500, deadline=None)
@given(st.text('ab1_é -/:",\\\t\u2028.', max_size=40))
def test_pairs_are_those_that_a1111_finds(line: str) -> None:
    assert infotext._PAIR.findall(line) == A1111S_OWN.findall(line)


HASHES = st.text("0123456789abcdef", min_size=10, max_size=10)


@settings(max_examples=100, deadline=None)
@given(requests(), HASHES)
def test_a_models_hash_comes_back_beside_the_request(
    request: GenerationRequest, model_hash: str
) -> None:
    text = infotext.write(request, model_hash)
    values = infotext.read(text)
    assert infotext.recovered(values) == request
    assert infotext.hash_in(values) == model_hash
    image = Image.new("RGB", (8, 8))
    image.info["studio"] = infotext.recipe(request, model_hash)
    found = infotext.from_image(image) or {}
    assert (infotext.recovered(found), infotext.hash_in(found)) == (request, model_hash)


def test_the_hash_stands_before_the_model_as_in_a1111() -> None:
    text = infotext.write(GenerationRequest(model="cat"), "0123456789")
    assert "Size: 512x512, Model hash: 0123456789, Model: cat," in text


def test_what_is_no_hash_is_none() -> None:
    for value in ("", "abc", "not a hash!", 5, None, "a" * 100):
        assert infotext.hash_in({"model_hash": value}) is None
    assert infotext.hash_in({"model_hash": "0123456789ABCDEF"}) == "0123456789abcdef"


def test_the_text_is_a1111s() -> None:
    request = GenerationRequest(
        prompt="a boat,\non the sea", negative_prompt="people", seed=7, width=256, height=320,
        guidance_scale=5.5, sigma_schedule="karras", model="my: model",
    )  # fmt: skip
    assert infotext.write(request) == (
        "a boat,\non the sea\nNegative prompt: people\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.5, Seed: 7, "
        'Size: 256x320, Model: "my: model", Version: Creative Studio'
    )


def test_the_refiner_stands_in_the_text_when_there_is_one() -> None:
    assert "Refiner" not in infotext.write(GenerationRequest(prompt="a boat"))
    request = GenerationRequest(prompt="a boat", refiner="xl/refiner", refiner_switch_at=0.75)
    assert "Refiner: xl/refiner, Refiner switch at: 0.75," in infotext.write(request)
    theirs = infotext.read(
        "a boat\nSteps: 20, Sampler: Euler, Seed: 1, Model: sd_xl_base_1.0, "
        "Refiner: sd_xl_refiner_1.0 [7440042bbd], Refiner switch at: 0.8"
    )
    assert (theirs["refiner"], theirs["refiner_switch_at"]) == ("sd_xl_refiner_1.0", 0.8)


def test_older_a1111_texts_are_understood() -> None:
    values = infotext.read(
        "a castle\nNegative prompt: blurry\nbad hands\n"
        "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 512x768, "
        "Model hash: abc, Model: v1-5, Clip skip: 2, Version: v1.6.0"
    )
    assert values == {
        "prompt": "a castle", "negative_prompt": "blurry\nbad hands", "num_inference_steps": 28,
        "sampler": "dpmpp_2m", "sigma_schedule": "karras", "guidance_scale": 7.0, "seed": 42,
        "width": 512, "height": 768, "model": "v1-5", "model_hash": "abc", "clip_skip": 2,
    }  # fmt: skip


def test_every_sampler_is_read_back_by_its_label() -> None:
    for name, row in SAMPLERS.items():
        text = f"x\nSteps: 20, Sampler: {row.label}, Seed: 1"
        assert infotext.read(text)["sampler"] == name


def test_text_without_parameters_is_a_prompt() -> None:
    assert infotext.read("only words: and, more") == {
        "prompt": "only words: and, more",
        "negative_prompt": "",
    }


def test_values_out_of_bounds_are_left_out() -> None:
    text = "x\nSteps: 900, Sampler: Nobody, CFG scale: oops, Seed: 5, Size: 1x1"
    request = infotext.recovered(infotext.read(text))
    assert (request.prompt, request.seed, request.num_inference_steps) == ("x", 5, 20)


def test_a_picture_without_a_recipe_has_none() -> None:
    assert infotext.from_image(Image.new("RGB", (8, 8))) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"clip_skip": 2}, "Clip skip: 2"),
        ({"vae": ""}, "VAE: None"),
        ({"vae": "vae-ft-mse.safetensors", "clip_skip": 3}, "Clip skip: 3, VAE: vae-ft-mse"),
    ],
)
def test_clip_skip_and_vae_are_said_when_they_are_not_the_usual(
    values: dict[str, object], said: str
) -> None:
    request = GenerationRequest(prompt="a <lora:ink:0.8> boat", **values)
    text = infotext.write(request)
    assert said in text
    assert ("Clip skip" in text, "VAE" in text) == ("clip_skip" in values, "vae" in values)
    assert infotext.recovered(infotext.read(text)) == request.one(0)
    assert infotext.RECIPE not in text


def test_the_hires_fix_stands_in_the_text_as_in_a1111() -> None:
    request = GenerationRequest(
        prompt="a boat", hires_scale=1.5, hires_upscaler="latent", hires_steps=9,
        hires_strength=0.65, hires_sampler="euler_a", hires_prompt="a big boat, with sails",
    )  # fmt: skip
    text = infotext.write(request)
    assert (
        "Hires upscale: 1.5, Hires upscaler: Latent, Hires steps: 9, Denoising strength: 0.65, "
        'Hires sampler: Euler a, Hires prompt: "a big boat, with sails", '
    ) in text
    assert infotext.RECIPE not in text
    sized = GenerationRequest(hires_width=640, hires_height=768, hires_upscaler="4x.pth")
    assert "Hires resize: 640x768, Hires upscaler: 4x.pth, Denoising" in infotext.write(sized)
    assert infotext.RECIPE not in infotext.write(sized)
    assert "Hires" not in infotext.write(GenerationRequest(hires_steps=0, hires_strength=0.2))


def test_theirs_are_read() -> None:
    theirs = infotext.read(
        "a boat\nSteps: 20, Sampler: Euler, Seed: 1, Denoising strength: 0.7, Tiling: True, "
        "Hires resize: 0x1024, Hires upscaler: Latent (antialiased), "
        "Hires sampler: Use same sampler"
    )
    assert {name: theirs[name] for name in theirs if name.startswith(("hires", "tiling"))} == {
        "hires_strength": 0.7, "hires_width": 0, "hires_height": 1024, "hires_upscaler": "latent",
        "hires_sampler": "", "tiling": "both",
    }  # fmt: skip
    assert "strength" not in theirs
    request = GenerationRequest(
        init_image="ab" * 32, upscale_scale=2, upscaler="R-ESRGAN 4x+", tile_size=512, strength=0.3,
        tiling="x",
    )  # fmt: skip
    text = infotext.write(request)
    assert "Denoising strength: 0.3, SD upscale by: 2, SD upscale upscaler: R-ESRGAN 4x+" in text
    assert "Tile size: 512, Tile overlap: 64, Tiling: X" in text
    assert infotext.recovered(infotext.read(text)) == request and infotext.RECIPE not in text
