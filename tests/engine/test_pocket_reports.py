"""The reports on inpainting and on masks by words count right, without a model."""

from __future__ import annotations

import numpy as np
import pytest

from studio.pocket.attributes import labels
from studio.pocket.finding import noun, overlap, region, scenes
from studio.pocket.inpainting import box_mask, pairs, share_seen


def test_only_the_subject_is_another() -> None:
    for before, after in pairs(6):
        (old,), (new,) = before.subjects, after.subjects
        assert old.kind != new.kind
        assert (old.colour, old.position, old.count) == (new.colour, new.position, 1)
        assert (before.place, before.style, before.seed) == (after.place, after.style, after.seed)


def test_the_subject_is_under_the_mask() -> None:
    (scene, _), *_ = pairs(1)
    mask = np.asarray(box_mask(scene, 128)) == 255
    assert mask[region(scene, 128)].all() and not mask.all()


def test_what_is_seen_is_counted_wherever_it_stands() -> None:
    both = pairs(4)
    before, after = ([pair[which] for pair in both] for which in (0, 1))
    readings = labels(after)
    assert (share_seen(readings, after), share_seen(readings, before)) == (1, 0)
    readings[0] = labels(before)[0]
    assert share_seen(readings, after) == pytest.approx(0.75)


def test_overlaps() -> None:
    truth, found = np.zeros((2, 4, 4), dtype=bool)
    truth[:2], found[1:3] = True, True
    assert overlap(found, truth) == (pytest.approx(1 / 3), 0.5)
    assert overlap(np.zeros_like(truth), truth) == (0, 0)
    assert all(noun(scene, "zh") for scene in scenes(5))
