"""What a request asks for besides its model: LoRAs, embeddings, a VAE, CLIP skip.

All of it holds for one job, and is taken off again however the job ends.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from studio.errors import ModelError
from studio.models.addons.clip_skip import clip_skipped
from studio.models.addons.embeddings import Vocabulary, pattern_of, read_embedding
from studio.models.addons.listing import (
    AUTOMATIC,
    OWN_VAE,
    Catalog,
    best_embeddings,
    find_addon,
    sibling_vae,
)
from studio.models.addons.lora import ActiveLora, Loras, identity
from studio.models.addons.tiny import TinyDecoders
from studio.models.addons.vae import Vaes
from studio.models.base import LoadedModel, ModelInfo
from studio.prompt.grammar import Lora, take_loras
from studio.request import GenerationRequest
from studio.sentences import say


@dataclass(frozen=True)
class Words:
    """A request's prompts as the model is to read them, while its add-ons are on.

    ``variant`` is what an embedding of the same text depends on besides the model.
    """

    prompt: str
    negative_prompt: str
    vocabulary: Vocabulary
    variant: Hashable


@dataclass(frozen=True)
class _Plan:
    """What a request wants on a model: found in the catalog, not opened yet."""

    prompt: str
    loras: tuple[ActiveLora, ...]
    embeddings: tuple[tuple[str, ModelInfo], ...]
    vae: ModelInfo | None


class AddOns:
    """Puts a request's add-ons onto its model. For one thread.

    ``tiny``: the decoders of previews, which are nobody's wish and change no picture.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._loras, self._vaes = Loras(), Vaes()
        self.tiny = TinyDecoders(catalog)
        self._last: tuple[Hashable, _Plan] | None = None

    @contextmanager
    def applied(self, model: LoadedModel, request: GenerationRequest) -> Iterator[Words]:
        """``model`` with all that ``request`` asks for until the end of the block.

        Raises InvalidRequest or ModelError, with the model as it was, when something does not fit.
        """
        plan = self._plan(request, model.info)
        embeddings = {word: read_embedding(info, model) for word, info in plan.embeddings}
        vocabulary = Vocabulary(model, embeddings)
        variant = (
            tuple((identity(x.info), x.text_weight) for x in plan.loras if x.text_weight),
            tuple(identity(info) for _, info in plan.embeddings),
            request.clip_skip,
        )
        with ExitStack() as stack:
            stack.enter_context(self._loras.applied(model, plan.loras))
            stack.enter_context(self._vaes.applied(model, plan.vae))
            stack.enter_context(vocabulary.known())
            stack.enter_context(clip_skipped(model, request.clip_skip))
            yield Words(plan.prompt, request.negative_prompt, vocabulary, variant)

    def look_again(self) -> None:
        """A new request: what is installed may have changed since the last."""
        self._last = None

    def forget(self) -> None:
        """Let everything that is kept for the next job go, to make room."""
        self._loras.forget()
        self._vaes.forget()
        self.tiny.forget()

    def _plan(self, request: GenerationRequest, model: ModelInfo) -> _Plan:
        """What is wanted; looked up once for all batches of a request with the same words."""
        key = request.prompt, request.negative_prompt, request.model, request.vae, model
        if self._last is None or self._last[0] != key:
            prompt, loras = take_loras(request.prompt)
            plan = _Plan(
                prompt,
                tuple(self._named(loras, request, model)),
                tuple(self._embeddings(model, prompt, request.negative_prompt)),
                self._vae(request, model),
            )
            self._last = key, plan
        return self._last[1]

    def _named(
        self, loras: Iterable[Lora], request: GenerationRequest, model: ModelInfo
    ) -> Iterator[ActiveLora]:
        """The LoRAs a prompt names; a refiner of another family goes without them."""
        for lora in loras:
            wanted = model if request.model == model.name else self._catalog.find(request.model)
            info = find_addon(self._catalog, "lora", lora.name, "prompt", wanted)
            if wanted.family == model.family:
                yield ActiveLora(info, lora.unet_weight, lora.text_weight)

    def _vae(self, request: GenerationRequest, model: ModelInfo) -> ModelInfo | None:
        if request.vae == OWN_VAE:
            return None
        if request.vae == AUTOMATIC:
            return sibling_vae(model)
        return find_addon(self._catalog, "vae", request.vae, "vae", model)

    def _embeddings(self, model: ModelInfo, *prompts: str) -> Iterator[tuple[str, ModelInfo]]:
        """The embeddings that the prompts name, each with the word that it is called by."""
        installed = best_embeddings(self._catalog, model)
        pattern = pattern_of(list(installed)) if installed else None
        named = {word.casefold() for each in prompts if pattern for word in pattern.findall(each)}
        for word in sorted(named):
            info = installed[word]
            if info.problem:
                raise ModelError(
                    say(
                        "The embedding “{name}” cannot be used: {problem}",
                        name=info.name,
                        problem=info.problem,
                    )
                )
            yield word, info
