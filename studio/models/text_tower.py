"""A text encoder with its tokenizer: chunks of token ids to hidden states and a pooled vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from studio.models.clip_tokens import ClipTokens
from studio.models.emphasis import emphasised
from studio.prompt.chunks import Chunk


@dataclass(frozen=True)
class TextTower:
    """One of a model's text encoders."""

    encoder: Any
    tokens: ClipTokens

    @torch.no_grad()
    def encode(
        self, chunks: Sequence[Chunk], before_last: int = 0, keep_mean: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Each chunk between its own marks, filled up; their outputs one after another.

        ``before_last``: 0 takes the last layer through the final norm; n takes the layer n before
        it, as it is. ``keep_mean``: see `emphasised`. Returns (1, 77·chunks, D), and the
        projection of the first chunk's end mark (1, P) when the encoder has one; both in fp32,
        where the encoder is.
        """
        rows = self.tokens.rows([list(chunk.ids) for chunk in chunks])
        ids = torch.tensor(rows, device=self._device)
        output = self.encoder(
            ids,
            attention_mask=self._mask(chunks, ids),
            output_hidden_states=before_last > 0,
        )
        hidden = output.hidden_states[-1 - before_last] if before_last else output.last_hidden_state
        pooled = getattr(output, "text_embeds", None)
        return (
            emphasised(hidden.float(), chunks, keep_mean).reshape(1, -1, hidden.shape[-1]),
            None if pooled is None else pooled[:1].float(),
        )

    @torch.no_grad()
    def pooled(self, chunk: Chunk) -> torch.Tensor:
        """The hidden state (1, D), in fp32, of the chunk's end mark: what CLIP compares."""
        ids = torch.tensor(self.tokens.rows([list(chunk.ids)]), device=self._device)
        output = self.encoder(ids, attention_mask=self._mask([chunk], ids))
        pooled: torch.Tensor = output.pooler_output.float()
        return pooled

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.encoder.parameters()).device
        # its layers are brought in one by one then, and what they are given
        return torch.device("cpu") if device.type == "meta" else device

    def _mask(self, chunks: Sequence[Chunk], ids: torch.Tensor) -> torch.Tensor | None:
        """What fills a prompt up is hidden from encoders that were trained so."""
        if not getattr(self.encoder.config, "use_attention_mask", False):
            return None
        lengths = torch.tensor([len(chunk.ids) + 2 for chunk in chunks], device=ids.device)
        return (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()
