"""Pictures that go on at their other side: convolutions that look around the edge.

Every convolution of a UNet and of a decoder pads its input with zeros; padded with what lies at the
other side, they make a picture whose opposite edges fit. Attention knows of no edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.nn import functional


@contextmanager
def seamless(part: torch.nn.Module, across: bool, down: bool) -> Iterator[None]:
    """While the block runs, the convolutions of ``part`` go around along the wanted axes.

    LoRAs that are on it by then go around too. Blocks that were compiled run as they are written
    meanwhile, for compiled code would not see the change. Afterwards all is as it was.
    """
    if not across and not down:
        yield
        return
    convolutions: list[Any] = [
        module
        for module in part.modules()
        if isinstance(module, torch.nn.Conv2d) and module.padding not in ((0, 0), "valid")
    ]
    compiled: list[tuple[Any, Any]] = []
    for module in part.modules():
        if getattr(module, "_compiled_call_impl", None) is not None:
            compiled.append((module, module._compiled_call_impl))
            module._compiled_call_impl = None
    for convolution in convolutions:
        convolution._conv_forward = partial(_around, convolution, across, down)
    try:
        yield
    finally:
        for convolution in convolutions:
            del convolution._conv_forward
        for each, call in compiled:
            each._compiled_call_impl = call


def _around(
    convolution: torch.nn.Conv2d,
    across: bool,
    down: bool,
    given: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    """The convolution of ``given`` (B, C, H, W), padded from the other side where it is wanted."""
    rows, columns = int(convolution.padding[0]), int(convolution.padding[1])
    modes = ["circular" if each else "constant" for each in (across, down)]
    wide = functional.pad(given, (columns, columns, 0, 0), mode=modes[0])
    whole = functional.pad(wide, (0, 0, rows, rows), mode=modes[1])
    return functional.conv2d(
        whole, weight, bias, convolution.stride, 0, convolution.dilation, convolution.groups
    )
