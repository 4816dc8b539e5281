"""What is put to a segmenter, and what it may answer."""

from types import SimpleNamespace

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.widget.segmenter import ask
from rsedu.widget.state import Box, Click, State

STATE = State(
    steps=(
        Click(col=3, row=1),
        Box(left=0, top=0, right=2, bottom=2),
        Click(col=4, row=2, positive=False),
        Box(left=1, top=2, right=6, bottom=4),
    )
)


class Ear:
    """Remembers what it was asked."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def predict(self, prompt):
        self.heard = prompt
        return SimpleNamespace(masks=np.zeros(self.shape, dtype=bool), scores=(1, 2, 3), best=2)


def test_clicks_and_the_last_box_are_asked():
    ear = Ear((3, 5, 7))
    assert ask(ear, STATE, shape=(5, 7)).best == 2
    assert [tuple(point) for point in ear.heard.points] == [(3, 1), (4, 2)]
    assert [bool(label) for label in ear.heard.labels] == [True, False]
    assert tuple(ear.heard.box) == (1, 2, 6, 4)
    assert ear.heard.mask is None
    ask(ear, State(steps=STATE.steps[:1]), shape=(5, 7))
    assert ear.heard.box is None


@pytest.mark.parametrize("shape", [(3, 7, 5), (1, 5, 7), (5, 7)])
def test_masks_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match="embed the same scene"):
        ask(Ear(shape), STATE, shape=(5, 7))
