"""The camera: it moves as asked, never shows what lies beside a picture, and loops close."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.animation.camera import Camera
from studio.animation.pacing import distance
from studio.animation.reading import read_animation
from studio.animation.request import AnimationRequest
from studio.complete import complete
from studio.errors import InvalidRequest
from studio.request import GenerationRequest

SIZE = 96, 64
WHITE = Image.new("RGB", SIZE, "white")


def animation(*keyframes: Mapping[str, Any], **common: Any) -> AnimationRequest:
    def completed(values: Mapping[str, Any]) -> GenerationRequest:
        return complete(values, {"width": SIZE[0], "height": SIZE[1]})

    return read_animation({"keyframes": [*keyframes] or [{}, {}], "frames": 6, **common}, completed)


def dot(x: float, y: float) -> Image.Image:
    """A soft spot, its place in shares of the sides."""
    across, down = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    far = (across - x * SIZE[0]) ** 2 + (down - y * SIZE[1]) ** 2
    grey = (255 * np.exp(-far / 20)).astype(np.uint8)
    return Image.fromarray(np.stack([grey] * 3, -1))


def place(image: Image.Image) -> tuple[float, float]:
    """Where the spot is, from the middle, in pixels."""
    grey = np.asarray(image.convert("L"), float)
    down, across = (np.arange(side) + 0.5 - side / 2 for side in grey.shape)
    return float((grey.sum(0) * across).sum() / grey.sum()), float(
        (grey.sum(1) * down).sum() / grey.sum()
    )


def test_a_camera_that_does_not_move_leaves_frames_to_the_bit() -> None:
    camera, image = Camera(animation()), dot(0.3, 0.7)
    assert camera.still and camera.enlarged == 1
    assert camera.shot(3, image) is image


def test_a_zoom_begins_with_the_whole_picture_and_grows_by_equal_factors() -> None:
    camera = Camera(animation(zoom=2.0))
    assert camera.enlarged == pytest.approx(2)
    assert distance(camera.shot(0, dot(0.6, 0.5)), dot(0.6, 0.5)) < 0.5
    across = [place(camera.shot(frame, dot(0.6, 0.5)))[0] for frame in range(7)]
    assert across[-1] == pytest.approx(0.1 * 96 * 2, abs=0.3)
    assert all(b / a == pytest.approx(2 ** (1 / 6), abs=0.02) for a, b in pairwise(across))


def test_a_zoom_out_ends_with_the_whole_picture() -> None:
    camera = Camera(animation(zoom=0.5))
    assert place(camera.shot(0, dot(0.6, 0.5)))[0] == pytest.approx(19.2, abs=0.3)
    assert distance(camera.shot(6, dot(0.6, 0.5)), dot(0.6, 0.5)) < 0.5


def test_a_pan_moves_what_is_seen_the_other_way_and_needs_the_least_enlargement() -> None:
    camera = Camera(animation(pan_x=0.2, pan_y=-0.1))
    assert camera.enlarged == pytest.approx(1.25)
    (x, y), (right, down) = (place(camera.shot(k, dot(0.5, 0.5))) for k in (0, 6))
    assert (right - x, down - y) == pytest.approx((-0.2 * 96 * 1.25, 0.1 * 64 * 1.25), abs=0.3)


def test_a_rotation_is_clockwise() -> None:
    camera = Camera(animation(rotate=90.0, width=64, height=64))
    spot = dot(0.6, 0.5).resize((64, 64))
    x, y = place(camera.shot(0, spot))
    turned = place(camera.shot(6, spot))
    assert turned == pytest.approx((-y, x), abs=0.3) and x > 5


@given(
    st.lists(
        st.fixed_dictionaries(
            {"zoom": st.floats(0.6, 1.6), "pan_x": st.floats(-0.2, 0.2),
             "pan_y": st.floats(-0.2, 0.2), "rotate": st.floats(-180, 180)}
        ),
        min_size=2, max_size=3,
    ),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_no_frame_shows_anything_beside_the_picture(
    keyframes: list[dict[str, float]], loop: bool
) -> None:
    try:
        camera = Camera(animation(*keyframes, frames=3, loop=loop))
    except InvalidRequest as error:
        assert "moves too far" in str(error)
        return
    for frame in range(len(keyframes) * 3 if loop else (len(keyframes) - 1) * 3 + 1):
        assert np.asarray(camera.shot(frame, WHITE)).min() == 255


def test_a_loop_goes_back_to_where_it_began() -> None:
    camera = Camera(animation(zoom=1.5, rotate=30.0, loop=True, frames=60))
    shots = [camera.shot(frame, dot(0.6, 0.4)) for frame in range(120)]
    steps = [distance(a, b) for a, b in pairwise([*shots, shots[0]])]
    assert steps[-1] < 2 * steps[1]
    turning = Camera(animation(rotate=180.0, loop=True, frames=60))
    first, last = (place(turning.shot(frame, dot(0.6, 0.5))) for frame in (1, 119))
    assert first[1] > 0 > last[1]  # on and on, not back


def test_held_still_by_words_that_undo_each_other_is_not_still() -> None:
    camera = Camera(animation({"zoom": 2.0}, {"zoom": 0.5}, {}, frames=2))
    assert not camera.still
    assert distance(camera.shot(0, dot(0.6, 0.5)), camera.shot(4, dot(0.6, 0.5))) == 0


@pytest.mark.parametrize(
    ("moves", "sentence"),
    [
        ({"zoom": 4.0, "rotate": 360.0, "pan_x": 0.6}, "more than 8 times"),
        ({"pan_x": 1.0}, "more than 8 times"),
        ({"zoom": 5}, "Zoom must be a number between 0.25 and 4; you gave 5"),
        ({"rotate": 400}, "Rotation must be a number between -360 and 360"),
        ({"pan_y": "far"}, "Pan downwards must be a number between -1 and 1; you gave “far”"),
    ],
)
def test_moves_that_are_too_much_are_refused(moves: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        animation(**moves)
