"""Painters of buildings and other built things; each draws in a unit box standing on y = 1."""

from studio.pocket.world.palette import Ramp
from studio.pocket.world.pen import Pen


def house(pen: Pen, c: Ramp) -> None:
    """A cottage with a gabled roof."""
    pen.box(c.deep, 0.68, 0.12, 0.80, 0.45)
    pen.box(c.base, 0.12, 0.45, 0.88, 1.0)
    pen.box(c.dark, 0.70, 0.45, 0.88, 1.0)
    pen.poly(c.deep, (0.0, 0.50), (0.5, 0.06), (1.0, 0.50))
    pen.poly(c.light, (0.22, 0.46), (0.5, 0.21), (0.78, 0.46))
    pen.box(c.cream, 0.19, 0.57, 0.41, 0.81)
    pen.box(c.glass, 0.22, 0.60, 0.38, 0.78)
    pen.box(c.wood, 0.52, 0.62, 0.72, 1.0, 0.02)


def castle(pen: Pen, c: Ramp) -> None:
    """Two round towers and a gate."""
    pen.box(c.base, 0.16, 0.48, 0.84, 1.0)
    for x in (0.30, 0.44, 0.58):
        pen.box(c.base, x, 0.40, x + 0.09, 0.50)
    for x in (0.02, 0.74):
        pen.box(c.light, x, 0.30, x + 0.24, 1.0)
        pen.box(c.dark, x + 0.16, 0.30, x + 0.24, 1.0)
        pen.poly(c.deep, (x - 0.03, 0.32), (x + 0.12, 0.0), (x + 0.27, 0.32))
        pen.box(c.glass, x + 0.06, 0.44, x + 0.16, 0.60, 0.05)
    pen.box(c.deep, 0.38, 0.66, 0.62, 1.0, 0.10)
    pen.box(c.deep, 0.38, 0.80, 0.62, 1.0)


def lighthouse(pen: Pen, c: Ramp) -> None:
    """A tapering tower with bands and a lantern."""
    pen.poly(c.base, (0.36, 0.28), (0.64, 0.28), (0.74, 1.0), (0.26, 1.0))
    pen.poly(c.cream, (0.342, 0.41), (0.658, 0.41), (0.675, 0.53), (0.325, 0.53))
    pen.poly(c.cream, (0.308, 0.66), (0.692, 0.66), (0.708, 0.78), (0.292, 0.78))
    pen.box(c.deep, 0.28, 0.25, 0.72, 0.31)
    pen.box((255, 226, 120), 0.38, 0.11, 0.62, 0.25)
    pen.poly(c.base, (0.32, 0.13), (0.5, -0.02), (0.68, 0.13))
    pen.box(c.deep, 0.43, 0.84, 0.57, 1.0, 0.04)


def windmill(pen: Pen, c: Ramp) -> None:
    """A mill tower with four broad sails."""
    pen.poly(c.base, (0.36, 0.36), (0.64, 0.36), (0.76, 1.0), (0.24, 1.0))
    pen.poly(c.dark, (0.54, 0.36), (0.64, 0.36), (0.76, 1.0), (0.60, 1.0))
    pen.pie(c.deep, 0.5, 0.38, 0.18, 0.18, 180, 360)
    pen.box(c.deep, 0.42, 0.80, 0.58, 1.0, 0.05)
    for dx, dy in ((1, -1), (-1, -1), (1, 1), (-1, 1)):
        reach, wide = 0.36, 0.085
        x, y = 0.5 + dx * reach, 0.38 + dy * reach
        near_x, near_y = 0.5 + dx * 0.09, 0.38 + dy * 0.09
        pen.poly(
            c.cream,
            (near_x - dy * wide * -0.2, near_y - dx * wide * 0.2),
            (near_x + dy * -wide, near_y + dx * wide),
            (x + dy * -wide, y + dx * wide),
            (x, y),
        )
        pen.stroke(c.wood, 0.035, (0.5, 0.38), (x, y))
    pen.oval(c.ink, 0.5, 0.38, 0.055, 0.055)


def bridge(pen: Pen, c: Ramp) -> None:
    """A suspension bridge with two towers."""
    pen.stroke(c.dark, 0.05, (0.22, 0.28), (0.34, 0.50), (0.5, 0.58), (0.66, 0.50), (0.78, 0.28))
    for side in (-1, 1):
        pen.stroke(c.dark, 0.05, (0.5 + side * 0.28, 0.28), (0.5 + side * 0.56, 0.64))
        for x in (0.08, 0.44):
            pen.stroke(c.dark, 0.03, (0.5 + side * x, 0.54), (0.5 + side * x, 0.68))
    for x in (0.22, 0.78):
        pen.box(c.base, x - 0.085, 0.14, x + 0.085, 1.0, 0.02)
        pen.box(c.light, x - 0.085, 0.14, x - 0.03, 1.0, 0.02)
        pen.box(c.deep, x - 0.11, 0.12, x + 0.11, 0.19, 0.02)
        pen.box(c.deep, x - 0.13, 0.94, x + 0.13, 1.0, 0.02)
    pen.box(c.base, -0.10, 0.65, 1.10, 0.79, 0.02)
    pen.box(c.deep, -0.10, 0.76, 1.10, 0.81, 0.02)


def tent(pen: Pen, c: Ramp) -> None:
    """A ridge tent with its door open."""
    pen.stroke(c.wood, 0.04, (0.46, 0.24), (0.52, 0.16))
    pen.poly(c.base, (0.42, 0.20), (0.0, 1.0), (0.72, 1.0))
    pen.poly(c.dark, (0.42, 0.20), (0.72, 1.0), (1.02, 0.92), (0.62, 0.24))
    pen.poly(c.deep, (0.42, 0.40), (0.24, 1.0), (0.52, 1.0))
    pen.poly(c.glass, (0.41, 0.58), (0.30, 1.0), (0.47, 1.0))
    pen.poly(c.light, (0.42, 0.20), (0.0, 1.0), (0.12, 1.0))
