"""Track C: which outlines a person keeps, what it costs, and what is learnt of them."""

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.evaluation.masks import dice
from rsedu.project.methods import clicks
from rsedu.project.methods.baselines import Sample
from rsedu.project.methods.clicks import (
    BOX_S,
    LOOK_S,
    Clicked,
    change_of,
    drop_contradicted_labels,
    outline,
    refine_boundary,
    shown,
)
from rsedu.project.place import Place
from rsedu.project.task import Task
from rsedu.project.windows import Method
from rsedu.scenes.bands import S2_BANDS
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
    view = outline(BoxFiller(share=0.25), stack, true)  # does not fit, so labels nothing
    assert view.seconds == LOOK_S + 2 * BOX_S and not view.lost.any()
    assert not view.known[true[:60].nonzero()].any() and view.known[80, 80]
    image = shown(stack)
    assert image.dtype == np.uint8 and image.shape == (*stack.shape, 3)
    assert np.ptp(image[..., 0]) == 255


def test_minutes_buy_boxes_and_boxes_a_map(
    place: Place, true: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clicks.sam, "load", lambda name, device: BoxFiller())
    task = Task(place=place)
    method = Clicked.fit(task, minutes=30.0)
    assert isinstance(method, Method)
    assert 0 < method.minutes <= 30.0 and method.boxes > 0
    assert dice(np.isfinite(method.map(task.read())), np.isfinite(true)) > 0.8
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


CUT = np.array([0.08, -0.2, 0.12, 0.15], dtype=np.float32)[:, None, None]


def share_of_disc(centre: tuple[float, float], radius: float, side: int) -> np.ndarray:
    """Share of each pixel that a disc covers, from 10 x 10 points in it."""
    at = (np.arange(10 * side) + 0.5) / 10 - 0.5
    inside = np.hypot(at[:, None] - centre[0], at[None, :] - centre[1]) <= radius
    return inside.reshape(side, 10, side, 10).mean(axis=(1, 3))


def changed(share: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """Change of reflectance: linear in the share that was cut, and noise."""
    rng = np.random.default_rng(0)
    spread = noise * rng.standard_normal((4, *share.shape))
    return (CUT * share + spread).astype(np.float32)


def test_an_outline_that_is_too_large_or_too_small_finds_its_pixels() -> None:
    share = share_of_disc((30.3, 29.8), 11.4, 60)
    true = share > 0.5
    for radius in (9.9, 12.9):
        drawn = share_of_disc((30.3, 29.8), radius, 60) > 0.5
        again = refine_boundary(drawn, changed(share))
        assert (drawn ^ true).sum() > 80 and (again ^ true).sum() <= 6


def test_the_border_is_half_way_in_reflectance() -> None:
    share = np.zeros((40, 40))
    share[8:32, 8:32] = 1.0
    share[8:32, 32] = np.linspace(0.05, 0.95, 24)  # one column is mixed, more and more of it cut
    again = refine_boundary(share > 0.01, changed(share, noise=1e-4))
    assert np.array_equal(again, share > 0.5)


def test_each_outline_is_told_by_its_own_change() -> None:
    faint, strong = share_of_disc((20, 20), 9.4, 80), share_of_disc((58, 58), 9.4, 80)
    change = changed(0.3 * faint + strong, noise=0.003)
    drawn = (share_of_disc((20, 20), 10.6, 80) > 0.5) | (share_of_disc((58, 58), 8.4, 80) > 0.5)
    true = (faint > 0.5) | (strong > 0.5)
    assert (refine_boundary(drawn, change) ^ true).sum() <= 8 < (drawn ^ true).sum() / 8


def test_what_cannot_be_told_stays_as_it_is() -> None:
    share = share_of_disc((30, 30), 11.4, 60)
    drawn = share_of_disc((30, 30), 13, 60) > 0.5
    unseen = np.full((4, 60, 60), np.nan, dtype=np.float32)
    assert np.array_equal(refine_boundary(drawn, unseen), drawn)
    speck = np.zeros((60, 60), dtype=np.bool_)
    speck[30, 30:33] = True
    assert np.array_equal(refine_boundary(speck, changed(share)), speck)
    empty = np.zeros((60, 60), dtype=np.bool_)
    assert not refine_boundary(empty, changed(share)).any()
    half = changed(share)
    half[:, :, 30:] = np.nan  # a cloud over the east
    again = refine_boundary(drawn, half)
    assert np.array_equal(again[:, 30:], drawn[:, 30:])
    assert (again[:, :30] ^ (share > 0.5)[:, :30]).sum() <= 3


def test_the_change_is_that_of_the_first_and_the_last_clear_look(
    samples: tuple[Sample, ...],
) -> None:
    stack = samples[0].stack
    change = change_of(stack)
    row, col = np.argwhere(stack.clear.any(axis=0))[0]
    clear = np.flatnonzero(stack.clear[:, row, col])
    for band, name in enumerate(("B04", "B08", "B11", "B12")):
        seen = stack.optical[:, S2_BANDS.index(name), row, col]
        assert change[band, row, col] == seen[clear[-1]] - seen[clear[0]]
