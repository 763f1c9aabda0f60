"""Recipes of other studios: what is recognised is set, the rest is listed, nothing ever fails."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from studio import infotext
from studio.recipes import Recipe, read_picture, read_text
from studio.request import GenerationRequest

A1111 = """a (red:1.2) boat, <lora:ink:0.7>
at sea
Negative prompt: blurry, text
Steps: 24, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 42, Size: 640x512, \
Model hash: abcdef1234, Model: dreams, Denoising strength: 0.4, Hires upscale: 2, \
Hires steps: 12, Hires upscaler: Latent (nearest), Hires sampler: Euler a, ENSD: 31337, \
Version: v1.10.1"""

GRAPH: dict[str, Any] = {
    "3": {"class_type": "KSampler", "inputs": {
        "seed": 7, "steps": 30, "cfg": 5.5, "sampler_name": "dpmpp_2m_sde_gpu",
        "scheduler": "karras", "denoise": 0.8, "model": ["10", 0], "positive": ["6", 0],
        "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl\\boats.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 768, "height": 640}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["11", 0]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["11", 0]}},
    "10": {"class_type": "LoraLoader", "inputs": {
        "lora_name": "ink.safetensors", "strength_model": 0.6, "model": ["4", 0]}},
    "11": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "a boat"}},
}  # fmt: skip

INVOKE = {
    "generation_mode": "txt2img", "positive_prompt": "a boat", "negative_prompt": "fog",
    "width": 512, "height": 768, "seed": 9, "cfg_scale": 7.5, "steps": 25, "app_version": "5.1",
    "scheduler": "dpmpp_2m_k", "model": {"name": "boats", "hash": "blake3:1"},
    "loras": [{"model": {"name": "ink"}, "weight": 0.5}], "hrf_enabled": True,
}  # fmt: skip

FOOOCUS = {
    "prompt": "a boat", "negative_prompt": "fog", "styles": "['Fooocus V2']", "seed": "12",
    "performance": "Speed", "steps": 30, "resolution": "(1152, 896)", "guidance_scale": 4.0,
    "sampler": "dpmpp_2m_sde_gpu", "scheduler": "karras", "base_model": "juggernaut",
    "refiner_model": "None", "lora_combined_1": "offset : 0.1", "metadata_scheme": "fooocus",
}  # fmt: skip


def png(**chunks: str) -> bytes:
    """A picture's file with text chunks."""
    info, file = PngInfo(), io.BytesIO()
    for key, value in chunks.items():
        info.add_text(key, value)
    Image.new("RGB", (8, 8)).save(file, "png", pnginfo=info)
    return file.getvalue()


def text(words: str) -> Recipe:
    """The recipe of a text that has one."""
    recipe = read_text(words)
    assert recipe is not None
    return recipe


def test_a1111() -> None:
    recipe = read_picture(png(parameters=A1111))
    assert recipe is not None
    assert recipe.source == "A1111"
    assert recipe.values["prompt"] == "a (red:1.2) boat, <lora:ink:0.7>\nat sea"
    expected = {
        "negative_prompt": "blurry, text", "num_inference_steps": 24, "sampler": "dpmpp_2m",
        "sigma_schedule": "karras", "guidance_scale": 6.5, "seed": 42, "width": 640,
        "height": 512, "model": "dreams", "hires_scale": 2, "hires_strength": 0.4,
        "hires_steps": 12, "hires_upscaler": "latent_nearest", "hires_sampler": "euler_a",
    }  # fmt: skip
    assert expected.items() <= dict(recipe.values).items()
    assert recipe.unrecognised == ("ENSD: 31337",)


@pytest.mark.parametrize(
    ("ending", "source"),
    [("Version: f2.0.1v1.10.1", "Forge"), ("App: SD.Next, Version: 1a2b", "SD.Next"),
     ("Version: Fooocus v2.5", "Fooocus"), ("Version: v1.9.4", "A1111")],
)  # fmt: skip
def test_who_wrote_it(ending: str, source: str) -> None:
    assert text(f"a boat\nSteps: 20, Sampler: Euler a, CFG scale: 7, {ending}").source == source


def test_comfyui_is_followed_along_its_links() -> None:
    recipe = read_picture(png(prompt=json.dumps(GRAPH), workflow="{}"))
    assert recipe is not None
    assert recipe.source == "ComfyUI"
    assert dict(recipe.values) | {"clip_skip": 2} == {
        "prompt": "a boat <lora:ink:0.6>", "negative_prompt": "fog", "seed": 7, "width": 768,
        "height": 640, "num_inference_steps": 30, "guidance_scale": 5.5, "model": "boats",
        "sampler": "dpmpp_2m_sde", "sigma_schedule": "karras", "clip_skip": 2,
    }  # fmt: skip
    assert set(recipe.unrecognised) >= {"Node: PrimitiveString", "denoise: 0.8"}


def test_a_graph_that_bites_its_tail_ends() -> None:
    nodes = {
        "1": {"class_type": "KSampler", "inputs": {"model": ["2", 0], "positive": ["2", 0]}},
        "2": {"class_type": "Reroute", "inputs": {"model": ["2", 0], "text": ["2", 0]}},
    }
    assert text(json.dumps(nodes)).source == "ComfyUI"


def test_invokeai() -> None:
    recipe = read_picture(png(invokeai_metadata=json.dumps(INVOKE)))
    assert recipe is not None
    assert recipe.source == "InvokeAI"
    assert recipe.values["prompt"] == "a boat <lora:ink:0.5>"
    assert (recipe.values["sampler"], recipe.values["sigma_schedule"]) == ("dpmpp_2m", "karras")
    assert recipe.values["model"] == "boats"
    assert recipe.unrecognised == ("hrf_enabled: True",)


