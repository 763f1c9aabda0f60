"""The styles there are: those that ship, and over them a person's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from studio.errors import FieldProblem, InvalidRequest, NotFound
from studio.prompt.styles import Style, export_csv, export_json, import_styles, read_own_format
from studio.request import MAX_PROMPT, label_of
from studio.sentences import say
from studio.wordbook.names import MAX_ID, checked_id, checked_name
from studio.wordbook.shelf import Shelf

OWN = "own"


@dataclass(frozen=True)
class ListedStyle:
    """A style, and whether it is one's own (else it ships with the studio)."""

    style: Style
    own: bool


class Styles:
    """Any thread may call it. An own style with the id of one that ships stands in its place."""

    def __init__(self, shipped: Path, own: Path) -> None:
        self._shipped = {style.id: style for style in read_own_format(shipped)}
        self._own: Shelf[Style] = Shelf(own, _read, asdict)

    def list(self) -> list[ListedStyle]:
        """One's own first, then those that ship, in the order of their file."""
        own = self._own.list()
        covered = {style.id for style in own}
        shipped = [style for style in self._shipped.values() if style.id not in covered]
        return [
            *(ListedStyle(style, True) for style in own),
            *(ListedStyle(style, False) for style in shipped),
        ]

    def find(self, identifiers: Iterable[str]) -> tuple[Style, ...]:
        """The styles with these ids, in this order. Raises InvalidRequest for one not there."""
        found: list[Style] = []
        for identifier in identifiers:
            style = self._own.get(identifier) or self._shipped.get(identifier)
            if style is None:
                raise InvalidRequest.of(
                    "styles",
                    say(
                        "There is no style “{style}”: choose it again, or not.",
                        style=identifier[:60],
                    ),
                )
            found.append(style)
        return tuple(found)

    def put(self, identifier: str, values: Mapping[str, Any]) -> ListedStyle:
        """Keep an own style: ``name``, ``prompt``, ``negative_prompt``. Raises InvalidRequest."""
        name = checked_name(values.get("name"))
        prompt, negative = _checked(values.get("prompt"), values.get("negative_prompt"))
        style = Style(checked_id(identifier), name, prompt, negative, group=OWN)
        if covered := self._shipped.get(style.id):
            style = replace(style, group=covered.group, pocket=covered.pocket)
            if name == covered.name:
                style = replace(style, name_zh=covered.name_zh)
        self._own.put([style])
        return ListedStyle(style, True)

    def remove(self, identifier: str) -> None:
        """Let an own style go; what it covered is there again. Raises NotFound."""
        if not self._own.remove(identifier):
            raise NotFound(
                say(
                    "There is no style of your own called “{style}”.",
                    style=identifier[:60],
                )
            )

    def take_in(self, text: str) -> tuple[ListedStyle, ...]:
        """Keep every style of an A1111 or Fooocus file; none when one is not in order.

        Those with a name that is known already stand in its place when they are one's own; they
        never cover one that ships. Raises InvalidRequest.
        """
        styles = [
            replace(style, id=self._free_id(style.id), name=checked_name(style.name), group=OWN)
            for style in import_styles(text)
        ]
        for style in styles:
            _checked(style.prompt, style.negative_prompt)
        self._own.put(styles)
        return tuple(ListedStyle(style, True) for style in {s.id: s for s in styles}.values())

    def export(self, form: str) -> str:
        """One's own styles as A1111's ``csv`` or as ``json``."""
        own = self._own.list()
        return export_csv(own) if form == "csv" else export_json(own)

    def _free_id(self, identifier: str) -> str:
        free = identifier[: MAX_ID - 4]
        return f"{free}-own" if free in self._shipped else free


def _read(row: Mapping[str, Any]) -> Style:
    known = {k: str(v) for k, v in row.items() if k in Style.__dataclass_fields__}
    return Style(**known)


def _checked(*texts: object) -> tuple[str, ...]:
    """Prompt and negative prompt; each may be missing, but not both."""
    given = ["" if text is None else text for text in texts]
    problems = []
    for field, text in zip(("prompt", "negative_prompt"), given, strict=True):
        label = label_of(field)
        if not isinstance(text, str):
            problems.append(FieldProblem(field, say("{label} must be text.", label=label)))
        elif len(text) > MAX_PROMPT or "\0" in text or (not text.isascii() and _broken(text)):
            sentence = say(
                "{label} may have at most {most:,} ordinary characters.",
                label=label, most=MAX_PROMPT,
            )  # fmt: skip
            problems.append(FieldProblem(field, sentence))
    if problems:
        raise InvalidRequest(tuple(problems))
    texts_given = tuple(str(text) for text in given)
    if not any(text.strip() for text in texts_given):
        raise InvalidRequest.of("prompt", say("A style needs a prompt or a negative prompt."))
    return texts_given


def _broken(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
