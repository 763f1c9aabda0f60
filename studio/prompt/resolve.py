"""From what a person wrote to what a model is told: choices drawn, then styles put around.

>>> from studio.prompt.styles import Style
>>> paint = Style("oil", "Oil painting", "{prompt}, oil painting", "photograph of {red|blue}")
>>> resolve("a __boat__", "{fog|rain}", [paint], {"boat": ("red boat", "blue boat")}, seed=3)
('a red boat, oil painting', 'fog, photograph of {red|blue}')

The same seed makes the same choice, whatever the styles are: they come after it, and what they say
stands as it is.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from studio.prompt.styles import Style, apply_styles
from studio.prompt.variants import Wildcards, choose


def resolve(
    prompt: str, negative_prompt: str, styles: Iterable[Style], wildcards: Wildcards, seed: int
) -> tuple[str, str]:
    """The final prompt and negative prompt of the picture that is drawn from ``seed``.

    The prompt's choices are drawn first and the negative prompt's after them, from one generator:
    so a wildcard that stands in both gives two choices, and not the same one twice.
    """
    rng = random.Random(seed)
    drawn = choose(prompt, wildcards, rng)
    return apply_styles(drawn, choose(negative_prompt, wildcards, rng), styles)
