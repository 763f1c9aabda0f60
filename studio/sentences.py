"""Sentences for people: English that remembers how it was made, to be said in other languages.

A sentence is a ``str``: programs, logs and files see its English. The page gets it from
`studio.languages.Speaker`, which knows the same template in the visitor's language. Every template
is written out where it is used, in a call of `say`, so that a test can find them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, Self, TypeAlias

Value: TypeAlias = "str | int | float | tuple[str, ...]"
"""What a template may be filled with: text (a Sentence among them), a number, a list of names."""


class Sentence(str):
    """What a person is told. ``template`` has {names} for ``values``, as ``str.format`` does.

    Values that are sentences themselves are said in the same language as the whole.
    """

    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, values: Mapping[str, Value] = MappingProxyType({})) -> Self:
        """The sentence in English. Raises KeyError when a value is missing."""
        self = super().__new__(cls, filled(template, values, str, ", "))
        self.template, self.values = template, values
        return self

    def __getnewargs__(self) -> tuple[str, dict[str, Value]]:  # type: ignore[override]
        """What a copy is made of."""
        return self.template, dict(self.values)

    def cleaned(self, clean: Callable[[str], str]) -> Sentence:
        """The sentence with ``clean`` applied to every text that it was filled with."""

        def one(value: Value) -> Value:
            if isinstance(value, Sentence):
                return value.cleaned(clean)
            if isinstance(value, tuple):
                return tuple(clean(each) for each in value)
            return clean(value) if isinstance(value, str) else value

        return Sentence(self.template, {name: one(value) for name, value in self.values.items()})

    def as_json(self) -> dict[str, Any]:
        """The sentence as JSON values; `from_json` reads them."""

        def one(value: Value) -> Any:
            return value.as_json() if isinstance(value, Sentence) else value

        return {"say": self.template, "with": {name: one(v) for name, v in self.values.items()}}


def say(template: str, /, **values: Value | os.PathLike[str]) -> Sentence:
    """The sentence of a template, which has to be written out here: ``say("No {x}.", x=name)``."""
    return Sentence(
        template,
        {
            name: os.fspath(value) if isinstance(value, os.PathLike) else value
            for name, value in values.items()
        },
    )


def together(sentences: Iterable[Sentence]) -> Sentence:
    """Several sentences as one text."""
    return reduce(lambda one, other: say("{one} {other}", one=one, other=other), sentences)


def filled(
    template: str, values: Mapping[str, Value], spoken: Callable[[str], str], comma: str
) -> str:
    """A template with its values: texts as ``spoken`` says them, lists with ``comma`` between."""

    def one(value: Value) -> str | int | float:
        if isinstance(value, tuple):
            return comma.join(spoken(each) for each in value)
        return spoken(value) if isinstance(value, str) else value

    return template.format_map({name: one(value) for name, value in values.items()})


def verbatim(text: str) -> Sentence:
    """What has no template, said as it stands in every language; a sentence stays what it is."""
    return text if isinstance(text, Sentence) else Sentence("{text}", {"text": text})


NOTHING = Sentence("")
"""What is said while there is nothing to say."""


def write(sentence: Sentence) -> str:
    """The sentence as text for a database; `read` gives it back."""
    return json.dumps(sentence.as_json(), ensure_ascii=False)


def read(text: str) -> Sentence:
    """A sentence from a database; what was written there otherwise is said as it stands."""
    try:
        return from_json(json.loads(text))
    except (ValueError, TypeError, KeyError, LookupError, AttributeError):
        return verbatim(text)


def from_json(content: Any) -> Sentence:
    """A sentence from its JSON values. Raises ValueError, TypeError or KeyError for others."""

    def one(value: Any) -> Value:
        if isinstance(value, dict):
            return from_json(value)
        if isinstance(value, list):
            return tuple(str(each) for each in value)
        if isinstance(value, str | int | float):
            return value
        raise TypeError(f"a sentence is not filled with {type(value).__name__}")

    template, values = content["say"], content["with"]
    if not isinstance(template, str):
        raise TypeError("a template is text")
    return Sentence(template, {str(name): one(value) for name, value in values.items()})
