"""A small SAM with fresh weights: the same numbers at each run, and no file is read."""

import numpy as np
import pytest
import torch

from rsedu.segment.sam import Segmenter
from rsedu.segment.tiny_sam import TinySam, TinySamConfig


@pytest.fixture(scope="session")
def fresh() -> TinySam:
    torch.manual_seed(5)
    return TinySam().eval()


@pytest.fixture
def segmenter(fresh: TinySam) -> Segmenter:
    return Segmenter(name="tiny", model=fresh, weights="fresh")


@pytest.fixture
def image() -> np.ndarray:
    """A bright square on a dark, noisy ground: 128 x 128, rows 30 to 69, columns 50 to 99."""
    pixels = np.random.default_rng(1).integers(0, 60, (128, 128, 3))
    pixels[30:70, 50:100] += 150
    return pixels.astype(np.uint8)


@pytest.fixture(scope="session")
def small() -> TinySamConfig:
    return TinySamConfig(
        image_px=64, patch_px=8, encoder_dim=16, encoder_depth=1, encoder_heads=2, dim=32
    )
