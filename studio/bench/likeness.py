"""How alike two pictures are."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

_WINDOW = 7
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(left: Image.Image, right: Image.Image) -> float:
    """The structural similarity of two pictures of one size: 1 for the same picture.

    The mean over all windows of 7 × 7 pixels and all colours. Source: Wang et al. 2004, "Image
    quality assessment: from error visibility to structural similarity", equation 13.
    """
    x, y = _planes(left), _planes(right)
    mean_x, mean_y = _windowed(x), _windowed(y)
    variance_x = _windowed(x * x) - mean_x**2
    variance_y = _windowed(y * y) - mean_y**2
    together = _windowed(x * y) - mean_x * mean_y
    likeness = ((2 * mean_x * mean_y + _C1) * (2 * together + _C2)) / (
        (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    )
    return float(likeness.mean())


def _planes(picture: Image.Image) -> torch.Tensor:
    values = np.asarray(picture.convert("RGB"), dtype=np.float64)
    return torch.from_numpy(values.transpose(2, 0, 1)[:, None].copy())


def _windowed(planes: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(planes, _WINDOW, stride=1)
