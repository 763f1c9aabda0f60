"""CLIP skip: the text encoders' words as an earlier layer left them.

Counted as A1111 does: 1 is the last layer, the usual one; 2 the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from studio.errors import ModelError
from studio.models.base import LoadedModel
from studio.sentences import say


@contextmanager
def clip_skipped(model: LoadedModel, clip_skip: int) -> Iterator[None]:
    """The text encoders answer as if their last ``clip_skip`` - 1 layers were not there.

    The last hidden state still goes through the final layer norm, as in A1111 and diffusers; the
    list of hidden states ends earlier, from which SDXL takes the last but one; what is pooled
    comes from the whole encoder, as in diffusers. Raises ModelError when there are too few layers.
    """
    with ExitStack() as stack:
        for name, part in model.parts.items():
            if clip_skip > 1 and name.startswith("text_encoder"):
                config: Any = part.config
                layers = int(config.num_hidden_layers)
                if clip_skip > layers:
                    raise ModelError(
                        say(
                            "CLIP skip can be at most {layers} with “{model}”, whose text encoder "
                            "has {layers} layers; you gave {given}.",
                            layers=layers,
                            model=model.info.name,
                            given=clip_skip,
                        )
                    )
                _install(stack, part, clip_skip - 1)
        yield


def _install(stack: ExitStack, encoder: Any, skipped: int) -> None:
    def ask(_: torch.nn.Module, args: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, {**named, "output_hidden_states": True, "return_dict": True}

    norm = getattr(encoder, "text_model", encoder).final_layer_norm

    def answer(_: torch.nn.Module, args: Any, named: Any, output: Any) -> Any:
        states = output.hidden_states
        output["last_hidden_state"] = norm(states[-(skipped + 1)])
        output["hidden_states"] = tuple(states[: len(states) - skipped])
        return output

    before = encoder.register_forward_pre_hook(ask, with_kwargs=True)
    stack.callback(before.remove)
    after = encoder.register_forward_hook(answer, with_kwargs=True)
    stack.callback(after.remove)
