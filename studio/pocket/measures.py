"""What the report card measures: attributes read back, distances between sets, retrieval."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from torchmetrics.image.fid import FrechetInceptionDistance
from transformers import CLIPVisionModelWithProjection

from studio.pocket.attributes import ATTRIBUTES, POSITIONS, labels
from studio.pocket.clip import shrunk
from studio.pocket.data import to_tensor
from studio.pocket.tokenizer import tokenize
from studio.pocket.world import Scene

NAMES: Final = tuple(ATTRIBUTES)
MEASURES: Final = (
    "time_of_day",
    "place",
    "subject",
    "colour",
    "position",
    "style",
    "binding",
    "weather",
    "count",
)
CROWD: Final = 100


def accuracies(scenes: Sequence[Scene], readings: torch.Tensor) -> dict[str, float]:
    """Compare class numbers (B, attributes) with what the scenes ask for, as fractions.

    A subject counts where its kind is read anywhere; its colour where it is read at the subject's
    place; positions where exactly the right ones of left, centre and right are taken; binding,
    among scenes of two subjects, where both colours are read at their own subject's place.
    """
    wanted = labels(scenes)
    right = (readings == wanted).float()
    result = {
        name: right[:, NAMES.index(name)].mean().item()
        for name in ("time_of_day", "place", "style", "weather", "count")
    }
    kinds = [NAMES.index(f"kind_{position}") for position in POSITIONS]
    found, coloured, bound = [], [], []
    for scene, reading, truth in zip(scenes, readings, wanted, strict=True):
        hits = []
        for subject in scene.subjects:
            place = POSITIONS.index(subject.position)
            colour = NAMES.index(f"colour_{subject.position}")
            found.append(bool((reading[kinds] == truth[kinds[place]]).any()))
            hits.append(bool(reading[colour] == truth[colour]))
        coloured += hits
        if len(hits) > 1:
            bound.append(all(hits))
    result["subject"] = float(np.mean(found))
    result["colour"] = float(np.mean(coloured))
    result["binding"] = float(np.mean(bound))
    taken = (readings[:, kinds] > 0) == (wanted[:, kinds] > 0)
    result["position"] = taken.all(1).float().mean().item()
    return {name: round(result[name], 3) for name in MEASURES}


class Scorer(nn.Module):
    """A model folder's own CLIP pair: pictures and texts as unit vectors of one space."""

    num_features = 128

    def __init__(self, folder: Path, pipeline: Any) -> None:
        super().__init__()
        images: Any = CLIPVisionModelWithProjection.from_pretrained(
            folder / "image_encoder", dtype=torch.float32, local_files_only=True
        )
        self.images, self.texts = images.to(pipeline.device), pipeline.text_encoder
        self.tokenizer = pipeline.tokenizer
        stored = load_file(folder / "text_projection.safetensors")
        self.projection = stored["text_projection.weight"].float().to(pipeline.device)

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed images (B, 3, H, W) in [-1, 1], H = W = 128 or 256: (B, 128), not normalized."""
        embeds: torch.Tensor = self.images(pixel_values=shrunk(images)).image_embeds
        return embeds.float()

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed texts: (B, 128), not normalized."""
        ids = tokenize(self.tokenizer, texts).to(self.projection.device)
        pooled: torch.Tensor = self.texts(input_ids=ids).pooler_output
        embeds: torch.Tensor = pooled.float() @ self.projection.T
        return embeds


def _batches(pictures: NDArray[np.uint8], scorer: Scorer) -> list[torch.Tensor]:
    device = scorer.projection.device
    return [to_tensor(pictures[k : k + 50]).to(device) for k in range(0, len(pictures), 50)]


def frechet_distance(
    scorer: Scorer, pictures: NDArray[np.uint8], reference: NDArray[np.uint8]
) -> float:
    """Fréchet distance of two sets' features in the model's own CLIP (Heusel et al. 2017, FID).

    Sets of equal size, uint8 (N, H, W, 3). In these features, so not comparable with others' FID.
    """
    metric: Any = FrechetInceptionDistance(feature=scorer, normalize=True)
    metric = metric.to(scorer.projection.device)
    for real, some in ((True, reference), (False, pictures)):
        for batch in _batches(some, scorer):
            metric.update(batch, real=real)
    return round(float(metric.compute()), 3)


def retrieval(scorer: Scorer, texts: Sequence[str], pictures: NDArray[np.uint8]) -> float:
    """How often a text's own picture is the nearest among `CROWD` that follow one another.

    Fewer pictures are one smaller crowd.
    """
    seen = torch.cat([scorer(batch) for batch in _batches(pictures, scorer)])
    told = functional.normalize(scorer.embed_texts(texts), dim=1)
    seen = functional.normalize(seen, dim=1)
    hits = []
    crowd = min(CROWD, len(seen))
    for start in range(0, len(seen) - crowd + 1, crowd):
        part = slice(start, start + crowd)
        best = (told[part] @ seen[part].T).argmax(1).cpu()
        hits.append((best == torch.arange(crowd)).float().mean().item())
    return round(float(np.mean(hits)), 3)
