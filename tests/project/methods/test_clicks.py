"""Track C: which outlines a person keeps, what it costs, and what is learnt of them."""

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project.methods import clicks
from rsedu.project.methods.clicks import (
    BOX_S,
    LOOK_S,
    Clicked,
    drop_contradicted_labels,
    outline,
    shown,
)
from rsedu.project.methods.pixel_classifier import Sample
from rsedu.project.place import Place
from rsedu.project.task import Task
from rsedu.project.windows import Method
from rsedu.segment.prompt import Prediction, Prompt


class BoxFiller:
    """Answers a box by all of it, or by its first column."""

    def __init__(self, *, share: float = 1.0) -> None:
        self.share = share

    def embed(self, image: np.ndarray) -> "BoxFiller":
        self.shape = image.shape[:2]
        return self

    def predict(self, prompt: Prompt) -> Prediction:
        assert prompt.box is not None
        left, top, right, bottom = (int(edge) for edge in prompt.box)
        mask = np.zeros((1, *self.shape), dtype=np.bool_)
        mask[0, top:bottom, left : left + max(1, int(self.share * (right - left)))] = True
        zeros = np.zeros((1, 4, 4), dtype=np.float32)
        return Prediction(masks=mask, scores=np.ones(1, dtype=np.float32), logits=zeros)


def truth(shape: tuple[int, int]) -> np.ndarray:
    """Two rectangles that are boxed, and one that is too small."""
    true = np.zeros(shape, dtype=np.bool_)
    true[5:15, 10:30] = true[40:50, 40:44] = true[80:82, 80:82] = True
    return true


def test_a_person_keeps_what_fits_and_pays_for_every_box(samples: tuple[Sample, ...]) -> None:
    stack = samples[0].stack
    true = truth(stack.shape)
    view = outline(BoxFiller(), stack, true)
    assert view.seconds == LOOK_S + 2 * BOX_S
    assert np.array_equal(view.lost[:60], true[:60]) and not view.lost[60:].any()
    assert view.known.all()


def test_an_outline_that_does_not_fit_labels_nothing(samples: tuple[Sample, ...]) -> None:
    stack = samples[0].stack
    true = truth(stack.shape)
    view = outline(BoxFiller(share=0.25), stack, true)
    assert view.seconds == LOOK_S + 2 * BOX_S and not view.lost.any()
    assert not view.known[true[:60].nonzero()].any() and view.known[80, 80]


def test_the_last_clear_look_is_shown(samples: tuple[Sample, ...]) -> None:
    image = shown(samples[0].stack)
    assert image.dtype == np.uint8 and image.shape == (*samples[0].stack.shape, 3)
    assert np.ptp(image[..., 0]) == 255


def test_minutes_buy_boxes_and_boxes_a_map(
    place: Place, true: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clicks.sam, "load", lambda name, device: BoxFiller())
    task = Task(place=place)
    method = Clicked.fit(task, minutes=30.0)
    assert isinstance(method, Method)
    assert 0 < method.minutes <= 30.0 and method.boxes > 0
    found, lost = np.isfinite(method.map(task.read())), np.isfinite(true)
    assert 2 * (found & lost).sum() / (found.sum() + lost.sum()) > 0.8
    with pytest.raises(InputError, match=r"No loss was outlined in 0\.1 minutes"):
        Clicked.fit(task, minutes=0.1)


def windows(count: int, wrong: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Windows whose label is the sign of their first feature, but for some pixels of each."""
    rng = np.random.default_rng(3)
    features = [rng.standard_normal((300, 2)).astype(np.float32) for _ in range(count)]
    lost = [each[:, 0] > 0 for each in features]
    for each, seen in zip(lost, features, strict=True):
        sure = np.flatnonzero(np.abs(seen[:, 0]) > 0.5)  # far from the border
        turned = rng.choice(sure, wrong, replace=False)
        each[turned] = ~each[turned]
    return features, lost


def test_labels_that_other_windows_deny_are_not_taught() -> None:
    features, lost = windows(9, wrong=6)
    agreed = drop_contradicted_labels(features, lost)
    true = np.concatenate([each[:, 0] > 0 for each in features])
    right = np.concatenate(lost) == true
    assert (~right).sum() == 54
    assert agreed[~right].mean() < 0.1 and agreed[right].mean() > 0.95


def test_few_windows_judge_nobody() -> None:
    features, lost = windows(7, wrong=6)
    assert drop_contradicted_labels(features, lost).all()
    features, lost = windows(12, wrong=0)
    for each in lost[7:]:
        each[:] = False  # windows without a loss cannot judge one
    assert drop_contradicted_labels(features, lost).all()
