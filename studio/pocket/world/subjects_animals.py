"""Painters of animals; each draws in a unit box standing on y = 1."""

from studio.pocket.world.palette import Ramp
from studio.pocket.world.pen import Pen


def _face(pen: Pen, c: Ramp, left: float, right: float, y: float) -> None:
    for x in (left, right):
        pen.oval(c.ink, x, y, 0.035, 0.045)


def cat(pen: Pen, c: Ramp) -> None:
    """A sitting cat with pointed ears and a curled tail."""
    pen.stroke(c.dark, 0.10, (0.68, 0.93), (0.90, 0.90), (0.95, 0.74), (0.88, 0.60))
    pen.blob(
        c.base,
        (0.45, 0.42),
        (0.66, 0.62),
        (0.75, 0.90),
        (0.68, 1.0),
        (0.22, 1.0),
        (0.16, 0.90),
        (0.24, 0.62),
    )
    pen.oval(c.light, 0.44, 0.80, 0.12, 0.19)
    for side in (-1, 1):
        pen.poly(
            c.base,
            (0.45 + side * 0.27, 0.34),
            (0.45 + side * 0.26, 0.02),
            (0.45 + side * 0.03, 0.18),
        )
        pen.poly(
            c.deep,
            (0.45 + side * 0.225, 0.22),
            (0.45 + side * 0.22, 0.09),
            (0.45 + side * 0.12, 0.18),
        )
    pen.oval(c.base, 0.45, 0.34, 0.28, 0.225)
    _face(pen, c, 0.34, 0.56, 0.33)
    pen.poly(c.deep, (0.41, 0.41), (0.49, 0.41), (0.45, 0.46))


def dog(pen: Pen, c: Ramp) -> None:
    """A standing dog seen from the side, with a hanging ear."""
    pen.stroke(c.base, 0.09, (0.12, 0.58), (0.03, 0.36))
    for x in (0.14, 0.28, 0.52, 0.65):
        pen.box(c.dark if x in (0.28, 0.52) else c.base, x, 0.66, x + 0.11, 1.0, 0.04)
    pen.box(c.base, 0.08, 0.48, 0.76, 0.80, 0.14)
    pen.poly(c.base, (0.54, 0.56), (0.60, 0.24), (0.80, 0.30), (0.78, 0.70))
    pen.oval(c.base, 0.72, 0.27, 0.19, 0.175)
    pen.box(c.light, 0.78, 0.25, 1.0, 0.41, 0.07)
    pen.oval(c.ink, 0.98, 0.29, 0.045, 0.04)
    pen.blob(c.deep, (0.58, 0.10), (0.68, 0.16), (0.66, 0.42), (0.56, 0.48), (0.50, 0.34))
    pen.oval(c.ink, 0.77, 0.22, 0.033, 0.038)
    pen.stroke(c.gold, 0.055, (0.59, 0.49), (0.77, 0.46))


def rabbit(pen: Pen, c: Ramp) -> None:
    """A sitting rabbit with two long upright ears."""
    pen.oval(c.light, 0.80, 0.84, 0.10, 0.10)
    pen.blob(
        c.base,
        (0.48, 0.46),
        (0.70, 0.62),
        (0.80, 0.88),
        (0.70, 1.0),
        (0.28, 1.0),
        (0.18, 0.88),
        (0.28, 0.62),
    )
    for side in (-1, 1):
        pen.oval(c.base, 0.47 + side * 0.12, 0.18, 0.085, 0.21)
        pen.oval(c.dark, 0.47 + side * 0.12, 0.19, 0.040, 0.145)
    pen.oval(c.base, 0.47, 0.46, 0.24, 0.19)
    pen.oval(c.light, 0.46, 0.82, 0.14, 0.15)
    _face(pen, c, 0.38, 0.56, 0.44)
    pen.oval(c.deep, 0.47, 0.52, 0.035, 0.028)


