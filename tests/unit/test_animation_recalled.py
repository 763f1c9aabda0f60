"""A film's recipe comes back whole from every format; from anyone's file only what is sound."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.animation.film import write_film
from studio.animation.reading import read_animation
from studio.animation.recalled import read_film, recalled
from studio.animation.request import AnimationRequest, Easing, Format
from studio.complete import complete
from studio.request import GenerationRequest


def completed(values: Mapping[str, Any]) -> GenerationRequest:
    return complete(values, {"width": 64, "height": 64})


def film(animation: AnimationRequest) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        write_film(path, lambda: iter([Image.new("RGB", (64, 64))] * 2), animation)
        return path.read_bytes()


def share(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=80)
KEYFRAME = st.fixed_dictionaries(
    {"prompt": TEXT},
    optional={
        "negative_prompt": TEXT, "frames": st.integers(1, 40), "hold": st.integers(0, 9),
        "easing": st.sampled_from(get_args(Easing)), "seed": st.integers(0, 2**32 - 1),
        "guidance_scale": share(1, 20), "zoom": share(0.8, 1.25), "rotate": share(-20, 20),
        "pan_x": share(-0.1, 0.1), "pan_y": share(-0.1, 0.1),
    },
)  # fmt: skip
FILM = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["walk", "anchored"]), "in_between": st.integers(0, 15),
        "blend": st.sampled_from(["slerp", "lerp"]), "prompt_strength": share(0, 1),
        "in_between_by": st.sampled_from(["latents", "motion"]), "even_pacing": st.booleans(),
        "loop": st.booleans(), "fps": st.integers(1, 60), "quality": st.integers(1, 100),
        "sound_start": share(0, 1000), "follow_sound": share(0, 1), "clip_skip": st.integers(1, 4),
        "num_inference_steps": st.integers(1, 50), "sampler": st.sampled_from(["euler", "unipc"]),
        "styles": st.lists(st.text("abc", min_size=1, max_size=8), max_size=3, unique=True),
    },
)  # fmt: skip


@pytest.mark.parametrize("kind", get_args(Format))
@given(keyframes=st.lists(KEYFRAME, min_size=2, max_size=3), common=FILM)
@settings(max_examples=12, deadline=None)
def test_the_recipe_in_a_film_is_the_one_it_was_made_by(
    kind: str, keyframes: list[dict[str, Any]], common: dict[str, Any]
) -> None:
    animation = read_animation({"keyframes": keyframes, "format": kind, **common}, completed)
    back = read_film(film(animation))
    assert back is not None and back.unrecognised == ()
    assert back.values == json.loads(json.dumps(animation.recipe()))
    assert read_animation(back.values, completed) == animation


def test_what_no_animation_could_hold_is_listed_and_not_taken() -> None:
    back = recalled(
        {
            "fps": 900, "loop": True, "wings": 2, "seed": "x", "guidance_scale": 5.0,
            "keyframes": [{"prompt": "sea", "frames": -1}, {"prompt": 7, "colour": "red"}],
        }
    )  # fmt: skip
    assert back is not None
    assert back.values == {
        "loop": True, "guidance_scale": 5.0, "keyframes": [{"prompt": "sea"}, {}],
    }  # fmt: skip
    assert back.unrecognised == (
        "fps: 900", "wings: 2", "seed: x", "frames: -1", "prompt: 7", "colour: red",
    )  # fmt: skip
    for nothing in ({}, {"keyframes": 3}, {"keyframes": ["sea"]}):
        assert recalled(nothing) is None


@pytest.mark.parametrize("kind", get_args(Format))
def test_a_broken_film_is_no_error(kind: str) -> None:
    content = film(read_animation({"keyframes": [{}, {}], "format": kind}, completed))
    for length in range(0, len(content), max(len(content) // 40, 1)):
        assert (back := read_film(content[:length])) is None or "keyframes" in back.values
    for nothing in (b"", b"GIF89a", b"PK\x03\x04", b"RIFF\0\0\0\0WEBP", b"#EXTM3U\na.mp4"):
        assert read_film(nothing) is None
