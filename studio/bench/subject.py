"""What is measured: a model that is there, or one of full size with random weights made for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from studio.errors import InvalidRequest
from studio.models.base import ModelInfo
from studio.models.catalog import Catalog
from studio.sentences import say
from studio.settings import Settings

RANDOM = ("sd15", "sd21", "sdxl")
_PLAIN = ("sd1", "sd2", "sdxl")  # what diffusers' text-to-image pipelines paint with


@dataclass(frozen=True)
class Subject:
    """A model, and a catalog in which it is found under its own name and under ``twin``.

    The twin is the same weights once more, as far as the store can tell another model.
    """

    info: ModelInfo
    catalog: Catalog
    twin: str
    random: bool


@contextmanager
def random_model(name: str, folder: Path | None = None) -> Iterator[Subject]:
    """A random model of ``RANDOM`` in a temporary folder (in ``folder`` if given), in fp16.

    One file in the original layout, as most people have them: 2 GB for sd15, 7 GB for sdxl.
    """
    from studio.models.random_weights import write_random

    with TemporaryDirectory(prefix="studio-bench-", dir=folder) as room:
        path = write_random(name, Path(room) / f"random-{name}.safetensors")
        yield _subject(path, Path(room), True)


@contextmanager
def model_that_is_there(
    name: str, settings: Settings, folder: Path | None = None
) -> Iterator[Subject]:
    """The usable model called ``name``. Raises InvalidRequest when there is none."""
    info = Catalog(settings.models_dirs).find(name)
    with TemporaryDirectory(prefix="studio-bench-", dir=folder) as room:
        path = Path(room) / ("original" + info.path.suffix * info.path.is_file())
        _linked(info.path, path)
        yield _subject(path, Path(room), False)


def _subject(path: Path, room: Path, random: bool) -> Subject:
    twin = path.with_name("twin" + path.suffix)
    _linked(path, twin)
    catalog = Catalog([room])
    info = catalog.find(path.stem)
    if info.family not in _PLAIN or info.inpainting:
        raise InvalidRequest.of(
            "model",
            say(
                "The bench compares with diffusers' text-to-image pipelines, which "
                "this model is not made for: choose an SD 1, SD 2 or SDXL model "
                "without inpainting."
            ),
        )
    return Subject(info, catalog, twin.stem, random)


def _linked(path: Path, to: Path) -> None:
    """The same files at another place, without a copy; folders are made, files are linked."""
    if path.is_file():
        to.symlink_to(path.resolve())
        return
    for one in path.rglob("*"):
        target = to / one.relative_to(path)
        if one.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(one.resolve())
