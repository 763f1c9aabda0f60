"""Styles: those that ship, and other studios' files."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import InvalidRequest
from studio.pocket.world.vocabulary import STYLES
from studio.prompt import styles
from studio.prompt.styles import Style, apply_styles, export_csv, export_json, import_styles
from studio.settings import REPOSITORY

SHIPPED = styles.read_own_format(REPOSITORY / "presets/styles.json")


def test_the_specification() -> None:
    assert doctest.testmod(styles).failed == 0


def test_at_least_sixty_ship_each_named_in_both_languages() -> None:
    assert len(SHIPPED) >= 60
    assert len({one.id for one in SHIPPED}) == len(SHIPPED)
    assert all(one.name and one.name_zh and "{prompt}" in one.prompt for one in SHIPPED)
    assert {one.pocket for one in SHIPPED if one.pocket} == set(STYLES)


def test_a_style_that_pocket_comes_near_has_a_small_picture() -> None:
    folder = REPOSITORY / "assets/styles"
    assert {file.stem for file in folder.iterdir()} == {one.id for one in SHIPPED if one.pocket}
    sizes = [file.stat().st_size for file in folder.iterdir()]
    assert max(sizes) <= 6_000
    assert sum(sizes) < 500_000


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)
own = st.builds(Style, id=st.just("x"), name=words, prompt=words, negative_prompt=words)


@given(st.lists(own, min_size=1, max_size=5))
def test_what_is_exported_can_be_imported(made: list[Style]) -> None:
    for text in (export_csv(made), export_json(made)):
        back = import_styles(text)
        assert [(s.name, s.prompt, s.negative_prompt) for s in back] == [
            (s.name, s.prompt, s.negative_prompt) for s in made
        ]


def test_an_old_header_and_a_byte_order_mark_are_read() -> None:
    (style,) = import_styles('\ufeffname,text\nFog,"fog, dawn"\n')
    assert (style.name, style.prompt) == ("Fog", "fog, dawn")


@given(st.text(max_size=80))
def test_any_other_file_is_refused_in_words(text: str) -> None:
    try:
        assert import_styles(text)
    except InvalidRequest as error:
        assert error.problems[0].field == "styles"


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1]", "[" * 5000, json.dumps({"a": 1})])
def test_a_file_without_styles_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        import_styles(text)


def test_a_broken_file_of_ours_is_said(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text("[1", "utf-8")
    with pytest.raises(InvalidRequest, match=r"own\.json cannot be read"):
        styles.read_own_format(tmp_path / "own.json")


def test_several_styles_stand_in_their_order() -> None:
    two = [Style("a", "A", prompt="a {prompt}"), Style("b", "B", prompt="b")]
    assert apply_styles("boat", "", two) == ("a boat, b", "")
