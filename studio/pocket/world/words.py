"""Which words captions are made of, so that a prompt's other words can be pointed out."""

import re
from functools import cache

from studio.pocket.world.vocabulary import KINDS, VOCABULARY, Language

_EN_GLUE = ("a", "an", "and", "of", "one", "two", "three")
_ZH_GLUE = ("的", "和", "有", "在", "一", "两", "三")
_ZH_WHERE = ("上", "边", "里", "中", "下")  # captions have them in “在海上”, people write “海上的”
_EN_WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ZH_RUN = re.compile(r"[\u4e00-\u9fff]+")


@cache
def known_words(language: Language) -> frozenset[str]:
    """All words captions may contain: single words in English, whole terms in Chinese."""
    terms = [
        term
        for table in VOCABULARY.values()
        for word in table.values()
        for term in (*word.tags(language), *word.phrases(language))
    ]
    if language == "zh":
        return frozenset(
            (*terms, *_ZH_GLUE, *_ZH_WHERE, *(noun.measure for noun in KINDS.values()))
        )
    terms += [plural for noun in KINDS.values() for plural in noun.plurals]
    return frozenset((*(piece for term in terms for piece in term.split()), *_EN_GLUE))


def unknown_words(text: str, language: Language) -> tuple[str, ...]:
    """The words of `text` no caption contains, in order, each once.

    English is compared word by word; Chinese by the longest known term at each place, with
    the characters between known terms reported together.
    """
    words = known_words(language)
    if language == "en":
        return tuple(dict.fromkeys(w for w in _EN_WORD.findall(text.lower()) if w not in words))
    longest = max(len(word) for word in words)
    unknown: dict[str, None] = {}
    for run in _ZH_RUN.findall(text):
        start, pending = 0, ""
        while start < len(run):
            lengths = range(min(longest, len(run) - start), 0, -1)
            length = next((n for n in lengths if run[start : start + n] in words), 0)
            if length and pending:
                unknown[pending], pending = None, ""
            if not length:
                pending += run[start]
            start += length or 1
        if pending:
            unknown[pending] = None
    return tuple(unknown)
