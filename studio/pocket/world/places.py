"""The eight places, each as three sheets from far to near."""

import math
import random
from collections.abc import Callable
from typing import Final

from studio.pocket.world.palette import Mood
from studio.pocket.world.pen import Colour, Layer, Pen, Point, mix, vertical_gradient

Sheets = tuple[Pen, Pen, Pen]
_GROUND_BASE = 1.02


def _ridge(pen: Pen, base: float, height: float, waves: float, phase: float) -> None:
    """Cover everything below a rolling line with the sheet's ground."""
    line: list[Point] = [
        (i / 24, base - height * math.sin(waves * math.pi * 2 * i / 24 + phase)) for i in range(25)
    ]
    pen.clear_to_ground(*line, (1.0, _GROUND_BASE), (0.0, _GROUND_BASE))


def _sheet(size: int, mood: Mood, colour: Colour, distance: float, top: float) -> Pen:
    """A sheet whose ground is darker towards the bottom."""
    upper = mood.shade(mix(colour, (255, 255, 255), 0.14), distance)
    lower = mood.shade(mix(colour, (20, 30, 60), 0.22), distance * 0.5)
    return Pen(size, vertical_gradient(((top, upper), (min(1.0, top + 0.4), lower)), size * 2))


def _fir(pen: Pen, colour: Colour, x: float, foot: float, height: float) -> None:
    width = height * 0.27
    for level, spread in ((0.0, 1.0), (0.28, 0.80), (0.54, 0.58)):
        low = foot - height * level
        pen.poly(
            colour, (x - width * spread, low), (x + width * spread, low), (x, low - height * 0.46)
        )


def _mountains(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (92, 116, 168), 0.42, 0.28)
    snow, shade = mood.shade((250, 252, 255), 0.10), mood.shade((70, 92, 148), 0.34)
    for x, top, half in ((0.16, 0.36, 0.32), (0.86, 0.33, 0.34), (0.52, 0.25, 0.36)):
        peak = top + rng.uniform(-0.02, 0.02)
        height = 0.72 - peak
        back.clear_to_ground((x - half, 0.72), (x, peak), (x + half, 0.72))
        back.poly(shade, (x, peak), (x + half, 0.72), (x + half * 0.15, 0.72))
        cap, edge = peak + height * 0.34, half * 0.34
        back.poly(
            snow,
            (x, peak),
            (x + edge, cap),
            (x + edge * 0.35, cap - 0.045),
            (x, cap + 0.01),
            (x - edge * 0.4, cap - 0.045),
            (x - edge, cap),
        )
    middle = _sheet(size, mood, (70, 120, 112), 0.22, 0.56)
    _ridge(middle, 0.65, 0.035, 1.4, rng.uniform(0, 0.8))
    front = _sheet(size, mood, (92, 148, 84), 0.0, 0.70)
    _ridge(front, 0.745, 0.012, 0.8, rng.uniform(0, 1.0))
    return back, middle, front


def _hills(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (104, 176, 130), 0.40, 0.42)
    _ridge(back, 0.53, 0.075, 1.0, 0.4 + rng.uniform(-0.3, 0.3))
    middle = _sheet(size, mood, (120, 188, 92), 0.16, 0.50)
    _ridge(middle, 0.635, 0.075, 0.9, 2.6 + rng.uniform(-0.3, 0.3))
    bush = mood.shade((58, 132, 78), 0.12)
    for x in (0.10, 0.20, 0.84, 0.93):
        middle.oval(bush, x, 0.655, 0.045, 0.05)
    front = _sheet(size, mood, (86, 166, 70), 0.0, 0.68)
    _ridge(front, 0.775, 0.045, 0.75, 0.6 + rng.uniform(-0.3, 0.3))
    return back, middle, front


