"""Wordbook: the one door to the words that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from studio.errors import InvalidRequest
from studio.prompt.resolve import resolve
from studio.prompt.styles import apply_styles
from studio.prompt.variants import Combinations, combinations, has_variants, unknown_wildcards
from studio.request import MAX_PROMPT, MAX_SEED, GenerationRequest, label_of
from studio.sentences import say
from studio.wordbook.history import PromptHistory
from studio.wordbook.presets import Presets
from studio.wordbook.styles import Styles
from studio.wordbook.wildcards import WildcardFiles

MAX_PREVIEWED: Final = 64


@dataclass(frozen=True)
class Draft:
    """What a person has written: nothing of it drawn yet."""

    prompt: str = ""
    negative_prompt: str = ""
    styles: Sequence[str] = ()


@dataclass(frozen=True)
class Wording:
    """What one picture is told in the end, and the seed it was drawn from."""

    prompt: str
    negative_prompt: str
    seed: int


class Wordbook:
    """Styles, presets, wildcards and past prompts, under a data directory and ``presets``.

    Any thread may call it. Raises StorageError when the directory cannot be used.
    """

    def __init__(self, presets: Path, data_dir: Path) -> None:
        own = data_dir / "words"
        self.styles = Styles(presets / "styles.json", own / "styles.json")
        self.presets = Presets(own / "presets.json")
        self.wildcards = WildcardFiles([presets / "wildcards", data_dir / "wildcards"])
        self.history = PromptHistory(own / "history.sqlite")

    def wordings(self, draft: Draft, seed: int, count: int) -> list[Wording]:
        """What each of ``count`` pictures is told; picture k is drawn from ``seed`` + k.

        Raises InvalidRequest for a style that is not there. Wildcards without a file stay as they
        are written.
        """
        styles, wildcards = self.styles.find(draft.styles), self.wildcards.now()
        seeds = [(seed + k) % (MAX_SEED + 1) for k in range(count)]
        return [
            Wording(*resolve(draft.prompt, draft.negative_prompt, styles, wildcards, one), one)
            for one in seeds
        ]

    def resolve(self, request: GenerationRequest) -> GenerationRequest:
        """The request with what its pictures' prompts come to, where that is not what was written.

        A picture's own seed draws its variants. What was resolved before (it has a template) is
        taken as it stands. Raises InvalidRequest for a style that is not there, and for a prompt
        that has become too long.
        """
        written = Draft(request.prompt, request.negative_prompt, request.styles)
        styles = self.styles.find(written.styles)
        drawn = not request.template and self.has_variants(written)
        if not styles and not drawn:
            return request
        texts, wildcards = (written.prompt, written.negative_prompt), self.wildcards.now()
        said = [
            resolve(*texts, styles, wildcards, request.one(index).seed)
            if drawn
            else apply_styles(*texts, styles)
            for index in range(request.num_images)
        ]
        prompts, negative_prompts = zip(*said, strict=True)
        _check_length("prompt", prompts)
        _check_length("negative_prompt", negative_prompts)
        return request.model_copy(
            update={"picture_prompts": prompts, "picture_negative_prompts": negative_prompts}
        )

    def has_variants(self, draft: Draft) -> bool:
        """Whether the words stand for anything but themselves."""
        wildcards = self.wildcards.now()
        return any(has_variants(text, wildcards) for text in (draft.prompt, draft.negative_prompt))

    def unknown_wildcards(self, draft: Draft) -> list[str]:
        """Names of wildcards in the words that no file has, each once."""
        wildcards = self.wildcards.now()
        texts = (draft.prompt, draft.negative_prompt)
        return list(dict.fromkeys(n for t in texts for n in unknown_wildcards(t, wildcards)))

    def combinations(self, prompt: str) -> Combinations:
        """Every prompt that this one stands for."""
        return combinations(prompt, self.wildcards.now())

    def close(self) -> None:
        """Close what is open."""
        self.history.close()


def _check_length(field: str, texts: Iterable[str]) -> None:
    length = max(map(len, texts))
    if length > MAX_PROMPT:
        label = label_of(field)
        raise InvalidRequest.of(
            field,
            say(
                "{label} may have at most {most:,} characters; with its styles "
                "and wildcards it has {given:,}.",
                label=label,
                most=MAX_PROMPT,
                given=length,
            ),
        )
