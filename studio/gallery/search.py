"""A search as SQL: words of three characters and more by the trigram index, shorter by LIKE."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from studio.errors import InvalidRequest
from studio.sentences import say

TRIGRAM = 3


def folded(text: str) -> str:
    """``text`` as it is compared: no difference of letter case or of full and half width."""
    return unicodedata.normalize("NFKC", text).casefold()


def conditions(
    query: str, *, favourites: bool, trashed: bool, before: str | None = None
) -> tuple[str, list[object]]:
    """The WHERE clause over ``pictures`` and its values.

    Every word of ``query`` must occur in the prompt. ``before`` is a Picture.cursor. Raises
    InvalidRequest for a cursor that is not one.
    """
    clauses = ["trashed IS NOT NULL" if trashed else "trashed IS NULL"]
    values: list[object] = []
    if favourites:
        clauses.append("favourite")
    words = folded(query).replace("\0", " ").split()
    if long := [word for word in words if len(word) >= TRIGRAM]:
        clauses.append("number IN (SELECT rowid FROM prompts WHERE prompts MATCH ?)")
        values.append(_match(long))
    for word in words:
        if len(word) < TRIGRAM:
            clauses.append("words LIKE ? ESCAPE '\\'")
            values.append(_like(word))
    if before is not None:
        clauses.append("(created, id) < (?, ?)")
        values.extend(_cursor(before))
    return " AND ".join(clauses), values


def _match(words: Sequence[str]) -> str:
    """An FTS5 query: each word as a quoted string, all of them required."""
    return " AND ".join('"' + word.replace('"', '""') + '"' for word in words)


def _like(word: str) -> str:
    for mark in "\\%_":
        word = word.replace(mark, "\\" + mark)
    return f"%{word}%"


def _cursor(before: str) -> tuple[float, str]:
    created, _, identifier = before.partition("~")
    try:
        return float(created), identifier
    except ValueError:
        raise InvalidRequest.of(
            "before", say("Before must be a “next” of an earlier page.")
        ) from None
