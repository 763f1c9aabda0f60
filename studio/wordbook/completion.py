"""Completion: what the words before the caret could become.

>>> known = Known(("red", "hot-air balloon", "热气球", "红色"), ("colour", "sea/boat"))
>>> [(c.kind, c.text, c.replaces) for c in complete("a big re", known)]
[('word', 'red', 2)]
>>> [(c.text, c.replaces) for c in complete("a hot-air b", known)]
[('hot-air balloon', 9)]
>>> [(c.text, c.replaces) for c in complete("海上的红", known)]
[('红色', 1)]
>>> [(c.kind, c.text, c.replaces) for c in complete("__bo", known)]
[('wildcard', '__sea/boat__', 4)]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["style", "wildcard", "lora", "embedding", "word", "prompt"]

MAX_PREFIX: Final = 300
_LEAST: Final = 2
_SEGMENT: Final = re.compile(r"[^,;()\[\]{}|:<>\n\\]*\Z")
_LORA: Final = re.compile(r"<(?:lora:?)?([^<>:]*)\Z", re.IGNORECASE)
_WILDCARD: Final = re.compile(r"__([\w\-./]*)\Z")
_WORD_START: Final = re.compile(r"(?<![\w-])[\w]")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Completion:
    """``text`` takes the place of the last ``replaces`` characters before the caret.

    A style is not written but put on: its ``id`` says which, and ``text`` is "".
    """

    kind: Kind
    text: str
    label: str
    replaces: int
    detail: str = ""
    id: str = ""


@dataclass(frozen=True)
class NamedStyle:
    """A style's id and the names it has."""

    id: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What there is to complete with: names, and past prompts that begin with the prefix."""

    words: Sequence[str] = ()
    wildcards: Sequence[str] = ()
    loras: Sequence[str] = ()
    embeddings: Sequence[str] = ()
    styles: Sequence[NamedStyle] = ()
    prompts: Sequence[str] = ()


def complete(prefix: str, known: Known, limit: int = 8) -> list[Completion]:
    """The best completions of ``prefix``, which is all that stands before the caret.

    After ``__`` only wildcards are offered, after ``<`` only LoRAs.
    """
    if match := _LORA.search(prefix):
        return _loras(match, known)[:limit]
    if match := _WILDCARD.search(prefix):
        return _wildcards(match, known)[:limit]
    found = [
        *(Completion("prompt", text, text, len(prefix)) for text in known.prompts[:2]),
        *_words(prefix, known),
    ]
    once = {(each.kind, each.text, each.id): each for each in reversed(found)}
    return [each for each in found if once.get((each.kind, each.text, each.id)) is each][:limit]


def _loras(match: re.Match[str], known: Known) -> list[Completion]:
    return [
        Completion("lora", f"<lora:{name}:1>", name, len(match[0]))
        for name in _ranked(match[1], known.loras)
    ]


def _wildcards(match: re.Match[str], known: Known) -> list[Completion]:
    return [
        Completion("wildcard", f"__{name}__", name, len(match[0]))
        for name in _ranked(match[1], known.wildcards)
    ]


def _words(prefix: str, known: Known) -> Iterator[Completion]:
    """Vocabulary, embeddings, styles, LoRAs and wildcards for the ends of the last phrase."""
    for typed in _endings(prefix):
        size = len(typed)
        for word in _beginning(typed, known.words):
            yield Completion("word", word, word, size)
        for name in _ranked(typed, known.embeddings):
            yield Completion("embedding", name, name, size)
        if size < _LEAST and not _HAN.search(typed):
            continue
        for style in known.styles:
            if any(_fits(typed, name) for name in style.names):
                yield Completion("style", "", style.names[0], size, id=style.id)
        for name in _ranked(typed, known.loras):
            yield Completion("lora", f"<lora:{name}:1>", name, size)
        for name in _ranked(typed, known.wildcards):
            yield Completion("wildcard", f"__{name}__", name, size)


def _endings(prefix: str) -> Iterator[str]:
    """The ends of the last phrase at which something may begin: the longest first.

    A word of letters begins at its first letter; Chinese may begin at every character.
    """
    match = _SEGMENT.search(prefix)
    segment = match[0][-60:] if match else ""
    starts = {found.start() for found in _WORD_START.finditer(segment)}
    starts |= {found.start() for found in _HAN.finditer(segment)}
    for start in sorted(starts):
        yield segment[start:]


def _beginning(typed: str, words: Iterable[str]) -> list[str]:
    """Those that begin with what is typed and go on, the shortest first."""
    small = typed.casefold()
    found = [w for w in words if len(w) > len(typed) and w.casefold().startswith(small)]
    return sorted(found, key=lambda word: (len(word), word))


def _ranked(typed: str, names: Iterable[str]) -> list[str]:
    """Names of which a part begins with what is typed: those that begin so themselves first."""
    small = typed.casefold()
    found = [name for name in names if _fits(typed, name)]
    return sorted(found, key=lambda name: (not name.casefold().startswith(small), len(name), name))


def _fits(typed: str, name: str) -> bool:
    """Whether the name, or a word in it, begins with what is typed."""
    small, whole = typed.casefold(), name.casefold()
    if not small or whole.startswith(small):
        return True
    if _HAN.match(small):
        return small in whole
    return any(whole.startswith(small, at.start()) for at in _WORD_START.finditer(whole)) or any(
        part.startswith(small) for part in re.split(r"[/_\-. ]", whole)
    )
