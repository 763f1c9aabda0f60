"""The drawn world: sensible balanced scenes, distinct pictures, captions in known words."""

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from studio.pocket.world import (
    VOCABULARY,
    Scene,
    Subject,
    caption,
    full_caption,
    known_words,
    render,
    sample_scene,
    unknown_words,
)
from studio.pocket.world.palette import SUBJECT_COLOURS
from studio.pocket.world.scene import allowed_weathers
from studio.pocket.world.subjects import SUBJECT_KINDS
from studio.pocket.world.vocabulary import Language, Noun

BOAT = Scene((Subject("sailboat", "red", "centre"),), "sea", "sunset", "clear", "flat", 3)
SCENES = [sample_scene(random.Random(seed)) for seed in range(3000)]


def pixels(scene: Scene, size: int = 128) -> np.ndarray:
    return np.asarray(render(scene, size), dtype=np.float64)


def distance(first: Scene, second: Scene) -> float:
    return float(np.abs(pixels(first) - pixels(second)).mean())


@pytest.mark.parametrize("size", [128, 256])
def test_the_same_scene_gives_the_same_pixels(size: int) -> None:
    for scene in SCENES[:14]:
        picture = render(scene, size)
        assert picture.size == (size, size) and picture.mode == "RGB"
        assert picture.tobytes() == render(scene, size).tobytes()


def test_the_seed_moves_only_details() -> None:
    assert 0 < distance(BOAT, replace(BOAT, seed=4)) < 15


def variants(attribute: str) -> list[Scene]:
    """One scene per value of an attribute, all else equal."""
    values = list(VOCABULARY[attribute])
    if attribute in ("kind", "colour", "position"):
        subject = BOAT.subjects[0]
        return [replace(BOAT, subjects=(replace(subject, **{attribute: v}),)) for v in values]
    return [replace(BOAT, **{attribute: value}) for value in values]


@pytest.mark.parametrize("attribute", list(VOCABULARY))
def test_every_value_is_drawn_and_looks_different(attribute: str) -> None:
    for first, second in combinations(variants(attribute), 2):
        assert distance(first, second) > 1.0, (first, second)


def test_every_subject_and_colour_can_be_painted() -> None:
    assert set(SUBJECT_KINDS) == set(VOCABULARY["kind"])
    assert set(SUBJECT_COLOURS) == set(VOCABULARY["colour"])


@pytest.mark.parametrize("time_of_day", list(VOCABULARY["time_of_day"]))
def test_styles_are_clearly_different(time_of_day: str) -> None:
    scene = replace(BOAT, time_of_day=time_of_day)
    styled = [replace(scene, style=style) for style in VOCABULARY["style"]]
    for first, second in combinations(styled, 2):
        assert distance(first, second) > 4.0, (first.style, second.style)


@pytest.mark.parametrize("time_of_day", list(VOCABULARY["time_of_day"]))
def test_a_subject_keeps_its_colour_at_every_time(time_of_day: str) -> None:
    house = Scene((Subject("house", "red"),), "hills", time_of_day, "clear", "flat", 0)
    red, green, blue = pixels(house)[96:106, 70:74].reshape(-1, 3).mean(axis=0)
    wall = pixels(house)[90:110, 44:54].reshape(-1, 3)
    reddest = wall[np.argmax(wall[:, 0] - wall[:, 1])]
    assert reddest[0] > 2.5 * reddest[1] and reddest[0] > 2.5 * reddest[2]
    assert red > green and red > blue


def test_sampling_is_balanced() -> None:
    subjects = [subject for scene in SCENES for subject in scene.subjects]
    for attribute, low in (("kind", 0.7), ("colour", 0.7), ("position", 0.6)):
        counts = Counter(getattr(subject, attribute) for subject in subjects)
        assert min(counts[v] for v in VOCABULARY[attribute]) > (
            low * len(subjects) / len(VOCABULARY[attribute])
        )
    for attribute, low in (("place", 0.8), ("time_of_day", 0.8), ("style", 0.8), ("weather", 0.5)):
        counts = Counter(getattr(scene, attribute) for scene in SCENES)
        assert min(counts[v] for v in VOCABULARY[attribute]) > (
            low * len(SCENES) / len(VOCABULARY[attribute])
        )
    pairs = [scene for scene in SCENES if len(scene.subjects) == 2]
    assert 0.26 < len(pairs) / len(SCENES) < 0.34
    several = [s for s in SCENES if len(s.subjects) == 1 and s.subjects[0].count > 1]
    assert 0.11 < len(several) / (len(SCENES) - len(pairs)) < 0.19


def test_sampled_scenes_make_sense() -> None:
    for scene in SCENES:
        assert scene.weather in allowed_weathers(scene.place, scene.time_of_day)
        if len(scene.subjects) == 2:
            assert len({subject.position for subject in scene.subjects}) == 2
            assert all(subject.count == 1 for subject in scene.subjects)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_captions_use_known_words_only(language: Language) -> None:
    rng = random.Random(7)
    for scene in SCENES:
        for text in (caption(scene, language, rng), full_caption(scene, language)):
            assert unknown_words(text, language) == (), text


def test_unknown_words_are_named_in_order() -> None:
    assert unknown_words("A red Dragon and a blue spoon", "en") == ("dragon", "spoon")
    assert unknown_words("红色的恐龙在海上", "zh") == ("恐龙",)
    assert {"watercolor", "watercolour", "gray", "grey", "center", "centre"} <= known_words("en")


def test_both_languages_describe_the_same_scene() -> None:
    for scene in SCENES[:300]:
        for language in ("en", "zh"):
            text = full_caption(scene, language)
            for attribute in ("place", "time_of_day", "weather", "style"):
                word = VOCABULARY[attribute][getattr(scene, attribute)]
                said = (*word.tags(language), *word.phrases(language))
                assert any(term in text for term in said), (attribute, text)
            for subject in scene.subjects:
                noun = VOCABULARY["kind"][subject.kind]
                assert isinstance(noun, Noun)
                names = noun.zh[:1] if language == "zh" else (noun.en[0], noun.plurals[0])
                assert any(name in text for name in names)
                assert VOCABULARY["colour"][subject.colour].tags(language)[0] in text
                assert VOCABULARY["position"][subject.position].tags(language)[0] in text


def test_captions_vary_in_completeness() -> None:
    rng = random.Random(1)
    said = {caption(BOAT, "en", rng) for _ in range(3000)}
    assert "a red sailboat" in said
    assert len(said) > 500


def test_the_promised_captions_can_be_made() -> None:
    rng = random.Random(2)
    boat = replace(BOAT, style="watercolour")
    english = {caption(boat, "en", rng) for _ in range(30000)}
    assert "a red sailboat on the sea at sunset, watercolour" in english
    castle = Scene((Subject("castle", "blue"),), "city", "night", "clear", "flat", 1)
    chinese = {caption(castle, "zh", rng) for _ in range(30000)}
    assert "夜晚的城市\uff0c蓝色的城堡" in chinese
