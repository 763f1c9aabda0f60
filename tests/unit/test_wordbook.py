"""What the studio keeps of words: it survives a restart, and stays whose it is."""

from __future__ import annotations

import doctest
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import InvalidRequest, NotFound
from studio.pocket.world.words import unknown_words
from studio.prompt import resolve
from studio.prompt.variants import choose
from studio.request import GenerationRequest
from studio.settings import REPOSITORY
from studio.wordbook import Wordbook, completion, wildcards
from studio.wordbook.completion import Known, NamedStyle, complete
from studio.wordbook.history import PromptHistory
from studio.wordbook.wordbook import Draft

PRESETS = REPOSITORY / "presets"
FOG = {"name": "Fog", "prompt": "{prompt}, fog at dawn", "negative_prompt": "sun"}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Wordbook]:
    opened = Wordbook(PRESETS, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("module", [completion, resolve, wildcards])
def test_the_specification(module: object) -> None:
    tried = doctest.testmod(module)  # type: ignore[arg-type]
    assert tried.attempted > 0
    assert tried.failed == 0


def test_own_styles_come_first_and_survive_a_restart(book: Wordbook, tmp_path: Path) -> None:
    book.styles.put("fog", FOG)
    again = Wordbook(PRESETS, tmp_path)
    first = again.styles.list()[0]
    assert (first.style.name, first.style.prompt, first.own) == ("Fog", FOG["prompt"], True)
    assert len(again.styles.list()) > 60
    again.close()


def test_a_style_that_ships_can_be_covered_and_comes_back(book: Wordbook) -> None:
    shipped = book.styles.find(["oil"])[0]
    book.styles.put("oil", {"name": shipped.name, "prompt": "{prompt}, oil on board"})
    (covered,) = book.styles.find(["oil"])
    assert covered.prompt == "{prompt}, oil on board"
    assert (covered.name_zh, covered.pocket) == (shipped.name_zh, shipped.pocket)
    assert [each.style.id for each in book.styles.list()].count("oil") == 1
    book.styles.remove("oil")
    assert book.styles.find(["oil"]) == (shipped,)
    with pytest.raises(NotFound):
        book.styles.remove("oil")


def test_other_studios_styles_go_in_and_out(book: Wordbook) -> None:
    taken = book.styles.take_in('name,prompt,negative_prompt\nFog,"{prompt}, fog",\nOil,oil,\n')
    assert [each.style.id for each in taken] == ["fog", "oil-own"]
    assert book.styles.find(["oil"])[0].prompt == "{prompt}, oil painting"
    exported = book.styles.export("csv")
    assert [each.style.name for each in book.styles.take_in(exported)] == ["Fog", "Oil"]
    assert sum(each.own for each in book.styles.list()) == 2
    assert '"Fog"' in book.styles.export("json")


@pytest.mark.parametrize(
    ("identifier", "values", "field"),
    [
        ("x", {"name": "", "prompt": "fog"}, "name"),
        ("x", {"name": "Fog"}, "prompt"),
        ("x", {"name": "Fog", "prompt": "x" * 10_001}, "prompt"),
        ("x", {"name": "Fog", "negative_prompt": 3}, "negative_prompt"),
        ("x", {"name": "F\ud800", "prompt": "fog"}, "name"),
        ("../x", FOG, "id"),
    ],
)
def test_a_style_that_cannot_be_kept_is_refused_by_field(
    book: Wordbook, identifier: str, values: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        book.styles.put(identifier, values)
    assert refused.value.problems[0].field == field
    assert not any(each.own for each in book.styles.list())


def test_a_broken_file_is_put_aside_and_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "styles.json").write_text('[{"id": "fog", "na')
    book = Wordbook(PRESETS, tmp_path)
    assert not any(each.own for each in book.styles.list())
    (kept,) = (tmp_path / "words").glob("styles.json.broken-*")
    assert kept.read_text().startswith('[{"id": "fog"')
    book.close()


def test_presets_keep_a_part_of_a_request(book: Wordbook, tmp_path: Path) -> None:
    book.presets.put("quick", "Quick", {"num_inference_steps": 4, "sampler": None})
    with pytest.raises(InvalidRequest) as refused:
        book.presets.put("wide", "Wide", {"width": 13, "nonsense": 1})
    assert {problem.field for problem in refused.value.problems} == {"width", "nonsense"}
    again = Wordbook(PRESETS, tmp_path)
    assert [(p.name, p.values) for p in again.presets.list()] == [
        ("Quick", {"num_inference_steps": 4})
    ]
    again.presets.remove("quick")
    assert again.presets.list() == []
    again.close()


def test_wildcards_are_found_without_a_restart(book: Wordbook, tmp_path: Path) -> None:
    own = tmp_path / "wildcards" / "sea"
    own.mkdir(parents=True)
    (own / "boat.txt").write_text("\ufeff# boats\nred boat\n\n", "utf-8")
    assert book.wildcards.now()["sea/boat"] == ("red boat",)
    (own / "boat.txt").write_text("blue boat\nold ship\n")
    os.utime(own / "boat.txt", (1, 1))
    assert book.wildcards.now()["sea/boat"] == ("blue boat", "old ship")
    (own / "boat.txt").unlink()
    assert "sea/boat" not in book.wildcards.now()


def test_an_own_wildcard_goes_before_one_that_ships(book: Wordbook, tmp_path: Path) -> None:
    assert len(book.wildcards.now()["colour"]) == 12
    (tmp_path / "wildcards").mkdir()
    (tmp_path / "wildcards" / "colour.txt").write_text("ultramarine")
    (tmp_path / "wildcards" / "loop").symlink_to(tmp_path / "wildcards")
    assert book.wildcards.now()["colour"] == ("ultramarine",)


def test_what_ships_is_understood_by_pocket(book: Wordbook) -> None:
    files = book.wildcards.now()
    assert len(files) >= 10
    for name in ("colour", "place", "time", "subject/animal", "subject/vehicle"):
        for line in files[name]:
            glue = {"on", "in", "at", "the"}
            assert set(unknown_words(line, "en")) <= glue, (name, line)
    drawn = {choose("__scene__", files, random.Random(seed)) for seed in range(40)}
    assert len(drawn) > 20
    assert not any("__" in text for text in drawn)


def test_each_picture_draws_its_own_words(book: Wordbook) -> None:
    draft = Draft("a __colour__ {boat|car}", "__mood__", ["oil"])
    three = book.wordings(draft, 5, 3)
    assert [each.seed for each in three] == [5, 6, 7]
    assert three == [book.wordings(draft, seed, 1)[0] for seed in (5, 6, 7)]
    assert all(each.prompt.endswith(", oil painting") for each in three)
    with pytest.raises(InvalidRequest, match="no style “nowhere”"):
        book.wordings(Draft("a", styles=["nowhere"]), 1, 1)


def test_a_request_is_resolved_once_for_every_picture(book: Wordbook) -> None:
    written = GenerationRequest(
        prompt="a {red|blue} boat", negative_prompt="fog", styles=("oil",), seed=1, num_images=6
    )
    resolved = book.resolve(written)
    assert resolved.prompt == written.prompt  # as it was written: what a job shows
    recipes = [resolved.one(index) for index in range(6)]
    drawn = book.wordings(Draft("a {red|blue} boat", "fog", ["oil"]), 1, 6)
    assert [recipe.prompt for recipe in recipes] == [wording.prompt for wording in drawn]
    assert len({recipe.prompt for recipe in recipes}) == 2
    for recipe in recipes:
        assert recipe.negative_prompt.startswith("fog")
        assert (recipe.styles, recipe.template_styles) == ((), ("oil",))
        assert recipe.template == written.prompt
        assert book.resolve(recipe) is recipe  # to make it again needs no wordbook
    assert recipes[3] == recipes[3].one(0)


def test_words_that_grow_too_long_are_refused(book: Wordbook) -> None:
    with pytest.raises(InvalidRequest, match="with its styles and wildcards it has 10,"):
        book.resolve(GenerationRequest(prompt="x" * 10_000, styles=("oil",)))
    with pytest.raises(InvalidRequest, match="no style “nowhere”"):
        book.resolve(GenerationRequest(styles=("nowhere",)))


@given(st.text(max_size=60), st.integers(0, 2**32 - 1))
def test_words_without_variants_stay_as_they_are(prompt: str, seed: int) -> None:
    if "__" in prompt or "{" in prompt:
        return
    assert resolve.resolve(prompt, "", [], {}, seed) == (prompt, "")


def test_nobody_sees_anothers_prompts(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "history.sqlite")
    history.add("ann", "a red boat", "people")
    history.add("bob", "a red car", "")
    history.add("api", "a program's prompt", "")
    assert [past.prompt for past in history.search("ann", "RED")] == ["a red boat"]
    assert history.search("ann", "car") == []
    assert history.search("api") == history.search("page") == []
    assert history.beginning("ann", "a red ") == ["a red boat"]
    (mine,) = history.search("ann")
    assert history.forget("bob", mine.id) == 0
    assert history.forget("ann", mine.id) == 1
    assert history.search("ann") == []
    history.close()


def test_history_counts_and_is_bounded(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "history.sqlite", kept=8)
    for number in range(12):
        history.add("ann", f"boat {number}", "")
    history.add("ann", "boat 10", "")
    history.add("ann", "  ", "")
    history.add("ann", "100 % sea_side", "")
    assert [past.prompt for past in history.search("ann", "% a_s")] == ["100 % sea_side"]
    found = history.search("ann", limit=50)
    assert len(found) == 8
    assert [(past.prompt, past.times) for past in found[:2]] == [
        ("100 % sea_side", 1), ("boat 10", 2),
    ]  # fmt: skip
    history.close()


KNOWN = Known(
    words=("red", "reef"),
    wildcards=("colour", "sea/colour"),
    loras=("paint", "old/paint"),
    embeddings=("redhead",),
    styles=(NamedStyle("oil", ("Oil painting", "油画")),),
)


def test_completion_offers_what_fits_the_place() -> None:
    def kinds(prefix: str) -> list[str]:
        return [found.kind for found in complete(prefix, KNOWN)]

    assert kinds("re") == ["word", "word", "embedding"]
    assert kinds("a boat, pai") == ["style", "lora", "lora"]
    assert kinds("a boat <lora:pa") == kinds("<pa") == ["lora", "lora"]
    assert kinds("a __col") == ["wildcard", "wildcard"]
    assert kinds("一幅油") == ["style"]
    assert complete("xyz", KNOWN) == []
    (past,) = complete("xyz", Known(prompts=("xyz of old",)))
    assert (past.kind, past.text, past.replaces) == ("prompt", "xyz of old", 3)


@given(st.text(max_size=80))
def test_completion_never_replaces_more_than_there_is(prefix: str) -> None:
    for found in complete(prefix, KNOWN, limit=50):
        assert 0 <= found.replaces <= len(prefix)
        assert (found.kind == "style") == (found.text == "") == bool(found.id)
