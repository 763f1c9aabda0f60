"""The world pocket learns: scenes, their pictures and their captions."""

from studio.pocket.world.captions import caption, full_caption
from studio.pocket.world.render import render
from studio.pocket.world.scene import Scene, Subject, sample_scene
from studio.pocket.world.vocabulary import VOCABULARY, Language
from studio.pocket.world.words import known_words, unknown_words

__all__ = [
    "VOCABULARY",
    "Language",
    "Scene",
    "Subject",
    "caption",
    "full_caption",
    "known_words",
    "render",
    "sample_scene",
    "unknown_words",
]
