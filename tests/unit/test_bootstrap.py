"""The one door: requests are completed by their model, checked, and only then queued."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from PIL import Image

from studio import images, infotext
from studio.bootstrap import Studio
from studio.errors import InvalidRequest, StartupError
from studio.request import GenerationRequest
from studio.settings import REPOSITORY, Settings
from studio.sweeping import sweep
from studio.wordbook.suggest import suggest
from tests.weights import kohya_lora, write_weights

CARD = {
    "known_words": True,
    "defaults": {"width": 128, "height": 192, "num_inference_steps": 9, "sampler": "euler"},
}


def put_model(folder: Path, card: dict[str, object]) -> None:
    """The small files of a model: all that the catalog reads."""
    for part in ("unet", "vae", "text_encoder"):
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps({"in_channels": 4, "sample_size": 8}))
        # A safetensors file without tensors: the length of its header, then the header.
        empty = b"{}"
        name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        content = len(empty).to_bytes(8, "little") + empty
        (folder / part / f"{name}.safetensors").write_bytes(content)
    (folder / "tokenizer").mkdir()
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text("{}")
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (folder / "card.json").write_text(json.dumps(card))


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    put_model(tmp_path / "models" / "small", CARD)
    put_model(tmp_path / "models" / "full", {})
    opened = Studio(Settings(data_dir=tmp_path, model="small"))
    yield opened
    opened.stop()


def test_what_is_left_out_is_the_default_models(studio: Studio) -> None:
    request = studio.submit({"prompt": "a boat", "model": None}, "v").snapshot().request
    assert (request.model, request.width, request.height) == ("small", 128, 192)
    assert (request.sampler, request.num_inference_steps) == ("euler", 9)


def test_what_is_given_stays(studio: Studio) -> None:
    values = {"model": "full", "sampler": "DPM++ 2M SDE", "seed": 3, "width": 64}
    request = studio.submit(values, "v").snapshot().request
    assert (request.model, request.sampler, request.seed) == ("full", "dpmpp_2m_sde", 3)
    assert (request.width, request.height) == (64, 64)


@pytest.mark.parametrize(
    "values",
    [
        {"model": "nothing"},
        {"width": 7},
        {"sampler": "nobody"},
        {"sampler": "lcm", "sigma_schedule": "karras"},
        {"num_inference_steps": 0},
    ],
)
def test_nothing_is_queued_when_something_is_wrong(
    studio: Studio, values: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequest):
        studio.submit(values, "v")
    assert studio.jobs.list() == []


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a red sailboat on the sea at sunset, watercolour", []),
        ("夜晚的城市,蓝色的城堡", []),
        ("a red dragon with 2 (helicopters:1.3), highly detailed", ["dragon", "helicopters",
         "highly", "detailed"]),
        ("夜晚的恐龙, a castle", ["恐龙"]),
        ("", []),
    ],
)  # fmt: skip
def test_words_a_small_model_never_saw(studio: Studio, prompt: str, words: list[str]) -> None:
    assert studio.unknown_words(prompt, "small") == words
    assert studio.unknown_words(prompt, "full") == []


def test_the_first_words_may_be_looked_at_twice_at_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Completions are asked for while a job is handed in: both import the bundled model's world."""

    together = Barrier(4)

    def said() -> list[str]:
        together.wait()
        return studio.unknown_words("a dragon", "small")

    def offered() -> list[str]:
        together.wait()
        found = suggest(studio.wordbook, studio.catalog, "a sailb", "me", "small", 3)
        return [each.text for each in found]

    for _ in range(12):
        for name in [name for name in sys.modules if name.startswith("studio.pocket")]:
            monkeypatch.delitem(sys.modules, name)
        with ThreadPoolExecutor(4) as threads:
            answers = [threads.submit(each) for each in (said, offered) * 2]
            assert all(answer.result() for answer in answers)


