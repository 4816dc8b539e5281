from typing import Any

import numpy as np
import pytest
import torch

from rsedu.errors import InputError
from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot import Reference, embed_example, persam, similarity
from rsedu.segment.oneshot.persam import fit_mask_weights
from rsedu.segment.sam import Segmenter

Example = tuple[Embedded, Reference]


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


def test_persam_makes_its_three_passes(example: Example, spied: Any) -> None:
    embedded, reference = example
    fine = similarity(embedded, reference.target)
    found = persam.persam(embedded, reference)
    first, second, third = spied.prompts
    (top_col, top_row), (low_col, low_row) = first.points
    assert fine[int(top_row), int(top_col)] == fine.max()
    assert fine[int(low_row), int(low_col)] == fine.min()
    assert first.labels == (1, 0) and first.mask is None and first.box is None
    assert spied.singles == [True, False, False]
    assert spied.models[0] is not None and spied.models[1:] == [None, None]
    np.testing.assert_array_equal(second.mask, spied.answers[0].logits[0])
    middle = spied.answers[1]
    np.testing.assert_array_equal(third.mask, middle.logits[middle.best])
    rows, cols = np.nonzero(middle.mask)
    assert third.box == (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
    np.testing.assert_array_equal(found.mask, spied.answers[2].mask)
    assert found.similarity == pytest.approx(float(fine[found.mask].mean()))
    assert found.peak == pytest.approx(float(fine.max()))


def test_persam_f_mixes_the_three_masks_first(example: Example, spied: Any) -> None:
    embedded, reference = example
    weights = np.array([0.5, 0.2, 0.3], dtype=np.float32)
    persam.persam_f(embedded, reference, weights)
    first, second, third = spied.prompts
    assert first.labels == (1,) and not any(spied.singles)
    mixed = sum(
        weight * plane for weight, plane in zip(weights, spied.answers[0].logits, strict=True)
    )
    np.testing.assert_allclose(second.mask, mixed, rtol=1e-5, atol=1e-6)
    assert second.points == third.points == first.points
    middle = spied.answers[1]
    np.testing.assert_array_equal(third.mask, middle.logits[middle.best])


def test_weights_are_fitted_to_the_reference_itself(
    example: Example, monkeypatch: pytest.MonkeyPatch, spied: Any, square: np.ndarray
) -> None:
    embedded, reference = example
    fine = similarity(embedded, reference.strongest)
    given = {}

    def solve(logits: torch.Tensor, truth: torch.Tensor, **_: object) -> np.ndarray:
        given.update(logits=logits, truth=truth)
        return np.ones(3, dtype=np.float32)

    monkeypatch.setattr(persam, "fit_mask_weights", solve)
    persam.fit_weights(embedded, square, reference)
    row, col = np.unravel_index(fine.argmax(), fine.shape)
    assert [prompt.points for prompt in spied.prompts] == [((float(col), float(row)),)]
    np.testing.assert_array_equal(given["logits"], spied.answers[0].logits)
    assert given["truth"].shape == (64, 64)
    np.testing.assert_array_equal(given["truth"], square.reshape(64, 2, 64, 2).mean(axis=(1, 3)))


def test_weights_of_a_ring_are_learnt_where_the_ring_is(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    embedded = segmenter.embed(noise)
    ring = np.zeros((300, 300), dtype=bool)
    ring[60:240, 60:240] = True
    ring[76:224, 76:224] = False
    truths: list[torch.Tensor] = []

    def solve(logits: torch.Tensor, truth: torch.Tensor, **_: float) -> np.ndarray:
        truths.append(truth)
        return np.full(3, 1 / 3, dtype=np.float32)

    monkeypatch.setattr(persam, "fit_mask_weights", solve)
    reference = embed_example(embedded, ring)
    persam.fit_weights(embedded, ring, reference)
    assert truths[0].max() > 0.9
    with pytest.raises(InputError, match="the image"):
        persam.fit_weights(embedded, ring[:200], reference)


def test_a_click_is_the_most_similar_pixel_that_is_free(example: Example, spied: Any) -> None:
    embedded, reference = example
    fine = similarity(embedded, reference.target)
    free = np.zeros((128, 128), dtype=bool)
    free[90:, :40] = True
    found = persam.clicked(embedded, reference, free=free)
    ((col, row),) = spied.prompts[0].points
    assert free[int(row), int(col)] and fine[int(row), int(col)] == fine[free].max()
    assert found.peak == pytest.approx(float(fine[free].max()))
    np.testing.assert_array_equal(found.mask, spied.answers[0].mask)