def _desert(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (206, 128, 96), 0.30, 0.42)
    for x, half, top in ((0.14, 0.15, 0.46), (0.88, 0.18, 0.42)):
        peak = top + rng.uniform(-0.015, 0.015)
        back.clear_to_ground(
            (x - half, 0.70), (x - half * 0.72, peak), (x + half * 0.72, peak), (x + half, 0.70)
        )
    middle = _sheet(size, mood, (240, 194, 122), 0.12, 0.56)
    _ridge(middle, 0.645, 0.045, 0.9, 3.4 + rng.uniform(-0.3, 0.3))
    cactus = mood.shade((64, 132, 84))
    for x, foot, tall in ((0.08, 0.76, 0.19), (0.93, 0.75, 0.16)):
        middle.stroke(cactus, 0.036, (x, foot), (x, foot - tall))
        middle.stroke(
            cactus,
            0.028,
            (x, foot - tall * 0.35),
            (x + 0.055, foot - tall * 0.42),
            (x + 0.055, foot - tall * 0.75),
        )
    front = _sheet(size, mood, (246, 210, 138), 0.0, 0.70)
    _ridge(front, 0.765, 0.035, 0.8, 0.5 + rng.uniform(-0.3, 0.3))
    return back, middle, front


def _sea(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (110, 140, 170), 0.45, 0.50)
    shift = rng.uniform(-0.03, 0.03)
    back.blob(
        mood.shade((104, 136, 160), 0.42),
        (0.64 + shift, 0.66),
        (0.72 + shift, 0.575),
        (0.82 + shift, 0.595),
        (0.90 + shift, 0.555),
        (1.06, 0.66),
        (0.85, 0.72),
    )
    water = mood.shade((34, 128, 190), 0.06)
    near, far = mood.shade((14, 74, 146)), mix(water, mood.horizon, 0.45)
    middle = Pen(size, vertical_gradient(((0.62, far), (0.76, water), (1.0, near)), size * 2))
    middle.clear_to_ground((0.0, 0.63), (1.0, 0.63), (1.0, 1.02), (0.0, 1.02))
    glint = mix(water, mood.horizon, 0.55)
    for x, y, half in (
        (0.20, 0.70, 0.12),
        (0.66, 0.68, 0.10),
        (0.46, 0.745, 0.13),
        (0.86, 0.77, 0.12),
        (0.10, 0.79, 0.10),
    ):
        cx = x + rng.uniform(-0.04, 0.04)
        middle.box(glint, cx - half, y - 0.008, cx + half, y + 0.008, 0.008)
    front = Pen(size, vertical_gradient(((0.86, mix(near, water, 0.5)), (1.0, near)), size * 2))
    _ridge(front, 0.90, 0.014, 3.0, rng.uniform(0, 3.0))
    return back, middle, front


def _city(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (120, 136, 176), 0.46, 0.26)
    for x, width, top in (
        (0.0, 0.16, 0.44),
        (0.20, 0.13, 0.34),
        (0.38, 0.16, 0.42),
        (0.60, 0.12, 0.28),
        (0.76, 0.13, 0.40),
        (0.91, 0.12, 0.33),
    ):
        back.clear_to_ground((x, 0.8), (x, top), (x + width, top), (x + width, 0.8))
    middle = _sheet(size, mood, (98, 106, 150), 0.18, 0.44)
    lit = (255, 214, 112) if mood.lamps_lit else mood.shade((186, 206, 226), 0.25)
    unlit = mood.shade((74, 82, 124), 0.18)
    for x, width, top in (
        (-0.03, 0.17, 0.54),
        (0.17, 0.15, 0.47),
        (0.345, 0.17, 0.57),
        (0.54, 0.15, 0.50),
        (0.71, 0.15, 0.56),
        (0.88, 0.15, 0.46),
    ):
        middle.clear_to_ground((x, 0.8), (x, top), (x + width, top), (x + width, 0.8))
        for row in range(3):
            y = top + 0.035 + row * 0.075
            for column in (0.22, 0.60):
                if y < 0.70:
                    left = x + width * column
                    glow = lit if rng.random() < 0.7 else unlit
                    middle.box(glow, left, y, left + 0.034, y + 0.042)
    front = _sheet(size, mood, (128, 130, 142), 0.0, 0.74)
    front.clear_to_ground((0, 0.755), (1, 0.755), (1, 1.02), (0, 1.02))
    front.box(mood.shade((190, 190, 196)), 0.0, 0.75, 1.0, 0.782)
    for x in (0.06, 0.40, 0.74):
        front.box(mood.shade((236, 232, 214)), x, 0.925, x + 0.19, 0.950)
    return back, middle, front


