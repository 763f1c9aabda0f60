"""The prompt language: its doctests are its specification, and nothing is ever dropped."""

from __future__ import annotations

import doctest
import random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.prompt import grammar, plan, variants
from studio.prompt.grammar import Alternate, Node, Plain, Switch, Weighted, read_prompt
from studio.prompt.plan import plan_prompt
from studio.prompt.variants import MAX_COUNTED, choose, combinations, has_variants

MARKS = "()[]:|\\ab1. ANDBREAK#\n"
prompts = st.text(alphabet=st.sampled_from(MARKS) | st.characters(codec="utf-8"), max_size=80)


@pytest.mark.parametrize("module", [grammar, plan, variants])
def test_the_specification(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 4
    assert found.failed == 0


def letters(nodes: tuple[Node, ...]) -> str:
    """Everything a tree says, whatever the step."""
    said = ""
    for node in nodes:
        match node:
            case Plain(text):
                said += text
            case Weighted(inside, _):
                said += letters(tuple(inside))
            case Switch(before, after, _):
                said += letters(tuple(before)) + letters(tuple(after))
            case Alternate(options):
                said += "".join(letters(tuple(option)) for option in options)
    return said


@given(prompts)
def test_any_text_is_read_and_no_letter_is_lost(text: str) -> None:
    assert [c for c in letters(read_prompt(text)) if c.isalpha()] == [
        c for c in text if c.isalpha()
    ]


@given(st.text(alphabet="ab ,.!?é帆船\n-", max_size=60))
def test_a_text_without_marks_means_itself(text: str) -> None:
    (moment,) = set(plan_prompt(text, 20).moments)
    (condition,) = moment.conditions
    assert "".join(span.text for span in condition.spans) == text
    assert {span.weight for span in condition.spans} <= {1.0}


@given(prompts, st.integers(1, 30))
def test_a_plan_has_a_moment_for_every_step(text: str, steps: int) -> None:
    made = plan_prompt(text, steps)
    assert len(made.moments) == steps
    assert made.at(steps + 5) is made.moments[-1]
    assert all(moment.conditions for moment in made.moments)


def said(text: str, steps: int) -> list[str]:
    made = plan_prompt(text, steps)
    return ["".join(s.text for s in made.at(k).conditions[0].spans) for k in range(steps)]


def test_a_switch_counts_as_a1111_does() -> None:
    assert said("[a:b:2]", 4) == ["a", "a", "b", "b"]
    assert said("[a:b:0.25]", 4) == ["a", "b", "b", "b"]
    assert said("[a:b:1]", 3) == ["a", "b", "b"]
    assert said("[a::2]", 3) == ["a", "a", ""]
    assert said("[a:b:9]", 3) == ["a", "a", "a"]
    assert said("[[a|c]:b:2]", 4) == ["a", "c", "b", "b"]


def test_comments_are_left_out_but_a_number_sign_in_a_word_is_not() -> None:
    assert said("# a title\na boat # red\nF#m C#", 1) == ["a boat \nF#m C#"]


def test_and_gives_weights_and_break_gives_blocks() -> None:
    conditions = plan_prompt("a AND b:0.5 AND (c:1.2) AND ANDROID", 1).at(0).conditions
    assert [round(c.weight, 3) for c in conditions] == [1.0, 0.5, 1.0, 1.0]
    assert conditions[3].spans[0].text.strip() == "ANDROID"
    (condition,) = plan_prompt("(a BREAK b:1.5) BREAK", 1).at(0).conditions
    assert [[(s.text, s.weight) for s in block] for block in condition.blocks()] == [
        [("a ", 1.5)],
        [(" b", 1.5), (" ", 1.0)],
        [],
    ]


@given(st.text(alphabet=st.sampled_from("{}|:$_2ab-.*"), max_size=40), st.integers(0, 99))
@settings(max_examples=300)
def test_any_variants_are_chosen_among_their_combinations(text: str, seed: int) -> None:
    wildcards = {"a": ("red", "2::{blue|green}", "__a__"), "b": ("__a__ __a__",)}
    chosen = choose(text, wildcards, random.Random(seed))
    assert chosen == choose(text, wildcards, random.Random(seed))
    if not has_variants(text, wildcards):
        assert chosen == text
        assert combinations(text, wildcards).texts == (text,)


def test_weights_decide_how_often() -> None:
    drawn = [choose("{9::a|b}", {}, random.Random(seed)) for seed in range(300)]
    assert 240 < drawn.count("a") < 295
    assert choose("{0::a|b}", {}, random.Random(3)) == "b"


def test_a_wildcard_that_holds_itself_ends() -> None:
    endless = {"a": ("__a__ __a__ __a__",)}
    assert len(choose("__a__", endless, random.Random(0))) < 100_000


def test_very_many_combinations_are_counted_no_further_than_is_useful() -> None:
    for text in ("{a|b}" * 1600, "{15$$" + "|".join("abcdefghijklmnopqrstuvwxyz") + "}"):
        found = combinations(text, {})
        assert (found.count, found.whole) == (MAX_COUNTED, False)


def test_as_many_wildcards_as_one_likes_are_drawn_and_counted() -> None:
    files = {"c": ("x",), "loop": ("a __loop__",)}
    assert combinations("__c__ " * 30, files).texts == ("x " * 30,)
    assert choose("__c__ " * 30, files, random.Random(1)) == "x " * 30
    assert combinations("__loop__", files).count == 1  # ends, though the file holds itself
