"""The keyframes' prompts: encoded once for all frames, and the LoRAs that lie between two."""

from __future__ import annotations

from collections.abc import Sequence

from studio.animation.plan import Moment
from studio.engine.addons import AddOns
from studio.engine.conditioning import Conditioning, PromptEncoder, Wording, says_nothing
from studio.models.base import LoadedModel
from studio.prompt.grammar import take_loras
from studio.prompt.plan import plan_prompt
from studio.request import GenerationRequest


def encode_keyframes(
    requests: Sequence[GenerationRequest],
    model: LoadedModel,
    addons: AddOns,
    prompts: PromptEncoder,
    calls: int,
) -> tuple[list[Conditioning], list[Conditioning]]:
    """What each keyframe says and what it keeps away from; all embeddings of the same length.

    Each is read under its own LoRAs, which change the text encoder, but with the learnt embeddings
    of all. ``calls``: of the UNet, in a whole run.
    """
    steps = requests[0].num_inference_steps
    texts = [take_loras(request.prompt)[0] for request in requests]
    plans = [
        *(plan_prompt(text, steps) for text in texts),
        *(plan_prompt(each.negative_prompt, steps, composed=False) for each in requests),
    ]
    everything = "\n".join([*texts, *(request.negative_prompt for request in requests)])
    positive: list[Conditioning] = []
    negative: list[Conditioning] = []
    for number, request in enumerate(requests):
        wanted = request.model_copy(update={"negative_prompt": everything})
        with addons.applied(model, wanted) as words:
            wording = Wording(
                model, words.vocabulary.tokenize, words.variant, request.normalize_emphasis
            )
            said = prompts.encode(wording, calls, *plans)
        positive.append(said[number])
        without = said[len(requests) + number]
        empty = model.zeros_for_empty_negative and not request.negative_prompt
        negative.append(says_nothing(without) if empty else without)
    return positive, negative


def lora_tags(requests: Sequence[GenerationRequest], moment: Moment) -> str:
    """The LoRAs of a moment as a prompt names them, their weights between the keyframes'."""
    start, end = (
        {lora.name: lora.unet_weight for lora in take_loras(requests[k].prompt)[1]}
        for k in (moment.start, moment.end)
    )
    tags = []
    for name in dict.fromkeys((*start, *end)):
        low, high = start.get(name, 0.0), end.get(name, 0.0)
        weight = low if low == high else low + moment.share * (high - low)
        tags.append(f"<lora:{name}:{weight:.6f}>")
    return "".join(tags)
