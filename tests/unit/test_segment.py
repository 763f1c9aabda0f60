"""From a rough map to a mask: the threshold, the edges, the cleaning."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from studio.images import segment


def test_the_threshold_parts_two_heaps() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.2, 0.03, 900), rng.normal(0.8, 0.03, 100)])
    assert ((values >= segment.otsu(values)) == (np.arange(1000) >= 900)).all()


def test_a_blurred_map_is_pulled_to_the_pictures_edges() -> None:
    truth = np.zeros((96, 128), dtype=bool)
    truth[30:70, 40:90] = True
    colours = np.where(truth[..., None], (200, 40, 30), (60, 120, 200)).astype(np.uint8)
    rough = ndimage.gaussian_filter(truth.astype(float), 10)
    sharp = segment.along_edges(rough, Image.fromarray(colours), 16)

    def overlap(values: np.ndarray) -> float:
        region = values >= segment.otsu(values)
        return float((region & truth).sum() / (region | truth).sum())

    assert overlap(sharp) > 0.99 > overlap(rough)


def test_stains_and_holes_go_and_edges_stay() -> None:
    region = np.zeros((100, 100), dtype=bool)
    region[:60, 20:80] = True  # touches the upper edge
    whole = region.copy()
    region[20:40, 40:60] = False  # a hole
    region[:, 50:52] = False  # a gap
    region[90:93, 5:9] = True  # a stain
    cleaned = segment.cleaned(region, 3)
    assert (cleaned == whole).mean() > 0.995
    assert cleaned[0, 30] and cleaned[30, 50] and not cleaned[91, 7]
    assert not segment.cleaned(np.zeros((9, 9), dtype=bool), 2).any()


def test_two_parts_of_like_size_both_stay() -> None:
    region = np.zeros((60, 60), dtype=bool)
    region[5:20, 5:20] = region[40:50, 40:50] = True
    assert (segment.cleaned(region, 2) == region).mean() > 0.99


def test_a_rim_is_as_wide_as_was_said() -> None:
    region = np.zeros((41, 41), dtype=bool)
    region[20, 20] = True
    assert segment.grown(region, 0).sum() == 1
    wider = segment.grown(region, 7)
    assert wider[20, 13] and wider[27, 20] and not wider[20, 12] and not wider[13, 13]
