"""A picture made larger in tiles, as the bundled model draws it: where tiles meet nothing jumps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.complete import complete
from studio.engine import pixels as coding
from studio.engine.engine import Engine
from studio.images.tiles import strips
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.data import HELD_OUT, scene_at
from studio.pocket.world import full_caption, render
from studio.settings import REPOSITORY
from studio.sources import Sources
from tests.engine.conftest import pictures

TILE, SIDE, CELL = 64, 192, 8  # pixels
SCENES = range(HELD_OUT + 3001, HELD_OUT + 3005)


def test_tiles_meet_without_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where they overlap; where they only touch, every tile's edge shows.

    What a scene has at those places by itself, its horizon for one, the same pictures drawn in one
    piece say.
    """
    catalog = Catalog([REPOSITORY / "assets/pocket"])
    sources = Sources(tmp_path)
    engine = Engine(ModelStore(catalog, "cpu"), sources=sources)

    def drawn(number: int, tile: int, overlap: int) -> Image.Image:
        scene = scene_at(0, number)
        monkeypatch.setattr(coding, "TILE", TILE)
        monkeypatch.setattr(coding, "OVERLAP", overlap)
        request = complete(
            {
                "prompt": full_caption(scene, "en"), "seed": 5, "strength": 0.4,
                "init_image": sources.keep(render(scene, SIDE // 2)), "num_inference_steps": 10,
                "upscale_scale": 2, "tile_size": tile, "tile_overlap": overlap,
            },
            catalog.find("pocket").defaults.as_values(),
        )  # fmt: skip
        (picture,) = pictures(engine.generate(request)).values()
        assert picture.size == (SIDE, SIDE)
        return picture

    def jump(tile: int, overlap: int, meeting: int) -> float:
        """How much more pictures change at the edges of tiles that share ``meeting`` pixels."""
        return float(np.mean([_jump(drawn(each, tile, overlap), meeting) for each in SCENES]))

    assert jump(TILE, 32, meeting=32) <= 1.1 * jump(0, 32, meeting=32)
    assert jump(TILE, 0, meeting=0) > 3 * jump(0, 0, meeting=0)


def _jump(picture: Image.Image, overlap: int) -> float:
    """The change from pixel to pixel across tiles' edges, over that at other cells' edges."""
    placed = strips(SIDE // CELL, TILE // CELL, overlap // CELL)
    edges = {CELL * strip.start + end for strip in placed for end in (0, TILE)} - {0, SIDE}
    others = {*range(CELL, SIDE, CELL)} - edges
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(np.asarray(picture, float), axis=axis)).mean(axis=(1 - axis, 2))
        at, elsewhere = (steps[[place - 1 for place in each]] for each in (edges, others))
        ratios.append(at.mean() / elsewhere.mean())
    return float(np.mean(ratios))
