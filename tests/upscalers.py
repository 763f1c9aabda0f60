"""Upscalers' forward passes as published, in plain functions over a file's own tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, leaky_relu, pixel_shuffle, prelu

Weights = dict[str, Tensor]


def random_weights(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) * 0.15 for name, shape in shapes.items()}


def _conv(name: str, entering: int, leaving: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (leaving, entering, 3, 3), f"{name}.bias": (leaving,)}


def rrdb_shapes(
    layout: str, scale: int, features: int = 6, growth: int = 4, blocks: int = 2
) -> dict[str, tuple[int, ...]]:
    """The tensors of "new" (BasicSR), "trunk" (BSRGAN) or "old" (ESRGAN) files."""
    fold = {1: 16, 2: 4, 4: 1}[scale] if layout == "new" else 1
    ups = 2 if layout == "new" else {1: 0, 2: 1, 4: 2}[scale]
    if layout == "old":
        after = [3 * number for number in range(1, ups + 1)]
        hr = after[-1] + 2 if after else 2
        names = {"first": "model.0", "body": f"model.1.sub.{blocks}", "hr": f"model.{hr}",
                 "last": f"model.{hr + 2}", "ups": [f"model.{place}" for place in after],
                 "dense": "model.1.sub.{b}.RDB{r}.conv{c}.0"}  # fmt: skip
    elif layout == "trunk":
        names = {"first": "conv_first", "body": "trunk_conv", "hr": "HRconv", "last": "conv_last",
                 "ups": ["upconv1", "upconv2"][:ups],
                 "dense": "RRDB_trunk.{b}.RDB{r}.conv{c}"}  # fmt: skip
    else:
        names = {"first": "conv_first", "body": "conv_body", "hr": "conv_hr", "last": "conv_last",
                 "ups": ["conv_up1", "conv_up2"],
                 "dense": "body.{b}.rdb{r}.conv{c}"}  # fmt: skip
    shapes = _conv(str(names["first"]), 3 * fold, features)
    for block in range(blocks):
        for dense in (1, 2, 3):
            for conv in range(1, 6):
                name = str(names["dense"]).format(b=block, r=dense, c=conv)
                shapes |= _conv(
                    name, features + (conv - 1) * growth, growth if conv < 5 else features
                )
    for name in [str(names["body"]), *names["ups"], str(names["hr"])]:
        shapes |= _conv(name, features, features)
    return shapes | _conv(str(names["last"]), features, 3)


def rrdb_forward(weights: Weights, pictures: Tensor, layout: str, scale: int) -> Tensor:
    """ESRGAN's architecture, written out from the paper and its first code, name by name."""

    def conv(name: str, given: Tensor) -> Tensor:
        return conv2d(given, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def lrelu(given: Tensor) -> Tensor:
        return leaky_relu(given, 0.2)

    blocks = 2
    dense: Callable[[int, int, int], str]
    if layout == "old":
        ups = {1: [], 2: ["model.3"], 4: ["model.3", "model.6"]}[scale]
        hr, last = {1: (2, 4), 2: (5, 7), 4: (8, 10)}[scale]
        first, body, hr_name, last_name = "model.0", "model.1.sub.2", f"model.{hr}", f"model.{last}"
        dense = "model.1.sub.{}.RDB{}.conv{}.0".format
    elif layout == "trunk":
        first, body, hr_name, last_name = "conv_first", "trunk_conv", "HRconv", "conv_last"
        ups = ["upconv1", "upconv2"][: {1: 0, 2: 1, 4: 2}[scale]]
        dense = "RRDB_trunk.{}.RDB{}.conv{}".format
    else:
        first, body, hr_name, last_name = "conv_first", "conv_body", "conv_hr", "conv_last"
        ups = ["conv_up1", "conv_up2"]
        dense = "body.{}.rdb{}.conv{}".format
        fold = {1: 4, 2: 2, 4: 1}[scale]
        b, c, height, width = pictures.shape
        squares = pictures.reshape(b, c, height // fold, fold, width // fold, fold)
        pictures = squares.permute(0, 1, 3, 5, 2, 4).reshape(
            b, c * fold * fold, height // fold, width // fold
        )
    start = conv(first, pictures)
    trunk = start
    for block in range(blocks):
        inner = trunk
        for number in (1, 2, 3):
            x1 = lrelu(conv(dense(block, number, 1), inner))
            x2 = lrelu(conv(dense(block, number, 2), torch.cat((inner, x1), 1)))
            x3 = lrelu(conv(dense(block, number, 3), torch.cat((inner, x1, x2), 1)))
            x4 = lrelu(conv(dense(block, number, 4), torch.cat((inner, x1, x2, x3), 1)))
            x5 = conv(dense(block, number, 5), torch.cat((inner, x1, x2, x3, x4), 1))
            inner = x5 * 0.2 + inner
        trunk = inner * 0.2 + trunk
    result = start + conv(body, trunk)
    for name in ups:
        result = lrelu(conv(name, interpolate(result, scale_factor=2.0, mode="nearest")))
    return conv(last_name, lrelu(conv(hr_name, result)))


def srvgg_shapes(scale: int, features: int = 6, depth: int = 2) -> dict[str, tuple[int, ...]]:
    """The tensors of Real-ESRGAN's compact network."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number in range(depth + 1):
        shapes |= _conv(f"body.{2 * number}", features if number else 3, features)
        shapes[f"body.{2 * number + 1}.weight"] = (features,)
    return shapes | _conv(f"body.{2 * depth + 2}", features, 3 * scale * scale)


def srvgg_forward(weights: Weights, pictures: Tensor, scale: int, depth: int = 2) -> Tensor:
    """Convolution, PReLU, …, convolution, pixel shuffle; the enlarged picture is added."""
    out = pictures
    for number in range(depth + 2):
        name = f"body.{2 * number}"
        out = conv2d(out, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
        if number < depth + 1:
            out = prelu(out, weights[f"body.{2 * number + 1}.weight"])
    return pixel_shuffle(out, scale) + interpolate(pictures, scale_factor=float(scale))
