"""Muon: momentum whose steps are orthogonal matrices, with AdamW for all that is no matrix.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the step's scale is
that of Liu et al. 2025, "Muon is scalable for LLM training", so that both share a learning rate.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import torch
from torch import nn

from studio.pocket.device import has_bf16

# Coefficients of the quintic Newton-Schulz iteration, tuned by Jordan et al. for a steep start.
_QUINTIC: Final = (3.4445, -4.7750, 2.0315)
_ITERATIONS: Final = 5
_ADAM_LIKE_RMS: Final = 0.2


def orthogonalized(matrices: torch.Tensor) -> torch.Tensor:
    """Return U V^T, nearly, for matrices (..., m, n) = U S V^T, in bfloat16 where that is fast.

    Singular values land in about [0.7, 1.2], which is near enough for a step and needs only
    matrix products.
    """
    a, b, c = _QUINTIC
    x: torch.Tensor = matrices.bfloat16() if has_bf16(matrices.device) else matrices.float()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    found: torch.Tensor = x.mT if tall else x
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
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if not weights:
                continue
            gradients = [weight.grad for weight in weights]
            means = [self._mean(weight) for weight in weights]
            torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
            ahead = torch._foreach_lerp(gradients, means, group["momentum"])
            torch._foreach_mul_(weights, 1 - group["lr"] * group["decay"])
            for shape, alike in _by_shape(ahead).items():
                directions = orthogonalized(torch.stack([ahead[k].flatten(1) for k in alike]))
                rate = group["lr"] * _ADAM_LIKE_RMS * max(shape) ** 0.5
                torch._foreach_add_(
                    [weights[k] for k in alike],
                    [d.view_as(weights[k]).float() for k, d in zip(alike, directions, strict=True)],
                    alpha=-rate,
                )

    def _mean(self, weight: torch.Tensor) -> torch.Tensor:
        state = self.state[weight]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(weight)
        mean: torch.Tensor = state["mean"]
        return mean


def _by_shape(tensors: Sequence[torch.Tensor]) -> dict[tuple[int, int], list[int]]:
    """Which tensors are matrices of the same shape: hundreds of small products become a few."""
    groups: dict[tuple[int, int], list[int]] = {}
    for k, tensor in enumerate(tensors):
        groups.setdefault((len(tensor), tensor[0].numel()), []).append(k)
    return groups


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
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(Muon(matrices, lr=lr, momentum=0.95, decay=0.01))
        if others:
            self._parts.append(
                torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
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
