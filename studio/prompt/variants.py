"""Wildcards and variants: one prompt that stands for many, and the choice that a seed makes.

>>> import random
>>> files = {"colour": ("red", "2::blue"), "boat": ("a __colour__ boat",)}
>>> [choose("__boat__ at {dawn|dusk}", files, random.Random(seed)) for seed in (1, 2, 3)]
['a red boat at dusk', 'a red boat at dawn', 'a blue boat at dusk']
>>> choose("{2$$red|blue|green} stripes", {}, random.Random(1))
'blue, green stripes'
>>> combinations("a {red|blue} {cat|dog}", {}).texts
('a red cat', 'a red dog', 'a blue cat', 'a blue dog')
>>> combinations("__boat__", files).count
2
>>> choose("__nowhere__ and a {lonely brace", files, random.Random(1))
'__nowhere__ and a {lonely brace'
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Wildcards = Mapping[str, Sequence[str]]
"""A name, as it stands between the underscores, and the lines of its file."""

MAX_DEPTH: Final = 10
MAX_TEXTS: Final = 1000
MAX_COUNTED: Final = 10_000
MAX_REPLACED: Final = 200
"""So many wildcards in one text are replaced when all texts are wanted: one may hold itself."""
_WILDCARD: Final = re.compile(r"__([\w\-./*]+?)__")
_GROUP: Final = re.compile(r"\{([^{}]+)\}")  # {} stands for nothing and stays
_HOW_MANY: Final = re.compile(r"(\d+)(?:-(\d+))?\$\$(?:([^$|]*)\$\$)?")
_WEIGHT: Final = re.compile(r"\s*(\d+\.?\d*|\.\d+)::")


@dataclass(frozen=True)
class Combinations:
    """All the texts a prompt stands for, at most ``MAX_TEXTS`` of ``count``.

    ``whole``: whether these are all; else there are more than ``count``.
    """

    texts: tuple[str, ...]
    count: int
    whole: bool = True


@dataclass(frozen=True)
class _Group:
    """``{…}`` taken apart: how many to choose, what to join them with, options with weights."""

    least: int
    most: int
    glue: str
    options: tuple[tuple[str, float], ...]


def choose(text: str, wildcards: Wildcards, rng: random.Random) -> str:
    """One text out of the many, the same for the same state of ``rng``; unknown names stay."""
    return _Chooser(wildcards, rng).text(text, MAX_DEPTH)


class _Chooser:
    """Draws until nothing is left to draw, or enough was: a wildcard may hold itself."""

    def __init__(self, wildcards: Wildcards, rng: random.Random) -> None:
        self._wildcards, self._rng, self._left = wildcards, rng, MAX_TEXTS

    def text(self, text: str, depth: int) -> str:
        """The text with its groups and wildcards replaced, ``depth`` files deep."""
        while (inner := _GROUP.sub(self._group, text)) != text:
            text = inner
        if depth == 0:
            return text
        replaced = _WILDCARD.sub(self._line, text)
        return text if replaced == text else self.text(replaced, depth - 1)

    def _line(self, match: re.Match[str]) -> str:
        options = _lines(match[1], self._wildcards)
        if not options or self._left == 0:
            return match[0]
        self._left -= 1
        return _drawn(options, 1, self._rng)[0]

    def _group(self, match: re.Match[str]) -> str:
        found = _group(match[1])
        count = self._rng.randint(found.least, found.most)
        return found.glue.join(_drawn(found.options, count, self._rng))


def has_variants(text: str, wildcards: Wildcards) -> bool:
    """Whether the text stands for anything but itself."""
    named = any(_lines(match[1], wildcards) for match in _WILDCARD.finditer(text))
    return named or _GROUP.search(text) is not None


def unknown_wildcards(text: str, wildcards: Wildcards) -> list[str]:
    """The names in the text that no file has."""
    return [m[1] for m in _WILDCARD.finditer(text) if not _lines(m[1], wildcards)]


def combinations(text: str, wildcards: Wildcards) -> Combinations:
    """Every text the prompt stands for, each once, in the order of the options.

    Counts to ``MAX_COUNTED`` and no further: few files stand for millions of texts.
    """
    every = _every(text, wildcards)
    found = dict.fromkeys(itertools.islice(every, MAX_COUNTED))
    whole = next(every, None) is None
    return Combinations(tuple(itertools.islice(found, MAX_TEXTS)), len(found), whole)


def _every(text: str, wildcards: Wildcards) -> Iterator[str]:
    """Every text, one at a time, however many groups there are."""
    left = [iter([(text, MAX_REPLACED)])]
    while left:
        found = next(left[-1], None)
        if found is None:
            left.pop()
        elif (options := _first_replaced(*found, wildcards)) is None:
            yield found[0]
        else:
            left.append(options)


def _first_replaced(
    text: str, to_replace: int, wildcards: Wildcards
) -> Iterator[tuple[str, int]] | None:
    """The texts with each option of the first group or wildcard; None without one."""
    options: Iterable[str]
    if match := _GROUP.search(text):
        options = _joined(_group(match[1]))
    else:
        match = next((m for m in _WILDCARD.finditer(text) if _lines(m[1], wildcards)), None)
        if match is None or to_replace == 0:
            return None
        to_replace -= 1
        options = (line for line, _ in _lines(match[1], wildcards))
    before, after = text[: match.start()], text[match.end() :]
    return ((before + option + after, to_replace) for option in options)


def _joined(group: _Group) -> Iterator[str]:
    texts = [option for option, _ in group.options]
    for count in range(group.least, group.most + 1):
        for chosen in itertools.combinations(texts, count):
            yield group.glue.join(chosen)


def _group(inside: str) -> _Group:
    least = most = 1
    glue = ", "
    if amount := _HOW_MANY.match(inside):
        least, most = int(amount[1]), int(amount[2] or amount[1])
        glue = amount[3] if amount[3] is not None else glue
        inside = inside[amount.end() :]
    options = tuple(_weighed(option) for option in inside.split("|"))
    most = min(max(least, most), len(options))
    return _Group(min(least, most), most, glue, options)


def _lines(name: str, wildcards: Wildcards) -> tuple[tuple[str, float], ...]:
    """The options of a name; a ``*`` in it takes every file that fits."""
    if "*" in name:
        pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
        names = [known for known in sorted(wildcards) if pattern.fullmatch(known)]
    else:
        names = [name] if name in wildcards else []
    return tuple(_weighed(line) for known in names for line in wildcards[known])


def _weighed(option: str) -> tuple[str, float]:
    """``2::green`` is drawn twice as often as ``green``."""
    found = _WEIGHT.match(option)
    return (option[found.end() :], float(found[1])) if found else (option, 1.0)


def _drawn(
    options: Sequence[tuple[str, float]], count: int, rng: random.Random
) -> list[str]:  # without drawing one twice, in the order in which they stand
    left = list(range(len(options)))
    taken: list[int] = []
    for _ in range(count):
        weights = [options[k][1] for k in left]
        at = rng.choices(range(len(left)), weights)[0] if sum(weights) > 0 else 0
        taken.append(left.pop(at))
    return [options[k][0] for k in sorted(taken)]