def bird(pen: Pen, c: Ramp) -> None:
    """A flying bird with one wing raised."""
    pen.poly(c.dark, (0.26, 0.56), (-0.02, 0.46), (0.04, 0.60), (-0.02, 0.70), (0.26, 0.66))
    pen.blob(c.dark, (0.50, 0.50), (0.62, 0.10), (0.78, 0.06), (0.70, 0.50))
    pen.blob(
        c.base,
        (0.16, 0.58),
        (0.40, 0.44),
        (0.68, 0.40),
        (0.86, 0.44),
        (0.88, 0.60),
        (0.66, 0.76),
        (0.38, 0.74),
    )
    pen.oval(c.base, 0.80, 0.46, 0.145, 0.135)
    pen.poly(c.gold, (0.92, 0.40), (1.07, 0.48), (0.92, 0.53))
    pen.blob(c.light, (0.32, 0.60), (0.22, 0.18), (0.34, 0.04), (0.56, 0.30), (0.62, 0.56))
    pen.oval(c.ink, 0.82, 0.43, 0.036, 0.036)


def fish(pen: Pen, c: Ramp) -> None:
    """A round fish with a forked tail and bold stripes."""
    pen.poly(c.dark, (0.28, 0.56), (-0.02, 0.26), (0.07, 0.56), (-0.02, 0.86))
    pen.blob(c.dark, (0.36, 0.36), (0.50, 0.12), (0.74, 0.20), (0.74, 0.36))
    pen.poly(c.dark, (0.46, 0.76), (0.50, 0.96), (0.66, 0.78))
    pen.oval(c.base, 0.60, 0.56, 0.39, 0.27)
    pen.blob(
        c.light, (0.40, 0.34), (0.50, 0.30), (0.53, 0.56), (0.50, 0.81), (0.40, 0.78), (0.43, 0.56)
    )
    pen.oval(c.cream, 0.80, 0.48, 0.075, 0.075)
    pen.oval((34, 34, 44), 0.815, 0.485, 0.042, 0.042)


def whale(pen: Pen, c: Ramp) -> None:
    """A whale with a raised tail, a pale belly and a spout."""
    spout = (190, 226, 246)
    pen.stroke(spout, 0.055, (0.66, 0.36), (0.66, 0.20), (0.54, 0.12))
    pen.stroke(spout, 0.055, (0.66, 0.36), (0.66, 0.20), (0.78, 0.12))
    pen.blob(
        c.base,
        (0.02, 0.44),
        (0.14, 0.62),
        (0.34, 0.52),
        (0.60, 0.36),
        (0.86, 0.42),
        (1.0, 0.66),
        (0.92, 0.92),
        (0.55, 1.0),
        (0.24, 0.92),
        (0.06, 0.70),
    )
    pen.blob(
        c.base,
        (0.06, 0.52),
        (-0.10, 0.34),
        (0.00, 0.28),
        (0.08, 0.38),
        (0.18, 0.26),
        (0.26, 0.34),
        (0.14, 0.52),
    )
    pen.blob(c.cream, (0.99, 0.72), (0.90, 0.93), (0.56, 1.0), (0.34, 0.94), (0.62, 0.88))
    pen.blob(c.dark, (0.52, 0.80), (0.64, 0.80), (0.54, 0.97), (0.42, 0.95))
    pen.oval(c.ink, 0.82, 0.62, 0.036, 0.042)


def butterfly(pen: Pen, c: Ramp) -> None:
    """A butterfly with open wings."""
    for side in (-1, 1):

        def at(x: float, y: float, side: int = side) -> tuple[float, float]:
            return 0.5 + side * x, y

        pen.blob(
            c.base,
            at(0.03, 0.46),
            at(0.16, 0.18),
            at(0.42, 0.08),
            at(0.52, 0.24),
            at(0.40, 0.50),
            at(0.10, 0.56),
        )
        pen.blob(
            c.dark, at(0.03, 0.54), at(0.24, 0.54), at(0.40, 0.66), at(0.36, 0.88), at(0.18, 0.88)
        )
        pen.oval(c.light, 0.5 + side * 0.33, 0.28, 0.10, 0.10)
        pen.oval(c.light, 0.5 + side * 0.24, 0.73, 0.065, 0.065)
        pen.stroke((44, 42, 56), 0.032, (0.5, 0.32), at(0.12, 0.10))
    pen.box((44, 42, 56), 0.455, 0.26, 0.545, 0.84, 0.045)
