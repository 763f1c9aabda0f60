"""Muon: momentum whose steps are orthogonal matrices, with AdamW for all that is no matrix.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the step's scale is
that of Liu et al. 2025, "Muon is scalable for LLM training", so that both share a learning rate.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import nn

# Coefficients of the quintic Newton-Schulz iteration, tuned by Jordan et al. for a steep start.
_QUINTIC: Final = (3.4445, -4.7750, 2.0315)
_ITERATIONS: Final = 5
_ADAM_LIKE_RMS: Final = 0.2


def orthogonalized(matrix: torch.Tensor) -> torch.Tensor:
    """Return U V^T, nearly, for matrix (m, n) = U S V^T, in bfloat16.

    Singular values land in about [0.7, 1.2], which is near enough for a step and needs only
    matrix products.
    """
    a, b, c = _QUINTIC
    x: torch.Tensor = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    found: torch.Tensor = x.T if tall else x
    return found


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalized; kernels (out, in, h, w) count as (out, in * h * w)."""

    def __init__(
        self, weights: Iterable[nn.Parameter], lr: float, momentum: float, decay: float
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step along the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "mean" not in state:
                    state["mean"] = torch.zeros_like(weight)
                mean = state["mean"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(mean, group["momentum"]).flatten(1)
                scale = _ADAM_LIKE_RMS * max(ahead.shape) ** 0.5
                weight.mul_(1 - group["lr"] * group["decay"])
                weight.add_(orthogonalized(ahead).view_as(weight), alpha=-group["lr"] * scale)


class Optimizer:
    """Muon for the matrices inside a network, AdamW for its biases, norms and embeddings."""

    def __init__(self, learner: nn.Module, lr: float) -> None:
        embeddings = {
            parameter
            for module in learner.modules()
            if isinstance(module, nn.Embedding)
            for parameter in module.parameters()
        }
        trained = [p for p in learner.parameters() if p.requires_grad]
        matrices = [p for p in trained if p.ndim >= 2 and p not in embeddings]
        known = set(matrices)
        others = [p for p in trained if p not in known]
        self._parts: tuple[torch.optim.Optimizer, ...] = (
            Muon(matrices, lr=lr, momentum=0.95, decay=0.01),
            torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.99), weight_decay=0.0, fused=True),
        )

    def set_rate(self, lr: float) -> None:
        """Set the learning rate of the next step."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = lr

    def step(self) -> None:
        """Take one step and forget the gradients."""
        for part in self._parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """Return what is needed to go on later."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from what `state_dict` returned."""
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)
