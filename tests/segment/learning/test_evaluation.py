from pathlib import Path

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.segment.learning import evaluation
from rsedu.segment.learning.dataset import BANDS, CLASS, PLOT, PracticeTiles
from rsedu.segment.learning.model import SamTraining, product
from rsedu.segment.prompt import Prediction, Prompt
from rsedu.segment.tiny_sam import TinySamConfig


class _Learner:
    """An embedded image that corrects 3 x 3 pixels round each click."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape, self.prompts = shape, list[Prompt]()

    def predict(self, prompt: Prompt) -> Prediction:
        self.prompts.append(prompt)
        mask = np.zeros(self.shape, dtype=bool)
        if prompt.box is not None:
            left, top, right, bottom = (int(edge) for edge in prompt.box)
            mask[top:bottom, left:right] = True
        for (col, row), label in zip(prompt.points, prompt.labels, strict=True):
            mask[int(row) - 1 : int(row) + 2, int(col) - 1 : int(col) + 2] = bool(label)
        logits = np.full((3, 64, 64), len(self.prompts), dtype=np.float32)
        return Prediction(
            masks=np.stack([~mask, mask, mask & False]),
            scores=np.array([0.1, 0.9, 0.5], dtype=np.float32),
            logits=logits + np.arange(3, dtype=np.float32)[:, None, None] / 10,
        )


def _truth() -> np.ndarray:
    truth = np.zeros((12, 12), dtype=bool)
    truth[0:3, 0:9] = True
    return truth


def test_clicks_go_where_the_mask_is_wrong_and_carry_the_last_logits() -> None:
    learner = _Learner((12, 12))
    answers = evaluation.iou_after_clicks(learner, _truth(), clicks=5)
    assert len(answers) == 5 and len(learner.prompts) == 3  # nothing is wrong after three
    first, second, third = learner.prompts
    assert first.mask is None and second.mask is not None and third.mask is not None
    assert float(second.mask[0, 0]) == pytest.approx(1.1)  # of the first answer's best mask
    assert float(third.mask[0, 0]) == pytest.approx(2.1)
    assert sorted(col for col, _ in third.points) == [1, 4, 7]
    np.testing.assert_array_equal(answers[-1].mask, _truth())
    with pytest.raises(InputError, match="empty"):
        evaluation.iou_after_clicks(_Learner((12, 12)), _truth() & False, clicks=1)


def test_measures_are_ious_of_what_was_answered() -> None:
    learner = _Learner((12, 12))
    found = evaluation.measure(learner, _truth(), clicks=2)
    assert found == {
        "1 click": pytest.approx(9 / 27),
        "1 click, best of three": pytest.approx(9 / 27),
        "box": 1.0,
        "2 clicks": pytest.approx(18 / 27),
    }
    assert learner.prompts[-1].box == (0.0, 0.0, 9.0, 3.0)


def test_the_best_of_three_is_the_one_a_user_would_take() -> None:
    truth = ~_truth()
    truth[5:9, 5:9] = False
    found = evaluation.measure(_Learner((12, 12)), truth, clicks=1)
    assert found["1 click, best of three"] > found["1 click"]


def test_objects_that_count_are_neither_small_nor_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tile = np.zeros((len(BANDS) + 3, 32, 32), dtype=np.uint8)
    tile[PLOT, :19], tile[PLOT, 19, :7] = 1, 1  # 615 of 1024 are more than six tenths
    tile[PLOT, 22:26, 0:4] = 2
    tile[PLOT, 30, 30:32] = 3  # 2 of 1024 are less than 1/256
    tile[PLOT, 28, 0:4] = 4  # 4 are just enough
    tile[CLASS] = 1
    for number in range(len(BANDS)):
        tile[number] = number
    monkeypatch.setattr(PracticeTiles, "tile", lambda self, index: tile)
    tiles = PracticeTiles(worlds=range(1), folder=Path())
    assert [int(mask.sum()) for mask in evaluation.objects_of(tiles, 0)] == [16, 4]
    drawn = [int(evaluation.objects_of(tiles, 0, most=1)[0].sum()) for _ in range(3)]
    assert drawn in ([16] * 3, [4] * 3)
    assert len(evaluation.objects_of(tiles, 0, most=5)) == 2
    tile[PLOT, 19, 6], tile[PLOT, 28, 3] = 0, 0
    assert [int(mask.sum()) for mask in evaluation.objects_of(tiles, 0)] == [614, 16]
    image = evaluation.colours(tiles, 0, ("B08", "B04", "VV"))
    assert image.shape == (32, 32, 3)
    assert image[0, 0].tolist() == [BANDS.index("B08"), BANDS.index("B04"), BANDS.index("VV")]


def test_with_a_gsd_the_bias_is_told_too() -> None:
    found = evaluation.measure(_Learner((12, 12)), _truth(), clicks=1, gsd_m=10)
    assert found["box, bias m"] == found["box, bias %"] == 0.0
    assert found["1 click, bias %"] == pytest.approx(100 * (9 - 27) / 27)
    assert found["1 click, bias m"] < 0


def test_the_curve_is_told_in_parts_without_the_dense_steps() -> None:
    first = np.concatenate([np.full(20, np.nan), np.linspace(0, 0.59, 60)])
    curve = evaluation.curve({"first": first})
    assert len(curve) == 6
    (first_name, *_, last_name) = curve
    assert first_name.endswith("steps 20 to 29") and last_name.endswith("steps 70 to 79")
    assert (curve[first_name], curve[last_name]) == pytest.approx((0.045, 0.545))
    # A run shorter than its parts is told too.
    assert list(evaluation.curve({"first": np.array([0.5, 0.7])}).values()) == [0.5, 0.7]


def test_the_card_tells_the_iou_of_every_prompt(
    tmp_path: Path, small: TinySamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = np.zeros((17, 32, 32), dtype=np.uint8)
    tile[:14, 4:12, 4:14] = 200
    tile[15:, 4:12, 4:14] = 1
    monkeypatch.setattr(PracticeTiles, "prepare", lambda self, **_: None)
    monkeypatch.setattr(PracticeTiles, "__len__", lambda self: 2)
    monkeypatch.setattr(PracticeTiles, "tile", lambda self, index: tile)
    torch.manual_seed(0)
    model = SamTraining(small)
    found = evaluation.evaluate(model, {"first": np.array([0.5])}, range(9), tmp_path)
    told = {name for name in found if name.startswith("mean IoU")}
    assert len(told) == 8 and all(np.isfinite(value) for value in found.values())
    assert "mean IoU on validation worlds, B08 B04 B03, 5 clicks" in told
    assert product(model) is model.sam
