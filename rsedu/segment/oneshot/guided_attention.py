"""PerSAM's two changes to SAM's decoder: attention that knows where to look, queries for what.

After Zhang et al. 2024, "Personalize Segment Anything Model with One Shot", section 3.2. Nothing
is trained and no weight changes: `guided` gives a second Sam that shares every tensor.
"""

import copy
import math
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from segment_anything.modeling import Sam
from torch import Tensor, nn

# The package has no types, so its modules are Any here: it is their attributes that are used.


class GuidedAttention(nn.Module):
    """SAM's attention from tokens to the image, drawn to where the target is likely.

    ``A = softmax(softmax(Q K^T / sqrt(d)) + S')``: the second softmax acts on numbers between 0
    and 2, so attention is spread widely, and S' tilts it.
    """

    def __init__(self, attention: Any, likelihood: Float[Tensor, "cells"]) -> None:
        """Wrap an attention of the package; S' is 0 to 1 for each cell, row by row."""
        super().__init__()
        self.attention: Any = attention
        self.likelihood = likelihood

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend; shapes as in the package, (B, tokens or cells, dim)."""
        inner = self.attention
        queries, keys, values = (
            self._heads(project(x))
            for project, x in ((inner.q_proj, q), (inner.k_proj, k), (inner.v_proj, v))
        )
        scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
        weights = torch.softmax(scores.softmax(dim=-1) + self.likelihood, dim=-1)
        read: Tensor = inner.out_proj(
            rearrange(weights @ values, "b head token d -> b token (head d)")
        )
        return read

    def _heads(self, x: Tensor) -> Tensor:
        return rearrange(x, "b token (head d) -> b head token d", head=self.attention.num_heads)


class GuidedTransformer(nn.Module):
    """SAM's two-way transformer with the target added to every query before each layer."""

    def __init__(
        self, transformer: Any, likelihood: Float[Tensor, "cells"], target: Float[Tensor, "dim"]
    ) -> None:
        """Wrap the transformer of a mask decoder; its layers are shared, not changed."""
        super().__init__()
        self.layers: list[Any] = [
            _with_attention(layer, likelihood) for layer in transformer.layers
        ]
        self.transformer: Any = transformer
        self.target = target

    def forward(
        self, image_embedding: Tensor, image_pe: Tensor, point_embedding: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Read the image; arguments and results are those of the package's transformer."""
        keys = image_embedding.flatten(2).transpose(1, 2)
        key_pe = image_pe.flatten(2).transpose(1, 2)
        # The published code adds in place at first, so positions of queries carry the target too.
        positions = point_embedding + self.target
        queries = positions
        for number, layer in enumerate(self.layers):
            queries = queries if number == 0 else queries + self.target
            queries, keys = layer(queries=queries, keys=keys, query_pe=positions, key_pe=key_pe)
        final = queries + positions + self.target
        read = self.transformer.final_attn_token_to_image(q=final, k=keys + key_pe, v=keys)
        return self.transformer.norm_final_attn(queries + read), keys


def _shallow(module: Any) -> Any:
    """A copy whose parts can be exchanged without touching the original's."""
    twin = copy.copy(module)
    twin._modules = dict(module._modules)
    return twin


def _with_attention(layer: Any, likelihood: Tensor) -> Any:
    twin = _shallow(layer)
    twin.cross_attn_token_to_image = GuidedAttention(layer.cross_attn_token_to_image, likelihood)
    return twin


def guided(model: Sam, likelihood: Float[Tensor, "rows cols"], target: Float[Tensor, "dim"]) -> Sam:
    """Return a Sam whose decoder is guided to a target; it shares all weights with the model.

    `likelihood` is S' of `reference.likelihood`, the target the mean embedding of its cells.
    """
    twin, decoder = _shallow(model), _shallow(model.mask_decoder)
    decoder.transformer = GuidedTransformer(decoder.transformer, likelihood.flatten(), target)
    twin.mask_decoder = decoder
    return twin