def test_a_pictures_model_is_found_by_its_hash_then_by_its_name(studio: Studio) -> None:
    for name in ("small", "full"):  # the tiny files are alike otherwise
        unet = studio.settings.models / name / "unet/diffusion_pytorch_model.safetensors"
        write_weights(unet, {name: (4,)})
        assert studio.catalog.find(name).sha256 is None
    studio.catalog.start()
    studio.catalog.list()
    assert studio.catalog.settled(60)
    short = studio.catalog.short_hash("full")
    assert short is not None

    def painted(model: str, model_hash: str | None) -> str:
        request = GenerationRequest(model=model)
        picture = studio.gallery.add(
            Image.new("RGB", (8, 8)), request, secrets.token_hex(8), 0, "v", model_hash
        )
        assert studio.gallery.get(picture.id) == picture
        with Image.open(picture.path) as image:
            assert infotext.hash_in(infotext.from_image(image) or {}) == model_hash
            assert (f"Model hash: {model_hash}" in image.info["parameters"]) is bool(model_hash)
        return studio.recipe_of(picture).model

    assert painted("renamed since", short) == "full"
    assert painted("small", short) == "full"
    assert painted("small", "0123456789") == "small"
    assert painted("small", None) == "small"
    assert painted("elsewhere", "0123456789") == "elsewhere"


def test_a_picture_found_in_the_folder_keeps_its_models_hash(studio: Studio) -> None:
    request = GenerationRequest(model="old")
    content = images.encode_png(Image.new("RGB", (8, 8)), infotext.png_info(request, "0123456789"))
    (studio.settings.pictures / "from elsewhere.png").write_bytes(content)
    studio.gallery.reconcile()
    (picture,) = studio.gallery.search()
    assert (picture.model_hash, picture.request) == ("0123456789", request)


def test_add_ons_are_no_models_to_paint_with(studio: Studio) -> None:
    write_weights(studio.settings.models / "loras/style.safetensors", kohya_lora(768))
    with pytest.raises(InvalidRequest, match="of another kind: LoRA"):
        studio.submit({"model": "style"}, "v")


def test_a_folder_is_one_studios_alone(studio: Studio) -> None:
    with pytest.raises(StartupError, match="Another studio is already using"):
        Studio(studio.settings)
    studio.stop()
    again = Studio(studio.settings)
    again.stop()


def test_a_model_that_is_not_there_is_told_at_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, model="nothing")
    for _ in range(2):  # the folder is let go in between
        with pytest.raises(StartupError, match="There is no model called “nothing”"):
            Studio(settings)


def test_nothing_that_is_referred_to_is_swept_away(studio: Studio) -> None:
    """A waiting job, a picture, one in the bin and a preset refer to a source each."""
    kept = [studio.sources.keep(Image.new("RGB", (64, 64), (shade, 0, 0))) for shade in range(5)]
    in_job, in_picture, in_bin, in_preset, unused = kept
    studio.submit({"prompt": "a boat", "init_image": in_job}, "v")
    for job, digest in (("0" * 16, in_picture), ("1" * 16, in_bin)):
        recipe = GenerationRequest(init_image=digest)
        studio.gallery.add(Image.new("RGB", (64, 64)), recipe, job, 0, "v")
    studio.gallery.trash([f"{'1' * 16}-0"])
    studio.wordbook.presets.put("one", "One", {"init_image": in_preset})
    for digest in kept:
        os.utime(studio.sources.file(digest), (1, 1))
    assert sweep(studio.sources, studio.referring) == 1
    assert {*kept} - {*studio.sources.unused_since(2)} == {unused}
    studio.gallery.empty_bin()
    assert sweep(studio.sources, studio.referring) == 1
    assert {*kept} - {*studio.sources.unused_since(2)} == {unused, in_bin}


def test_the_page_s_own_words_are_known_to_the_bundled_model(studio: Studio) -> None:
    """What it offers to begin with must not be pointed out as words it never saw."""
    examples = json.loads((REPOSITORY / "presets/examples.json").read_text("utf-8"))
    animations = json.loads((REPOSITORY / "presets/animations.json").read_text("utf-8"))
    prompts = [each for each in _prompts([examples, animations]) if each]
    assert len(prompts) > 20
    assert {each: studio.unknown_words(each, "small") for each in prompts} == {
        each: [] for each in prompts
    }


def _prompts(given: object) -> Iterator[str]:
    """Every prompt in both languages, however deep."""
    if isinstance(given, list):
        for each in given:
            yield from _prompts(each)
    elif isinstance(given, dict):
        for name, each in given.items():
            if name == "prompt":
                yield from [each] if isinstance(each, str) else each.values()
            else:
                yield from _prompts(each)
