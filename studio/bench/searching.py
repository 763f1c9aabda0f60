"""The chapter on the gallery: pages and searches among a hundred thousand pictures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from studio.bench.report import Figure
from studio.gallery import Gallery
from studio.gallery.picture import Picture, picture_id
from studio.pocket.data import scene_at
from studio.pocket.world import full_caption
from studio.request import GenerationRequest

PICTURES = 100_000
CAPTIONS = 5_000  # different ones
AT_ONCE = 1000
PAGE = 61
WORDS = ("boat", "sunset", "watercolour", "castle night", "zzz", "a", "红色", "猫", "夜晚的海")


def measure_searching(folder: Path | None, rounds: int) -> Iterator[Figure]:
    """The 95th percentile of ``rounds`` looks at each, with the count that the page shows."""
    with TemporaryDirectory(dir=folder) as room:
        root = Path(room)
        _fill(root)
        start = time.perf_counter()
        gallery = Gallery(root)
        yield Figure(f"opening an index of {PICTURES:,} pictures", _since(start), "ms")
        middle = gallery.get(picture_id(f"{PICTURES // 2:016x}", 0)).cursor
        pages: list[Callable[[], object]] = [
            lambda: (gallery.search(limit=PAGE), gallery.count()),
            lambda: (gallery.search(limit=PAGE, before=middle), gallery.count()),
        ]
        searches: list[Callable[[], object]] = [partial(_search, gallery, words) for words in WORDS]
        yield Figure("a page of it, p95", _slowest(pages, rounds), "ms", "at most 100")
        yield Figure("a search in it, p95", _slowest(searches, rounds), "ms", "at most 50")
        gallery.close()


def _search(gallery: Gallery, words: str) -> tuple[list[Picture], int]:
    return gallery.search(words, limit=PAGE), gallery.count(words)


def _fill(root: Path) -> None:
    """An index of captions of pocket's world; every tenth picture had a start picture."""
    gallery, chosen = Gallery(root), random.Random(0)
    captions = [full_caption(scene_at(0, k), "zh" if k % 3 else "en") for k in range(CAPTIONS)]
    for first in range(0, PICTURES, AT_ONCE):
        pictures = []
        for number in range(first, first + AT_ONCE):
            job, source = f"{number:016x}", "" if number % 10 else f"{number:064x}"
            request = GenerationRequest(
                prompt=chosen.choice(captions), seed=number, init_image=source
            )
            picture = Picture(
                picture_id(job, 0), job, 0, "me", root / f"{job}.png", request, 1e9 + number,
                favourite=False, trashed=None, width=256, height=256,
            )  # fmt: skip
            pictures.append(picture)
        gallery.insert(*pictures)
    gallery.close()


def _slowest(looks: list[Callable[[], object]], rounds: int) -> float:
    """The 95th percentile of all looks, in ms."""
    times = []
    for _ in range(rounds):
        for look in looks:
            start = time.perf_counter()
            look()
            times.append(_since(start))
    return float(np.percentile(times, 95))


def _since(start: float) -> float:
    return 1000 * (time.perf_counter() - start)
