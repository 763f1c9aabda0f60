"""The prompt language's grammar, and the tree that a text is read into.

The words of AUTOMATIC1111 with their meaning there, and one rule on top: nothing is ever dropped
and nothing ever fails. A bracket without its partner is an ordinary character.

>>> read_prompt("a (red:1.3) boat")
(Plain('a '), Weighted((Plain('red'),), 1.3), Plain(' boat'))
>>> read_prompt("((bright)) [dull]")  # doctest: +NORMALIZE_WHITESPACE
(Weighted((Weighted((Plain('bright'),), 1.1),), 1.1), Plain(' '),
 Weighted((Plain('dull'),), 0.9091))
>>> read_prompt("[cat:dog:0.4] [:hat:5] [hat::5]")  # doctest: +NORMALIZE_WHITESPACE
(Switch((Plain('cat'),), (Plain('dog'),), 0.4), Plain(' '), Switch((), (Plain('hat'),), 5.0),
 Plain(' '), Switch((Plain('hat'),), (), 5.0))
>>> read_prompt("[hat:5]")
(Switch((), (Plain('hat'),), 5.0),)
>>> read_prompt("[red|blue|] sky")
(Alternate(((Plain('red'),), (Plain('blue'),), ())), Plain(' sky'))
>>> read_prompt(r"a smile \\(wide\\) :)")
(Plain('a smile (wide) :)'),)
>>> read_prompt("(never [closed")
(Plain('(never [closed'),)
>>> read_prompt("(3:4 film)")
(Weighted((Plain('3:4 film'),), 1.1),)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from lark import Lark, Token, Tree

EMPHASIS: Final = 1.1
_GRAMMAR: Final = r"""
    start: item*
    ?item: ESCAPED | TEXT | COLON | BAR | round | square
    round: "(" item* ")"
    square: "[" item* "]"
    ESCAPED.2: /\\[\s\S]/
    TEXT: /[^\\()\[\]:|]+|\\$/
    COLON: ":"
    BAR: "|"
"""
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*")
_BRACKET: Final = re.compile(r"\\[\s\S]|[()\[\]]")
_PARTNER: Final = {")": "(", "]": "["}


@dataclass(frozen=True)
class Plain:
    """Text to be read as it stands."""

    text: str

    def __repr__(self) -> str:
        return f"Plain({self.text!r})"


@dataclass(frozen=True)
class Weighted:
    """``(x)``, ``(x:1.3)``, ``[x]``: what is inside counts ``weight`` times as much."""

    inside: Sequence[Node]
    weight: float

    def __repr__(self) -> str:
        return f"Weighted({self.inside!r}, {self.weight:.4g})"


@dataclass(frozen=True)
class Switch:
    """``[before:after:when]``: a change at a step, or at a share of the steps if below 1."""

    before: Sequence[Node]
    after: Sequence[Node]
    when: float

    def __repr__(self) -> str:
        return f"Switch({self.before!r}, {self.after!r}, {self.when!r})"


@dataclass(frozen=True)
class Alternate:
    """``[a|b]``: another one at every step, in turn."""

    options: Sequence[Sequence[Node]]

    def __repr__(self) -> str:
        return f"Alternate({self.options!r})"


Node = Plain | Weighted | Switch | Alternate
_Child = Token | Tree[Token]


def read_prompt(text: str) -> tuple[Node, ...]:
    """The tree of a prompt of any kind; never fails, and holds every character that is no mark."""
    return _nodes(_parser().parse(_balanced(text)).children)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)


def _balanced(text: str) -> str:
    """The text with every bracket escaped that has no partner."""
    open_marks: list[tuple[str, int]] = []
    alone: set[int] = set()
    for match in _BRACKET.finditer(text):
        mark, place = match[0], match.start()
        if mark in "([":
            open_marks.append((mark, place))
        elif mark in _PARTNER:
            partners = [k for k, (other, _) in enumerate(open_marks) if other == _PARTNER[mark]]
            if not partners:
                alone.add(place)
                continue
            alone.update(where for _, where in open_marks[partners[-1] + 1 :])
            del open_marks[partners[-1] :]
    alone.update(where for _, where in open_marks)
    if not alone:
        return text
    return "".join(f"\\{mark}" if k in alone else mark for k, mark in enumerate(text))


def _nodes(children: Sequence[_Child]) -> tuple[Node, ...]:
    """The nodes of a run of items, neighbouring text joined."""
    nodes: list[Node] = []
    for child in children:
        node = _node(child)
        if isinstance(node, Plain) and nodes and isinstance(nodes[-1], Plain):
            nodes[-1] = Plain(nodes[-1].text + node.text)
        else:
            nodes.append(node)
    return tuple(nodes)


def _node(child: _Child) -> Node:
    if isinstance(child, Token):
        return Plain(_unescaped(child) if child.type == "ESCAPED" else str(child))
    return _round(child.children) if child.data == "round" else _square(child.children)


def _unescaped(token: str) -> str:
    """What an escape stands for: a mark of the language loses its backslash, others keep it."""
    return token[1] if token[1] in "()[]:|\\" else token


def _round(children: Sequence[_Child]) -> Node:
    *inside, last = _split(children, "COLON")
    if inside and (weight := _number(last)) is not None:
        return Weighted(_nodes(children[: -len(last) - 1]), weight)
    return Weighted(_nodes(children), EMPHASIS)


def _square(children: Sequence[_Child]) -> Node:
    parts = _split(children, "COLON")
    if len(parts) in (2, 3) and (when := _number(parts[-1])) is not None and when >= 0:
        before = _nodes(parts[0]) if len(parts) == 3 else ()
        return Switch(before, _nodes(parts[-2]), when)
    options = _split(children, "BAR")
    if len(options) > 1:
        return Alternate(tuple(_nodes(option) for option in options))
    return Weighted(_nodes(children), 1 / EMPHASIS)


def _split(children: Sequence[_Child], mark: str) -> list[Sequence[_Child]]:
    """The runs of items between marks of one kind."""
    places = [k for k, c in enumerate(children) if isinstance(c, Token) and c.type == mark]
    starts, ends = [0, *(k + 1 for k in places)], [*places, len(children)]
    return [children[start:end] for start, end in zip(starts, ends, strict=True)]


def _number(run: Sequence[_Child]) -> float | None:
    """The number that a run consists of, None when it is something else."""
    if len(run) != 1 or not isinstance(run[0], Token) or not _NUMBER.fullmatch(run[0]):
        return None
    return float(run[0])
