import math

import numpy as np
import torch
from segment_anything import SamPredictor

from rsedu.segment.oneshot.guided_attention import GuidedAttention, guided
from rsedu.segment.tiny_sam import TinySam


def test_guided_attention_is_the_formula_head_by_head(fresh: TinySam) -> None:
    inner = fresh.mask_decoder.transformer.layers[1].cross_attn_token_to_image
    tokens, cells = torch.randn(1, 3, 128), torch.randn(1, 20, 128)
    likelihood = torch.rand(20)
    with torch.no_grad():
        found = GuidedAttention(inner, likelihood)(tokens, cells, cells)
        q, k, v = inner.q_proj(tokens)[0], inner.k_proj(cells)[0], inner.v_proj(cells)[0]
        heads = []
        for number in range(4):
            part = slice(16 * number, 16 * number + 16)
            once = torch.softmax(q[:, part] @ k[:, part].T / math.sqrt(16), dim=1)
            heads.append(torch.softmax(once + likelihood, dim=1) @ v[:, part])
        expected = inner.out_proj(torch.cat(heads, dim=1))
    torch.testing.assert_close(found[0], expected)


def _logits(model: TinySam, image: np.ndarray) -> np.ndarray:
    predictor = SamPredictor(model)
    predictor.set_image(image)
    logits: np.ndarray = predictor.predict(
        point_coords=np.array([[70, 50]]), point_labels=np.array([1])
    )[2]
    return logits


def _plain_transformer(fresh: TinySam, target: torch.Tensor, guide: torch.Tensor) -> tuple:
    """The published order of operations, with the package's blocks and a patched attention."""
    transformer = fresh.mask_decoder.transformer
    torch.manual_seed(1)
    image, places, points = torch.randn(1, 128, 4, 5), torch.randn(1, 128, 4, 5), None
    points = torch.randn(1, 6, 128)
    keys, key_pe = image.flatten(2).permute(0, 2, 1), places.flatten(2).permute(0, 2, 1)
    point_embedding = points.clone()
    queries = point_embedding
    for layer in transformer.layers:
        queries += target  # in place at first: point_embedding changes with it
        original = layer.cross_attn_token_to_image
        layer.cross_attn_token_to_image = GuidedAttention(original, guide)
        queries, keys = layer(queries=queries, keys=keys, query_pe=point_embedding, key_pe=key_pe)
        layer.cross_attn_token_to_image = original
    q = queries + point_embedding
    q += target
    read = transformer.final_attn_token_to_image(q=q, k=keys + key_pe, v=keys)
    return transformer.norm_final_attn(queries + read), keys, (image, places, points)


def test_the_target_enters_as_in_the_published_code(fresh: TinySam) -> None:
    target, guide = torch.randn(128), torch.rand(4, 5)
    with torch.no_grad():
        queries, keys, given = _plain_transformer(fresh, target, guide.flatten())
        found = guided(fresh, guide, target).mask_decoder.transformer(*given)
    torch.testing.assert_close(found[0], queries)
    torch.testing.assert_close(found[1], keys)


def test_the_model_itself_stays_as_it_was(fresh: TinySam, image: np.ndarray) -> None:
    before = _logits(fresh, image)
    twin = guided(fresh, torch.rand(16, 16), torch.ones(128))
    assert not np.allclose(_logits(twin, image), before)
    np.testing.assert_array_equal(_logits(fresh, image), before)
    assert twin.image_encoder is fresh.image_encoder
    assert twin.mask_decoder.iou_prediction_head is fresh.mask_decoder.iou_prediction_head
