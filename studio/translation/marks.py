"""A prompt taken apart into words to translate and marks that must survive. No torch here.

Marks are what the prompt language gives a meaning (see `studio.prompt.grammar` and
`studio.prompt.variants`): brackets, weights, ``<lora:…>``, ``__wildcards__``, ``{2$$a|b}``,
``BREAK``, ``AND``, comments. They come out as they went in, to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

CHINESE: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")

_MARK: Final = re.compile(
    r"(?:(?m:^)|(?<=\s))\#[^\n]*"  # a comment to the end of its line
    r"|<[^<>\n]+>"  # a LoRA
    r"|__[\w\-./*]+?__"  # a wildcard
    r"|\\(?:[\s\S]|\Z)"  # what is meant to the letter
    r"|\d+(?:-\d+)?\$\$(?:[^$|{}]*\$\$)?|\d*\.?\d+::"  # how many variants, and their weights
    r"|\b(?:BREAK|AND)\b"
    r"|[()\[\]{}<>|:\n]"
)
_CLAUSE: Final = re.compile(r"([，,。；;！？!?]\s*)")
_LATIN_MARKS: Final = {"，": ", ", "。": ". ", "；": "; ", "！": "! ", "？": "? "}
_OPENING: Final = ("(", "[", "{", "<", "__")
_CLOSING: Final = (")", "]", "}", ">", "__")


@dataclass(frozen=True)
class Piece:
    """A stretch of a prompt: ``words`` are Chinese and to be translated, others stay."""

    text: str
    words: bool = False


def reads_as_chinese(text: str) -> bool:
    """Whether there are Chinese words in ``text``, beside its marks."""
    return any(piece.words for piece in pieces(text))


def pieces(text: str) -> tuple[Piece, ...]:
    """The prompt in its order; put together again they are the prompt."""
    found: list[Piece] = []
    at = 0
    for mark in _MARK.finditer(text):
        found += _clauses(text[at : mark.start()])
        found.append(Piece(mark[0]))
        at = mark.end()
    found += _clauses(text[at:])
    return tuple(piece for piece in found if piece.text)


def _clauses(text: str) -> list[Piece]:
    """Plain text by its commas and full stops, each clause without the spaces around it."""
    found = []
    for number, part in enumerate(_CLAUSE.split(text)):
        if number % 2 or not CHINESE.search(part):
            found.append(Piece(part))
            continue
        words = part.strip()
        before, _, after = part.partition(words)
        found += [Piece(before), Piece(words, words=True), Piece(after)]
    return found


def translated(text: str, translate: Callable[[Sequence[str]], Sequence[str]]) -> str:
    """``text`` with its Chinese words as ``translate`` gives them, all asked for at once.

    Without Chinese words it stays as it is. Chinese commas and full stops become English ones.
    """
    taken = pieces(text)
    wanted = tuple(dict.fromkeys(piece.text for piece in taken if piece.words))
    if not wanted:
        return text
    english = dict(zip(wanted, map(_tidy, wanted, translate(wanted)), strict=True))
    out = ""
    for piece in taken:
        new = english[piece.text] if piece.words else piece.text
        if mark := _LATIN_MARKS.get(piece.text.strip()):
            out, new = out.rstrip(" "), mark
        out += _gap(out, new, piece.words) + new
    return out.rstrip(" ") if taken[-1].text in _LATIN_MARKS else out


def _gap(before: str, after: str, words: bool) -> str:
    """The space that English needs where Chinese has none: between a word and a bracket."""
    if words and before.endswith(_CLOSING):
        return " "
    if not words and after.startswith(_OPENING) and before[-1:].isalnum():
        return " "
    return " " if words and before[-1:].isalnum() else ""


def _tidy(given: str, english: str) -> str:
    """A translation as a part of a prompt: one line, no marks that the prompt language would read.

    A full stop that the Chinese had not is a habit of the translator's.
    """
    plain = re.sub(r"[()\[\]{}<>|:\\#]|__", " ", english)
    plain = " ".join(plain.split())
    return plain if given.endswith((".", "。")) else plain.rstrip(".")
