"""Painters of vehicles; each draws in a unit box standing on y = 1."""

from studio.pocket.world.palette import Ramp
from studio.pocket.world.pen import Pen

_TYRE = (40, 40, 50)
_HUB = (214, 216, 222)


def _wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.oval(_TYRE, x, y, radius, radius)
    pen.oval(_HUB, x, y, radius * 0.45, radius * 0.45)


def sailboat(pen: Pen, c: Ramp) -> None:
    """A boat with a mainsail and a jib."""
    pen.stroke(c.wood, 0.045, (0.48, 0.03), (0.48, 0.84))
    pen.blob(
        c.base, (0.53, 0.05), (0.56, 0.06), (0.80, 0.40), (0.92, 0.70), (0.90, 0.72), (0.53, 0.72)
    )
    pen.poly(c.light, (0.43, 0.14), (0.43, 0.72), (0.08, 0.72))
    pen.poly(c.dark, (0.0, 0.78), (1.0, 0.78), (0.84, 1.0), (0.18, 1.0))
    pen.poly(c.cream, (0.0, 0.78), (1.0, 0.78), (0.965, 0.835), (0.04, 0.835))


def balloon(pen: Pen, c: Ramp) -> None:
    """A hot-air balloon with a striped envelope."""
    pen.stroke(c.wood, 0.03, (0.34, 0.62), (0.42, 0.86))
    pen.stroke(c.wood, 0.03, (0.66, 0.62), (0.58, 0.86))
    pen.blob(
        c.base,
        (0.5, 0.0),
        (0.76, 0.07),
        (0.90, 0.32),
        (0.78, 0.56),
        (0.60, 0.74),
        (0.40, 0.74),
        (0.22, 0.56),
        (0.10, 0.32),
        (0.24, 0.07),
    )
    pen.blob(
        c.light,
        (0.5, 0.0),
        (0.62, 0.16),
        (0.66, 0.36),
        (0.61, 0.58),
        (0.56, 0.74),
        (0.44, 0.74),
        (0.39, 0.58),
        (0.34, 0.36),
        (0.38, 0.16),
    )
    pen.blob(
        c.dark,
        (0.70, 0.08),
        (0.78, 0.10),
        (0.90, 0.32),
        (0.78, 0.56),
        (0.63, 0.72),
        (0.76, 0.50),
        (0.79, 0.30),
    )
    pen.box(c.wood, 0.39, 0.84, 0.61, 1.0, 0.03)


def car(pen: Pen, c: Ramp) -> None:
    """A small round car."""
    pen.blob(
        c.base, (0.20, 0.66), (0.28, 0.40), (0.48, 0.30), (0.68, 0.38), (0.80, 0.64), (0.5, 0.76)
    )
    pen.box(c.base, 0.0, 0.58, 1.0, 0.88, 0.10)
    pen.box(c.dark, 0.03, 0.76, 0.97, 0.88, 0.05)
    pen.poly(c.glass, (0.28, 0.60), (0.33, 0.45), (0.46, 0.39), (0.46, 0.60))
    pen.poly(c.glass, (0.52, 0.60), (0.52, 0.39), (0.64, 0.45), (0.71, 0.60))
    pen.oval((255, 240, 170), 0.95, 0.67, 0.045, 0.055)
    for x in (0.23, 0.77):
        _wheel(pen, x, 0.87, 0.13)


def train(pen: Pen, c: Ramp) -> None:
    """A steam locomotive with a puff of smoke."""
    for x, y, r in ((0.74, 0.12, 0.09), (0.60, 0.06, 0.075), (0.50, 0.09, 0.055)):
        pen.oval((236, 236, 240), x, y, r, r * 0.85)
    pen.poly(
        c.deep, (0.70, 0.46), (0.72, 0.30), (0.68, 0.22), (0.88, 0.22), (0.84, 0.30), (0.86, 0.46)
    )
    pen.box(c.base, 0.36, 0.44, 0.96, 0.80, 0.10)
    pen.box(c.base, 0.04, 0.28, 0.44, 0.82, 0.02)
    pen.box(c.deep, -0.01, 0.22, 0.49, 0.30, 0.03)
    pen.box(c.glass, 0.12, 0.37, 0.34, 0.57, 0.02)
    pen.box(c.light, 0.46, 0.50, 0.92, 0.57, 0.03)
    pen.poly(c.dark, (0.90, 0.78), (1.06, 0.98), (0.84, 0.98))
    pen.box(c.dark, 0.02, 0.76, 0.96, 0.86)
    pen.oval(c.gold, 0.95, 0.60, 0.05, 0.06)
    for x, r in ((0.20, 0.155), (0.52, 0.11), (0.76, 0.11)):
        _wheel(pen, x, 1.0 - r, r)


def rocket(pen: Pen, c: Ramp) -> None:
    """A rocket rising on its flame."""
    pen.blob((255, 168, 40), (0.36, 0.78), (0.64, 0.78), (0.60, 0.92), (0.5, 1.06), (0.40, 0.92))
    pen.blob((255, 236, 130), (0.43, 0.78), (0.57, 0.78), (0.54, 0.88), (0.5, 0.96), (0.46, 0.88))
    for side in (-1, 1):
        pen.poly(
            c.deep,
            (0.5 + side * 0.14, 0.50),
            (0.5 + side * 0.38, 0.76),
            (0.5 + side * 0.34, 0.90),
            (0.5 + side * 0.14, 0.78),
        )
    pen.blob(
        c.base,
        (0.5, -0.04),
        (0.63, 0.12),
        (0.70, 0.36),
        (0.68, 0.62),
        (0.62, 0.80),
        (0.38, 0.80),
        (0.32, 0.62),
        (0.30, 0.36),
        (0.37, 0.12),
    )
    pen.blob(
        c.dark, (0.5, -0.04), (0.62, 0.10), (0.655, 0.21), (0.5, 0.235), (0.345, 0.21), (0.38, 0.10)
    )
    pen.oval(c.cream, 0.5, 0.40, 0.12, 0.12)
    pen.oval(c.glass if c.glass[2] < 200 else (70, 150, 200), 0.5, 0.40, 0.08, 0.08)
