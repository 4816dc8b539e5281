import math

import numpy as np
import pytest
import torch

from rsedu.segment.learning.losses import dice, focal, overlap


def test_focal_is_its_formula_cell_by_cell() -> None:
    logits, targets = torch.randn(2, 5, 6), (torch.rand(2, 5, 6) < 0.5).float()
    expected = []
    for plane, target in zip(logits.tolist(), targets.tolist(), strict=True):
        cells = []
        for row, aims in zip(plane, target, strict=True):
            for x, aim in zip(row, aims, strict=True):
                p = 1 / (1 + math.exp(-x))
                p_t, alpha_t = (p, 0.3) if aim else (1 - p, 0.7)
                cells.append(-alpha_t * (1 - p_t) ** 2.5 * math.log(p_t))
        expected.append(sum(cells) / len(cells))
    found = focal(logits, targets, alpha=0.3, gamma=2.5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_dice_of_hard_masks_is_that_of_sets() -> None:
    truth, predicted = torch.zeros(1, 10, 10), torch.full((1, 10, 10), -50.0)
    truth[0, :4], predicted[0, 2:5] = 1, 50.0
    assert float(dice(predicted, truth)) == pytest.approx(1 - (2 * 20 + 1) / (40 + 30 + 1))


def test_overlap_is_the_iou_at_logit_zero() -> None:
    truth, predicted = torch.zeros(1, 10, 10), torch.full((1, 10, 10), -0.1)
    truth[0, :4], truth[0, 4], predicted[0, 2:5] = 1, 0.4, 0.1
    assert float(overlap(predicted, truth)) == pytest.approx(20 / 50)
