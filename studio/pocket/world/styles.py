"""The seven styles: each finishes a composed picture in its own technique."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from studio.pocket.world.grain import Floats, Indices, brush_dabs, hatching, wash_noise, wobble
from studio.pocket.world.pen import Colour, Layer, mix
from studio.pocket.world.picture import Picture

_PAPER: Final = (250, 247, 238)
_GRAPHITE: Final = (52, 50, 58)
_PIXELS_ACROSS: Final = 32


def _ridge_value(value: int) -> int:
    return max(0, min(255, round((255 - abs(2 * value - 255)) * 2.2 - 60)))


def _edges(mask: Image.Image, width: float) -> Image.Image:
    """A soft line along the border of a mask."""
    return mask.filter(ImageFilter.BoxBlur(width)).point(_ridge_value)


def _shrunk_value(value: int) -> int:
    return max(0, min(255, (value - 150) * 3))


def _share(factor: float, value: int) -> int:
    return min(255, round(value * factor))


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.point(partial(_share, factor))


def _hatched_value(darkness: int) -> int:
    return max(0, round((darkness - 90) * 0.58))


def _inner_lines(layer: Layer, strength: float) -> Image.Image:
    """Lines between the colours inside a sheet."""
    grey = layer.colour.convert("L")
    step = ImageChops.difference(grey, grey.filter(ImageFilter.BoxBlur(1.6)))
    return ImageChops.multiply(_scaled(step, strength), layer.mask)


def _flat(picture: Picture) -> Image.Image:
    return picture.composite()


def _watercolour(picture: Picture) -> Image.Image:
    size = picture.size
    image = picture.composite()
    rim = ImageChops.difference(image, image.filter(ImageFilter.BoxBlur(size / 90)))
    image = ImageChops.subtract(image, _scaled(rim, 0.55))
    pale = ImageEnhance.Color(image).enhance(0.92)
    values = np.asarray(pale.filter(ImageFilter.BoxBlur(size / 200)), dtype=np.float32)
    values = values.reshape(-1, 3)[wobble(size, picture.variant)].reshape(size, size, 3)
    blotches, border = wash_noise(size, picture.variant)
    paper = np.array(_PAPER, dtype=np.float32)
    wash = paper - (paper - values) * (0.84 * blotches)[..., None]
    wash = paper + (wash - paper) * border[..., None]
    return Image.fromarray(np.clip(wash, 0, 255).astype(np.uint8))


def _pixel(picture: Picture) -> Image.Image:
    block = picture.size // _PIXELS_ACROSS
    small = picture.sky.reduce(block)
    for layer in picture.scenery:
        hard = layer.mask.reduce(block).point(lambda value: 255 if value > 110 else 0)
        small.paste(layer.colour.reduce(block), (0, 0), hard)
    small = small.point(lambda value: round(value / 255 * 9) * 255 // 9)
    for layer in picture.layers()[len(picture.scenery) :]:
        level = 60 if layer is picture.falling else 110
        hard = layer.mask.reduce(block).point(lambda value, level=level: 255 * (value > level))
        small.paste(layer.colour.reduce(block), (0, 0), hard)
    return small.resize((picture.size, picture.size), Image.Resampling.NEAREST)


def _pencil(picture: Picture) -> Image.Image:
    size = picture.size
    unit = size / 256
    paper = Image.new("RGB", (size, size), (253, 252, 249))
    image = Image.blend(ImageEnhance.Color(picture.backdrop()).enhance(1.5), paper, 0.48)
    lines = Image.new("L", (size, size))
    for layer in picture.scenery:
        lines.paste(0, (0, 0), layer.mask)
        lines = ImageChops.lighter(lines, _scaled(_edges(layer.mask, 1.7 * unit), 0.72))
    for figure in picture.figures:
        layer = figure.layer
        image.paste(Image.blend(layer.colour, paper, 0.26), (0, 0), layer.mask)
        lines.paste(0, (0, 0), layer.mask)
        lines = ImageChops.lighter(lines, _inner_lines(layer, 2.6))
        lines = ImageChops.lighter(lines, _edges(layer.mask, 2.4 * unit))
    if picture.falling is not None:
        image.paste(paper, (0, 0), picture.falling.mask)
        lines = ImageChops.lighter(lines, _scaled(_edges(picture.falling.mask, unit), 0.6))
    darkness = ImageChops.invert(picture.composite().convert("L"))
    strokes = ImageChops.multiply(hatching(size), darkness.point(_hatched_value))
    image.paste(_GRAPHITE, (0, 0), strokes)
    image.paste(_GRAPHITE, (0, 0), lines)
    return image


def _neon_bright(colour: Colour) -> Colour:
    top = max(colour)
    if top - min(colour) < 40:
        return mix(colour, (255, 255, 255), (0.30, 0.18, 0.90)[(top > 90) + (top > 180)])
    lift = min(255.0, top * (1.6 if top > 128 else 1.2)) / top
    r, g, b = (round(channel * lift) for channel in colour)
    return mix((r, g, b), (255, 255, 255), 0.12)


def _neon(picture: Picture) -> Image.Image:
    size = picture.size
    unit = size / 256
    ground = _scaled(picture.sky, 0.54)
    lines = Image.new("RGB", (size, size))
    for layer in picture.scenery:
        fill = Image.blend(
            _scaled(layer.colour, 0.24), Image.new("RGB", (size, size), (14, 10, 30)), 0.3
        )
        if layer is picture.scenery[0]:
            fill = _scaled(layer.colour, 0.62)
        ground.paste(fill, (0, 0), layer.mask)
        lines.paste((0, 0, 0), (0, 0), layer.mask)
        lines.paste(
            _scaled(Image.new("RGB", (size, size), picture.mood.outline), 0.86),
            (0, 0),
            _edges(layer.mask, 2.0 * unit),
        )
    for figure in picture.figures:
        layer, bright = figure.layer, _neon_bright(figure.ramp.base)
        body = 0.72 if min(figure.ramp.base) > 180 else 0.52
        ground.paste(_scaled(layer.colour, body), (0, 0), layer.mask)
        lines.paste((0, 0, 0), (0, 0), layer.mask)
        lines.paste(bright, (0, 0), _inner_lines(layer, 2.4))
        lines.paste(bright, (0, 0), _edges(layer.mask, 2.8 * unit))
    if picture.falling is not None:
        lines.paste((170, 220, 255), (0, 0), _scaled(picture.falling.mask, 0.8))
    small = lines.reduce(4)
    glow = small.filter(ImageFilter.BoxBlur(3 * unit)).filter(ImageFilter.BoxBlur(1.5 * unit))
    halo = _scaled(glow, 1.5).resize((size, size), Image.Resampling.BILINEAR)
    return ImageChops.screen(ImageChops.screen(ground, halo), lines)


def _oil(picture: Picture) -> Image.Image:
    size = picture.size
    source, shade = brush_dabs(size, picture.variant, 0.76)
    rich = ImageEnhance.Color(picture.backdrop()).enhance(1.2)
    canvas = Image.blend(_brushed(rich, source, shade), rich, 0.25)
    source, shade = brush_dabs(size, picture.variant, 0.5)
    for figure in picture.figures:
        rich = ImageEnhance.Color(figure.layer.colour).enhance(1.1)
        ragged = Image.fromarray(np.asarray(figure.layer.mask).ravel()[source])
        edge = Image.blend(figure.layer.mask, ragged, 0.4)
        strokes = Image.blend(_brushed(rich, source, shade), rich, 0.3)
        canvas.paste(strokes, (0, 0), edge)
    if picture.falling is not None:
        picture.falling.over(canvas)
    return canvas


def _brushed(image: Image.Image, source: Indices, shade: Floats) -> Image.Image:
    """The picture repeated in brush dabs, each of a single colour."""
    strokes = np.asarray(image).reshape(-1, 3)[source].astype(np.float32) * shade[..., None]
    return Image.fromarray(np.clip(strokes, 0, 255).astype(np.uint8))


def _paper(picture: Picture) -> Image.Image:
    size = picture.size
    unit = size / 256
    bands = picture.sky.resize((1, 7), Image.Resampling.BOX)
    image = bands.resize((size, size), Image.Resampling.NEAREST)
    shift = round(5 * unit)
    frame = Image.new("L", (size, size), 255)
    inset = round(9 * unit)
    frame.paste(0, (inset, inset, size - inset, size - inset))
    sheets = [*picture.layers(), Layer(Image.new("RGB", (size, size), _PAPER), frame)]
    for layer in sheets:
        small = layer.mask.reduce(2).filter(ImageFilter.BoxBlur(1.6 * unit))
        shadow = Image.new("L", (size, size))
        shadow.paste(_scaled(small, 0.52).resize((size, size)), (shift, shift))
        image.paste((26, 20, 40), (0, 0), shadow)
        image.paste(mix(_PAPER, picture.mood.haze, 0.15), (0, 0), layer.mask)
        inner = layer.mask.filter(ImageFilter.BoxBlur(1.8 * unit)).point(_shrunk_value)
        image.paste(layer.colour, (0, 0), inner)
    return image


_FINISHES: Final[dict[str, Callable[[Picture], Image.Image]]] = {
    "flat": _flat,
    "watercolour": _watercolour,
    "pixel": _pixel,
    "pencil": _pencil,
    "neon": _neon,
    "oil": _oil,
    "paper": _paper,
}


def finish(picture: Picture, style: str) -> Image.Image:
    """The finished picture in the style of that name."""
    return _FINISHES[style](picture)
