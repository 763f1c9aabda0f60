"""A prompt's spans as chunks of tokens: what one pass of a text encoder takes.

As A1111 splits: a chunk that is full ends behind its last comma if that is near, so that what is
between two commas stays together; BREAK starts a new chunk; learnt embeddings are not cut in two.

>>> def letters(text): return [ord(letter) for letter in text]
>>> from studio.prompt.plan import Condition, Span
>>> def words(*spans, length=8):
...     chunks = chunks_of(Condition(tuple(spans)), letters, length)
...     return ["".join(map(chr, chunk.ids)) for chunk in chunks]
>>> words(Span("a red,blue boat"), length=10)
['a red,', 'blue boat']
>>> words(Span("sea BREAK sky"))
['sea ', ' sky']
>>> chunks_of(Condition((Span("ab"), Span("c", 1.5))), letters, 8)[0].weights
(1.0, 1.0, 1.5)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from studio.errors import InvalidRequest
from studio.prompt.plan import Condition
from studio.sentences import say

MOST_CHUNKS: Final = 150
"""Of one prompt. Ten thousand letters of ordinary words need a quarter of it; of emoji that a
vocabulary does not know, which take a token a byte, more than three times as many."""
BACKTRACK: Final = 20
"""So many tokens are moved to the next chunk at most, A1111's default."""

Tokenize = Callable[[str], list[int]]


@dataclass(frozen=True)
class Chunk:
    """Token ids without begin and end marks, and how much each counts."""

    ids: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()

    @classmethod
    def of(cls, ids: Sequence[int]) -> Chunk:
        """Tokens that all count as they are."""
        return cls(tuple(ids), (1.0,) * len(ids))

    @property
    def plain(self) -> bool:
        """Whether every token counts as it is."""
        return all(weight == 1.0 for weight in self.weights)


EMPTY: Final = Chunk()


def chunks_of(condition: Condition, tokenize: Tokenize, length: int = 75) -> tuple[Chunk, ...]:
    """The condition in chunks of at most ``length`` tokens; one empty chunk for no words.

    ``tokenize``: text -> ids without marks; negative ids are the vectors of learnt embeddings.
    """
    filler = _Filler(length, tuple(tokenize(",")))
    for number, block in enumerate(condition.blocks()):
        if number:
            filler.end()
        for span in block:
            for group in _groups(tokenize(span.text)):
                filler.add(group, span.weight)
    filler.end(last=True)
    return tuple(filler.chunks)


def check_count(chunks: int, length: int) -> None:
    """Raise InvalidRequest for more chunks of ``length`` tokens than a model is asked to read."""
    if chunks > MOST_CHUNKS:
        text = say(
            "The model reads this prompt in {chunks:,} parts of {length} pieces (tokens), and it "
            "can have at most {most}: shorten it, or leave out characters that the model does not "
            "know.",
            chunks=chunks,
            length=length,
            most=MOST_CHUNKS,
        )
        raise InvalidRequest.of("prompt", text)


def filled(chunks: Sequence[Chunk], count: int) -> tuple[Chunk, ...]:
    """The chunks and empty ones behind them, ``count`` together."""
    return (*chunks, *[EMPTY] * (count - len(chunks)))


def _groups(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Single ids, and runs of negative ones, which belong together."""
    start = 0
    while start < len(ids):
        stop = start + 1
        while ids[start] < 0 and stop < len(ids) and ids[stop] < 0:
            stop += 1
        yield ids[start:stop]
        start = stop


class _Filler:
    """The chunks so far and the one that is being filled."""

    def __init__(self, length: int, comma: tuple[int, ...]) -> None:
        self.chunks: list[Chunk] = []
        self._length, self._comma = length, comma
        self._ids: list[int] = []
        self._weights: list[float] = []
        self._behind_comma = 0

    def add(self, group: Sequence[int], weight: float) -> None:
        """Put a token, or the vectors of one embedding, behind what is there."""
        is_comma = tuple(group) == self._comma
        if len(self._ids) + len(group) > self._length:
            self._full(keep_together=not is_comma)
        for start in range(0, len(group), self._length):  # an embedding may be longer than a chunk
            if len(self._ids) + len(group[start:]) > self._length and self._ids:
                self.end()
            part = group[start : start + self._length]
            self._ids += part
            self._weights += [weight] * len(part)
        if is_comma:
            self._behind_comma = len(self._ids)

    def end(self, last: bool = False) -> None:
        """Close the chunk; at the ``last`` end an empty one counts only when it is the only one."""
        if self._ids or not last or not self.chunks:
            self.chunks.append(Chunk(tuple(self._ids), tuple(self._weights)))
        self._ids, self._weights, self._behind_comma = [], [], 0

    def _full(self, keep_together: bool) -> None:
        """Close the chunk, behind its last comma when not too much follows that."""
        cut, size = self._behind_comma, len(self._ids)
        near = keep_together and cut > 0 and size - cut < BACKTRACK
        kept = self._ids[cut:] if near else []
        weights = self._weights[cut:] if near else []
        if near:
            del self._ids[cut:], self._weights[cut:]
        self.end()
        self._ids, self._weights = kept, weights
