"""Steps, choice, kept masks: what a state takes and what it refuses."""

from functools import partial

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.widget.state import Box, Click, Kept, State, checked

SHAPE = (30, 47)
HERE, THERE = Click(col=4, row=5), Click(col=40, row=2, positive=False)


def test_clicks_stay_in_order_and_the_last_box_counts():
    state = State()
    first, second = Box(left=1, top=2, right=9, bottom=8), Box(left=3, top=3, right=5, bottom=4)
    for step in (HERE, first, THERE, second):
        state = state.with_step(step, shape=SHAPE)
    assert state.clicks == (HERE, THERE)
    assert state.box == second
    assert state.steps == (HERE, first, THERE, second)
    assert State().box is None


def test_a_click_on_the_scene_is_taken_and_a_box_cut_to_it():
    for at in ((-0.5, -0.5), (46.5, 29.5), (46, 0), (0, 29)):
        assert click(*at).clicks[0] == Click(col=at[0], row=at[1])
    state = State().with_step(Box(left=-3, top=20, right=90, bottom=31), shape=SHAPE)
    assert state.box is not None
    assert state.box.edges == (0, 20, 47, 30)


def test_what_is_kept_takes_its_steps_along():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[3, 4] = True
    state = State().with_step(HERE, shape=SHAPE).with_choice(2)
    kept = state.with_kept(mask, label="  farm ", iou=0.5)
    assert (kept.steps, kept.choice) == ((), None)
    (one,) = kept.kept
    assert (one.label, one.iou, one.steps) == ("farm", 0.5, (HERE,))
    assert one.mask is mask
    again = kept.with_step(THERE, shape=SHAPE).with_kept(mask, label=" ", iou=0.1)
    assert [each.label for each in again.kept] == ["farm", "object"]
    assert again.with_step(HERE, shape=SHAPE).cleared().kept == again.kept
    assert state.steps == (HERE,), "the earlier state is as it was"


def test_numbers_are_kept_as_a_mask_and_probabilities_are_refused():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[3:5, 4:9] = True
    one = State().with_kept(mask * np.uint8(255), label="a", iou=0.5).kept[0]
    np.testing.assert_array_equal(one.mask, mask)
    assert one.mask.dtype == np.bool_
    with pytest.raises(InputError, match=r"probability > 0\.5"):
        State().with_kept(mask * 0.5, label="a", iou=0.5)


KEPT = Kept(mask=np.ones(SHAPE, dtype=bool), label="a", iou=1.0, steps=())


def click(col: float, row: float) -> State:
    return State().with_step(Click(col=col, row=row), shape=SHAPE)


def box(*edges: float) -> State:
    sides = dict(zip(("left", "top", "right", "bottom"), edges, strict=True))
    return State().with_step(Box(**sides), shape=SHAPE)


BESIDE = [(-0.6, 0), (46.6, 0), (0, -0.6), (0, 29.6), (29, 46)]
EMPTY = [(5, 5, 5, 9), (5, 5, 9, 5), (9, 5, 5, 9), (5, 9, 9, 5), (47, 0, 60, 9), (0, 30, 9, 40)]
REFUSED = [
    *((partial(click, *at), "outside a scene of 30 rows and 47 columns") for at in BESIDE),
    *((partial(box, *edges), "holds no pixel") for edges in EMPTY),
    (lambda: State().with_kept(~KEPT.mask, label="a", iou=1.0), "no mask to keep"),
    *((partial(State().with_choice, index), "there are 0, 1 and 2") for index in (-1, 3)),
    (lambda: checked(State(kept=(KEPT,)), shape=(47, 30)), r"\(30, 47\), the scene \(47, 30\)"),
    (lambda: checked(State(steps=(THERE,)), shape=(30, 30)), "outside"),
    (lambda: checked(State(choice=5), shape=SHAPE), "Mask 5"),
]


@pytest.mark.parametrize(("call", "pattern"), REFUSED)
def test_what_does_not_fit_to_the_scene_is_refused(call, pattern):
    with pytest.raises(InputError, match=pattern):
        call()


def test_a_state_from_elsewhere_is_checked_whole():
    good = State(steps=(HERE, THERE), choice=1, kept=(KEPT,))
    made = checked(good, shape=SHAPE)
    assert (made.steps, made.choice, made.kept) == (good.steps, 1, (KEPT,))
