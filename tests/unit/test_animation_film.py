"""Films of every format: they play from the first to the last frame and carry their recipe."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest
from PIL import Image

from studio.animation.film import write_film
from studio.animation.inscription import recipe_in
from studio.animation.reading import read_animation
from studio.animation.request import AnimationRequest, Format
from studio.complete import complete
from studio.errors import StorageError
from studio.request import GenerationRequest
from studio.storage import remove_leftovers, replacing

WIDTH, HEIGHT = 128, 72


def animation(kind: str, **values: Any) -> AnimationRequest:
    def completed(given: Mapping[str, Any]) -> GenerationRequest:
        return complete(given, {"width": WIDTH, "height": HEIGHT})

    keyframes = [{"prompt": "海, noon ! " * 40}, {"prompt": 'the sea at "night"'}]
    return read_animation({"keyframes": keyframes, "format": kind, **values}, completed)


def picture(number: int) -> Image.Image:
    """A bar that moves to the right before a sky of its own colour."""
    pixels = np.full((HEIGHT, WIDTH, 3), (30, 60, 40 + 10 * number), np.uint8)
    pixels[20:50, 8 * number : 8 * number + 16] = (240, 200, 40)
    return Image.fromarray(pixels)


def shown(path: Path) -> list[Image.Image]:
    """The frames as a player sees them."""
    if path.suffix == ".webp":  # FFmpeg does not read animated WebP
        with Image.open(path) as film:
            return [_at(film, k) for k in range(getattr(film, "n_frames", 1))]
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def _at(film: Image.Image, frame: int) -> Image.Image:
    film.seek(frame)
    return film.convert("RGB")


def error(one: Image.Image, other: Image.Image) -> float:
    a, b = (np.asarray(each.convert("RGB"), np.float64) for each in (one, other))
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.mark.parametrize("kind", [kind for kind in get_args(Format) if kind != "png"])
@pytest.mark.parametrize("count", [1, 12])
def test_a_film_shows_its_frames_in_their_order(kind: str, count: int, tmp_path: Path) -> None:
    path, wanted = tmp_path / f"film.{kind}", [picture(k) for k in range(count)]
    request = animation(kind, quality=90)
    write_film(path, lambda: iter(wanted), request)
    frames = shown(path)
    assert len(frames) == count
    assert all(error(a, b) < 12 for a, b in zip(frames, wanted, strict=True))
    assert recipe_in(path) == json.loads(json.dumps(request.recipe()))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_an_mp4_plays_in_browsers_from_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, lambda: (picture(k) for k in range(12)), animation("mp4", fps=24))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec.canonical_name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 24 and (stream.width, stream.height) == (WIDTH, HEIGHT)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_a_gif_takes_its_colours_from_all_of_the_film(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    write_film(path, lambda: (picture(k) for k in range(12)), animation("gif"))
    with Image.open(path) as film:
        assert film.info["loop"] == 0
    colours = len(set(np.asarray(shown(path)[-1]).reshape(-1, 3).view("V3").ravel().tolist()))
    assert colours > 1 and error(shown(path)[-1], picture(11)) < 6


def test_a_zip_holds_the_very_frames(tmp_path: Path) -> None:
    path = tmp_path / "film.zip"
    request = animation("png")
    write_film(path, lambda: (picture(k) for k in range(3)), request)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        with archive.open("000002.png") as file:
            assert Image.open(file).convert("RGB").tobytes() == picture(2).tobytes()
    assert names == ["animation.json", "000000.png", "000001.png", "000002.png"]
    assert recipe_in(path) == json.loads(json.dumps(request.recipe()))


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """No more than a few pictures are alive at once, whatever the length."""
    alive, most = 0, 0

    class Counted(Image.Image):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def many() -> Iterator[Image.Image]:
        nonlocal alive, most
        for number in range(100):
            one = picture(number % 12)
            one.__class__ = Counted
            alive += 1
            most = max(most, alive)
            yield one
            del one

    for kind in ("mp4", "webp", "gif"):
        write_film(tmp_path / f"film.{kind}", many, animation(kind))
    assert 1 <= most <= 4


def test_what_breaks_off_leaves_nothing_and_the_film_before_stays(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"the last one")

    def broken() -> Iterator[Image.Image]:
        yield picture(0)
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="The disk is full"):
        write_film(path, broken, animation("mp4"))
    assert path.read_bytes() == b"the last one"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_a_kill_left_half_written_is_removed_before_the_next_try(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"whole")
    with pytest.raises(SystemExit), replacing(tmp_path / "film.mp4") as part:
        part.write_bytes(b"half")
        kept = part.read_bytes()
        (tmp_path / f"{part.name.removesuffix('.part')}.killed.part").write_bytes(kept)
        raise SystemExit
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / part.name).write_bytes(b"half a frame")
    assert len([*tmp_path.rglob("*.part")]) == 2
    remove_leftovers(tmp_path)
    assert [each.name for each in tmp_path.rglob("*.*")] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == b"whole"


def test_what_is_no_film_of_ours_has_no_recipe(tmp_path: Path) -> None:
    for name in ("a.gif", "a.webp", "a.mp4", "a.zip"):
        (tmp_path / name).write_bytes(b"GIF89a nothing")
        assert recipe_in(tmp_path / name) is None
