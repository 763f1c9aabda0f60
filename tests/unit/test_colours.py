"""Colours brought back: CIELAB there and back, and a shift that is known."""

from __future__ import annotations

import numpy as np
from PIL import Image

from studio.images.colours import from_lab, matched, to_lab


def smooth(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(40, 200, (6, 8, 3)).astype(np.uint8))
    return np.asarray(small.resize((64, 48), Image.Resampling.BICUBIC))


def test_known_colours() -> None:
    """As the CIE's formulas give them, with D65."""
    lab = to_lab(np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], dtype=np.uint8))
    assert np.allclose(lab[0], [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]], atol=0.05)


def test_there_and_back_is_the_same() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert (from_lab(to_lab(pixels)) == pixels).all()


def test_a_known_shift_is_undone() -> None:
    pixels = smooth(1)
    shifted = from_lab(to_lab(pixels) * [0.9, 0.8, 0.9] + [4, -5, 6])
    everywhere = np.ones(pixels.shape[:2], dtype=bool)
    back = matched(Image.fromarray(shifted), Image.fromarray(pixels), everywhere)
    off = np.abs(np.asarray(back).astype(int) - pixels)
    assert off.mean() < 1.5 and np.abs(shifted.astype(int) - pixels).mean() > 6


def test_what_is_judged_by_is_only_the_part_that_stays() -> None:
    """A new red thing in the other half does not turn the picture blue."""
    pixels = smooth(2)
    drawn = from_lab(to_lab(pixels) + np.array([5, 0, 0]))
    drawn[:, 40:] = (220, 20, 20)
    judged = np.ones(pixels.shape[:2], dtype=bool)
    judged[:, 40:] = False
    back = np.asarray(matched(Image.fromarray(drawn), Image.fromarray(pixels), judged)).astype(int)
    assert np.abs(back[:, :40] - pixels[:, :40]).mean() < 1.5
    assert np.abs(back[:, 40:] - (220, 20, 20)).max() < 40


def test_too_little_to_judge_by_changes_nothing() -> None:
    drawn, judged = Image.fromarray(smooth(3)), np.zeros((48, 64), dtype=bool)
    judged[0, :9] = True
    assert matched(drawn, Image.fromarray(smooth(4)), judged) is drawn
