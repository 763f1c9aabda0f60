"""Pictures from strangers, frames, masks: sizes and pixels, to the bit."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from studio.errors import InvalidRequest
from studio.images import frame as frames
from studio.images import masks, tiles
from studio.images.reading import as_mask, flattened, read_picture
from studio.sources import Sources

SIDES = st.integers(1, 300)


def noisy(width: int, height: int, channels: int = 3, seed: int = 0) -> Image.Image:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def in_file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def same(left: Image.Image, right: Image.Image) -> bool:
    return (left.mode, left.size, left.tobytes()) == (right.mode, right.size, right.tobytes())


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and ends there."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    sums = struct.pack(">I", zlib.crc32(chunk))
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk + sums
    return start + struct.pack(">I", 10) + b"IDAT"


@pytest.mark.parametrize("channels", [3, 4])
def test_an_ordinary_picture_is_read_as_it_is(channels: int) -> None:
    picture = noisy(37, 21, channels)
    assert same(read_picture(in_file(picture), "init_image"), picture)


def test_a_photo_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    picture = noisy(40, 24)
    read = read_picture(in_file(picture, exif=exif), "init_image")
    assert same(read, picture.transpose(Image.Transpose.ROTATE_270))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "F"])
def test_other_kinds_of_pictures_become_plain(mode: str) -> None:
    levels = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    if mode == "I;16":
        picture = Image.fromarray(levels.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(levels).convert(mode)
    kind = "TIFF" if mode in ("CMYK", "F") else "PNG"
    read = read_picture(in_file(picture, kind), "init_image")
    assert read.mode == ("RGBA" if mode == "LA" else "RGB")
    if mode != "1":
        difference = np.abs(np.asarray(read)[..., :3].astype(int) - levels[..., None])
        assert difference.max() <= (3 if mode == "P" else 0)


def test_a_colour_profile_stays_with_its_numbers(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = in_file(noisy(8, 8), icc_profile=profile, pnginfo=None)
    read = read_picture(content, "init_image")
    sources = Sources(tmp_path)
    kept = sources.get(sources.keep(read), "init_image")
    assert read.info == {"icc_profile": profile} and kept.info["icc_profile"] == profile
    grey = in_file(noisy(8, 8).convert("CMYK"), "TIFF", icc_profile=profile)
    assert read_picture(grey, "init_image").info == {}


def test_of_an_animation_the_first_frame_is_read() -> None:
    first, second = Image.new("RGB", (20, 10), "red"), Image.new("RGB", (20, 10), "blue")
    content = in_file(first, "GIF", save_all=True, append_images=[second])
    assert read_picture(content, "init_image").convert("RGB").getpixel((3, 3)) == (255, 0, 0)


def png_of_16_bits(values: np.ndarray) -> bytes:
    """A PNG with 16 bits for each of three channels, which Pillow cannot write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        sums = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + sums

    height, width, _ = values.shape
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_deep_colours_become_plain() -> None:
    values = np.arange(4 * 8 * 3, dtype=np.uint16).reshape(4, 8, 3) * 600
    read = np.asarray(read_picture(png_of_16_bits(values), "init_image"))
    assert np.abs(read.astype(int) - values // 257).max() <= 1


def test_a_palette_keeps_what_is_transparent() -> None:
    picture = Image.new("P", (6, 4), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((2, 1), 0)
    read = read_picture(in_file(picture, transparency=0), "init_image")
    assert read.mode == "RGBA"
    assert read.getpixel((2, 1))[3] == 0 and read.getpixel((0, 0)) == (0, 0, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_other_animations_the_first_frame_is_read_too(kind: str) -> None:
    first, second = Image.new("RGB", (20, 10), "red"), Image.new("RGB", (20, 10), "blue")
    content = in_file(first, kind, save_all=True, append_images=[second])
    red, _, blue = read_picture(content, "init_image").convert("RGB").getpixel((3, 3))
    assert red > 240 and blue < 15


def test_a_photo_for_printing_has_its_colours() -> None:
    content = in_file(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)
    red, green, blue = read_picture(content, "init_image").getpixel((8, 8))
    assert red > 200 and green < 60 and blue < 60


BAD = [
    (b"", "no picture in one of the formats"),
    (b"GIF89a", "no picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
    (in_file(noisy(64, 64))[:2000], "damaged or incomplete"),
    (in_file(noisy(64, 64), "JPEG")[:900], "damaged or incomplete"),
    (png_header(8000, 8001), "8000 × 8001 pixels; at most 64 million"),
    (png_header(10_000, 10_000), "at most 64 million"),
    (png_header(20_000, 10_000), "at most 64 million"),
    (png_header(2**30, 2**30), "at most 64 million"),
    (png_header(0, 5), ""),
]


@pytest.mark.parametrize(("content", "sentence"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_what_cannot_be_read_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_picture(content, "mask_image")
    (problem,) = caught.value.problems
    assert problem.field == "mask_image"
    assert sentence in problem.message
    assert problem.message.endswith(".") and len(problem.message) < 120


def test_a_mask_is_white_where_it_is_painted() -> None:
    painted = Image.new("RGBA", (4, 4), (255, 255, 255, 0))  # white, but transparent
    painted.putpixel((1, 2), (255, 255, 255, 255))
    mask = as_mask(painted)
    assert mask.getbbox() == (1, 2, 2, 3)
    assert mask.getpixel((1, 2)) == 255


def test_what_is_transparent_lies_on_white() -> None:
    assert flattened(Image.new("RGBA", (2, 2), (0, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


@given(SIDES, SIDES, st.integers(8, 40), st.integers(8, 40))
@settings(deadline=None)
def test_what_is_laid_comes_back_at_its_size(w: int, h: int, across: int, down: int) -> None:
    room = (across * 8, down * 8)
    frame = frames.frame((0, 0, w, h), room, 8)
    assert frame.canvas[0] % 8 == frame.canvas[1] % 8 == 0
    assert frame.canvas[0] <= max(64, room[0]) and frame.canvas[1] <= max(64, room[1])
    laid = frame.lay(Image.new("RGB", (w, h), "red"))
    assert laid.size == frame.canvas
    assert frame.lift(laid).size == (w, h)
    assert np.asarray(laid)[..., 0].min() == 255  # no border of another colour


@given(st.integers(57, 300), st.integers(57, 300))
@settings(deadline=None)
def test_on_its_own_grid_a_picture_is_not_resampled(w: int, h: int) -> None:
    picture = noisy(w, h)
    frame = frames.frame((0, 0, w, h), frames.on_grid((w, h), 8), 8)
    assert same(frame.lift(frame.lay(picture)), picture)


@given(SIDES, SIDES, st.data())
def test_a_box_has_the_rooms_proportions_and_stays_inside(w: int, h: int, data: Any) -> None:
    left, top = data.draw(st.integers(0, w - 1)), data.draw(st.integers(0, h - 1))
    right, below = data.draw(st.integers(left + 1, w)), data.draw(st.integers(top + 1, h))
    padding = data.draw(st.integers(0, 64))
    box = frames.box_around((left, top, right, below), padding, (512, 256), (w, h))
    assert 0 <= box[0] <= max(0, left - padding) and 0 <= box[1] <= max(0, top - padding)
    assert w >= box[2] >= min(w, right + padding) and h >= box[3] >= min(h, below + padding)
    across, down = box[2] - box[0], box[3] - box[1]
    assert across in (w, down * 2) or down == h or abs(across - down * 2) <= 1


@pytest.mark.parametrize(
    ("size", "room"),
    [
        ((517, 389), (520, 392)),
        ((512, 512), (512, 512)),
        ((4000, 4000), (1024, 1024)),
        ((64, 64), (512, 512)),
        ((1, 1), (512, 512)),
        ((20_000, 100), (2048, 64)),
    ],
)
def test_a_picture_is_drawn_at_its_own_size_within_reason(
    size: tuple[int, int], room: tuple[int, int]
) -> None:
    assert frames.best_size(size, 512, 2048) == room


@pytest.mark.parametrize("mode", ["stretch", "crop", "fill"])
@pytest.mark.parametrize("size", [(64, 64), (200, 80), (80, 200), (101, 53)])
def test_a_picture_is_brought_to_a_size(mode: str, size: tuple[int, int]) -> None:
    picture = noisy(101, 53)
    made = frames.resized(picture, size, mode)
    assert made.size == size
    if mode == "fill" and size == (200, 80):  # 153 × 80 in the middle
        pixels = np.asarray(made)
        assert (pixels[:, 0] == pixels[:, 20]).all()
        assert (pixels[:, -1] == pixels[:, -20]).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_outside_the_mask_nothing_changes(channels: int) -> None:
    picture, drawn = noisy(51, 33, channels), noisy(20, 14, seed=1)
    mask = Image.new("L", picture.size)
    mask.paste(255, (12, 9, 18, 14))
    soft = masks.blurred(mask, 2)
    result = masks.composite(picture, drawn, soft, (5, 4))
    before, after = np.asarray(picture), np.asarray(result)
    outside = np.asarray(soft) == 0
    outside[:4], outside[18:] = True, True
    outside[:, :5], outside[:, 25:] = True, True
    assert (before[outside] == after[outside]).all()
    assert (after[9:14, 12:18, :3] != before[9:14, 12:18, :3]).any()


def test_what_is_drawn_on_nothing_is_seen_in_its_own_colour() -> None:
    nothing = Image.new("RGBA", (10, 10), (0, 255, 0, 0))
    half = Image.new("L", (10, 10), 128)
    result = masks.composite(nothing, Image.new("RGB", (10, 10), "red"), half)
    assert result.getpixel((5, 5)) == (255, 0, 0, 128)


def test_a_thin_stroke_reaches_the_model() -> None:
    mask = Image.new("L", (1000, 800))
    mask.paste(255, (500, 0, 501, 800))
    frame = frames.frame((0, 0, 1000, 800), (128, 104), 8)
    touched = masks.cells(mask, frame, 8)
    assert touched.shape == (frame.canvas[1] // 8, frame.canvas[0] // 8)
    assert touched.any(axis=1).all() and touched.sum() <= 2 * touched.shape[0]
    assert not masks.is_empty(mask)
    assert masks.is_empty(Image.new("L", (5, 5), 100))


def test_a_filled_mask_has_the_colours_around_it() -> None:
    picture = Image.new("RGB", (64, 64), "blue")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (20, 20, 40, 40))
    picture.paste((255, 0, 0), (20, 20, 40, 40))
    red, _, blue = masks.filled(picture, mask).getpixel((30, 30))
    assert blue > 200 and red < 40


MARGINS = [(40, 0, 0, 0), (0, 7, 3, 90), (1, 1, 1, 1), (300, 300, 300, 300)]


@pytest.mark.parametrize("margins", MARGINS, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_added_goes_on_from_the_picture(
    margins: tuple[int, int, int, int], channels: int
) -> None:
    picture, (left, top, right, bottom) = noisy(51, 33, channels), margins
    box = (left, top, left + 51, top + 33)
    larger = frames.extended(picture, margins)
    assert larger.size == (left + 51 + right, top + 33 + bottom)
    assert same(larger.crop(box), picture)
    if left:
        pixels = np.asarray(larger)
        assert (pixels[:, left - 1] == pixels[:, left]).all()
    anew = np.asarray(masks.added(picture.size, margins)) == 255
    soft = np.asarray(masks.faded(picture.size, margins, 4))
    inside = np.zeros(larger.size[::-1], dtype=bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    assert (anew == ~inside).all()
    assert not soft[inside].any() and soft[anew].any()
    assert soft.max() == 255 or max(margins) < 24


def test_a_source_is_kept_once_under_its_hash(tmp_path: Path) -> None:
    sources, picture = Sources(tmp_path), noisy(9, 7, 4)
    digest = sources.keep(picture)
    assert sources.keep(picture.copy()) == digest
    assert [path.name for path in tmp_path.rglob("*.*")] == [f"{digest}.png"]
    assert same(sources.get(digest, "init_image"), picture)
    for wrong in ("0" * 64, "../x", ""):
        with pytest.raises(InvalidRequest, match="not kept here"):
            sources.get(wrong, "init_image")
    next(tmp_path.rglob("*.png")).write_bytes(b"x")
    with pytest.raises(InvalidRequest, match="not kept here"):
        sources.get(digest, "init_image")


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 120), st.integers(0, 120), st.booleans(), st.integers(1, 4)
)
def test_strips_cover_an_axis_and_add_up_to_one(
    length: int, tile: int, overlap: int, around: bool, by: int
) -> None:
    made = tiles.strips(length, tile, overlap, around)
    for strips, side in ((made, length), (tiles.grown(made, length, overlap, by), length * by)):
        whole = np.zeros(side)
        for strip in strips:
            assert np.allclose(strip.before, whole[strip.places])
            np.add.at(whole, strip.places, strip.share)
            assert len({*strip.places.tolist()}) == len(strip.share) == len(strips[0].share)
        assert np.allclose(whole, 1)
    shared = min(overlap, min(tile, length) // 2)
    for one, other in itertools.pairwise(made):
        assert other.start - one.start <= min(tile, length) - shared


def test_a_mosaic_of_a_pictures_own_tiles_is_the_picture() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (77, 131, 3)).astype(np.uint8)
    rows, columns = tiles.strips(77, 32, 12), tiles.strips(131, 40, 16)
    mosaic = tiles.Mosaic((131, 77))
    for row in rows:
        for column in columns:
            mosaic.lay(pixels[np.ix_(row.places, column.places)], row, column)
    assert (np.asarray(mosaic.picture()) == pixels).all()
