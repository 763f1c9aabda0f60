"""Another autoencoder for one job: its weights in the place of the model's own, and back again."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch

from studio.errors import ModelError
from studio.models.addons.reading import read_tensors
from studio.models.base import LoadedModel, ModelInfo
from studio.models.weights import weight_files
from studio.sentences import say

KEPT = 2

Weights = Mapping[str, torch.Tensor]

# Names of attention in files from before diffusers 0.12.
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_OLD = re.compile(r"(?<=attentions\.0\.)(query|key|value|proj_attn)(?=\.)")


class Vaes:
    """Swaps autoencoders; keeps the last ones that were read, for as long as their model lives."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[
            LoadedModel, OrderedDict[tuple[Path, int, torch.dtype], Weights]
        ] = WeakKeyDictionary()

    @contextmanager
    def applied(self, model: LoadedModel, info: ModelInfo | None) -> Iterator[None]:
        """``model`` with the weights of another autoencoder (None: its own) until the end.

        Raises ModelError with a sentence, and with the model as it was, when it does not fit.
        """
        if info is None:
            yield
            return
        vae = model.parts["vae"]
        weights = self._weights(model, info)
        held = {**dict(vae.named_parameters()), **dict(vae.named_buffers())}
        own = {name: tensor.data for name, tensor in held.items()}
        try:
            for name, tensor in weights.items():
                held[name].data = tensor
            yield
        finally:
            for name, tensor in own.items():
                held[name].data = tensor

    def forget(self) -> None:
        """Let everything go, to make room."""
        self._kept.clear()

    def _weights(self, model: LoadedModel, info: ModelInfo) -> Weights:
        vae = model.parts["vae"]
        dtype = next(vae.parameters()).dtype
        kept = self._kept.setdefault(model, OrderedDict())
        key = (info.path, info.path.stat().st_mtime_ns, dtype)
        if key not in kept:
            kept[key] = _fitted(read_vae(info, vae), info, model, dtype)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]


def read_vae(info: ModelInfo, like: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A VAE's tensors by diffusers' names, from a file in either layout or a diffusers folder."""
    files = weight_files(info.path) if info.path.is_dir() else [info.path]
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        tensors.update(read_tensors(path)[0])
    if any(".down.0.block." in name for name in tensors):
        from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

        config: Any = like.config
        return dict(convert_ldm_vae_checkpoint(tensors, config))
    return {_OLD.sub(lambda old: _OLD_ATTENTION[old[0]], name): t for name, t in tensors.items()}


def _fitted(
    tensors: Mapping[str, torch.Tensor], info: ModelInfo, model: LoadedModel, dtype: torch.dtype
) -> Weights:
    """The tensors as the model's autoencoder holds its own: shape, number format, device."""
    own = model.parts["vae"].state_dict()
    fitted: dict[str, torch.Tensor] = {}
    for name, there in own.items():
        given = tensors.get(name)
        if given is None or given.numel() != there.numel() or given.shape[0] != there.shape[0]:
            raise ModelError(
                say(
                    "The VAE “{name}” is made for another kind of model than “{model}”: "
                    "choose another, or the model's own.",
                    name=info.name,
                    model=model.info.name,
                )
            )
        shaped = given.reshape(there.shape).to(model.placement.device, dtype)
        layout = model.placement.memory_format if shaped.dim() == 4 else torch.contiguous_format
        fitted[name] = shaped.contiguous(memory_format=layout)
    return fitted
