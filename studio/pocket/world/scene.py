"""A scene description, and the sampling of well-balanced, sensible ones."""

import random
from dataclasses import dataclass
from typing import Final

from studio.pocket.world.vocabulary import COLOURS, KINDS, PLACES, STYLES, TIMES

TWO_SUBJECTS_SHARE: Final = 0.30
SEVERAL_SHARE: Final = 0.15

_DAY_WEATHERS: Final = {"clear": 1.0, "clouds": 1.0, "rain": 1.0, "snow": 1.0, "rainbow": 1.4}
_DUSK_WEATHERS: Final = {
    "clear": 1.0,
    "clouds": 1.0,
    "rain": 1.0,
    "snow": 1.0,
    "stars": 1.5,
    "moon": 1.5,
}
_NIGHT_WEATHERS: Final = {
    "clear": 0.8,
    "clouds": 1.0,
    "rain": 1.0,
    "snow": 1.0,
    "stars": 2.2,
    "moon": 2.2,
}
_WEATHERS_BY_TIME: Final = {
    "dawn": _DAY_WEATHERS,
    "noon": _DAY_WEATHERS,
    "afternoon": _DAY_WEATHERS,
    "sunset": _DUSK_WEATHERS,
    "night": _NIGHT_WEATHERS,
}
_IMPLAUSIBLE: Final = frozenset({("desert", "snow"), ("snowfield", "rain")})


@dataclass(frozen=True)
class Subject:
    """One kind of thing, in one colour, at one place in the picture, one to three times."""

    kind: str
    colour: str
    position: str = "centre"
    count: int = 1


@dataclass(frozen=True)
class Scene:
    """Everything that decides a picture; `seed` only moves the painterly jitter."""

    subjects: tuple[Subject, ...]
    place: str
    time_of_day: str
    weather: str
    style: str
    seed: int = 0


def allowed_weathers(place: str, time_of_day: str) -> dict[str, float]:
    """Weathers that make sense there and then, with their sampling weights."""
    weathers = _WEATHERS_BY_TIME[time_of_day]
    return {key: weight for key, weight in weathers.items() if (place, key) not in _IMPLAUSIBLE}


def _sample_subjects(rng: random.Random) -> tuple[Subject, ...]:
    kinds, colours = list(KINDS), list(COLOURS)
    if rng.random() >= TWO_SUBJECTS_SHARE:
        position = rng.choice(("left", "centre", "right"))
        count = rng.choice((2, 3)) if rng.random() < SEVERAL_SHARE else 1
        return (Subject(rng.choice(kinds), rng.choice(colours), position, count),)
    left, right = rng.choice((("left", "right"),) * 8 + (("left", "centre"), ("centre", "right")))
    first_kind, second_kind = rng.sample(kinds, 2)
    first_colour = rng.choice(colours)
    others = [colour for colour in colours if colour != first_colour]
    second_colour = rng.choice(others) if rng.random() < 0.95 else first_colour
    return (Subject(first_kind, first_colour, left), Subject(second_kind, second_colour, right))


def sample_scene(rng: random.Random) -> Scene:
    """Draw a sensible scene, balanced over every attribute."""
    place = rng.choice(list(PLACES))
    time_of_day = rng.choice(list(TIMES))
    weathers = allowed_weathers(place, time_of_day)
    return Scene(
        subjects=_sample_subjects(rng),
        place=place,
        time_of_day=time_of_day,
        weather=rng.choices(list(weathers), weights=list(weathers.values()))[0],
        style=rng.choice(list(STYLES)),
        seed=rng.randrange(2**31),
    )
