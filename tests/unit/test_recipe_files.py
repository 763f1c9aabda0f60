"""Picture files from anywhere: the texts beside the pixels are found, hostile files do no harm."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.recipes import exif, files, is_picture, read_picture
from studio.recipes.recipe import Recipe

LINES = "a boat\nSteps: 24, Sampler: Euler, CFG scale: 6.5, Seed: 42, Size: 640x512"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    """A PNG of any claimed size, with chunks before the pixels that it does not have."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    return SIGNATURE + header + b"".join(chunks) + chunk(b"IEND", b"")


def saved(kind: str, text: str = LINES) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(file, kind, exif=exif.with_comment(text))
    return file.getvalue()


def seed_of(content: bytes) -> int | None:
    recipe = read_picture(content)
    return None if recipe is None else recipe.values.get("seed")


TEXT = chunk(b"tEXt", b"parameters\0" + LINES.encode())
PACKED = chunk(b"zTXt", b"parameters\0\0" + zlib.compress(LINES.encode()))
WORLD = chunk(b"iTXt", b"parameters\0\0\0en\0\0" + LINES.encode())
WORLD_PACKED = chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(LINES.encode()))
EXIF = chunk(b"eXIf", exif.with_comment(LINES).removeprefix(exif.PREFIX))


@pytest.mark.parametrize("one", [TEXT, PACKED, WORLD, WORLD_PACKED, EXIF])
def test_every_kind_of_text_in_a_png(one: bytes) -> None:
    assert seed_of(png(one)) == 42


def test_what_follows_the_pixels_is_read_too() -> None:
    assert seed_of(png(chunk(b"IDAT", b"\0" * 999), TEXT)) == 42


def test_a_picture_of_any_size_is_read_without_its_pixels() -> None:
    assert seed_of(png(TEXT, size=(2**31 - 1, 2**31 - 1))) == 42


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_exif_is_as_pillow_reads_it(kind: str) -> None:
    content = saved(kind, "夜晚的城市 🙂\n" + LINES)
    with Image.open(io.BytesIO(content)) as image:
        comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment == b"UNICODE\0" + ("夜晚的城市 🙂\n" + LINES).encode("utf-16-be")
    recipe = read_picture(content)
    assert recipe is not None
    assert recipe.values["prompt"] == "夜晚的城市 🙂\na boat"


def test_exif_of_another_writer() -> None:
    """Little-endian, with other tags before it; ComfyUI's graph in Make."""
    written = Image.Exif()
    written[exif.MAKE] = 'prompt:{"1": {"class_type": "KSampler", "inputs": {"seed": 9}}}'
    written[0x0131] = "some program"
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "webp", exif=written)
    assert seed_of(file.getvalue()) == 9


def test_packed_texts_do_not_grow_without_end() -> None:
    bomb = zlib.compress(b"a" * 50_000_000, 1)
    assert read_picture(png(chunk(b"zTXt", b"parameters\0\0" + bomb))) is None
    texts = files.texts_in(png(chunk(b"iTXt", b"parameters\0\1\0\0\0" + bomb)))
    assert len(texts["parameters"]) == files.LONGEST


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, " " * 1_000_000, "a:" * 500_000, 'ab:"' * 250_000, "ab: " * 250_000,
     'ab:"\\' * 200_000, "a b" * 300_000 + ": 1, Steps: 2, Seed: 3", "[" * 500_000,
     '{"a":' * 100_000, "Negative prompt:\n" * 60_000, '{"prompt": ' + "9" * 100_000 + "}"],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_hostile_texts_come_to_an_end(text: str) -> None:
    """In time that grows with the square of the text, any of these would take hours."""
    recipe = read_picture(png(chunk(b"iTXt", b"parameters\0\0\0\0\0" + text.encode())))
    assert recipe is None or isinstance(recipe, Recipe)


WHOLE = {
    "png": png(TEXT), "packed": png(PACKED), "world": png(WORLD_PACKED), "exif": png(EXIF),
    "jpeg": saved("jpeg"), "webp": saved("webp"),
}  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_a_damaged_file_gives_a_recipe_or_none(name: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for broken in (bytes(content), bytes(content[:cut]), WHOLE[name][:cut]):
        recipe = read_picture(broken)
        assert recipe is None or isinstance(recipe, Recipe)


@settings(deadline=None)
@given(st.sampled_from([SIGNATURE, b"\xff\xd8\xff\xe1", b"RIFF\0\0\0\0WEBPEXIF", b""]), st.binary())
def test_anything_else_gives_a_recipe_or_none(start: bytes, rest: bytes) -> None:
    recipe = read_picture(start + rest)
    assert recipe is None or isinstance(recipe, Recipe)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_broken_exif_is_left_out(rest: bytes) -> None:
    for start in (b"II*\0", b"MM\0*", exif.PREFIX + b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1"):
        assert all(isinstance(text, str) for text in exif.texts_in(start + rest).values())


def test_a_directory_that_names_itself_ends() -> None:
    loop = b"MM\0*\0\0\0\x08" + struct.pack(">HHHII", 1, exif.EXIF_IFD, 4, 1, 8)
    assert exif.texts_in(loop) == {}


def test_what_is_a_picture() -> None:
    assert all(map(is_picture, WHOLE.values()))
    assert not any(map(is_picture, (b"", b"GIF89a", b"%PDF", b"RIFF....WAVE", b"\xff\xd8")))
