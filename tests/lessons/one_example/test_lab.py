import numpy as np

from rsedu.lessons.one_example import lab


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
