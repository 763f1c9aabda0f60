"""The words of a text that name something, without those that only hold it together.

>>> content_words("the red boat, on a sea")
['red', 'boat', 'sea']
"""

from __future__ import annotations

import re
from typing import Final

GLUE: Final = frozenset(
    ("a", "an", "the", "this", "that", "it", "its", "is", "are", "and", "or", "as", "with", "of",
     "without", "in", "on", "at", "by", "to", "from", "over", "under", "near", "for", "very")
)  # fmt: skip


def content_words(text: str) -> list[str]:
    """The words in their order; Chinese, which is written without spaces, stays as it is."""
    return [word for word in re.findall(r"\w+(?:[-'’]\w+)*", text) if word.lower() not in GLUE]
