import numpy as np
import pytest
import torch

from rsedu.segment.oneshot.persam import fit_mask_weights


def _logits(*levels: float) -> torch.Tensor:
    """Masks that differ in where they are object: rows 0 to 3, 0 to 7, 0 to 11 of 16."""
    planes = torch.full((3, 16, 16), -4.0)
    for number, rows in enumerate((4, 8, 12)):
        planes[number, :rows] = levels[number] if levels else 4.0
    return planes


@pytest.mark.parametrize("right", [0, 1, 2])
def test_weights_go_to_the_mask_that_is_right(right: int) -> None:
    logits = _logits()
    weights = fit_mask_weights(logits, (logits[right] > 0).float())
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert int(weights.argmax()) == right
    assert weights[right] > 0.5


def test_weights_are_those_of_the_published_loop() -> None:
    torch.manual_seed(3)
    logits, truth = torch.randn(3, 9, 9), (torch.rand(9, 9) < 0.4).float()
    pair = torch.nn.Parameter(torch.ones(2, 1) / 3)
    optimizer = torch.optim.AdamW([pair], lr=1e-3, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
    for _ in range(50):
        whole = torch.cat((1 - pair.sum(0, keepdim=True), pair), dim=0)
        flat = (logits.flatten(1) * whole).sum(0)
        chance = flat.sigmoid()
        target = truth.flatten()
        dice = 1 - (2 * (chance * target).sum() + 1) / (chance.sum() + target.sum() + 1)
        p_t = chance * target + (1 - chance) * (1 - target)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(
            flat, target, reduction="none"
        )
        focal = (entropy * (1 - p_t) ** 2 * (0.25 * target + 0.75 * (1 - target))).mean()
        optimizer.zero_grad()
        (dice + focal).backward()
        optimizer.step()
        schedule.step()
    expected = torch.cat((1 - pair.sum(0, keepdim=True), pair), dim=0)[:, 0].detach()
    np.testing.assert_allclose(
        fit_mask_weights(logits, truth, steps=50), expected, rtol=1e-4, atol=1e-5
    )
