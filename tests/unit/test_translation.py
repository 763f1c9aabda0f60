"""Chinese prompts: what is translated, and what comes through to the letter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.translation.marks import pieces, reads_as_chinese, translated

WORDS = {
    "红色的帆船": "A red sailboat.", "日落时分": "at sunset", "水彩": "watercolour",
    "猫": "cat", "狗": "dog", "城堡": "castle", "的塔楼": "tower", "颜色": "colour",
    "夜晚": "Night.", "很安静。": "It is quiet.", "一只": "a",
    "坏": "a (bad) [one] <x>: {y|z} \\ __w__",
}  # fmt: skip

MARKS = "()[]{}<>:|\\"


def english(clauses: Sequence[str]) -> list[str]:
    return [WORDS[clause] for clause in clauses]


PROMPTS = [
    ("红色的帆船，水彩", "A red sailboat, watercolour"),
    ("红色的帆船，日落时分，(水彩:1.3)", "A red sailboat, at sunset, (watercolour:1.3)"),
    ("一只[猫:狗:0.4]，[[夜晚]]", "a [cat:dog:0.4], [[Night]]"),
    ("[猫|狗] <lora:墨:0.8> 城堡", "[cat|dog] <lora:墨:0.8> castle"),
    ("猫 BREAK 狗 AND 城堡 :1.2", "cat BREAK dog AND castle :1.2"),
    ("{2$$猫|3::狗|城堡}, __颜色__", "{2$$cat|3::dog|castle}, __颜色__"),
    ("(城堡:1.2)的塔楼", "(castle:1.2) tower"),
    ("猫(狗)", "cat (dog)"),
    (r"\(猫\) 狗", r"\(cat\) dog"),
    ("猫\n# 狗不译\n城堡 # 也不译", "cat\n# 狗不译\ncastle # 也不译"),
    ("a red boat, 水彩 , 8k", "a red boat, watercolour , 8k"),
    ("夜晚。", "Night."),
    ("坏", "a bad one x y z w"),
    ("a (red:1.3) boat , sea", "a (red:1.3) boat , sea"),
    ("", ""),
    ("，", "，"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "wanted"), PROMPTS)
def test_words_are_translated_and_marks_survive(prompt: str, wanted: str) -> None:
    assert translated(prompt, english) == wanted


def test_a_full_stop_stays_where_the_chinese_had_one() -> None:
    assert translated("很安静。", lambda _: ["It is quiet."]) == "It is quiet."


def test_every_clause_is_asked_for_once_and_all_together() -> None:
    asked: list[Sequence[str]] = []

    def listen(clauses: Sequence[str]) -> list[str]:
        asked.append(clauses)
        return english(clauses)

    translated("猫，狗，猫，(猫)", listen)
    assert asked == [("猫", "狗")]
    translated("a cat", listen)
    assert len(asked) == 1


@given(st.text("猫狗 a1,，。()[]{}<>:|\\#_$.\nBREAKAND", max_size=60))
def test_taking_apart_loses_nothing(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text
    same = translated(text, lambda clauses: ["x" for _ in clauses])
    assert reads_as_chinese(text) or same == text
    assert [each for each in same if each in MARKS] == [each for each in text if each in MARKS]
    assert not reads_as_chinese(same)
