from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments import example_tiles
from experiments.example_tiles import Example, ExampleTiles
from rsedu.segment.learning.dataset import BANDS, CLASS, PLOT, PracticeTiles
from rsedu.segment.oneshot.search import Match
from rsedu.segment.sam import Segmenter, load


class _Tiles(PracticeTiles):
    """Three tiles of 128 px: two plots of classes 5 and 6; the same, turned; forest alone."""

    def __len__(self) -> int:
        return 3

    def tile(self, index: int) -> NDArray[np.uint8]:
        layers = np.full((len(BANDS) + 3, 128, 128), 40, dtype=np.uint8)
        layers[len(BANDS) :] = 0
        if index < 2:
            for number, (kind, rows) in enumerate(((5, slice(8, 40)), (6, slice(64, 112))), 1):
                layers[: len(BANDS), rows, 16:56] = 60 * number + 70
                layers[CLASS, rows, 16:56], layers[PLOT, rows, 16:56] = kind, number
        return np.ascontiguousarray(layers.transpose(0, 2, 1) if index == 1 else layers)

    def gsd_m(self, index: int) -> float:
        return (10.0, 24.9, 25.1)[index]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load("tiny", device="cpu")


@pytest.fixture
def stock(segmenter: Segmenter, tmp_path: Path) -> ExampleTiles:
    return ExampleTiles(segmenter=segmenter, tiles=_Tiles(worlds=range(1, 2), folder=tmp_path))


def test_objects_and_their_classes(stock: ExampleTiles) -> None:
    every = stock.examples()
    assert [(e.tile, stock.kind(e)) for e in every] == [(0, 5), (0, 6), (1, 5), (1, 6)]
    assert stock.examples(kind=6) == [every[1], every[3]]
    (mask,) = stock.truths(0, 5)
    assert mask.sum() == 32 * 40 and mask[8:40, 16:56].all()
    assert stock.truths(2, 5) == []


def test_tiles_are_alike_within_a_factor(stock: ExampleTiles) -> None:
    # 25.1 m is more than 2.5 times 10 m, 24.9 m is less.
    assert [stock.alike(tile) for tile in range(3)] == [[1], [0, 2], [1]]


def test_likeness_is_the_mean_over_the_looks(stock: ExampleTiles) -> None:
    chosen = [Example(0, 0), Example(1, 0)]
    singles = [
        example_tiles.resemblance([(stock.embedded(1, look), stock.reference(chosen, look).target)])
        for look in range(2)
    ]
    both = stock.likeness(chosen, 1, count=2)
    np.testing.assert_allclose(both, (singles[0] + singles[1]) / 2, atol=1e-6)
    # The example itself resembles itself more than the other plot does.
    alone = stock.likeness([Example(0, 0)], 0)
    assert alone[12:36, 20:52].mean() > alone[68:108, 20:52].mean()


def test_objects_are_covered_by_whichever_mask_fits() -> None:
    truths = [np.zeros((4, 4), dtype=bool) for _ in range(2)]
    truths[0][0], truths[1][2:] = True, True
    half = np.zeros((4, 4), dtype=bool)
    half[2] = True
    found = [Match(mask=half, score=1.0, similarity=1.0, peak=1.0)]
    assert example_tiles.covered(found, truths) == pytest.approx((0 + 0.5) / 2)
    assert example_tiles.covered([], truths) == 0
    assert example_tiles.best(half, truths) == pytest.approx(0.5)
