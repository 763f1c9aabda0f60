"""LoRAs that become part of a model: what they add to each weight, read when it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from studio.errors import ModelError
from studio.models.addons.layers import Target, targets_of
from studio.models.addons.lora import CONTROLLED
from studio.models.addons.lora_file import LayerName, LoraReader
from studio.sentences import Sentence, say


@dataclass(frozen=True)
class OpenLora:
    """A LoRA's name, its open file, and how strongly it is baked in."""

    name: str
    file: LoraReader
    weight: float


@dataclass(frozen=True)
class _Change:
    lora: OpenLora
    layer: LayerName
    target: Target


class BakedLoras:
    """What some LoRAs add to the weights of a model's ``parts``, networks without weights.

    Raises ModelError when one has layers that the model lacks.
    """

    def __init__(self, loras: Sequence[OpenLora], parts: Mapping[str, torch.nn.Module]) -> None:
        targets = {part: targets_of(parts[part]) for part in CONTROLLED if part in parts}
        self._changes: dict[tuple[str, str], list[_Change]] = {}
        for lora in loras:
            for layer in lora.file.layers:
                part, name = layer
                target = targets.get(part, {}).get(name)
                if target is None:
                    raise refusal(lora.name, say("it is made for another kind of model"))
                changed = part, f"{target.path}.weight"
                self._changes.setdefault(changed, []).append(_Change(lora, layer, target))

    def add_to(self, part: str, name: str, weight: torch.Tensor) -> None:
        """Change the fp32 ``weight`` of a parameter in place. Raises ModelError."""
        for change in self._changes.get((part, name), ()):
            if not change.lora.weight:
                continue
            try:
                delta = change.lora.file.read(change.layer).dense(change.target.own_shape)
            except ModelError as error:
                raise refusal(change.lora.name, error.sentence) from error
            weight.add_(delta, alpha=change.lora.weight)


def refusal(lora: str, reason: Sentence) -> ModelError:
    """Why a LoRA cannot become part of this model."""
    return ModelError(
        say("The LoRA “{lora}” cannot be baked in: {reason}.", lora=lora, reason=reason)
    )
