"""From a scene to its picture: compose the sheets, then finish them in the style."""

import random
from collections.abc import Sequence
from functools import partial

from PIL import Image, ImageChops, ImageFilter, ImageStat

from studio.pocket.world.arrangement import (
    Placement,
    disc_position,
    draw_footing,
    placements,
)
from studio.pocket.world.palette import Mood, Ramp, mood_for, ramp_for
from studio.pocket.world.pen import Layer, Pen, mix
from studio.pocket.world.picture import Figure, Picture
from studio.pocket.world.places import closed, place_sheets
from studio.pocket.world.scene import Scene
from studio.pocket.world.sky import falling, heavens, sky_gradient
from studio.pocket.world.styles import finish
from studio.pocket.world.subjects import SUBJECT_KINDS

_RIM_DISTANCE = 105.0


def _threshold(level: int, value: int) -> int:
    return 255 if value > level else 0


def _brightness(colour: Sequence[float]) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def _with_rim(layer: Layer, ramp: Ramp, backdrop: Image.Image) -> Layer:
    """Outline a subject that would otherwise melt into what lies behind it."""
    size = layer.mask.width
    grown = layer.mask.filter(ImageFilter.BoxBlur(max(1.0, size / 110)))
    grown = grown.point(partial(_threshold, 36))
    ring = ImageChops.subtract(grown, layer.mask)
    behind = ImageStat.Stat(backdrop, ring).mean
    distance = sum((a - b) ** 2 for a, b in zip(behind, ramp.base, strict=True)) ** 0.5
    if distance > _RIM_DISTANCE:
        return layer
    dark_behind = _brightness(behind) < 110
    light_subject = _brightness(ramp.base) > 150
    pale = mix(ramp.base, (236, 240, 255), 0.62)
    rim = pale if dark_behind or not light_subject else ramp.deep
    colour = Image.new("RGB", layer.colour.size, rim)
    colour.paste(layer.colour, (0, 0), layer.mask)
    return Layer(colour, grown)


def _reflect(box: Placement, figure: Layer, water: Layer) -> None:
    """Mirror what stands in the water faintly on its surface, in place."""
    size = figure.mask.width
    foot = min(size - 2, round((box.foot - 0.012) * size))
    left = max(0, round((box.left - 0.02) * size))
    right = min(size, round((box.left + box.side * 1.04) * size))
    height = size - foot
    upper = (left, max(0, foot - height * 2), right, foot)
    flip = Image.Transpose.FLIP_TOP_BOTTOM
    colour = figure.colour.crop(upper).transpose(flip).resize((right - left, height))
    mask = figure.mask.crop(upper).transpose(flip).resize((right - left, height))
    water.colour.paste(colour, (left, foot), mask.point(lambda value: value * 0.34))


def _paint_subject(boxes: list[Placement], ramp: Ramp, size: int) -> Layer:
    pen = Pen(size, ramp.base)
    for box in boxes:
        paint = SUBJECT_KINDS[box.subject.kind].paint
        paint(pen.within(box.left, box.top, box.side), ramp)
    return pen.layer()


def compose(scene: Scene, size: int) -> Picture:
    """All sheets of the scene, not yet in any style."""
    rng = random.Random(scene.seed)
    mood: Mood = mood_for(scene.time_of_day, scene.weather)
    disc_x = disc_position(scene)
    is_night = scene.time_of_day == "night"
    glow_y = 0.19 if scene.weather == "moon" else mood.sun_height
    dark = is_night and scene.weather != "moon"
    glowing = not dark and scene.weather not in ("rain", "snow")
    sky = sky_gradient(mood, (disc_x, glow_y) if glowing else None, size)
    weather = heavens(mood, scene.weather, is_night, disc_x, rng, size)
    sheets = place_sheets(scene.place, mood, rng, size)
    groups = [placements(scene, subject, rng) for subject in scene.subjects]
    for box in (box for group in groups for box in group):
        draw_footing(sheets[-1], scene, mood, box, disc_x)
    scenery = (weather, *closed(sheets))
    backdrop = Picture(sky, scenery, (), None, mood, 0).backdrop()
    figures = []
    for subject, group in zip(scene.subjects, groups, strict=True):
        ramp = ramp_for(subject.colour, scene.time_of_day)
        layer = _with_rim(_paint_subject(group, ramp, size), ramp, backdrop)
        if scene.place == "sea" and SUBJECT_KINDS[subject.kind].habitat == "water":
            for box in group:
                for water in scenery[-2:]:
                    _reflect(box, layer, water)
        figures.append(Figure(layer, ramp))
    drops = falling(mood, scene.weather, rng, size)
    return Picture(sky, scenery, tuple(figures), drops, mood, scene.seed % 4)


def render(scene: Scene, size: int = 256) -> Image.Image:
    """The picture of a scene; the same scene always gives the same pixels."""
    return finish(compose(scene, size), scene.style)
