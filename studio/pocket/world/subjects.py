"""The table of subjects: how each kind is painted, how large, and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from studio.pocket.world import subjects_animals as animals
from studio.pocket.world import subjects_buildings as buildings
from studio.pocket.world import subjects_things as things
from studio.pocket.world import subjects_vehicles as vehicles
from studio.pocket.world.palette import Ramp
from studio.pocket.world.pen import Pen

Habitat = Literal["ground", "water", "air"]


@dataclass(frozen=True)
class Kind:
    """A painter, its size next to the usual one, and the element the subject belongs to."""

    paint: Callable[[Pen, Ramp], None]
    scale: float = 1.0
    habitat: Habitat = "ground"


SUBJECT_KINDS: Final[dict[str, Kind]] = {
    "house": Kind(buildings.house),
    "castle": Kind(buildings.castle, 1.04),
    "tree": Kind(things.tree, 1.08),
    "sailboat": Kind(vehicles.sailboat, 1.04, "water"),
    "lighthouse": Kind(buildings.lighthouse, 1.24),
    "balloon": Kind(vehicles.balloon, 1.08, "air"),
    "windmill": Kind(buildings.windmill, 1.14),
    "cat": Kind(animals.cat),
    "dog": Kind(animals.dog),
    "rabbit": Kind(animals.rabbit, 1.06),
    "bird": Kind(animals.bird, 0.94, "air"),
    "fish": Kind(animals.fish, 0.98, "water"),
    "whale": Kind(animals.whale, 1.04, "water"),
    "butterfly": Kind(animals.butterfly, 0.94, "air"),
    "flower": Kind(things.flower, 1.08),
    "mushroom": Kind(things.mushroom, 0.96),
    "car": Kind(vehicles.car, 1.02),
    "train": Kind(vehicles.train, 1.04),
    "rocket": Kind(vehicles.rocket, 1.14, "air"),
    "bridge": Kind(buildings.bridge, 1.08),
    "snowman": Kind(things.snowman, 1.10),
    "umbrella": Kind(things.umbrella),
    "teapot": Kind(things.teapot, 0.96),
    "tent": Kind(buildings.tent, 1.02),
}
