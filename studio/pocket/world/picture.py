"""A composed scene before any style: its sheets from far to near, at the final size."""

from dataclasses import dataclass

from PIL import Image

from studio.pocket.world.palette import Mood, Ramp
from studio.pocket.world.pen import Layer


@dataclass(frozen=True)
class Figure:
    """A painted subject and the colours it was painted in."""

    layer: Layer
    ramp: Ramp


@dataclass(frozen=True)
class Picture:
    """Everything a style needs to finish the picture."""

    sky: Image.Image
    scenery: tuple[Layer, ...]
    figures: tuple[Figure, ...]
    falling: Layer | None
    mood: Mood
    variant: int

    @property
    def size(self) -> int:
        """The side of the picture in pixels."""
        return int(self.sky.width)

    def layers(self) -> tuple[Layer, ...]:
        """All sheets from far to near."""
        last = (self.falling,) if self.falling is not None else ()
        return (*self.scenery, *(figure.layer for figure in self.figures), *last)

    def backdrop(self) -> Image.Image:
        """The scenery without subjects, as plain flat colour."""
        image = self.sky.copy()
        for layer in self.scenery:
            layer.over(image)
        return image

    def composite(self) -> Image.Image:
        """Everything, as plain flat colour."""
        image = self.sky.copy()
        for layer in self.layers():
            layer.over(image)
        return image
