"""/api/v1/translate: Chinese words of a prompt in English, for models that read no Chinese."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel, Field

from studio.api.inputs import TheStudio
from studio.request import MAX_PROMPT

router = APIRouter(prefix="/api/v1", tags=["words"])


class Words(BaseModel):
    """A prompt."""

    text: str = Field(max_length=MAX_PROMPT)


@router.post("/translate", summary="A prompt's Chinese words in English, its marks as they are")
async def translate(studio: TheStudio, words: Words) -> Words:
    """Weights, ``<lora:…>``, BREAK, AND and wildcards stay; without Chinese words all of it does.

    404 when no translator is installed. A job's prompt is never translated by itself: what is
    handed in is what is painted.
    """
    return Words(text=await asyncio.wrap_future(studio.translator.translate(words.text)))
