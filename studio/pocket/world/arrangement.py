"""Where each subject of a scene goes, and what it stands on."""

import random
from dataclasses import dataclass
from typing import Final

from studio.pocket.world.palette import Mood
from studio.pocket.world.pen import Colour, Pen, mix
from studio.pocket.world.scene import Scene, Subject
from studio.pocket.world.subjects import SUBJECT_KINDS

_CENTRES: Final = {"left": 0.25, "centre": 0.5, "right": 0.75}
_SPREADS: Final[dict[int, tuple[tuple[float, float], ...]]] = {
    1: ((0.0, 0.0),),
    2: ((-0.125, -0.02), (0.125, 0.02)),
    3: ((-0.14, -0.05), (0.14, -0.05), (0.0, 0.09)),
}
_SIDES: Final = {1: 0.50, 2: 0.28, 3: 0.26}
_FOOT: Final = 0.87
_AIR_MIDDLE: Final = 0.38
_GROUNDS: Final[dict[str, Colour]] = {
    "mountains": (92, 148, 84),
    "hills": (86, 166, 70),
    "desert": (246, 210, 138),
    "sea": (236, 208, 150),
    "city": (128, 130, 142),
    "forest": (62, 118, 62),
    "snowfield": (222, 234, 246),
    "meadow": (110, 188, 66),
}


@dataclass(frozen=True)
class Placement:
    """A square box in the picture for one subject to be painted in."""

    subject: Subject
    left: float
    top: float
    side: float

    @property
    def centre(self) -> float:
        """The middle of the box, across the picture."""
        return self.left + self.side / 2

    @property
    def foot(self) -> float:
        """The lower edge of the box."""
        return self.top + self.side


def disc_position(scene: Scene) -> float:
    """Where the sun or moon stands across the picture: away from the subjects."""
    positions = {subject.position for subject in scene.subjects}
    if positions == {"left", "right"}:
        return 0.5
    if "left" in positions:
        return 0.80
    return 0.20 if "right" in positions or scene.seed % 2 else 0.80


def placements(scene: Scene, subject: Subject, rng: random.Random) -> list[Placement]:
    """Boxes for every copy of a subject, far ones first."""
    kind = SUBJECT_KINDS[subject.kind]
    shrink = 0.94 if len(scene.subjects) > 1 else 1.0
    boxes = []
    for dx, dy in _SPREADS[subject.count]:
        side = _SIDES[subject.count] * kind.scale * shrink * rng.uniform(0.96, 1.04)
        inwards = 0.0 if subject.count == 1 else (0.5 - _CENTRES[subject.position]) * 0.14
        middle = _CENTRES[subject.position] + inwards + dx + rng.uniform(-0.012, 0.012)
        reach = side * 0.48
        middle = min(max(middle, reach), 1 - reach)
        drop = dy + rng.uniform(-0.012, 0.012)
        if kind.habitat == "air":
            top = max(0.04, _AIR_MIDDLE + drop * 1.6 - side / 2)
        else:
            top = _FOOT + drop * 0.8 - side
        boxes.append(Placement(subject, middle - side / 2, top, side))
    return boxes


def draw_footing(pen: Pen, scene: Scene, mood: Mood, box: Placement, disc_x: float) -> None:
    """Shadow, pond or islet under one box, drawn on the nearest sheet."""
    habitat = SUBJECT_KINDS[box.subject.kind].habitat
    if habitat == "air":
        return
    at_sea = scene.place == "sea"
    x, y, side = box.centre, box.foot, box.side
    if habitat == "water":
        water = mood.shade((44, 132, 196))
        if at_sea:
            return
        pen.oval(mix(water, mood.horizon, 0.45), x, y, side * 0.60, side * 0.135)
        pen.oval(water, x, y + 0.004, side * 0.56, side * 0.112)
        return
    ground = mood.shade(_GROUNDS[scene.place])
    if at_sea:
        pen.oval(mix(ground, mood.horizon, 0.3), x, y + 0.012, side * 0.66, side * 0.13)
        pen.oval(ground, x, y, side * 0.62, side * 0.11)
    shadow = mix(ground, (16, 20, 54), 0.46)
    low_light = scene.time_of_day in ("dawn", "sunset")
    length = 0.70 if low_light and not at_sea else 0.50
    away = 1 if disc_x < x else -1
    shift = side * (length - 0.44) * away
    pen.oval(shadow, x + shift, y, side * length, side * 0.058)
