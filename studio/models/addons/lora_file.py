"""A LoRA's file: its layers by the names of a model's modules, whoever wrote it.

Kohya's scripts, LyCORIS, diffusers (its old attention processors too) and peft all name the same
layers differently. Here every name becomes (part, name with "_" for "."), such as
("unet", "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q").
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from studio.errors import ModelError
from studio.models.addons.delta import Delta
from studio.models.addons.reading import reading
from studio.models.weights import read_object
from studio.models.weights_reader import WeightsReader
from studio.sentences import say

LayerName = tuple[str, str]

# The last part of a tensor's name -> what it is in kohya's words.
_ENDINGS: Mapping[str, str] = {
    "lora_down.weight": "lora_down", "lora_up.weight": "lora_up", "lora_mid.weight": "lora_mid",
    "lora_A.weight": "lora_down", "lora_B.weight": "lora_up",
    "lora.down.weight": "lora_down", "lora.up.weight": "lora_up",
    "lora_linear_layer.down.weight": "lora_down", "lora_linear_layer.up.weight": "lora_up",
    "_lora.down.weight": "lora_down", "_lora.up.weight": "lora_up",
    "lora_magnitude_vector": "dora_scale", "lora_magnitude_vector.weight": "dora_scale",
    **{name: name for name in (
        "alpha", "dora_scale", "diff", "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b",
        "hada_t1", "hada_t2", "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a",
        "lokr_w2_b", "lokr_t1", "lokr_t2",
    )},
}  # fmt: skip
_TENSOR = re.compile(
    r"(?P<layer>.+?)(?:\.|(?=_lora\.))(?P<end>"
    + "|".join(re.escape(end) for end in sorted(_ENDINGS, key=len, reverse=True))
    + r")"
)
_PARTS = (
    ("lora_unet_", "unet"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("unet.", "unet"),
    ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder.", "text_encoder"),
    ("diffusion_model.", "unet"),
)
_OLD_NAMES = (
    (re.compile(r"\.processor\.to_(q|k|v)$"), r".to_\1"),
    (re.compile(r"\.processor\.to_out$"), ".to_out.0"),
    (re.compile(r"self_attn\.to_(q|k|v)$"), r"self_attn.\1_proj"),
    (re.compile(r"self_attn\.to_out$"), "self_attn.out_proj"),
)


class LoraReader:
    """One open file, whose layers are read one at a time.

    Raises ModelError with the end of a sentence when it is no LoRA, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with reading(path):
            self._file = WeightsReader(path)
        try:
            self._pieces = _pieces(self._file.tensors)
        except ModelError:
            self._file.close()
            raise
        self._alphas = _Alphas(path, self._file.metadata)

    def __enter__(self) -> LoraReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def layers(self) -> Collection[LayerName]:
        """The layers that the file changes."""
        return self._pieces.keys()

    def read(self, layer: LayerName) -> Delta:
        """The change of one layer."""
        with reading(self._file.path):
            held = {end: self._file.read(name) for end, name in self._pieces[layer].items()}
        if "alpha" not in held and "diff" not in held:
            self._alphas.add(layer, held)
        return Delta(layer[1], held)


class LoraFile:
    """The layers of one file, all of them read. Raises ModelError as `LoraReader` does."""

    def __init__(self, path: Path) -> None:
        with LoraReader(path) as file:
            self.layers: Mapping[LayerName, Delta] = {
                layer: file.read(layer) for layer in file.layers
            }


def _pieces(names: Iterable[str]) -> Mapping[LayerName, Mapping[str, str]]:
    """Layer -> what its tensors are in kohya's words -> their names in the file."""
    pieces: dict[LayerName, dict[str, str]] = defaultdict(dict)
    for name in names:
        match = _TENSOR.fullmatch(name.removeprefix("base_model.model."))
        if match is None:
            raise ModelError(say("it is no LoRA (it holds “{name}”)", name=name[:80]))
        pieces[_layer(match["layer"])][_ENDINGS[match["end"]]] = name
    if not pieces:
        raise ModelError(say("it is empty"))
    return pieces


def _layer(name: str) -> LayerName:
    """The part and the name, with "_" for ".", of a layer as a file calls it."""
    part = "unet"
    for prefix, belongs in _PARTS:
        if name.startswith(prefix):
            part, name = belongs, name.removeprefix(prefix)
            break
    else:
        if name.startswith(("text_model.", "encoder.layers.")):
            part = "text_encoder"
    for old, new in _OLD_NAMES:
        name = old.sub(new, name)
    return part, compact(name)


def compact(name: str) -> str:
    """A module's name as kohya writes it; the text encoders' outermost module is left out."""
    return name.replace(".", "_").removeprefix("text_model_")


class _Alphas:
    """Rank and alpha of layers that do not say it themselves, with exceptions by name.

    diffusers keeps them in the file's metadata, peft in a file beside it.
    """

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        self._said = _object(metadata.get("lora_adapter_metadata", ""))
        self._of_peft: Mapping[str, Any] = {}
        if path.name == "adapter_model.safetensors":
            self._of_peft = read_object(path.with_name("adapter_config.json"))

    def add(self, layer: LayerName, held: dict[str, torch.Tensor]) -> None:
        """Put the layer's alpha beside its tensors, if one is known."""
        part, name = layer
        said = {
            **{key: self._of_peft.get(key) for key in ("lora_alpha", "alpha", "alpha_pattern")},
            **{key.removeprefix(f"{part}."): value for key, value in self._said.items()},
        }
        alpha = said.get("lora_alpha") or said.get("alpha")
        patterns = said.get("alpha_pattern")
        for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
            if name == compact(pattern) or name.endswith("_" + compact(pattern)):
                alpha = value
        if isinstance(alpha, int | float):
            held["alpha"] = torch.tensor(float(alpha))


def _object(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
