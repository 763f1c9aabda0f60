"""The smoothness script: its measure, and that every way makes its frames."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from studio.bench.smoothness import main, unevenness
from tests.tiny import save_tiny_model


def test_unevenness_is_one_for_equal_steps_and_grows_with_a_jump() -> None:
    def grey(*levels: int) -> list[Image.Image]:
        return [Image.new("L", (8, 8), level) for level in levels]

    assert unevenness(grey(0, 10, 20, 30)) == pytest.approx((1, 1))
    assert unevenness(grey(0, 1, 2, 63, 64))[0] == pytest.approx(61 / 16)
    assert unevenness(grey(5, 5, 5)) == (1, 1)


def test_all_ways_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_tiny_model(tmp_path / "data/models/tiny")
    monkeypatch.setenv("STUDIO_DATA_DIR", str(tmp_path / "data"))
    written = tmp_path / "figures.json"
    given = ["--model", "tiny", "--device", "cpu", "--frames", "4", "--steps", "5",
             "--size", "64", "--animations", "1", "--json", str(written)]  # fmt: skip
    assert main(given) == 0
    found = json.loads(written.read_text("utf-8"))
    assert [one["way"] for one in found] == [
        "cog-stable-diffusion", "stable-diffusion-videos", "studio, anchored",
        "studio, anchored, even pacing", "studio, walk", "studio, walk, even pacing",
    ]  # fmt: skip
    assert all(one["max"] >= one["p95"] >= 1 for one in found)
