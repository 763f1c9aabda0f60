"""GenerationRequest, the only list of fields, chapter by chapter.

The page's controls, the API's body, the infotext and the tests follow from it: a field's bounds,
label, help and infotext key are written here and nowhere else. Each chapter extends the one before:
words, how they are drawn, what from, how large.
"""

from studio.request.bounds import (
    LEAST_TILE,
    MAX_MODEL,
    MAX_NAME,
    MAX_OUTPAINT,
    MAX_PROMPT,
    MAX_RESULT,
    MAX_SCALE,
    MAX_SEED,
    MAX_SIDE,
    MAX_STYLES,
    RESOLVED,
    MaskedContent,
)
from studio.request.recipe import GenerationRequest, label_of

__all__ = [
    "LEAST_TILE",
    "MAX_MODEL",
    "MAX_NAME",
    "MAX_OUTPAINT",
    "MAX_PROMPT",
    "MAX_RESULT",
    "MAX_SCALE",
    "MAX_SEED",
    "MAX_SIDE",
    "MAX_STYLES",
    "RESOLVED",
    "GenerationRequest",
    "MaskedContent",
    "label_of",
]
