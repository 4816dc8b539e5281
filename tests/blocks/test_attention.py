import math

import pytest
import torch

from rsedu.blocks.attention import Attention, Block, scaled_dot_product_attention
from rsedu.blocks.position import alibi_2d


def rand(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def attention_by_hand(query, key, value, bias):
    batch, heads, queries, dim = query.shape
    out = torch.zeros(batch, heads, queries, dim)
    for b in range(batch):
        for h in range(heads):
            for q in range(queries):
                logits = [
                    float(query[b, h, q] @ k) / math.sqrt(dim) + float(bias[0, h, q, i])
                    for i, k in enumerate(key[b, h])
                ]
                weights = [math.exp(logit) for logit in logits]
                for weight, v in zip(weights, value[b, h], strict=True):
                    out[b, h, q] += weight / sum(weights) * v
    return out


def test_attention_is_a_weighted_mean():
    query, key, value, bias = rand(2, 3, 4, 8), rand(2, 3, 5, 8), rand(2, 3, 5, 8), rand(1, 3, 4, 5)
    ours = scaled_dot_product_attention(query, key, value, bias)
    torch.testing.assert_close(ours, attention_by_hand(query, key, value, bias))
    none = scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(none, attention_by_hand(query, key, value, torch.zeros(1, 3, 4, 5)))


def test_minus_infinity_forbids():
    query, value = rand(1, 1, 3, 4), rand(1, 1, 3, 4)
    bias = torch.full((3, 3), -torch.inf).fill_diagonal_(0)[None, None]
    torch.testing.assert_close(scaled_dot_product_attention(query, query, value, bias), value)


@pytest.mark.parametrize("keys", [4, 7])
def test_attention_matches_torch(keys):
    ours = Attention(12, 3)
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.in_proj_bias.zero_()
        theirs.out_proj.load_state_dict(ours.proj.state_dict())
    tokens, context, bias = rand(2, 4, 12), rand(2, keys, 12), rand(2, 3, 4, keys)
    expected, _ = theirs(tokens, context, context, attn_mask=bias.flatten(0, 1))
    torch.testing.assert_close(ours(tokens, context, bias=bias), expected)


def test_without_context_tokens_attend_to_themselves():
    attention, tokens = Attention(8, 2), rand(2, 5, 8)
    assert torch.equal(attention(tokens), attention(tokens, tokens))


def test_block_by_its_parts():
    block, tokens, bias = Block(8, 2), rand(1, 6, 8), alibi_2d(2, (2, 3))
    expected = tokens + block.self_attention(block.norm_self(tokens), bias=bias)
    expected = expected + block.mlp(block.norm_mlp(expected))
    torch.testing.assert_close(block(tokens, bias=bias), expected)
    assert block.mlp[0].out_features == 32
    assert not torch.allclose(block(tokens), expected)


def test_cross_block_by_its_parts():
    block = Block(8, 2, cross=True)
    tokens, context = rand(2, 6, 8), rand(2, 4, 8)
    bias, context_bias = rand(1, 2, 6, 6), rand(1, 2, 6, 4)
    expected = tokens + block.self_attention(block.norm_self(tokens), bias=bias)
    asked, known = block.norm_cross(expected), block.norm_cross(context)
    expected = expected + block.cross_attention(asked, known, bias=context_bias)
    expected = expected + block.mlp(block.norm_mlp(expected))
    ours = block(tokens, context, bias=bias, context_bias=context_bias)
    torch.testing.assert_close(ours, expected)


def test_tokens_have_no_order_without_positions():
    block, tokens = Block(8, 2), rand(1, 5, 8)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(block(tokens)[:, order], block(tokens[:, order]))
