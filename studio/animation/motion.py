"""Frames between painted ones by motion compensation: FFmpeg's minterpolate, without any weights.

Blocks of pixels are followed from frame to frame and drawn on their way (overlapped block motion
compensation, Orchard and Sullivan 1994; the filter is libavfilter's vf_minterpolate). Four frames
at a time go through a filter of their own, so that what comes out depends on these alone: the same
after a resume, and in the memory of a few frames whatever the length. No torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from PIL import Image

_OPTIONS = "mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none"
"""Both ways between two frames, small blocks at edges; a change of scene is a change like any."""
_BT709, _FULL_RANGE = 1, 2


def pictures_between(around: Sequence[Image.Image], count: int) -> list[Image.Image]:
    """``count`` pictures (RGB) at equal distances between the second and the third of four.

    ``around``: the frame before, the two, and the one after, all of one size; at the ends of a film
    the frame itself stands for the one that is missing.
    """
    step = count + 1
    graph, source, sink = _graph(around[0].size, step)
    made: list[Any] = []
    for number, picture in enumerate(around):
        source.push(_frame(picture, number))
        made += _pulled(sink)
    source.push(None)
    made += _pulled(sink)
    del graph
    inner = [frame for frame in made if step < frame.pts < 2 * step]
    assert len(inner) == count
    return [_picture(frame) for frame in inner]


def _graph(size: tuple[int, int], rate: int) -> tuple[Any, Any, Any]:
    """One frame a second in, ``rate`` out."""
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=size[0], height=size[1], format="yuv444p", time_base=Fraction(1)
    )  # fmt: skip
    interpolate = graph.add("minterpolate", f"fps={rate}:{_OPTIONS}")
    sink = graph.add("buffersink")
    source.link_to(interpolate)
    interpolate.link_to(sink)
    graph.configure()
    return graph, source, sink


def _frame(picture: Image.Image, number: int) -> Any:
    import av

    frame = av.VideoFrame.from_image(picture).reformat(
        format="yuv444p", dst_colorspace=_BT709, dst_color_range=_FULL_RANGE
    )
    frame.pts, frame.time_base = number, Fraction(1)
    return frame


def _picture(frame: Any) -> Image.Image:
    rgb = frame.reformat(
        format="rgb24", src_colorspace=_BT709, src_color_range=_FULL_RANGE,
        dst_color_range=_FULL_RANGE,
    )  # fmt: skip
    picture: Image.Image = rgb.to_image()
    return picture


def _pulled(sink: Any) -> list[Any]:
    """What a graph has ready."""
    import av

    ready: list[Any] = []
    while True:
        try:
            ready.append(sink.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return ready
