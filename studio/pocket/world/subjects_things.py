"""Painters of plants and things; each draws in a unit box standing on y = 1."""

import math

from studio.pocket.world.palette import Ramp
from studio.pocket.world.pen import Pen


def tree(pen: Pen, c: Ramp) -> None:
    """A broad-leaved tree with a round crown."""
    pen.poly(c.wood, (0.43, 0.55), (0.57, 0.55), (0.62, 1.0), (0.38, 1.0))
    for x, y, r in ((0.27, 0.47, 0.23), (0.74, 0.46, 0.23), (0.50, 0.52, 0.24)):
        pen.oval(c.dark, x, y, r, r * 0.94)
    for x, y, r in ((0.30, 0.42, 0.22), (0.69, 0.40, 0.22), (0.50, 0.25, 0.27)):
        pen.oval(c.base, x, y, r, r * 0.94)
    pen.oval(c.light, 0.42, 0.22, 0.14, 0.12)


def flower(pen: Pen, c: Ramp) -> None:
    """One large blossom on a stem with two leaves."""
    pen.stroke(c.leaf, 0.07, (0.5, 0.45), (0.5, 0.98))
    pen.blob(c.leaf, (0.5, 0.92), (0.30, 0.86), (0.14, 0.70), (0.38, 0.74))
    pen.blob(c.leaf, (0.5, 0.90), (0.70, 0.84), (0.86, 0.68), (0.62, 0.72))
    for i in range(6):
        angle = math.pi * (i / 3 + 1 / 6)
        x, y = 0.5 + 0.215 * math.cos(angle), 0.34 + 0.215 * math.sin(angle)
        pen.oval(c.base if i % 2 else c.light, x, y, 0.15, 0.15)
    for i in range(6):
        angle = math.pi * (i / 3 + 1 / 6)
        pen.oval(c.base, 0.5 + 0.17 * math.cos(angle), 0.34 + 0.17 * math.sin(angle), 0.12, 0.12)
    pen.oval(c.gold, 0.5, 0.34, 0.115, 0.115)


def mushroom(pen: Pen, c: Ramp) -> None:
    """A toadstool with pale spots."""
    pale = (250, 240, 220)
    pen.blob(pale, (0.38, 0.50), (0.62, 0.50), (0.63, 0.80), (0.70, 1.0), (0.30, 1.0), (0.37, 0.80))
    pen.oval(c.deep, 0.5, 0.53, 0.46, 0.095)
    pen.pie(c.base, 0.5, 0.54, 0.50, 0.48, 180, 360)
    for x, y, r in ((0.50, 0.24, 0.095), (0.23, 0.41, 0.075), (0.76, 0.41, 0.075)):
        pen.oval(c.cream, x, y, r, r * 0.9)


def snowman(pen: Pen, c: Ramp) -> None:
    """Two stacked balls with a hat, a scarf and a carrot nose."""
    pen.oval(c.dark, 0.5, 0.75, 0.32, 0.27)
    pen.oval(c.base, 0.48, 0.74, 0.29, 0.25)
    pen.oval(c.base, 0.5, 0.38, 0.21, 0.20)
    pen.stroke(c.cream, 0.085, (0.32, 0.54), (0.5, 0.57), (0.68, 0.54))
    pen.stroke(c.cream, 0.085, (0.64, 0.56), (0.68, 0.72))
    pen.box((44, 42, 58), 0.26, 0.19, 0.74, 0.25, 0.02)
    pen.box((44, 42, 58), 0.35, 0.0, 0.65, 0.22, 0.02)
    for x in (0.42, 0.57):
        pen.oval(c.ink, x, 0.34, 0.034, 0.038)
    pen.poly((244, 130, 30), (0.50, 0.38), (0.50, 0.46), (0.78, 0.44))
    for y in (0.70, 0.83):
        pen.oval(c.ink, 0.48, y, 0.034, 0.034)


def umbrella(pen: Pen, c: Ramp) -> None:
    """An open umbrella standing on its handle."""
    pen.stroke(c.wood, 0.075, (0.5, 0.10), (0.5, 0.88), (0.54, 0.96), (0.62, 0.96), (0.66, 0.88))
    pen.stroke(c.wood, 0.05, (0.5, 0.02), (0.5, 0.10))
    pen.pie(c.base, 0.5, 0.56, 0.52, 0.50, 180, 360)
    pen.pie(c.light, 0.5, 0.56, 0.18, 0.50, 180, 360)
    for x in (-0.02, 0.32, 0.68):
        pen.oval(None, x + 0.17, 0.575, 0.165, 0.06)
    pen.stroke(c.wood, 0.075, (0.5, 0.56), (0.5, 0.70))


def teapot(pen: Pen, c: Ramp) -> None:
    """A round teapot with spout, handle and lid."""
    pen.oval(c.dark, 0.18, 0.62, 0.20, 0.22)
    pen.oval(None, 0.19, 0.62, 0.115, 0.135)
    pen.blob(
        c.dark, (0.70, 0.78), (0.84, 0.62), (0.90, 0.40), (1.06, 0.36), (1.00, 0.56), (0.86, 0.86)
    )
    pen.blob(
        c.base,
        (0.50, 0.34),
        (0.74, 0.42),
        (0.84, 0.66),
        (0.74, 0.92),
        (0.50, 0.98),
        (0.26, 0.92),
        (0.16, 0.66),
        (0.26, 0.42),
    )
    pen.box(c.dark, 0.32, 0.93, 0.68, 1.0, 0.03)
    pen.pie(c.light, 0.5, 0.40, 0.25, 0.15, 180, 360)
    pen.box(c.deep, 0.24, 0.38, 0.76, 0.43, 0.02)
    pen.oval(c.deep, 0.5, 0.22, 0.065, 0.065)
    pen.oval(c.light, 0.37, 0.60, 0.075, 0.13)
