"""Soft inpainting: how early a place may leave the original depends on how white its mask is.

Source: Levin & Fried 2023, Differential Diffusion, arXiv:2306.00950, algorithm 1: the mask is
compared anew at every step with a threshold that falls from 1 to 0.
"""

from __future__ import annotations

import torch


def free_at(mask: torch.Tensor, call: int, calls: int) -> torch.Tensor:
    """What of a graded mask (1, 1, h, w) may change at ``call`` of ``calls``: 1 where, else 0.

    White places change from the first call on; a place at m from the last share m of them; black
    ones never.
    """
    return (mask > 1 - (call + 1) / calls + 1e-6).to(mask.dtype)
