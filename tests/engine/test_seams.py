"""A picture made larger in tiles, as the bundled model draws it: where tiles meet nothing jumps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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


def test_tiles_meet_without_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where they overlap; where they only touch, every tile's edge shows."""
    catalog = Catalog([REPOSITORY / "assets/pocket"])
    sources = Sources(tmp_path)
    engine = Engine(ModelStore(catalog, "cpu"), sources=sources)
    scene = scene_at(0, HELD_OUT + 3001)
    start = sources.keep(render(scene, SIDE // 2))
    monkeypatch.setattr(coding, "TILE", TILE)

    def jump(overlap: int) -> float:
        """How much more the picture changes at tiles' edges than at other latent cells' edges."""
        monkeypatch.setattr(coding, "OVERLAP", overlap)
        request = complete(
            {
                "prompt": full_caption(scene, "en"), "seed": 5, "init_image": start,
                "upscale_scale": 2, "tile_size": TILE, "tile_overlap": overlap, "strength": 0.4,
                "num_inference_steps": 10,
            },
            catalog.find("pocket").defaults.as_values(),
        )  # fmt: skip
        (picture,) = pictures(engine.generate(request)).values()
        assert picture.size == (SIDE, SIDE)
        placed = strips(SIDE // CELL, TILE // CELL, overlap // CELL)
        edges = {CELL * strip.start + end for strip in placed for end in (0, TILE)} - {0, SIDE}
        others = {*range(CELL, SIDE, CELL)} - edges
        ratios = []
        for axis in (0, 1):
            steps = np.abs(np.diff(np.asarray(picture, float), axis=axis)).mean(axis=(1 - axis, 2))
            at, elsewhere = (steps[[place - 1 for place in each]] for each in (edges, others))
            ratios.append(at.mean() / elsewhere.mean())
        return float(np.mean(ratios))

    assert jump(32) <= 1.1
    assert jump(0) > 3
