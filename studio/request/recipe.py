"""GenerationRequest: all that is needed to make pictures again."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from studio.request.bounds import MAX_PICTURES, MAX_SEED, RESOLVED, Texts
from studio.request.larger import Larger
from studio.sentences import Sentence


class GenerationRequest(Larger):
    """A complete recipe: the same request makes the same pictures, on any device type.

    Picture ``k`` of ``num_images`` is drawn with ``seed + k`` and does not depend on the others.
    """

    num_images: int = Field(
        1,
        ge=1,
        le=MAX_PICTURES,
        title="Pictures",
        description="How many, with seeds counting up from Seed.",
    )
    batch_size: int = Field(
        1,
        ge=1,
        le=16,
        title="Batch size",
        description="How many are drawn together; it changes the speed, not the pictures.",
    )

    picture_prompts: Texts = Field(
        (),
        title="Pictures' prompts",
        description="What the prompt came to for every picture; empty where it stands as it is.",
        json_schema_extra=RESOLVED,
    )
    picture_negative_prompts: Texts = Field(
        (),
        title="Pictures' negative prompts",
        description="What the negative prompt came to for every picture.",
        json_schema_extra=RESOLVED,
    )

    def one(self, index: int) -> GenerationRequest:
        """The recipe of picture ``index`` alone: what is written into its file.

        Its words are what the prompt came to for it, so that it does not depend on files of styles
        and wildcards that may change. As in A1111, a variation keeps the seed, and its variation
        seed counts up.
        """
        counted = "variation_seed" if self.variation_strength else "seed"
        changes: dict[str, Any] = {"num_images": 1, "batch_size": 1}
        changes[counted] = (getattr(self, counted) + index) % (MAX_SEED + 1)
        if self.picture_prompts:
            changes["prompt"], changes["negative_prompt"] = self.prompts_of(index)
            changes |= {"styles": (), "picture_prompts": (), "picture_negative_prompts": ()}
            changes |= {"template": self.prompt, "template_styles": self.styles}
        return self.model_copy(update=changes)

    def prompts_of(self, index: int) -> tuple[str, str]:
        """Prompt and negative prompt of picture ``index``."""
        if not self.picture_prompts:
            return self.prompt, self.negative_prompt
        return self.picture_prompts[index], self.picture_negative_prompts[index]


def label_of(field: str) -> Sentence:
    """What a field is called within a sentence; the page's words have it in other languages."""
    return Sentence(GenerationRequest.model_fields[field].title or field)
