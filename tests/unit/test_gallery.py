"""The gallery: saving once, searching, marking, the bin, and agreement of files and index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio import images, infotext
from studio.bench import searching
from studio.errors import InvalidRequest, NotFound, StorageError
from studio.gallery import Gallery, Picture
from studio.request import GenerationRequest

JOB = "00112233445566ff"
PROMPTS = (
    "a red sailboat on the sea at sunset, watercolour",
    "夜晚的城市,蓝色的城堡",
    "一艘红色的帆船",
    "A Castle in the SNOW, 100% paper_cut",
    "",
)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    opened = Gallery(tmp_path / "pictures")
    yield opened
    opened.close()


def add(gallery: Gallery, prompt: str, job: str = JOB, index: int = 0) -> Picture:
    request = GenerationRequest(prompt=prompt, width=64, height=64, seed=index)
    return gallery.add(Image.new("RGB", (64, 64), (index, 0, 0)), request, job, index, "v")


@pytest.fixture
def filled(gallery: Gallery) -> Gallery:
    for number, prompt in enumerate(PROMPTS):
        add(gallery, prompt, index=number)
    return gallery


def found(gallery: Gallery, query: str) -> list[str]:
    return [picture.request.prompt for picture in gallery.search(query)]


def test_a_picture_is_whole_on_disk_with_its_recipe(gallery: Gallery) -> None:
    picture = add(gallery, "a boat")
    with Image.open(picture.path) as image:
        image.load()
        assert image.size == (64, 64)
        assert infotext.from_image(image) == picture.request.model_dump(mode="json")
        assert str(image.info["parameters"]).startswith("a boat\nSteps: 20, Sampler: DPM++ 2M")
    assert gallery.get(picture.id) == picture


def test_saving_the_same_picture_again_changes_nothing(gallery: Gallery) -> None:
    first, again = add(gallery, "a boat"), add(gallery, "another")
    assert again == first
    assert len(list(gallery.root.rglob("*.png"))) == gallery.count() == 1


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 3, 2, 1, 0]),
        ("sailboat", [0]),
        ("SEA sunset", [0]),
        ("castle", [3]),
        ("snow boat", []),
        ("帆船", [2]),
        ("蓝色的", [1]),
        ("红色 帆船", [2]),
        ("城", [1]),
        ("100%", [3]),
        ("0%", [3]),
        ("%", [3]),
        ("r_c", [3]),
        ('"', []),
        ("AND OR NOT (", []),
        ("ＣＡＳＴＬＥ", [3]),
    ],
)
def test_every_word_must_occur(filled: Gallery, query: str, numbers: list[int]) -> None:
    assert found(filled, query) == [PROMPTS[number] for number in numbers]
    assert filled.count(query) == len(numbers)


def test_pages_follow_each_other(gallery: Gallery) -> None:
    for index in range(7):
        add(gallery, f"boat {index}", index=index)
    pages, before = [], None
    while page := gallery.search("boat", limit=3, before=before):
        pages.append([picture.index for picture in page])
        before = page[-1].cursor
    assert pages == [[6, 5, 4], [3, 2, 1], [0]]
    with pytest.raises(InvalidRequest):
        gallery.search(before="nonsense")


def test_ten_thousand_pictures_are_searched(gallery: Gallery) -> None:
    base = add(gallery, "a boat")
    with gallery._database.transaction() as connection:
        for number in range(10_000):
            words = f"picture {number} of a {'castle' if number % 100 == 0 else 'house'}, 城堡"
            connection.execute(
                "INSERT INTO pictures (number, id, job_id, position, visitor, path, request, words,"
                " width, height, created) VALUES (?, ?, 'x', ?, '', ?, ?, ?, 64, 64, ?)",
                (number + 10, f"x-{number}", number, f"{number}.png",
                 base.request.model_dump_json(), words, number),
            )  # fmt: skip
            connection.execute(
                "INSERT INTO prompts (rowid, words) VALUES (?, ?)", (number + 10, words)
            )
    assert gallery.count("castle") == 100
    assert gallery.count("城堡") == 10_000
    assert [p.index for p in gallery.search("castle", limit=2)] == [9900, 9800]


def test_favourites(filled: Gallery) -> None:
    chosen = filled.search("castle")[0]
    assert filled.set_favourite(chosen.id, True).favourite
    assert [p.id for p in filled.search(favourites=True)] == [chosen.id]
    assert not filled.set_favourite(chosen.id, False).favourite
    with pytest.raises(NotFound):
        filled.set_favourite("nothing-0", True)


def test_the_bin_can_be_undone_until_it_is_emptied(filled: Gallery) -> None:
    first, second = filled.search(limit=2)
    filled.thumbnail(first.id)
    filled.trash([first.id, second.id])
    assert filled.count() == 3
    assert {p.id for p in filled.search(trashed=True)} == {first.id, second.id}
    filled.restore([second.id])
    assert filled.count() == 4
    assert filled.empty_bin() == 1
    assert not first.path.exists()
    assert not list(filled.root.rglob(f"{first.id}*"))
    with pytest.raises(NotFound):
        filled.get(first.id)
    assert second.path.exists()
    assert filled.empty_bin() == 0


def test_thumbnails_are_small_and_made_once(gallery: Gallery) -> None:
    request = GenerationRequest(width=640, height=320)
    picture = gallery.add(Image.new("RGB", (640, 320), "red"), request, JOB, 0, "v")
    path = gallery.thumbnail(picture.id)
    with Image.open(path) as small:
        assert (small.format, small.size) == ("WEBP", (320, 160))
    made = path.stat().st_mtime_ns
    assert gallery.thumbnail(picture.id).stat().st_mtime_ns == made


def test_files_without_rows_are_read_back(filled: Gallery, tmp_path: Path) -> None:
    before = filled.search()
    with filled._database.transaction() as connection:
        connection.execute("DELETE FROM pictures WHERE position IN (1, 2)")
        connection.execute("DELETE FROM prompts")
    filled.reconcile()
    after = {picture.id: picture for picture in filled.search()}
    assert after.keys() == {picture.id for picture in before}
    assert all(after[p.id].request == p.request and after[p.id].path == p.path for p in before)
    assert found(filled, "帆船") == ["一艘红色的帆船"]


def test_rows_without_files_and_stray_files_are_dropped(filled: Gallery) -> None:
    first = filled.search(limit=1)[0]
    first.path.unlink()
    stray = filled.root / "2026-01-01" / ".0a-9.png.12ab.part"
    stray.parent.mkdir()
    stray.write_bytes(b"half")
    filled.reconcile()
    assert filled.count() == len(PROMPTS) - 1
    assert not stray.exists()


def test_pictures_from_elsewhere_are_taken_in(
    gallery: Gallery, caplog: pytest.LogCaptureFixture
) -> None:
    folder = gallery.root / "from A1111"
    folder.mkdir()
    request = GenerationRequest(prompt="an old boat", seed=9)
    content = images.encode_png(Image.new("RGB", (64, 32)), infotext.png_info(request))
    (folder / "00001-9.png").write_bytes(content)
    (folder / "plain.png").write_bytes(images.encode_png(Image.new("RGB", (8, 8))))
    (folder / "torn.png").write_bytes(content[: len(content) // 2])
    gallery.reconcile()
    gallery.reconcile()
    assert {p.request.prompt for p in gallery.search()} == {"an old boat", ""}
    assert gallery.search("old")[0].width == 64
    assert "not a whole picture" in caplog.text


def test_a_lost_index_is_rebuilt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = Gallery(tmp_path)
    add(first, "a boat")
    first.close()
    index = tmp_path / ".studio" / "index.sqlite"
    index.write_bytes(b"this is not a database" * 100)
    second = Gallery(tmp_path)
    second.reconcile()
    assert found(second, "boat") == ["a boat"]
    second.close()
    assert "is kept as" in caplog.text


def test_a_disk_that_refuses_is_told_in_a_sentence(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="The disk is full: free some space"):
        add(gallery, "a boat")
    assert gallery.count() == 0
    assert not list(gallery.root.rglob("*.p*"))


def test_a_picture_that_cannot_be_indexed_leaves_no_file(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Picture) -> None:
        with gallery._database.transaction():
            raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(gallery, "insert", refuse)
        with pytest.raises(StorageError, match="The disk is full"):
            add(gallery, "a boat")
    assert not list(gallery.root.rglob("*.png"))
    add(gallery, "a boat")
    assert gallery.count() == 1


def test_a_huge_picture_from_elsewhere_does_not_stop_the_start(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (gallery.root / "huge.png").write_bytes(images.encode_png(Image.new("RGB", (64, 64))))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    gallery.reconcile()
    assert gallery.count() == 0
    assert "huge.png is not a whole picture" in caplog.text


def test_the_bench_looks_into_a_large_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PICTURES", 2 * searching.AT_ONCE)
    figures = [*searching.measure_searching(tmp_path, 1)]
    assert [one.aim for one in figures] == ["", "at most 100", "at most 50"]
    assert all(one.value > 0 for one in figures)
    assert "2,000" in figures[0].name
    assert [*tmp_path.iterdir()] == []
