import numpy as np
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam

from rsedu.blocks.position import sincos_2d
from rsedu.segment.tiny_sam import TinySam, TinySamConfig


def test_it_is_small_and_made_of_the_packages_own_classes(fresh: TinySam) -> None:
    assert isinstance(fresh, Sam)
    assert type(fresh.image_encoder) is ImageEncoderViT
    assert type(fresh.prompt_encoder) is PromptEncoder
    assert type(fresh.mask_decoder) is MaskDecoder
    SamAutomaticMaskGenerator(fresh)
    count = sum(parameter.numel() for parameter in fresh.parameters())
    assert 1.5e6 < count < 2.0e6  # 8 MB in float32


def test_every_size_counts(small: TinySamConfig) -> None:
    sam = TinySam(small)
    predictor = SamPredictor(sam.eval())
    predictor.set_image(np.zeros((30, 50, 3), dtype=np.uint8))
    masks, _, logits = predictor.predict(
        point_coords=np.array([[4, 5]]), point_labels=np.array([1])
    )
    assert predictor.features.shape == (1, 32, 8, 8)
    assert masks.shape == (3, 30, 50) and logits.shape == (3, 32, 32)
    assert len(sam.image_encoder.blocks) == 1


def test_positions_start_as_sines_whose_waves_span_three_octaves(fresh: TinySam) -> None:
    table = fresh.image_encoder.pos_embed[0].flatten(0, 1)
    torch.testing.assert_close(table.detach(), sincos_2d(128, 16))
    waves = fresh.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix
    lengths = waves.norm(dim=0)
    assert torch.isclose(lengths.min(), torch.tensor(0.5)) and lengths.max() == 4.0


def test_a_click_attends_most_to_its_own_place_from_the_start(fresh: TinySam) -> None:
    """Attention of the first layer, with positions alone: the peak is at the click."""
    encoder, layer = fresh.prompt_encoder, fresh.mask_decoder.transformer.layers[0]
    attention = layer.cross_attn_token_to_image
    cells = encoder.get_dense_pe().flatten(2)[0].T
    for col, row in ((40.0, 200.0), (136.0, 120.0), (8.0, 8.0)):
        click = encoder.pe_layer.forward_with_coords(torch.tensor([[[col, row]]]), (256, 256))[0]
        scores = attention.q_proj(click) @ attention.k_proj(cells).T
        peak = int(scores.argmax())
        assert (peak % 16, peak // 16) == (int(col) // 16, int(row) // 16)
