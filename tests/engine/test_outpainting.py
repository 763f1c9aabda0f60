"""A picture that grows, as the bundled model draws it: no seam is left at the old border."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.complete import complete
from studio.engine.engine import Engine
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.data import HELD_OUT, scene_at
from studio.pocket.world import full_caption, render
from studio.settings import REPOSITORY
from studio.sources import Sources
from tests.engine.conftest import pictures

ROUNDS = [{"right": 64, "left": 32}, {"top": 48}, {"bottom": 40, "right": 24}]


def steps_across(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """How far a pixel is from the one on its right, and from the one below it."""
    values = np.asarray(picture.convert("RGB"), dtype=float)
    across, down = (np.abs(np.diff(values, axis=axis)).mean(2) for axis in (1, 0))
    return across, down


def borders(picture: Image.Image, box: tuple[int, int, int, int]) -> dict[str, float]:
    """The mean step over each border of the old picture, which lies at ``box``."""
    left, top, right, bottom = box
    across, down = steps_across(picture)
    lines = {
        "left": across[top:bottom, left - 1 : left],
        "top": down[top - 1 : top, left:right],
        "right": across[top:bottom, right - 1 : right],
        "bottom": down[bottom - 1 : bottom, left:right],
    }
    return {side: float(line.mean()) for side, line in lines.items() if line.size}


@pytest.mark.parametrize("strength", [0.75, 1.0])
def test_a_picture_grows_round_after_round_without_a_seam(tmp_path: Path, strength: float) -> None:
    catalog, sources = Catalog([REPOSITORY / "assets/pocket"]), Sources(tmp_path)
    engine = Engine(ModelStore(catalog, "cpu"), sources=sources)
    defaults = catalog.find("pocket").defaults.as_values()
    scene = scene_at(0, HELD_OUT + 3001)
    picture = render(scene, 128)
    for sides in ROUNDS:
        margins = {f"outpaint_{side}": pixels for side, pixels in sides.items()}
        left, top = sides.get("left", 0), sides.get("top", 0)
        width = picture.width + left + sides.get("right", 0)
        height = picture.height + top + sides.get("bottom", 0)
        request = complete(
            {
                "prompt": full_caption(scene, "en"), "seed": 3, "num_inference_steps": 8,
                "strength": strength, "init_image": sources.keep(picture),
                "width": width, "height": height, **margins,
            },
            defaults,
        )  # fmt: skip
        (larger,) = pictures(engine.generate(request)).values()
        box = (left, top, left + picture.width, top + picture.height)
        assert larger.size == (width, height)
        assert larger.crop(box).tobytes() == picture.tobytes()
        across, down = steps_across(picture)
        inside = {"left": across, "right": across, "top": down, "bottom": down}
        for side, step in borders(larger, box).items():
            assert step <= inside[side].mean(), (sides, side)
        picture = larger


def test_what_is_added_has_the_colours_beside_it(tmp_path: Path) -> None:
    """Whatever the words: a grey start would show, here and with pure noise at full strength."""
    catalog, sources = Catalog([REPOSITORY / "assets/pocket"]), Sources(tmp_path)
    engine = Engine(ModelStore(catalog, "cpu"), sources=sources)
    defaults = catalog.find("pocket").defaults.as_values()
    scene = scene_at(0, HELD_OUT + 3001)
    picture = render(scene, 128)
    request = complete(
        {
            "prompt": "", "seed": 3, "num_inference_steps": 8, "strength": 0.75,
            "init_image": sources.keep(picture), "outpaint_right": 64, "width": 192, "height": 128,
        },
        defaults,
    )  # fmt: skip
    (larger,) = pictures(engine.generate(request)).values()
    new = np.asarray(larger, dtype=float)[:, 144:].mean(axis=1)
    mirrored = np.asarray(picture, dtype=float)[:, :-48:-1].mean(axis=1)
    assert np.abs(new - mirrored).mean() < 0.5 * np.abs(new - 127).mean()
