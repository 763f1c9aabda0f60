"""Frames -> a file that plays: streamed to the encoder one by one, with the recipe in it.

The encoders are FFmpeg's, through PyAV.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from studio.animation.inscription import add_comment, add_exif
from studio.animation.request import AnimationRequest, Format
from studio.animation.video import write_video
from studio.images import encode_png
from studio.recipes import exif
from studio.storage import replacing

MEDIA_TYPES: dict[Format, str] = {
    "mp4": "video/mp4", "webm": "video/webm", "webp": "image/webp", "gif": "image/gif",
    "png": "application/zip",
}  # fmt: skip
_PALETTE_FRAMES = 240  # of a film, at most, that its palette is made from

Pictures = Callable[[], Iterator[Image.Image]]
"""The film's pictures in RGB, from the first; a palette needs them twice."""


def write_film(
    path: Path, pictures: Pictures, animation: AnimationRequest, sound: Path | None = None
) -> None:
    """Make the film at ``path``, whole or not at all. ``pictures`` must give one at least.

    ``sound``: the file of the sound that plays along, in mp4 and webm. Memory does not grow with
    the length. Raises StorageError.
    """
    recipe = json.dumps(animation.recipe(), ensure_ascii=False)
    with replacing(path) as part:
        if animation.format in ("mp4", "webm"):
            write_video(part, pictures(), animation, recipe, sound)
        else:
            _WRITERS[animation.format](part, pictures, animation, recipe)


def _webp(path: Path, pictures: Pictures, animation: AnimationRequest, recipe: str) -> None:
    import av

    common = animation.common
    options = {"quality": str(animation.quality), "compression_level": "3"}
    with av.open(path, "w", format="webp", options={"loop": "0"}) as container:
        stream = container.add_stream("libwebp_anim", rate=animation.fps, options=options)
        _set_size(stream, animation, "yuv420p")
        for number, picture in enumerate(pictures()):
            frame = av.VideoFrame.from_image(picture).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, animation.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    add_exif(path, exif.with_comment(recipe), (common.width, common.height))


def _gif(path: Path, pictures: Pictures, animation: AnimationRequest, recipe: str) -> None:
    """256 colours chosen from the whole film; ordered dither, which stands still between frames."""
    import av

    palette = _palette(pictures, animation)
    graph = av.filter.Graph()
    source, colours = (_buffer(graph, animation, frame) for frame in (None, palette))
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=3:diff_mode=rectangle")
    sink = graph.add("buffersink")
    source.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    colours.push(palette)
    colours.push(None)
    with av.open(path, "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=animation.fps)
        _set_size(stream, animation, "pal8")
        for number, picture in enumerate(pictures()):
            source.push(_rgb(picture, number, animation))
            for frame in _pulled(sink):
                container.mux(stream.encode(frame))
        source.push(None)
        for frame in _pulled(sink):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    add_comment(path, recipe)


def _palette(pictures: Pictures, animation: AnimationRequest) -> Any:
    """A frame of 16 × 16 pixels with the colours."""
    import av

    total = sum(1 for _ in pictures())
    graph = av.filter.Graph()
    source = _buffer(graph, animation)
    make, sink = graph.add("palettegen", "stats_mode=full"), graph.add("buffersink")
    source.link_to(make)
    make.link_to(sink)
    graph.configure()
    sampled = islice(pictures(), 0, None, -(-total // _PALETTE_FRAMES))
    for number, picture in enumerate(sampled):
        source.push(_rgb(picture, number, animation))
    source.push(None)
    return sink.pull()


def _buffer(graph: Any, animation: AnimationRequest, like: Any = None) -> Any:
    """Where frames go into a graph: those of the animation, or such as ``like``."""
    common, rate = animation.common, Fraction(1, animation.fps)
    if like is not None:
        return graph.add_buffer(
            width=like.width, height=like.height, format=like.format.name, time_base=rate
        )
    return graph.add_buffer(
        width=common.width, height=common.height, format="rgb24", time_base=rate
    )


def _pulled(sink: Any) -> Iterator[Any]:
    """What a graph has ready."""
    import av

    while True:
        try:
            yield sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _rgb(picture: Image.Image, number: int, animation: AnimationRequest) -> Any:
    import av

    frame = av.VideoFrame.from_image(picture)
    frame.pts, frame.time_base = number, Fraction(1, animation.fps)
    return frame


def _png(path: Path, pictures: Pictures, animation: AnimationRequest, recipe: str) -> None:
    """A zip of the frames as they are played, and the recipe."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("animation.json", recipe)
        for number, picture in enumerate(pictures()):
            archive.writestr(f"{number:06}.png", encode_png(picture))


def _set_size(stream: Any, animation: AnimationRequest, pixels: str) -> None:
    common = animation.common
    stream.width, stream.height, stream.pix_fmt = common.width, common.height, pixels


_WRITERS: dict[Format, Callable[[Path, Pictures, AnimationRequest, str], None]] = {
    "webp": _webp, "gif": _gif, "png": _png,
}  # fmt: skip
