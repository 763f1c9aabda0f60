"""What a LoRA adds to one layer's weight: a product of small matrices, in any of four forms.

Sources: LoRA, Hu et al. 2021, arXiv:2106.09685, equation 3; LoHa and LoKr, Yeh et al. 2023
(LyCORIS), arXiv:2309.14859, section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from studio.errors import ModelError
from studio.sentences import say

Pieces = Mapping[str, torch.Tensor]
"""The tensors of one layer by their last names: ``lora_down``, ``hada_w1_a``, ``alpha`` …"""

_NEEDED: Mapping[str, set[str]] = {
    "lora": {"lora_down", "lora_up"},
    "loha": {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"},
    "diff": {"diff"},
}


@dataclass(frozen=True)
class Factors:
    """``up @ down``: down (r, in, …) is applied first, up (out, r) then; all scales are in it."""

    down: torch.Tensor
    up: torch.Tensor

    def dense(self) -> torch.Tensor:
        """The same as one weight (out, in, …) in fp32."""
        change = self.up.float() @ self.down.float().flatten(1)
        return change.reshape(len(self.up), *self.down.shape[1:])


class Delta:
    """The change of one layer's weight at strength 1.

    Raises ModelError when the pieces are of no kind that is known.
    """

    def __init__(self, name: str, pieces: Pieces) -> None:
        self._pieces = dict(pieces)
        if "dora_scale" in pieces:
            raise ModelError(say("it is a DoRA, which this studio cannot apply"))
        fits = [kind for kind, needed in _NEEDED.items() if needed <= set(pieces)]
        if any(piece.startswith("lokr_") for piece in pieces):
            fits.append("lokr")
        if not fits:
            raise ModelError(
                say("its layer {layer} is of a kind this studio does not know", layer=name)
            )
        self._kind = fits[0]

    def factors(self) -> Factors | None:
        """The change as two thin matrices; None where it is not a product of such."""
        if self._kind != "lora" or "lora_mid" in self._pieces:
            return None
        down, up = self._pieces["lora_down"].float(), self._pieces["lora_up"].float()
        if up.dim() > 2 and up[0, 0].numel() != 1:
            return None
        return Factors(down, up.flatten(1) * self._scale(len(down)))

    def dense(self, shape: torch.Size) -> torch.Tensor:
        """The change in fp32 in the ``shape`` of the layer's weight.

        Raises ModelError when it has another size.
        """
        factors = self.factors()
        made = factors.dense() if factors else _KINDS[self._kind](self._pieces)
        if not factors:
            made = made * self._scale(self._rank())
        if made.numel() != shape.numel() or len(made) != shape[0]:
            raise ModelError(say("its layers are of another size"))
        return made.reshape(shape)

    def _rank(self) -> int | None:
        """What alpha is divided by; None where the pieces are whole and have no rank."""
        for piece, axis in (("lora_down", 0), ("hada_w1_b", 0), ("lokr_w1_b", 0), ("lokr_w2_b", 0)):
            if piece in self._pieces:
                return self._pieces[piece].shape[axis]
        return None

    def _scale(self, rank: int | None) -> float:
        alpha = self._pieces.get("alpha")
        return float(alpha) / rank if alpha is not None and rank else 1.0


def _through(core: torch.Tensor | None, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """``a @ b``, or Tucker's form with a ``core`` (p, q, k, l) between a (p, out) and b (q, in)."""
    if core is None:
        return a.float() @ b.float().flatten(1)
    return torch.einsum("pqkl,po,qi->oikl", core.float(), a.float(), b.float())


def _lora(pieces: Pieces) -> torch.Tensor:
    """LoCon with a small convolution between the two, or an ``up`` that is none of 1 × 1."""
    down, up = pieces["lora_down"], pieces["lora_up"]
    if "lora_mid" in pieces:
        return _through(pieces["lora_mid"], up.flatten(1).T, down.flatten(1))
    return up.float().flatten(1) @ down.float().flatten(1)


def _loha(pieces: Pieces) -> torch.Tensor:
    one = _through(pieces.get("hada_t1"), pieces["hada_w1_a"], pieces["hada_w1_b"])
    two = _through(pieces.get("hada_t2"), pieces["hada_w2_a"], pieces["hada_w2_b"])
    return one * two


def _lokr(pieces: Pieces) -> torch.Tensor:
    def whole(name: str) -> torch.Tensor:
        if name in pieces:
            return pieces[name].float()
        core = pieces.get(name.replace("_w", "_t"))
        return _through(core, pieces[f"{name}_a"], pieces[f"{name}_b"])

    try:
        one, two = whole("lokr_w1"), whole("lokr_w2")
    except KeyError as error:
        raise ModelError(say("a part of one of its layers is missing")) from error
    return torch.kron(one[(...,) + (None,) * (two.dim() - one.dim())], two.contiguous())


def _diff(pieces: Pieces) -> torch.Tensor:
    return pieces["diff"].float()


_KINDS = {"lora": _lora, "loha": _loha, "lokr": _lokr, "diff": _diff}
