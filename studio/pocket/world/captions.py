"""Captions for a scene, in English and Chinese, from terse tags to complete sentences."""

import random
from collections.abc import Sequence

from studio.pocket.world.scene import Scene, Subject
from studio.pocket.world.vocabulary import (
    COLOURS,
    KINDS,
    PLACES,
    POSITIONS,
    STYLES,
    TIMES,
    WEATHERS,
    Language,
)

COMPLETE_SHARE = 0.45
_EN_NUMBERS = {2: "two", 3: "three"}
_ZH_NUMBERS = {1: "一", 2: "两", 3: "三"}
_ZH_COMMA = "\uff0c"
_PICTURES = ("painting", "illustration", "art", "sketch", "drawing", "cut-out", "cutout")


class _Wording:
    """Chooses among synonyms: the canonical word mostly, another one otherwise."""

    def __init__(self, rng: random.Random | None) -> None:
        self._rng = rng

    def pick(self, options: Sequence[str]) -> str:
        if self._rng is None or len(options) == 1 or self._rng.random() < 0.5:
            return options[0]
        return self._rng.choice(options[1:])

    def chance(self, probability: float) -> bool:
        return self._rng is not None and self._rng.random() < probability

    def shuffled(self, parts: list[str]) -> list[str]:
        if self._rng is not None and self._rng.random() < 0.6:
            self._rng.shuffle(parts)
        return parts


def _en_subject(subject: Subject, words: _Wording, *, colour: bool, position: bool) -> str:
    noun = KINDS[subject.kind]
    hue = words.pick(COLOURS[subject.colour].en) + " " if colour else ""
    where = " " + words.pick(POSITIONS[subject.position].en[:3]) if position else ""
    name = words.pick(noun.en)
    if subject.count > 1:
        plural = noun.plurals[noun.en.index(name)]
        return f"{_EN_NUMBERS[subject.count]} {hue}{plural}{where}"
    if words.chance(0.15):
        return f"{hue}{name}{where}"
    article = "an" if (hue or name)[0] in "aeiou" else "a"
    return f"{article} {hue}{name}{where}"


def _zh_subject(subject: Subject, words: _Wording, *, colour: bool, position: bool) -> str:
    noun = KINDS[subject.kind]
    hue = words.pick(COLOURS[subject.colour].zh) + "的" if colour else ""
    number = _ZH_NUMBERS[subject.count] + noun.measure
    if subject.count == 1 and words.chance(0.5):
        number = ""
    thing = number + hue + words.pick(noun.zh)
    if not position:
        return thing
    where = words.pick(POSITIONS[subject.position].zh[:2])
    return thing + "在" + where if words.chance(0.4) else where + "有" + thing


def _subjects(
    scene: Scene, language: Language, words: _Wording, *, colour: bool, position: bool
) -> str:
    one = _en_subject if language == "en" else _zh_subject
    named = [one(subject, words, colour=colour, position=position) for subject in scene.subjects]
    if language == "en":
        return " and ".join(named)
    return (_ZH_COMMA if position else "和").join(named)


def _en_sentence(scene: Scene, kept: frozenset[str], words: _Wording, things: str) -> str:
    around = []
    if "place" in kept:
        around.append(words.pick(PLACES[scene.place].en_phrases))
    if "time" in kept:
        around.append(words.pick(TIMES[scene.time_of_day].en_phrases))
    if "weather" in kept:
        around.append(words.pick(WEATHERS[scene.weather].en_phrases))
    body = " ".join([things, *words.shuffled(around)])
    if "style" not in kept:
        return body
    style = words.pick(STYLES[scene.style].en)
    if style.endswith(_PICTURES) and words.chance(0.4):
        return f"{style} of {body}"
    return f"{style}, {body}" if words.chance(0.15) else f"{body}, {style}"


def _zh_sentence(scene: Scene, kept: frozenset[str], words: _Wording, things: str) -> str:
    time = words.pick(TIMES[scene.time_of_day].zh) if "time" in kept else ""
    place = words.pick(PLACES[scene.place].zh) if "place" in kept else ""
    weather = words.pick(WEATHERS[scene.weather].zh_phrases) if "weather" in kept else ""
    setting = "的".join(part for part in (time, place) if part)
    parts = [part for part in (setting, weather, things) if part]
    if place and words.chance(0.3):
        there = words.pick(PLACES[scene.place].zh_phrases)
        parts = [part for part in (time, weather, things + there) if part]
    if "style" in kept:
        style = words.pick(STYLES[scene.style].zh)
        parts = [style, *parts] if words.chance(0.3) else [*parts, style]
    return _ZH_COMMA.join(parts)


def _tags(
    scene: Scene, kept: frozenset[str], words: _Wording, things: str, language: Language
) -> str:
    entries = {
        "place": PLACES[scene.place],
        "time": TIMES[scene.time_of_day],
        "weather": WEATHERS[scene.weather],
        "style": STYLES[scene.style],
    }
    around = [words.pick(word.tags(language)) for key, word in entries.items() if key in kept]
    parts = words.shuffled([things, *around])
    return (", " if language == "en" else _ZH_COMMA).join(parts)


def _kept_attributes(rng: random.Random) -> frozenset[str]:
    """Which attributes a caption mentions: everything, almost nothing, or some."""
    everything = ("colour", "position", "place", "time", "weather", "style")
    roll = rng.random()
    if roll < COMPLETE_SHARE:
        return frozenset(everything)
    if roll < COMPLETE_SHARE + 0.10:
        return frozenset({"colour"})
    shares = {
        "colour": 0.92,
        "position": 0.35,
        "place": 0.75,
        "time": 0.7,
        "weather": 0.45,
        "style": 0.7,
    }
    return frozenset(key for key in everything if rng.random() < shares[key])


def caption(scene: Scene, language: Language, rng: random.Random) -> str:
    """Describe the scene, with varied wording, order and completeness."""
    kept, words = _kept_attributes(rng), _Wording(rng)
    things = _subjects(scene, language, words, colour="colour" in kept, position="position" in kept)
    if words.chance(0.3):
        text = _tags(scene, kept, words, things, language)
    elif language == "en":
        text = _en_sentence(scene, kept, words, things)
    else:
        text = _zh_sentence(scene, kept, words, things)
    if language == "zh" and words.chance(0.3):
        text = text.replace(_ZH_COMMA, ",")
    return text


def full_caption(scene: Scene, language: Language) -> str:
    """Describe everything in the scene, always in the same canonical words."""
    words = _Wording(None)
    things = _subjects(scene, language, words, colour=True, position=True)
    kept = frozenset({"place", "time", "weather", "style"})
    sentence = _en_sentence if language == "en" else _zh_sentence
    return sentence(scene, kept, words, things)
