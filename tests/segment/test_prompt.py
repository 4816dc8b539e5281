from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, strategies as st

from rsedu.errors import InputError
from rsedu.segment.prompt import Prediction, Prompt, _edges, _pairs, _zeros_and_ones, box_of

TRANSFORM = Affine(10, 0, 500_000, 0, -10, 9_000_000)


def test_labels_are_clicks_on_the_object_unless_told() -> None:
    assert Prompt(points=((1, 2), (3, 4))).labels == (1, 1)
    assert Prompt(points=((1, 2), (3, 4)), labels=(True, False)).labels == (1, 0)


def test_a_click_more_leaves_the_old_prompt_alone() -> None:
    first = Prompt(points=((1, 2),))
    second = first.click(5, 6, positive=False)
    assert first.points == ((1.0, 2.0),)
    assert second.points == ((1.0, 2.0), (5.0, 6.0)) and second.labels == (1, 0)


def test_the_map_is_the_pixels_in_metres() -> None:
    # The pixel in column 3, row 7 spans 30 to 40 m eastwards and 70 to 80 m southwards.
    prompt = Prompt(
        points=((500_035, 8_999_925),), box=(500_020, 8_999_900, 500_050, 8_999_960), frame="map"
    ).in_pixels(TRANSFORM)
    assert prompt.points == ((3.0, 7.0),)
    assert prompt.box == (2.0, 4.0, 5.0, 10.0)
    assert prompt.frame == "pixels"


@given(col=st.integers(0, 200), row=st.integers(0, 200))
def test_centres_of_pixels_come_back_as_whole_numbers(col: int, row: int) -> None:
    x, y = TRANSFORM @ (col + 0.5, row + 0.5)
    found = Prompt(points=((x, y),), frame="map").in_pixels(TRANSFORM).points[0]
    assert found == pytest.approx((col, row), abs=1e-6)


def test_equal_parts_make_equal_prompts() -> None:
    mask = np.zeros((4, 4))
    one, other = (Prompt(points=((1, 2),), mask=mask) for _ in range(2))
    assert one == other and hash(one) == hash(other)
    assert one != Prompt(points=((1, 2),), mask=mask + 1)
    assert one != Prompt(points=((1, 2),), mask=mask, box=(0, 0, 1, 1))


def test_a_prompts_mask_cannot_be_changed() -> None:
    mask = np.zeros((4, 4))
    prompt = Prompt(points=((1, 2),), mask=mask)
    mask[0, 0] = 9
    assert prompt.mask is not None and prompt.mask[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        prompt.mask[0, 0] = 1


ONE = ((1, 2),)
PAIRS = r"wanted \(\(col, row\), \.\.\.\)"
EDGES, SIGNS = "wanted four numbers", "wanted 1 on the object"
REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Prompt(), "a click or a box"),
    (lambda: Prompt(points=ONE, labels=(1, 0)), "1 points came with"),
    (lambda: Prompt(points=ONE, labels=(2,)), "labels"),
    (lambda: Prompt(points=((1, float("nan")),)), "finite"),
    (lambda: Prompt(box=(5, 0, 5, 3)), "empty"),
    (lambda: Prompt(box=(0, 3, 5, 2)), "empty"),
    (lambda: Prompt(points=ONE, mask=np.zeros((4, 5))), "square"),
    (lambda: Prompt(points=ONE, frame="map").in_pixels(None), "no place"),
    (lambda: box_of(np.zeros((3, 3), dtype=bool)), "empty"),
    *((partial(_pairs, no), PAIRS) for no in ((10, 20), ((1, 2, 3),), ((1,),), (("a", 2),), 5)),
    *((partial(_edges, no), EDGES) for no in ((1, 2, 3), (1, 2, 3, 4, 5), 7, ("a", 0, 1, 2))),
    *((partial(_zeros_and_ones, (no,)), SIGNS) for no in (0.7, -1, 1.2, float("nan"), "1")),
]


@pytest.mark.parametrize(("call", "pattern"), REFUSED)
def test_a_wrong_prompt_says_what_is_wrong(call: Callable[[], object], pattern: str) -> None:
    with pytest.raises(InputError, match=pattern):
        call()
    with pytest.raises(Exception, match=r"degrees|frame"):
        Prompt(points=ONE, frame="degrees")


def test_the_box_of_a_mask_is_its_outer_edges() -> None:
    mask = np.zeros((8, 12), dtype=bool)
    mask[2:5, 7:9] = True
    assert box_of(mask) == (7.0, 2.0, 9.0, 5.0)


def test_the_best_mask_is_the_one_with_the_highest_score() -> None:
    masks = np.zeros((3, 4, 5), dtype=bool)
    masks[1, 2, 3] = True
    scores, logits = np.array([0.2, 0.9, 0.5], np.float32), np.zeros((3, 8, 8), np.float32)
    answer = Prediction(masks=masks, scores=scores, logits=logits)
    assert answer.best == 1
    assert answer.mask[2, 3] and answer.mask.sum() == 1
