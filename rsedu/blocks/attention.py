"""Attention with a bias on its logits, and the transformer block around it.

Models without a bias (MAE, Scale-MAE) use timm's blocks, whose names the released weights carry.
Models whose logits need one (2D-ALiBi), or that look at a second sensor, use these.
"""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from rsedu.errors import InputError


def scaled_dot_product_attention(
    query: Float[Tensor, "batch heads queries head_dim"],
    key: Float[Tensor, "batch heads keys head_dim"],
    value: Float[Tensor, "batch heads keys head_dim"],
    bias: Float[Tensor, "#batch #heads queries keys"] | None = None,
) -> Float[Tensor, "batch heads queries head_dim"]:
    """Mix the values, each query weighting them by how well their keys fit it.

    Args:
        query: (B, heads, Q, d), what each token looks for.
        key: (B, heads, K, d), what each token offers.
        value: (B, heads, K, d), what each token passes on.
        bias: (1 or B, 1 or heads, Q, K), added to the logits: 0 changes nothing, -inf forbids.

    Returns:
        (B, heads, Q, d): softmax(query key^T / sqrt(d) + bias) value, the softmax over the keys.

    Vaswani et al. 2017, "Attention Is All You Need", arXiv 1706.03762; bias as in Press et al.
    2022, arXiv 2108.12409. Runs PyTorch's fused kernel.
    """
    mask = None if bias is None else bias.to(query.dtype)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


class Attention(nn.Module):
    """Multi-head attention of tokens to themselves or to a context.

    Args:
        dim: Width D of the tokens, a multiple of `num_heads`.
        num_heads: Number of heads; each works on D / num_heads numbers.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        if dim % num_heads:
            raise InputError(f"dim {dim} is no multiple of num_heads {num_heads}: change one.")
        self.num_heads = num_heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key_value = nn.Linear(dim, 2 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(
        self,
        tokens: Float[Tensor, "batch queries dim"],
        context: Float[Tensor, "batch keys dim"] | None = None,
        *,
        bias: Float[Tensor, "#batch #heads queries keys"] | None = None,
    ) -> Float[Tensor, "batch queries dim"]:
        """Attend from `tokens` to `context`, or to themselves if there is none.

        Args:
            tokens: (B, Q, D), the queries.
            context: (B, K, D), what keys and values are made of.
            bias: (1 or B, 1 or heads, Q, K), added to the logits.
        """
        source = tokens if context is None else context
        query = self._split_heads(self.query(tokens))  # (B, heads, Q, d)
        both = self.key_value(source).chunk(2, dim=-1)
        key, value = map(self._split_heads, both)  # (B, heads, K, d)
        mixed = scaled_dot_product_attention(query, key, value, bias)
        joined: Tensor = self.proj(rearrange(mixed, "b h q d -> b q (h d)"))  # (B, Q, D)
        return joined

    def _split_heads(self, tokens: Tensor) -> Tensor:
        return rearrange(tokens, "b n (h d) -> b h n d", h=self.num_heads)  # (B, heads, N, d)


class Block(nn.Module):
    """Pre-norm transformer block; with `cross`, it also looks at a second set of tokens.

    Args:
        dim: Width D of the tokens.
        num_heads: Number of attention heads.
        cross: Whether attention to a context comes between self-attention and the network.

    tokens += attention(norm(tokens));  [tokens += attention(norm(tokens), norm(context))];
    tokens += mlp(norm(tokens)). Both sides of the cross-attention share one norm, as in CROMA
    (Fuller et al. 2023, arXiv 2311.00566).
    """

    def __init__(self, dim: int, num_heads: int, *, cross: bool = False) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(dim)
        self.self_attention = Attention(dim, num_heads)
        if cross:
            self.norm_cross = nn.LayerNorm(dim)
            self.cross_attention = Attention(dim, num_heads)
        self.norm_mlp = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.cross = cross

    def forward(
        self,
        tokens: Float[Tensor, "batch queries dim"],
        context: Float[Tensor, "batch keys dim"] | None = None,
        *,
        bias: Float[Tensor, "#batch #heads queries queries"] | None = None,
        context_bias: Float[Tensor, "#batch #heads queries keys"] | None = None,
    ) -> Float[Tensor, "batch queries dim"]:
        """Update the tokens once.

        Args:
            tokens: (B, Q, D).
            context: (B, K, D), wanted exactly if the block was made with `cross`.
            bias: (1 or B, 1 or heads, Q, Q), added to the logits of the self-attention.
            context_bias: (1 or B, 1 or heads, Q, K), added to those of the cross-attention.

        Raises:
            InputError: A context is missing or superfluous.
        """
        if self.cross != (context is not None):
            raise InputError(
                f"the block has cross={self.cross} and {'no' if self.cross else 'a'} context came: "
                "give both or neither."
            )
        tokens = tokens + self.self_attention(self.norm_self(tokens), bias=bias)
        if context is not None:
            queries, keys = self.norm_cross(tokens), self.norm_cross(context)
            tokens = tokens + self.cross_attention(queries, keys, bias=context_bias)
        tokens = tokens + self.mlp(self.norm_mlp(tokens))
        return tokens
