"""A prompt as it was written -> what every picture's prompts come to: variants drawn, styles added.

>>> from studio.request import GenerationRequest
>>> oil = Style("oil", "Oil painting", prompt="{prompt}, oil painting", negative_prompt="photo")
>>> request = GenerationRequest(prompt="a {red|blue} boat", styles=("oil",), seed=1, num_images=2)
>>> resolved = resolve(request, {"oil": oil}, {})
>>> resolved.picture_prompts
('a blue boat, oil painting', 'a red boat, oil painting')
>>> resolved.one(1).template, resolved.one(1).template_styles
('a {red|blue} boat', ('oil',))
>>> resolve(resolved.one(1), {}, {}) == resolved.one(1)
True
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from studio.errors import InvalidRequest
from studio.prompt.styles import Style, apply_styles
from studio.prompt.variants import Wildcards, choose, has_variants
from studio.request import MAX_PROMPT, GenerationRequest


def resolve(
    request: GenerationRequest, styles: Mapping[str, Style], wildcards: Wildcards
) -> GenerationRequest:
    """The request with the prompts of its pictures, where they are not what was written.

    A picture's seed draws its variants, those of the prompt before those of the negative prompt, so
    that a seed gives the same choice again. Styles are put around what was drawn; what they say is
    taken as it stands, and so is a prompt that was resolved before (it has a template). Raises
    InvalidRequest for a style that is not there, and for a prompt that has become too long.
    """
    chosen = [_style(name, styles) for name in request.styles]
    prompts = request.prompt, request.negative_prompt
    varied = not request.template and any(has_variants(text, wildcards) for text in prompts)
    if not chosen and not varied:
        return request
    words: list[tuple[str, str]] = []
    for index in range(request.num_images):
        rng = random.Random(request.one(index).seed)
        prompt, negative_prompt = prompts
        if varied:
            prompt, negative_prompt = (choose(text, wildcards, rng) for text in prompts)
        words.append(apply_styles(prompt, negative_prompt, chosen))
    positive, negative = zip(*words, strict=True)
    _check_length("prompt", positive)
    _check_length("negative_prompt", negative)
    return request.model_copy(
        update={"picture_prompts": positive, "picture_negative_prompts": negative}
    )


def _style(name: str, styles: Mapping[str, Style]) -> Style:
    found = styles.get(name)
    if found is None:
        raise InvalidRequest.of("styles", f"There is no style called “{name}”.")
    return found


def _check_length(field: str, texts: Iterable[str]) -> None:
    length = max(map(len, texts))
    if length > MAX_PROMPT:
        label = GenerationRequest.model_fields[field].title
        raise InvalidRequest.of(
            field,
            f"{label} may have at most {MAX_PROMPT:,} characters; "
            f"with its styles and wildcards it has {length:,}.",
        )
