"""What can be read from a picture or a caption: a scene as a row of class numbers."""

from collections.abc import Sequence
from typing import Final

import torch

from studio.pocket.world import VOCABULARY, Scene, Subject

KINDS: Final = ("none", *VOCABULARY["kind"])
COLOURS: Final = ("none", *VOCABULARY["colour"])
POSITIONS: Final = ("left", "centre", "right")
COUNTS: Final = ("1", "2", "3")

# The scene's own attributes, then for each position what stands there.
ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "place": tuple(VOCABULARY["place"]),
    "time_of_day": tuple(VOCABULARY["time_of_day"]),
    "weather": tuple(VOCABULARY["weather"]),
    "style": tuple(VOCABULARY["style"]),
    "count": COUNTS,
    **{f"kind_{position}": KINDS for position in POSITIONS},
    **{f"colour_{position}": COLOURS for position in POSITIONS},
}


def _standing_at(subjects: Sequence[Subject], position: str) -> Subject | None:
    return next((subject for subject in subjects if subject.position == position), None)


def values(scene: Scene) -> dict[str, str]:
    """Name the scene's value of every attribute; "none" where nobody stands."""
    named = {
        "place": scene.place,
        "time_of_day": scene.time_of_day,
        "weather": scene.weather,
        "style": scene.style,
        "count": str(max(subject.count for subject in scene.subjects)),
    }
    for position in POSITIONS:
        subject = _standing_at(scene.subjects, position)
        named[f"kind_{position}"] = subject.kind if subject else "none"
        named[f"colour_{position}"] = subject.colour if subject else "none"
    return named


def labels(scenes: Sequence[Scene]) -> torch.Tensor:
    """Return class numbers, int64 (B, len(ATTRIBUTES)), in the order of `ATTRIBUTES`."""
    rows = []
    for scene in scenes:
        named = values(scene)
        rows.append([options.index(named[key]) for key, options in ATTRIBUTES.items()])
    return torch.tensor(rows)


class Heads(torch.nn.Module):
    """One linear reading per attribute: features (B, width) -> logits, split by `split`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(width, sum(len(o) for o in ATTRIBUTES.values()))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return all logits side by side: (B, sum of the numbers of classes)."""
        logits: torch.Tensor = self.linear(features)
        return logits


def split(logits: torch.Tensor) -> list[torch.Tensor]:
    """Cut logits into one (B, classes) per attribute."""
    sizes = [len(options) for options in ATTRIBUTES.values()]
    return list(torch.split(logits.float(), sizes, dim=1))


def reading_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the attributes; `wanted` as `labels` gives it."""
    losses = [
        torch.nn.functional.cross_entropy(part, wanted[:, k])
        for k, part in enumerate(split(logits))
    ]
    return torch.stack(losses).mean()


def read(logits: torch.Tensor) -> torch.Tensor:
    """Return the most likely class numbers, int64 (B, len(ATTRIBUTES))."""
    return torch.stack([part.argmax(1) for part in split(logits)], dim=1)
