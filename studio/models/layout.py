"""One network, two sets of names: the original (LDM/SGM) layout and diffusers'.

Checkpoints in one file and LoRAs trained for SDXL by kohya's scripts use the original names.
Source of the names: CompVis/latent-diffusion and Stability-AI/generative-models, and the modules
of diffusers' UNet2DConditionModel. No torch here.
"""

from __future__ import annotations

from collections.abc import Iterator

_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_ENDS = {
    "input_blocks.0.0": "conv_in",
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
_MIDDLE = {0: "mid_block.resnets.0", 1: "mid_block.attentions.0", 2: "mid_block.resnets.1"}


def unet_blocks(blocks: int, layers: int) -> Iterator[tuple[str, str]]:
    """Pairs (original, diffusers) of the blocks of a UNet, for any module that it may have there.

    ``blocks``: how many levels; ``layers``: residual blocks a level on the way down.
    """
    yield from _ENDS.items()
    for place, name in _MIDDLE.items():
        yield from _block(f"middle_block.{place}", name)
    for level in range(blocks):
        for layer in range(layers):
            at = 1 + level * (layers + 1) + layer
            yield from _block(f"input_blocks.{at}.0", f"down_blocks.{level}.resnets.{layer}")
            yield from _block(f"input_blocks.{at}.1", f"down_blocks.{level}.attentions.{layer}")
        down = f"down_blocks.{level}.downsamplers.0.conv"
        yield f"input_blocks.{(level + 1) * (layers + 1)}.0.op", down
        for layer in range(layers + 1):
            at = level * (layers + 1) + layer
            yield from _block(f"output_blocks.{at}.0", f"up_blocks.{level}.resnets.{layer}")
            yield from _block(f"output_blocks.{at}.1", f"up_blocks.{level}.attentions.{layer}")
        for place in (1, 2):  # after the attention, where there is one
            up = f"up_blocks.{level}.upsamplers.0.conv"
            yield f"output_blocks.{level * (layers + 1) + layers}.{place}.conv", up


def _block(original: str, name: str) -> Iterator[tuple[str, str]]:
    if ".resnets." in name:
        yield from ((f"{original}.{old}", f"{name}.{new}") for old, new in _RESNET.items())
    else:
        yield original, name


def original_unet_name(module: str, blocks: int, layers: int) -> list[str]:
    """The names that diffusers' UNet module ``module`` may have in the original layout."""
    found = []
    for original, name in unet_blocks(blocks, layers):
        if module == name:
            found.append(original)
        elif module.startswith(f"{name}.") and ".attentions." in name:
            found.append(original + module[len(name) :])
    return found
