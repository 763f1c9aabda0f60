"""What a request asks for besides its model: LoRAs, embeddings, a VAE, CLIP skip.

All of it holds for one job, and is taken off again however the job ends.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from studio.errors import ModelError
from studio.models.addons.clip_skip import clip_skipped
from studio.models.addons.embeddings import (
    Embedding,
    Vocabulary,
    pattern_of,
    read_embedding,
    word_of,
)
from studio.models.addons.listing import (
    AUTOMATIC,
    OWN_VAE,
    Catalog,
    find_addon,
    sibling_vae,
    suits,
)
from studio.models.addons.lora import ActiveLora, Loras
from studio.models.addons.vae import Vaes
from studio.models.base import LoadedModel, ModelInfo
from studio.prompt.tags import LoraUse, read_tags
from studio.request import GenerationRequest


@dataclass(frozen=True)
class Prepared:
    """A request's prompts as the model is to read them, while its add-ons are on.

    ``variant`` is what an embedding of the same text depends on besides the model.
    """

    prompt: str
    negative_prompt: str
    vocabulary: Vocabulary
    variant: Hashable


class AddOns:
    """Puts a request's add-ons onto its model. For one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._loras, self._vaes = Loras(), Vaes()

    @contextmanager
    def applied(self, model: LoadedModel, request: GenerationRequest) -> Iterator[Prepared]:
        """``model`` with all that ``request`` asks for until the end of the block.

        Raises InvalidRequest or ModelError, with the model as it was, when something does not fit.
        """
        tagged = read_tags(request.prompt)
        loras = [self._active(use, model.info) for use in tagged.loras]
        embeddings = self._embeddings(model, tagged.text, request.negative_prompt)
        vocabulary = Vocabulary(model, embeddings)
        variant = (
            tuple((lora.info.path, lora.text_weight) for lora in loras if lora.text_weight),
            tuple((each.info.path, each.info.size) for each in embeddings.values()),
            request.clip_skip,
        )
        with ExitStack() as stack:
            stack.enter_context(self._loras.applied(model, loras))
            stack.enter_context(self._vaes.applied(model, self._vae(request, model.info)))
            stack.enter_context(vocabulary.known())
            stack.enter_context(clip_skipped(model, request.clip_skip))
            yield Prepared(tagged.text, request.negative_prompt, vocabulary, variant)

    def forget(self) -> None:
        """Let everything that is kept for the next job go, to make room."""
        self._loras.forget()
        self._vaes.forget()

    def _active(self, use: LoraUse, model: ModelInfo) -> ActiveLora:
        info = find_addon(self._catalog, "lora", use.name, "prompt", model)
        return ActiveLora(info, use.unet_weight, use.text_weight)

    def _vae(self, request: GenerationRequest, model: ModelInfo) -> ModelInfo | None:
        if request.vae == OWN_VAE:
            return None
        if request.vae == AUTOMATIC:
            return sibling_vae(model)
        return find_addon(self._catalog, "vae", request.vae, "vae", model)

    def _embeddings(self, model: LoadedModel, *prompts: str) -> dict[str, Embedding]:
        """The embeddings that the prompts name, by the names that they are called by."""
        installed = _best(self._catalog.of_kind("embedding"), model.info)
        if not installed:
            return {}
        pattern = pattern_of(list(installed))
        named = {found.casefold() for prompt in prompts for found in pattern.findall(prompt)}
        found = {}
        for word in sorted(named):
            info = installed[word]
            if info.problem:
                raise ModelError(f"The embedding “{info.name}” cannot be used: {info.problem}")
            found[word] = read_embedding(info, model)
        return found


def _best(infos: Iterable[ModelInfo], model: ModelInfo) -> dict[str, ModelInfo]:
    """Embeddings by their words; of several by one name, one that fits the model."""
    best: dict[str, ModelInfo] = {}
    for info in sorted(infos, key=lambda each: (bool(each.problem), not suits(each, model))):
        best.setdefault(word_of(info).casefold(), info)
    return best
