"""Measure masks by words: how well pocket finds the subject of held-out renders.

    python -m studio.pocket.finding --scenes 50

Compares the mask of the subject's noun with the region that the renderer painted it in, without a
rim: overlap (intersection over union) and how much of the subject is covered. Once with the whole
caption to go by, in English and Chinese, and once with the noun alone.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.engine.words_mask import Wanted, mask_by_words
from studio.errors import InvalidRequest
from studio.models.catalog import Catalog
from studio.models.store import ModelStore
from studio.pocket.data import HELD_OUT, scene_at
from studio.pocket.world import Language, Scene, full_caption, render
from studio.pocket.world.render import compose
from studio.pocket.world.vocabulary import KINDS

FIRST = HELD_OUT + 7000  # not those that the rules of the masks were chosen on
_SIZE = 256


def scenes(count: int) -> Iterator[Scene]:
    """Held-out scenes, with one or two subjects, one to three times each."""
    return (scene_at(0, FIRST + number) for number in range(count))


def region(scene: Scene, size: int = _SIZE) -> NDArray[np.bool_]:
    """Where the renderer paints the first subject: (size, size)."""
    return np.asarray(compose(scene, size).figures[0].layer.mask) > 127


def noun(scene: Scene, language: Language) -> str:
    """The first subject's usual word, in its number."""
    subject = scene.subjects[0]
    word = KINDS[subject.kind]
    names = word.plurals if language == "en" and subject.count > 1 else word.tags(language)
    return names[0]


def overlap(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Intersection over union, and the share of the truth that is found."""
    both = float((found & truth).sum())
    return both / max(1, int((found | truth).sum())), both / max(1, int(truth.sum()))


def found_by(store: ModelStore, picture: Image.Image, wanted: Wanted) -> NDArray[np.bool_]:
    """The mask; nothing where pocket sees nothing."""
    try:
        return np.asarray(mask_by_words(store, "pocket", picture, wanted)) > 127
    except InvalidRequest:
        return np.zeros(picture.size[::-1], dtype=np.bool_)


def main() -> None:
    """Print one line a way of asking."""
    parser = argparse.ArgumentParser(description="Measure masks by words on pocket.")
    parser.add_argument("--models", type=Path, default=Path("assets"), help="where pocket lies")
    parser.add_argument("--scenes", type=int, default=50)
    options = parser.parse_args()
    store = ModelStore(Catalog([options.models]), "auto")
    rows: dict[str, list[tuple[float, float]]] = {}
    for scene in scenes(options.scenes):
        picture, truth = render(scene, _SIZE), region(scene)
        alone = "one subject" if len(scene.subjects) == 1 else "two subjects"
        for language in ("en", "zh"):
            wanted = Wanted(noun(scene, language), full_caption(scene, language), grow=0)
            told = overlap(found_by(store, picture, wanted), truth)
            rows.setdefault(f"caption ({language})", []).append(told)
            rows.setdefault(f"caption, {alone}", []).append(told)
        word = Wanted(noun(scene, "en"), grow=0)
        rows.setdefault("noun alone", []).append(overlap(found_by(store, picture, word), truth))
    for title, figures in sorted(rows.items()):
        overlaps, covered = np.array(figures).T
        print(
            f"{title:24} IoU {overlaps.mean():.3f} (median {np.median(overlaps):.3f}), "
            f"covered {covered.mean():.3f}, {len(figures)} masks"
        )


if __name__ == "__main__":
    main()