def test_old_invokeai() -> None:
    image = {"prompt": [{"prompt": "a boat [fog]", "weight": 1}], "steps": 20, "seed": 3,
             "sampler": "k_euler_a", "cfg_scale": 7, "width": 512, "height": 512}  # fmt: skip
    recipe = text(json.dumps({"model_weights": "sd-1.5", "image": image}))
    assert (recipe.values["prompt"], recipe.values["negative_prompt"]) == ("a boat", "fog")
    assert recipe.values["sampler"] == "euler_a"


def test_fooocus() -> None:
    recipe = read_picture(png(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"))
    assert recipe is not None
    assert recipe.source == "Fooocus"
    assert recipe.values["prompt"] == "a boat <lora:offset:0.1>"
    assert (recipe.values["width"], recipe.values["height"]) == (1152, 896)
    assert recipe.values["seed"] == 12
    assert "performance: Speed" in recipe.unrecognised


def test_exif_of_jpeg_and_webp_in_either_order_of_bytes() -> None:
    for encoding in ("utf-16-be", "utf-16-le"):
        exif = Image.Exif()
        words = "夜晚的城市\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64"
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + words.encode(encoding)
        for kind in ("jpeg", "webp"):
            file = io.BytesIO()
            Image.new("RGB", (8, 8)).save(file, kind, exif=exif)
            recipe = read_picture(file.getvalue())
            assert recipe is not None
            assert recipe.values["prompt"] == "夜晚的城市"
            assert recipe.values["seed"] == 5


def test_our_own_pictures_give_the_request_again() -> None:
    request = GenerationRequest(prompt="x: 1, y: 2\nSteps: 3", seed=8, guidance_scale=3.25)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "png", pnginfo=infotext.png_info(request))
    recipe = read_picture(file.getvalue())
    assert recipe is not None
    assert recipe.source == "Creative Studio"
    assert GenerationRequest(**recipe.values) == request
    assert recipe.unrecognised == ()


def test_what_no_request_can_hold_is_listed() -> None:
    recipe = text("a\nSteps: 9999, Sampler: Nonesuch, CFG scale: 7, Seed: -5, Size: 33x70000")
    assert {"num_inference_steps", "seed", "width", "sampler"}.isdisjoint(recipe.values)
    listed = " ".join(recipe.unrecognised)
    assert all(word in listed for word in ("9999", "Nonesuch", "-5", "70000"))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\0", "9" * 5000, "9" * 5000 + "x9"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["inputs", "class_type", "prompt", "image", "model", "loras", "base_model",
                         "scheduler", "positive_prompt", "seed", "1", "positive", "KSampler"]),
        inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(json_values)
def test_hostile_json_is_read_without_an_error(data: Any) -> None:
    nodes = {"1": {"class_type": "KSampler", "inputs": data}, "2": data}
    for one in (data, nodes, {**FOOOCUS, "loras": data, "resolution": data, "seed": data},
                {**INVOKE, "model": data, "loras": data, "clip_skip": data}):  # fmt: skip
        recipe = read_text(json.dumps(one))
        assert recipe is None or GenerationRequest.model_validate(dict(recipe.values))
        assert recipe is None or all(line.encode() for line in recipe.unrecognised)


@pytest.mark.parametrize(
    ("version", "schedule"),
    [("", "automatic"), (", Version: v1.8.0", "automatic"), (", Version: v1.10.1", "karras"),
     (", Version: f2.0.1v1.10.1", "karras")],
)  # fmt: skip
def test_automatic_means_what_it_means_there(version: str, schedule: str) -> None:
    recipe = text(f"a\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Automatic, Seed: 1{version}")
    assert recipe.values["sigma_schedule"] == schedule


def test_what_is_not_said_has_its_usual_value() -> None:
    values = text("a\nSteps: 20, Sampler: Euler, CFG scale: 7").values
    assert values["sigma_schedule"] == "automatic"
    assert (values["clip_skip"], values["vae"], values["refiner"]) == (1, "automatic", "")


def test_styles_of_others_stand_in_their_prompts_already() -> None:
    lines = 'a boat\nSteps: 20, Sampler: Euler, CFG scale: 7, Styles: "ink, wash"'
    assert text(lines).values["styles"] == ()
    ours = GenerationRequest(prompt="a boat", styles=("ink", "wash"))
    assert text(infotext.write(ours)).values["styles"] == ("ink", "wash")


def test_what_changes_no_picture_is_silent() -> None:
    recipe = text(
        "a <lora:ink:1>\nSteps: 20, Sampler: Euler, Model hash: 0123456789, Model: m, "
        'Lora hashes: "ink: 1234567890ab", TI hashes: "x: 1", RNG: CPU, User: me, Version: v1.10.1'
    )
    assert recipe.unrecognised == ()
    assert recipe.hashes == {"model": "0123456789"}


def test_words_alone_are_no_recipe() -> None:
    for words in ("", "a boat", "a boat: red, sail: white", "{}", "[1, 2]", '{"a": 1}', "{" * 9999):
        assert read_text(words) is None, words
    assert read_picture(png(Comment="Created with GIMP")) is None


def test_a_request_as_json_is_a_recipe() -> None:
    request = GenerationRequest(prompt="a boat", seed=3, clip_skip=2)
    recipe = text(infotext.recipe(request, "0123456789"))
    assert GenerationRequest(**recipe.values) == request
    assert recipe.hashes == {"model": "0123456789"}
    assert text('{"prompt": "x", "seed": 1, "steps": 3, "width": 64}').unrecognised == ("steps: 3",)
