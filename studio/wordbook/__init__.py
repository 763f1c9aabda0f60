"""The wordbook: what the studio keeps of words: styles, presets, wildcards, past prompts."""

from studio.wordbook.wordbook import Wordbook

__all__ = ["Wordbook"]
