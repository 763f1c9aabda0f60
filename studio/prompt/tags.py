"""``<lora:name:weight>`` in a prompt: which LoRAs it asks for, and the prompt without them.

The grammar is A1111's: ``<lora:name>``, ``<lora:name:text>``, ``<lora:name:text:unet>``; a weight
may also be named, ``<lora:name:te=0.5:unet=1>``. The weight of the text encoder is 1 where it is
not given, the UNet's is then the same as the text encoder's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"<lora:([^<>\n]+)>")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)")
_NAMED = ("te", "unet")


@dataclass(frozen=True)
class LoraUse:
    """A LoRA by its name, and how strongly it acts on the UNet and on the text encoders."""

    name: str
    unet_weight: float = 1.0
    text_weight: float = 1.0


@dataclass(frozen=True)
class TaggedPrompt:
    """A prompt without its tags, and the LoRAs it asks for in the order they were first named."""

    text: str
    loras: tuple[LoraUse, ...] = ()


def read_tags(prompt: str) -> TaggedPrompt:
    """The words and the LoRAs of ``prompt``; a name that comes twice has both weights added up.

    A tag that cannot be understood stays in the text as it is.

    >>> read_tags("a boat <lora:ink:0.5> at sea <lora:ink:0.25:1>")
    TaggedPrompt(text='a boat  at sea ', loras=(LoraUse(name='ink', unet_weight=1.5, \
text_weight=0.75),))
    """
    found: dict[str, LoraUse] = {}

    def take(match: re.Match[str]) -> str:
        use = _use(match[1])
        if use is None:
            return match[0]
        before = found.get(use.name)
        if before:
            unet = before.unet_weight + use.unet_weight
            use = LoraUse(use.name, unet, before.text_weight + use.text_weight)
        found[use.name] = use
        return ""

    text = _TAG.sub(take, prompt)
    return TaggedPrompt(text, tuple(found.values()))


def _use(inside: str) -> LoraUse | None:
    """What stands between ``<lora:`` and ``>``; None when it is no name with weights."""
    name, *items = (item.strip() for item in inside.split(":"))
    named: dict[str, float] = {}
    positional: list[float] = []
    for item in items:
        key, equals, value = item.partition("=")
        number = value.strip() if equals else item
        if not _NUMBER.fullmatch(number) or (equals and key.strip() not in _NAMED):
            return None
        if equals:
            named[key.strip()] = float(number)
        else:
            positional.append(float(number))
    if not name or len(positional) > len(_NAMED):
        return None
    text = named.get("te", positional[0] if positional else 1.0)
    return LoraUse(name, named.get("unet", positional[1] if len(positional) > 1 else text), text)
