"""LoRAs on a loaded model: beside its layers for one job, and away again.

A layer with a LoRA is replaced by one that asks the old layer and adds ``up(down(x))``. The weights
themselves are never written to, so they are the same to the bit afterwards, in any number format,
and a change that is too fine for bf16 weights is not lost. (peft does the same with one module per
LoRA, but keeps its wrappers in place; it names layers by patterns, which go wrong with mixed alphas
and ranks, and it cannot have kinds of adapters side by side.)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch.nn import functional

from studio.errors import ModelError
from studio.models.addons.layers import Layer, Target, replaced, targets_of
from studio.models.addons.lora_file import LoraFile
from studio.models.base import LoadedModel, ModelInfo
from studio.sentences import say

KEPT_FILES = 4
KEPT_MIXTURES = 4
CONTROLLED = ("unet", "text_encoder", "text_encoder_2")


@dataclass(frozen=True)
class ActiveLora:
    """An installed LoRA, and how strongly it acts on the UNet and on the text encoders."""

    info: ModelInfo
    unet_weight: float
    text_weight: float

    def weight_for(self, part: str) -> float:
        """The weight for one part of a model."""
        return self.unet_weight if part == "unet" else self.text_weight


@dataclass
class _Sum:
    """All that is added to one layer: thin matrices side by side, and one whole matrix."""

    downs: list[torch.Tensor] = field(default_factory=list)
    ups: list[torch.Tensor] = field(default_factory=list)
    dense: torch.Tensor | None = None


class Adapted(torch.nn.Module):
    """A layer with what LoRAs add to it; everything else about it is the layer's own."""

    down: torch.Tensor | None
    up: torch.Tensor | None
    dense: torch.Tensor | None

    layer: Layer | None

    def __init__(self, added: _Sum, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer = None  # the layer that it stands in for, while it does

        def put(name: str, tensor: torch.Tensor | None) -> None:
            held = None if tensor is None else tensor.to(device, dtype)
            self.register_buffer(name, held, persistent=False)

        put("down", torch.cat(added.downs) if added.downs else None)
        put("up", torch.cat(added.ups, dim=1) if added.ups else None)
        put("dense", added.dense)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """The layer's output with the LoRAs' added."""
        layer = self._standing_for
        output: torch.Tensor = layer(given)
        if self.dense is not None:
            output = output + self._apply_weight(given, self.dense)
        if self.down is not None and self.up is not None:
            inner = self._apply_weight(given, self.down)
            if isinstance(layer, torch.nn.Conv2d):
                output = output + functional.conv2d(inner, self.up[..., None, None])
            else:
                output = output + functional.linear(inner, self.up)
        return output

    def _apply_weight(self, given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        layer = self._standing_for
        if isinstance(layer, torch.nn.Conv2d):
            return functional.conv2d(
                given, weight, None, layer.stride, layer.padding, layer.dilation
            )
        return functional.linear(given, weight)

    @property
    def _standing_for(self) -> Layer:
        assert self.layer is not None
        return self.layer

    @property
    def weight(self) -> torch.Tensor:
        """The old layer's weight: libraries look at its number format and device."""
        return self._standing_for.weight


Mixture = Mapping[str, Mapping[str, Adapted]]
"""Part -> path -> the layer that takes the old one's place."""


class Loras:
    """Puts LoRAs onto models; keeps the last few files, and what was made of them for a model.

    What is kept for a model goes when the model goes.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[Path, int, int], LoraFile] = OrderedDict()
        self._mixtures: WeakKeyDictionary[LoadedModel, OrderedDict[tuple[object, ...], Mixture]] = (
            WeakKeyDictionary()
        )

    @contextmanager
    def applied(self, model: LoadedModel, loras: Sequence[ActiveLora]) -> Iterator[None]:
        """``model`` with ``loras``, until the end of the block, whatever happens in it.

        Raises ModelError with a sentence, and with the model as it was, when one does not fit.
        """
        acting = [lora for lora in loras if lora.unet_weight or lora.text_weight]
        mixture = self._mixture(model, acting) if acting else {}
        with ExitStack() as stack:
            for part, layers in mixture.items():
                stack.enter_context(_standing_in(model.parts[part], layers))
            yield

    def forget(self) -> None:
        """Let everything go, to make room."""
        self._files.clear()
        self._mixtures.clear()

    def _mixture(self, model: LoadedModel, loras: Sequence[ActiveLora]) -> Mixture:
        kept = self._mixtures.setdefault(model, OrderedDict())
        key = tuple(
            (*identity(lora.info), lora.unet_weight, lora.text_weight) for lora in loras
        ) + tuple(_state(model.parts[part]) for part in CONTROLLED if part in model.parts)
        if key not in kept:
            kept[key] = self._mix(model, loras)
            while len(kept) > KEPT_MIXTURES:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    def _mix(self, model: LoadedModel, loras: Sequence[ActiveLora]) -> Mixture:
        parts = {name: model.parts[name] for name in CONTROLLED if name in model.parts}
        targets = {name: targets_of(part) for name, part in parts.items()}
        sums: dict[tuple[str, str], _Sum] = {}
        for lora in loras:
            try:
                self._add(lora, targets, sums)
            except ModelError as error:
                raise ModelError(
                    say(
                        "The LoRA “{name}” cannot be used with “{model}”: {reason}.",
                        name=lora.info.name,
                        model=model.info.name,
                        reason=error.sentence,
                    )
                ) from error
        device = model.placement.device
        mixture: dict[str, dict[str, Adapted]] = {}
        for (part, path), added in sums.items():
            dtype = next(parts[part].get_submodule(path).parameters()).dtype
            mixture.setdefault(part, {})[path] = Adapted(added, device, dtype)
        return mixture

    def _add(
        self,
        lora: ActiveLora,
        targets: Mapping[str, Mapping[str, Target]],
        sums: dict[tuple[str, str], _Sum],
    ) -> None:
        """Add one LoRA to what is added to each layer; first it is seen whether all of it fits."""
        for (part, name), delta in self._file(lora.info).layers.items():
            target = targets.get(part, {}).get(name)
            if target is None:
                raise ModelError(say("it is made for another kind of model"))
            weight = lora.weight_for(part)
            if not weight:
                continue
            added = sums.setdefault((part, target.path), _Sum())
            factors = delta.factors()
            if factors is None:
                dense = _in_rows(weight * delta.dense(target.own_shape), target)
                added.dense = dense if added.dense is None else added.dense + dense
                continue
            down = _fit(factors.down, target.shape)
            if len(factors.up) != target.height:
                raise ModelError(
                    say("its layers are of another size, as for another kind of model")
                )
            added.downs.append(down)
            added.ups.append(_in_rows(weight * factors.up, target))

    def _file(self, info: ModelInfo) -> LoraFile:
        key = identity(info)
        if key not in self._files:
            self._files[key] = LoraFile(info.path)
            while len(self._files) > KEPT_FILES:
                self._files.popitem(last=False)
        self._files.move_to_end(key)
        return self._files[key]


@contextmanager
def _standing_in(part: torch.nn.Module, layers: Mapping[str, Adapted]) -> Iterator[None]:
    """The layers in the place of those at their paths; they hold those no longer than that."""
    try:
        for path, layer in layers.items():
            layer.layer = part.get_submodule(path)  # type: ignore[assignment]
        with replaced(part, layers):
            yield
    finally:
        for layer in layers.values():
            layer.layer = None


def _fit(down: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """``down`` in the form the layer's weight has: some write 1 × 1 convolutions as matrices."""
    wanted = (len(down), *shape[1:])
    if down.numel() != torch.Size(wanted).numel() or down.shape[1] != shape[1]:
        raise ModelError(say("its layers are of another size, as for another kind of model"))
    return down.reshape(wanted)


def _in_rows(change: torch.Tensor, target: Target) -> torch.Tensor:
    """A change of some rows as a change of the whole layer."""
    if target.rows is None:
        return change
    whole = change.new_zeros(target.shape[0], *change.shape[1:])
    whole[target.rows] = change
    return whole


def identity(info: ModelInfo) -> tuple[Path, int, int]:
    """What tells a file from another, and from what it was before. Raises ModelError."""
    try:
        found = info.path.stat()
    except OSError as error:
        raise ModelError(
            say("The file of “{name}” is gone; it was {path}.", name=info.name, path=info.path)
        ) from error
    return info.path, found.st_mtime_ns, found.st_size


def _state(part: torch.nn.Module) -> tuple[object, ...]:
    """What a mixture depends on beside LoRAs: the number format, and whether q, k, v are one."""
    fused = any(getattr(module, "fused_projections", False) for module in part.modules())
    return next(part.parameters()).dtype, fused
