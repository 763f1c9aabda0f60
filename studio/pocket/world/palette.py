"""Colours: the light of each time of day, and the ramp of shades of each subject colour."""

from dataclasses import dataclass, replace
from typing import Final

from studio.pocket.world.pen import Colour, mix, scaled


@dataclass(frozen=True)
class Mood:
    """The light of a time of day: sky colours, tint of things, haze of distance."""

    top: Colour
    middle: Colour
    horizon: Colour
    sun: Colour
    tint: tuple[float, float, float]
    haze: Colour
    outline: Colour
    sun_height: float
    lamps_lit: bool

    def shade(self, colour: Colour, distance: float = 0.0) -> Colour:
        """A background colour in this light, fading into haze with distance (0 to 1)."""
        return mix(scaled(colour, self.tint), self.haze, distance)


MOODS: Final[dict[str, Mood]] = {
    "dawn": Mood(
        (150, 150, 218),
        (250, 186, 206),
        (255, 228, 196),
        (255, 246, 214),
        (1.0, 0.86, 0.94),
        (244, 200, 214),
        (255, 150, 200),
        0.40,
        False,
    ),
    "noon": Mood(
        (40, 136, 222),
        (108, 190, 244),
        (210, 240, 252),
        (255, 246, 190),
        (1.0, 1.0, 1.0),
        (176, 220, 244),
        (80, 210, 255),
        0.15,
        False,
    ),
    "afternoon": Mood(
        (250, 184, 70),
        (255, 214, 122),
        (255, 242, 196),
        (255, 252, 232),
        (1.05, 0.93, 0.72),
        (255, 226, 150),
        (255, 200, 70),
        0.24,
        False,
    ),
    "sunset": Mood(
        (72, 40, 112),
        (206, 62, 98),
        (255, 146, 66),
        (255, 214, 110),
        (0.78, 0.50, 0.56),
        (222, 92, 92),
        (255, 84, 110),
        0.44,
        True,
    ),
    "night": Mood(
        (8, 14, 46),
        (20, 34, 88),
        (50, 70, 136),
        (252, 246, 214),
        (0.40, 0.48, 0.72),
        (46, 64, 128),
        (90, 110, 255),
        0.20,
        True,
    ),
}

SUBJECT_COLOURS: Final[dict[str, Colour]] = {
    "red": (216, 38, 48),
    "orange": (246, 128, 22),
    "yellow": (253, 210, 40),
    "green": (46, 152, 66),
    "teal": (20, 178, 172),
    "blue": (38, 88, 214),
    "purple": (126, 58, 180),
    "pink": (250, 136, 184),
    "brown": (126, 76, 42),
    "white": (247, 245, 240),
    "grey": (142, 146, 154),
    "black": (36, 36, 44),
}

_SUBJECT_LIGHT: Final[dict[str, tuple[float, float, float]]] = {
    "dawn": (1.0, 0.97, 0.99),
    "noon": (1.0, 1.0, 1.0),
    "afternoon": (1.0, 0.98, 0.93),
    "sunset": (0.96, 0.90, 0.90),
    "night": (0.82, 0.84, 0.93),
}


def mood_for(time_of_day: str, weather: str) -> Mood:
    """The mood of a time of day, greyed by rain and paled by snowfall."""
    mood = MOODS[time_of_day]
    if weather not in ("rain", "snow"):
        return mood
    grey = scaled(
        (150, 160, 176) if weather == "rain" else (206, 214, 226), mix_tint(mood.tint, 0.85)
    )
    share = 0.34 if weather == "rain" else 0.22
    return replace(
        mood,
        top=mix(mood.top, grey, share),
        middle=mix(mood.middle, grey, share),
        horizon=mix(mood.horizon, grey, share),
        haze=mix(mood.haze, grey, share),
    )


def mix_tint(tint: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    """`share` of a tint, the rest neutral."""
    r, g, b = (1 + (channel - 1) * share for channel in tint)
    return r, g, b


@dataclass(frozen=True)
class Ramp:
    """The few colours a subject is painted in; `base` dominates."""

    base: Colour
    light: Colour
    dark: Colour
    deep: Colour
    cream: Colour
    ink: Colour
    glass: Colour
    wood: Colour
    leaf: Colour
    gold: Colour


def ramp_for(colour: str, time_of_day: str) -> Ramp:
    """Shades of a subject colour, barely tinted by the time so that red stays red."""
    light = _SUBJECT_LIGHT[time_of_day]
    base = scaled(SUBJECT_COLOURS[colour], light)
    lit = MOODS[time_of_day].lamps_lit
    cool = (182, 194, 214) if colour == "white" else scaled(base, (0.72, 0.70, 0.76))
    deep = (120, 134, 160) if colour == "white" else scaled(base, (0.46, 0.44, 0.52))
    gold = (255, 206, 62) if colour not in ("yellow", "orange") else (122, 70, 34)
    return Ramp(
        base=base,
        light=mix(base, (255, 255, 255), 0.16 if colour == "black" else 0.30),
        dark=scaled(cool, light) if colour == "white" else cool,
        deep=scaled(deep, light),
        cream=scaled((255, 244, 222) if colour != "white" else (232, 196, 150), light),
        ink=scaled((40, 40, 54) if colour != "black" else (214, 214, 224), light),
        glass=(255, 226, 120) if lit else scaled((202, 232, 244), light),
        wood=scaled((118, 76, 48), light),
        leaf=scaled((58, 140, 66), light),
        gold=scaled(gold, light),
    )
