"""The answers of lesson 07 beside the kit's own functions."""

import numpy as np
import pytest
import torch

from rsedu.lessons.one_example.exercises import (
    cosine_map,
    present_threshold,
    prior_points,
    target_embedding,
)
from rsedu.segment.oneshot import reference
from rsedu.segment.sam import load


def test_target_and_map_are_those_of_the_kit() -> None:
    draw = np.random.default_rng(0)
    embedded = load("tiny", device="cpu").embed(draw.integers(0, 256, (128, 128, 3), np.uint8))
    features = embedded.features(embedded.tiles[0])[0].numpy()
    cells = draw.random((16, 16)) < 0.3
    described = reference.embed_example(embedded, np.kron(cells, np.ones((8, 8), bool)))
    target = target_embedding(features, cells)
    np.testing.assert_allclose(target, described.target, rtol=1e-4, atol=1e-5)
    expected = reference.cosine_map(torch.from_numpy(features), torch.from_numpy(target))
    np.testing.assert_allclose(cosine_map(features, target), expected, atol=1e-5)


def test_a_click_lies_in_the_cell_that_it_stands_for() -> None:
    similarity = np.random.default_rng(1).normal(size=(16, 16))
    for point, at in zip(
        prior_points(similarity, 8), (similarity.argmax(), similarity.argmin()), strict=True
    ):
        col, row = point
        assert (int(row) // 8) * 16 + int(col) // 8 == at
        assert col % 8 == row % 8 == 3.5


@pytest.mark.parametrize("count", [7, 10, 30, 41])
@pytest.mark.parametrize("kept", [0.5, 0.9, 1.0])
def test_no_higher_peak_would_keep_as_many(count: int, kept: float) -> None:
    peaks = np.random.default_rng(count).random(count)
    threshold = present_threshold(peaks, kept)
    assert (peaks >= threshold).mean() >= kept - 1e-9
    higher = peaks[peaks > threshold]
    assert not len(higher) or (peaks >= higher.min()).mean() < kept