def _forest(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (70, 132, 108), 0.45, 0.34)
    _ridge(back, 0.66, 0.01, 2.0, 0.0)
    colour = mood.shade((70, 130, 106), 0.42)
    for i in range(8):
        _fir(back, colour, i / 7 + rng.uniform(-0.02, 0.02), 0.70, 0.32 + 0.07 * (i % 2))
    middle = _sheet(size, mood, (34, 96, 66), 0.14, 0.50)
    _ridge(middle, 0.72, 0.01, 1.5, rng.uniform(0, 2))
    near = mood.shade((30, 92, 62), 0.10)
    for x, height in ((0.01, 0.50), (0.13, 0.38), (0.88, 0.40), (1.0, 0.52)):
        _fir(middle, near, x + rng.uniform(-0.015, 0.015), 0.78, height)
    front = _sheet(size, mood, (62, 118, 62), 0.0, 0.72)
    _ridge(front, 0.765, 0.014, 1.2, rng.uniform(0, 2))
    return back, middle, front


def _snowfield(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (176, 200, 226), 0.34, 0.46)
    _ridge(back, 0.57, 0.05, 0.9, 0.9 + rng.uniform(-0.3, 0.3))
    middle = _sheet(size, mood, (216, 230, 244), 0.12, 0.56)
    fir, snow = mood.shade((70, 116, 122), 0.16), mood.shade((246, 250, 255))
    for x, height in ((0.07, 0.24), (0.19, 0.17), (0.83, 0.18), (0.94, 0.25)):
        _fir(middle, fir, x, 0.70, height)
        width = height * 0.125
        middle.poly(
            snow,
            (x, 0.70 - height),
            (x + width, 0.70 - height * 0.74),
            (x - width, 0.70 - height * 0.74),
        )
    _ridge(middle, 0.675, 0.03, 0.8, 3.2 + rng.uniform(-0.3, 0.3))
    front = _sheet(size, mood, (240, 246, 253), 0.0, 0.70)
    _ridge(front, 0.775, 0.03, 0.8, 0.4 + rng.uniform(-0.3, 0.3))
    return back, middle, front


def _meadow(size: int, mood: Mood, rng: random.Random) -> Sheets:
    back = _sheet(size, mood, (96, 160, 120), 0.40, 0.54)
    colour = mood.shade((96, 158, 118), 0.36)
    for i in range(9):
        back.oval(colour, i / 8, 0.645, 0.085, 0.06 + 0.025 * (i % 2))
    middle = _sheet(size, mood, (152, 208, 92), 0.06, 0.62)
    middle.clear_to_ground((0, 0.655), (1, 0.655), (1, 1.02), (0, 1.02))
    front = _sheet(size, mood, (110, 188, 66), 0.0, 0.74)
    _ridge(front, 0.79, 0.012, 1.0, rng.uniform(0, 2))
    petals = ((255, 246, 236), (250, 120, 150), (255, 206, 70))
    heart = mood.shade((250, 196, 60))
    for i in range(14):
        x, y = (i * 0.618 + 0.05) % 1.0, 0.70 + 0.27 * i / 13
        radius = 0.016 + 0.011 * i / 13
        cx = x + rng.uniform(-0.02, 0.02)
        petal = mix(mood.shade(petals[i % 3]), petals[i % 3], 0.35)
        front.oval(petal, cx, y + 0.01, radius, radius * 0.9)
        if i % 3 != 2:
            front.oval(heart, cx, y + 0.01, radius * 0.4, radius * 0.4)
    return back, middle, front


_PAINTERS: Final[dict[str, Callable[[int, Mood, random.Random], Sheets]]] = {
    "mountains": _mountains,
    "hills": _hills,
    "desert": _desert,
    "sea": _sea,
    "city": _city,
    "forest": _forest,
    "snowfield": _snowfield,
    "meadow": _meadow,
}


def place_sheets(place: str, mood: Mood, rng: random.Random, size: int) -> Sheets:
    """The far, middle and near sheets of a place, still open for drawing."""
    return _PAINTERS[place](size, mood, rng)


def closed(sheets: Sheets) -> tuple[Layer, Layer, Layer]:
    """The finished layers of the three sheets."""
    back, middle, front = sheets
    return back.layer(), middle.layer(), front.layer()
