"""A prompt's tree, read at one step after the other: what the text encoder is to be given.

>>> plan = plan_prompt("a (red:1.3) boat [at noon:at night:0.5]", steps=4)
>>> [part.text for part in plan.at(0).conditions[0].spans]
['a ', 'red', ' boat at noon']
>>> plan.at(1) is plan.at(0), plan.at(2) is plan.at(0)
(True, False)
>>> plan.at(3).conditions[0].spans[-1]
Span(text=' boat at night', weight=1.0)
>>> [condition.weight for condition in plan_prompt("sea AND night sky :0.6", 4).at(0).conditions]
[1.0, 0.6]
>>> plan_prompt("a boat BREAK the sea", 4).at(0).conditions[0].blocks()
((Span(text='a boat ', weight=1.0),), (Span(text=' the sea', weight=1.0),))
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from studio.prompt.grammar import Alternate, Node, Plain, Switch, Weighted, read_prompt

_AND: Final = re.compile(r"\bAND\b")
_BREAK: Final = re.compile(r"\bBREAK\b")
_TRAILING_WEIGHT: Final = re.compile(r"\s*:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$")
_WHOLE_LINE: Final = re.compile(r"(^|\n)#[^\n]*(?:\n|$)")
_REST_OF_LINE: Final = re.compile(r"(?<=\s)#[^\n]*(?=\n|$)")


@dataclass(frozen=True)
class Span:
    """Some text, and how much it counts."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Condition:
    """One thing the picture shall show; several (``AND``) are added up in noise space."""

    spans: tuple[Span, ...]
    weight: float = 1.0

    def blocks(self) -> tuple[tuple[Span, ...], ...]:
        """The spans between BREAKs: each block starts a chunk of its own."""
        blocks: list[list[Span]] = [[]]
        for span in self.spans:
            first, *rest = _BREAK.split(span.text)
            blocks[-1] += [Span(first, span.weight)] if first else []
            blocks += [[Span(text, span.weight)] if text else [] for text in rest]
        return tuple(tuple(block) for block in blocks)


@dataclass(frozen=True)
class Moment:
    """What holds at one step."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class PromptPlan:
    """What holds at every step; neighbouring steps that ask for the same share one Moment."""

    moments: tuple[Moment, ...]

    def at(self, step: int) -> Moment:
        """The moment of step ``step``, counted from 0; the last one holds for all that follow."""
        return self.moments[min(step, len(self.moments) - 1)]

    @property
    def plain(self) -> bool:
        """Whether one condition holds from the first to the last step."""
        return len(set(self.moments)) == 1 and len(self.moments[0].conditions) == 1


def without_comments(text: str) -> str:
    """The text without ``# …``: whole lines, and the rest of a line after a space."""
    while (shorter := _WHOLE_LINE.sub(r"\1", text, count=1)) != text:
        text = shorter
    return _REST_OF_LINE.sub("", text)


def plan_prompt(text: str, steps: int) -> PromptPlan:
    """The plan of a prompt for ``steps`` steps (at least one)."""
    parts = [_weighed(part) for part in _AND.split(without_comments(text))]
    trees = [(read_prompt(part), weight) for part, weight in parts]
    changes = set().union(*(_changes(tree, steps) for tree, _ in trees))
    kept: dict[Moment, Moment] = {}
    moments: list[Moment] = []
    for step in range(max(1, steps)):
        if moments and step not in changes:
            moments.append(moments[-1])
            continue
        moment = Moment(
            tuple(
                Condition(tuple(_joined(_spans(tree, step, steps, 1.0))), weight)
                for tree, weight in trees
            )
        )
        moments.append(kept.setdefault(moment, moment))
    return PromptPlan(tuple(moments))


def _changes(nodes: Sequence[Node], steps: int) -> set[int]:
    """The steps at which something in the tree changes."""
    found: set[int] = set()
    for node in nodes:
        match node:
            case Weighted(inside, _):
                found |= _changes(inside, steps)
            case Switch(before, after, when):
                found |= {boundary(when, steps)}
                found |= _changes(before, steps) | _changes(after, steps)
            case Alternate():
                return set(range(steps))
    return found


def _weighed(part: str) -> tuple[str, float]:
    """A part of an AND prompt and its weight; ``x :0.6`` gives 0.6."""
    found = _TRAILING_WEIGHT.search(part)
    if not found or _inside_brackets(part, found.start()):
        return part, 1.0
    return part[: found.start()], float(found[1])


def _inside_brackets(text: str, place: int) -> bool:
    return sum(text.count(mark, 0, place) for mark in "([") != sum(
        text.count(mark, 0, place) for mark in ")]"
    )


def _spans(nodes: Sequence[Node], step: int, steps: int, weight: float) -> list[Span]:
    """The spans that hold at ``step``, in their order."""
    spans: list[Span] = []
    for node in nodes:
        match node:
            case Plain(text):
                spans.append(Span(text, weight))
            case Weighted(inside, factor):
                spans += _spans(inside, step, steps, weight * factor)
            case Switch(before, after, when):
                chosen = before if step < boundary(when, steps) else after
                spans += _spans(chosen, step, steps, weight)
            case Alternate(options):
                spans += _spans(options[step % len(options)], step, steps, weight)
    return spans


def boundary(when: float, steps: int) -> int:
    """The first step after a switch: ``when`` is a share of the steps below 1, a step from 1 on.

    As A1111 counts: ``[a:b:5]`` asks for a at the first five steps. 1.0 and 1 both mean a step.
    """
    return min(steps, int(when * steps) if when < 1 else int(when))


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours of one weight as one span, empty ones left out."""
    joined: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        if joined and joined[-1].weight == span.weight:
            joined[-1] = Span(joined[-1].text + span.text, span.weight)
        else:
            joined.append(span)
    return joined
