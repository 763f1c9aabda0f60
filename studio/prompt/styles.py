"""Styles: wordings to put around a prompt: the studio's own, a person's, and other studios' files.

>>> paint = Style("oil", "Oil painting", prompt="{prompt}, oil painting", negative_prompt="photo")
>>> apply_styles("a boat", "text", [paint])
('a boat, oil painting', 'text, photo')
>>> apply_styles("", "", [Style("x", "Fog", prompt="fog at dawn")])
('fog at dawn', '')
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from studio.errors import InvalidRequest
from studio.sentences import say

SLOT: Final = "{prompt}"
_COLUMNS: Final = ("name", "prompt", "negative_prompt")


@dataclass(frozen=True)
class Style:
    """``prompt`` and ``negative_prompt`` may hold the slot ``{prompt}``; without it they follow.

    ``names``: language -> name, where it has more than ``name``.
    """

    id: str
    name: str
    prompt: str = ""
    negative_prompt: str = ""
    group: str = "own"
    name_zh: str = ""
    pocket: str = ""
    """The style of pocket's own that comes nearest, "" when it knows none."""


def apply_styles(prompt: str, negative_prompt: str, styles: Iterable[Style]) -> tuple[str, str]:
    """Prompt and negative prompt with every style put around them, in their order."""
    for style in styles:
        prompt = _around(style.prompt, prompt)
        negative_prompt = _around(style.negative_prompt, negative_prompt)
    return prompt, negative_prompt


def _around(wording: str, text: str) -> str:
    """The text in the wording's slot, or before it; as A1111 joins them."""
    if SLOT in wording:
        return wording.replace(SLOT, text)
    return ", ".join(part for part in (text.strip(), wording.strip()) if part)


def read_own_format(path: Path) -> list[Style]:
    """The styles of a file of ours; none when it is missing. Raises InvalidRequest when broken."""
    if not path.exists():
        return []
    known = Style.__dataclass_fields__
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [Style(**{k: str(v) for k, v in row.items() if k in known}) for row in rows]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidRequest.of(
            "styles", say("{file} cannot be read as styles.", file=path.name)
        ) from error


def import_styles(text: str) -> list[Style]:
    """The styles of A1111's ``styles.csv`` or of Fooocus-type JSON, told apart by what they hold.

    Raises InvalidRequest when the text is neither.
    """
    rows = _rows_of_json(text) if text.lstrip()[:1] in ("[", "{") else _rows_of_csv(text)
    styles = [
        Style(
            id=_identifier(row["name"]),
            name=row["name"],
            prompt=row.get("prompt", ""),
            negative_prompt=row.get("negative_prompt", ""),
        )
        for row in rows
        if row.get("name") and (row.get("prompt") or row.get("negative_prompt"))
    ]
    if not styles:
        raise InvalidRequest.of(
            "styles",
            say("There are no styles in this file; it should be a styles.csv or a JSON list."),
        )
    return styles


def export_csv(styles: Sequence[Style]) -> str:
    """The styles as A1111's ``styles.csv``."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([one.name, one.prompt, one.negative_prompt] for one in styles)
    return file.getvalue()


def export_json(styles: Sequence[Style]) -> str:
    """The styles as a list of objects, as Fooocus keeps them."""
    rows = [{column: getattr(one, column) for column in _COLUMNS} for one in styles]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def _rows_of_csv(text: str) -> list[dict[str, str]]:
    """A1111's rows: the header may have a byte order mark, and "text" for "prompt" as once."""
    lines = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    try:
        found = [{str(k).strip(): str(v or "") for k, v in row.items()} for row in lines]
    except csv.Error as error:
        raise InvalidRequest.of(
            "styles", say("The file is not valid CSV ({error}).", error=str(error))
        ) from None
    return [{**row, "prompt": row.get("prompt", row.get("text", ""))} for row in found]


def _rows_of_json(text: str) -> list[dict[str, str]]:
    """Fooocus' list of objects, or an object of them by name."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest.of(
            "styles", say("The file is not valid JSON ({error}).", error=str(error))
        ) from None
    if isinstance(data, Mapping):
        data = [{"name": k, **v} for k, v in data.items() if isinstance(v, Mapping)]
    rows = [row for row in data if isinstance(row, Mapping)]
    return [{str(k): v for k, v in row.items() if isinstance(v, str)} for row in rows]


def _identifier(name: str) -> str:
    plain = "".join(c if c.isalnum() else "-" for c in name.casefold())
    return "-".join(part for part in plain.split("-") if part) or "style"
