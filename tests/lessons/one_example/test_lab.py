from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rsedu.lessons.one_example import lab
from rsedu.lessons.one_example.lab import Example, ExampleTiles
from rsedu.segment.learning.dataset import BANDS, CLASS, PLOT, PracticeTiles
from rsedu.segment.oneshot.search import Match, Reference
from rsedu.segment.prompt import Prompt
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
        return (10.0, 20.0, 30.0)[index]


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
    # 10, 20 and 30 m: 3 is more than the factor of 2.5, both others are less.
    assert [stock.alike(tile) for tile in range(3)] == [[1], [0, 2], [1]]


def test_an_image_is_embedded_once_per_look(stock: ExampleTiles) -> None:
    assert stock.embedded(0) is stock.embedded(0)
    assert stock.embedded(0, 1) is not stock.embedded(0)


def test_likeness_is_the_mean_over_the_looks(stock: ExampleTiles) -> None:
    chosen = [Example(0, 0), Example(1, 0)]
    singles = [
        lab.resemblance([(stock.embedded(1, look), stock.reference(chosen, look).target)])
        for look in range(2)
    ]
    both = stock.likeness(chosen, 1, count=2)
    np.testing.assert_allclose(both, (singles[0] + singles[1]) / 2, atol=1e-6)
    # The example itself resembles itself more than the other plot does.
    alone = stock.likeness([Example(0, 0)], 0)
    assert alone[12:36, 20:52].mean() > alone[68:108, 20:52].mean()


def test_colours_are_compared_by_distance_cell_by_cell() -> None:
    shown = np.zeros((16, 16, 3), dtype=np.uint8)
    shown[:8, 8:] = (30, 40, 0)
    mask = np.zeros((16, 16), dtype=bool)
    mask[:8, :8] = True
    found = lab.colour_likeness(shown, mask, shown)
    np.testing.assert_allclose(found[:8, 8:], -50.0)  # a right triangle of 30, 40, 50
    np.testing.assert_allclose(found[8:], 0.0)


def test_the_most_similar_pixel_is_col_first_and_free() -> None:
    likeness = np.array([[0.1, 0.2, 0.9], [0.3, 0.8, 0.4]], dtype=np.float32)
    assert lab.top(likeness) == (2.0, 0.0)
    assert lab.top(likeness, likeness < 0.85) == (1.0, 1.0)


def test_around_is_one_cell_more() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[20, 20] = True
    grown = lab.around(mask)
    assert grown[20, 12] and not grown[20, 11] and grown[28, 20] and not grown[29, 20]


def test_objects_are_covered_by_whichever_mask_fits() -> None:
    truths = [np.zeros((4, 4), dtype=bool) for _ in range(2)]
    truths[0][0], truths[1][2:] = True, True
    half = np.zeros((4, 4), dtype=bool)
    half[2] = True
    found = [Match(mask=half, score=1.0, similarity=1.0, peak=1.0)]
    assert lab.covered(found, truths) == pytest.approx((0 + 0.5) / 2)
    assert lab.covered([], truths) == 0
    assert lab.best(half, truths) == pytest.approx(0.5)


def test_a_patient_user_clicks_in_every_middle(stock: ExampleTiles) -> None:
    truths = stock.truths(0, 5)
    image = stock.embedded(0)
    (row, col) = (23.5, 35.5)
    answer = image.predict(Prompt(points=((col, row),)))
    (found,) = lab.pointed(image, truths)
    assert found == pytest.approx(lab.best(answer.mask, truths), abs=0.1)


def test_typicality_is_the_cosine_to_the_mean() -> None:
    def reference(*target: float) -> Reference:
        vector = torch.tensor(target)
        return Reference(target=vector, strongest=vector)

    found = lab.typicality(reference(1.0, 0.0), [reference(2.0, 0.0), reference(0.0, 2.0)])
    assert found == pytest.approx(2**-0.5)
