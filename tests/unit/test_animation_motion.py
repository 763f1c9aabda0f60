"""Frames between two painted ones, by what moves in them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from studio.animation.motion import pictures_between

SIDE = 128


def boat(x: float) -> Image.Image:
    """A textured block before a sky of gentle waves."""
    down, across = np.mgrid[:SIDE, :SIDE]
    sky = 90 + 30 * np.sin(across / 13) + 20 * np.cos(down / 17)
    pixels = np.stack([sky, sky, sky + 40], -1).astype(np.uint8)
    left = round(x)
    pixels[40:90, left : left + 40] = (240, 200, 40)
    pixels[55:75, left + 10 : left + 30] = (200, 30, 30)
    return Image.fromarray(pixels)


def bow(image: Image.Image) -> float:
    """Where the block is."""
    pixels = np.asarray(image, int)
    return float(np.nonzero((pixels[..., 0] > 190) & (pixels[..., 2] < 90))[1].mean())


def test_what_moves_is_shown_on_its_way_and_not_twice() -> None:
    around = [boat(10 + 16 * k) for k in range(4)]
    made = pictures_between(around, 3)
    ways = [bow(image) - bow(around[1]) for image in made]
    assert ways == pytest.approx([4, 8, 12], abs=1)
    blended = Image.blend(around[1], around[2], 0.5)
    wanted = np.asarray(boat(34), float)

    def error(image: Image.Image) -> float:
        return float(np.sqrt(np.mean((np.asarray(image, float) - wanted) ** 2)))

    assert error(made[1]) < 0.6 * error(blended)


def test_what_stands_still_stays_as_it_is() -> None:
    made = pictures_between([boat(30)] * 4, 2)
    for image in made:
        assert np.abs(np.asarray(image, int) - np.asarray(boat(30), int)).max() <= 3


@pytest.mark.parametrize("count", [1, 2, 15])
def test_so_many_as_were_asked_for_and_always_the_same(count: int) -> None:
    around = [boat(10 + 9 * k) for k in range(4)]
    first, second = pictures_between(around, count), pictures_between(around, count)
    assert [a.tobytes() for a in first] == [b.tobytes() for b in second]
    assert len({image.tobytes() for image in first}) == len(first) == count
