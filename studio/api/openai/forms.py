"""A body as a form: fields as text, pictures as files, of bounded size in all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from studio.api.foreign import Refused
from studio.api.inputs import MAX_PICTURE_BODY, whole_body
from studio.sentences import say

_LONGEST_TEXT = 1_000_000


@dataclass(frozen=True)
class Form:
    """Name -> text, and name -> the files under it."""

    texts: Mapping[str, str]
    files: Mapping[str, list[bytes]]


async def form_of(request: Request) -> Form:
    """The form of a request. Raises Refused when the body is none, HTTPException when too large."""
    content = await whole_body(request, MAX_PICTURE_BODY)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield content

    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise _no_form()
    parser = MultiPartParser(
        request.headers, stream(), max_files=20, max_fields=100, max_part_size=_LONGEST_TEXT
    )
    try:
        parsed = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise _no_form() from None
    texts: dict[str, str] = {}
    files: dict[str, list[bytes]] = {}
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            files.setdefault(name.removesuffix("[]"), []).append(await value.read())
        else:
            texts[name] = value
    await parsed.close()
    return Form(texts, files)


def _no_form() -> Refused:
    sentence = say("The body must be a form (multipart/form-data) with the picture in “image”.")
    return Refused(400, sentence, "image")
