"""The figure shows pixels, clicks and the box where they are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from rsedu.widget.figure import BOX, KEPT, MASK, NEGATIVE, POSITIVE


@pytest.fixture
def drawn(prompter):
    """One kept mask at the west, one at hand at the east, and their prompts."""
    prompter.add_box(0, 0, 12, 30)
    prompter.keep()
    prompter.add_box(30, 3, 47, 20)
    prompter.add_point(44, 24)
    prompter.add_point(35, 12, positive=False)
    figure = plt.figure(figsize=(4, 4), dpi=100)
    ax = prompter.figure(title="two plots", ax=figure.add_axes((0, 0, 1, 1)))
    figure.canvas.draw()
    yield prompter, ax, np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    plt.close(figure)


def colour_at(ax, image: np.ndarray, col: float, row: float) -> np.ndarray:
    x, y = ax.transData.transform((col, row))
    return image[image.shape[0] - 1 - int(y), int(x)]


def mean_over(ax, image: np.ndarray, cols: range, rows: range) -> np.ndarray:
    return np.mean([colour_at(ax, image, col, row) for col in cols for row in rows], axis=0)


def test_masks_lie_over_their_pixels(drawn):
    _, ax, image = drawn
    ground = mean_over(ax, image, range(15, 28), range(5, 20))
    kept = mean_over(ax, image, range(2, 10), range(5, 20))
    at_hand = mean_over(ax, image, range(44, 46), range(6, 15))
    np.testing.assert_allclose(kept, 0.6 * ground + 0.4 * np.array(to_rgb(KEPT)), atol=0.06)
    np.testing.assert_allclose(at_hand, 0.6 * ground + 0.4 * np.array(to_rgb(MASK)), atol=0.1)


def test_clicks_and_the_box_are_drawn_in_pixels(drawn):
    prompter, ax, _ = drawn
    points = {
        line.get_color(): (line.get_xdata()[0], line.get_ydata()[0])
        for line in ax.lines
        if line.get_marker() == "o"
    }
    assert points == {POSITIVE: (44, 24), NEGATIVE: (35, 12)}
    (box,) = [patch for patch in ax.patches if patch.get_edgecolor()[:3] == to_rgb(BOX)]
    assert box.get_bbox().extents.tolist() == [29.5, 2.5, 46.5, 19.5]
    assert ax.get_title() == "two plots\n(B04, B03, B02)"
    plt.figure()
    assert prompter.figure().get_title().startswith("Mask 2 of 3")
    plt.close("all")
