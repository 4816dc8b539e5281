"""Lesson 02's answers on numbers worked out by hand, and beside the kit's own blocks."""

import numpy as np
import pytest
import torch

from rsedu import blocks
from rsedu.course import check, registry
from rsedu.lessons.masked_autoencoders.exercises import masked_loss, patchify, per_patch_norm


def test_patches_by_hand() -> None:
    image = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    np.testing.assert_array_equal(patchify(image, 1), [[1, 5], [2, 6], [3, 7], [4, 8]])
    np.testing.assert_array_equal(patchify(image, 2), [[1, 5, 2, 6, 3, 7, 4, 8]])


def test_patches_are_those_of_the_kit() -> None:
    image = np.random.default_rng(0).random((3, 8, 12))
    theirs = blocks.patchify(torch.from_numpy(image)[None], 4)[0].numpy()
    np.testing.assert_allclose(patchify(image, 4), theirs)


def test_normalised_patches_are_those_of_the_kit() -> None:
    patches = np.random.default_rng(0).random((5, 9))
    theirs = blocks.normalise_patches(torch.from_numpy(patches)[None])[0][0].numpy()
    np.testing.assert_allclose(per_patch_norm(patches), theirs)


@pytest.mark.parametrize(("mask", "loss"), [([1, 0], 5.0), ([0, 1], 2.0), ([1, 1], 3.5)])
def test_loss_by_hand(mask: list[int], loss: float) -> None:
    prediction, target = np.array([[1.0, 3.0], [0.0, 2.0]]), np.array([[2.0, 0.0], [0.0, 4.0]])
    assert masked_loss(prediction, target, np.array(mask)) == pytest.approx(loss)


def test_a_torn_patch_is_told_so() -> None:
    verdict = check.evaluate(
        "patchify", lambda image, size: image.reshape(-1, size**2 * len(image))
    )
    assert verdict.diagnosis == "torn"


def test_the_lesson_has_six_exercises() -> None:
    assert [exercise.id for exercise in registry.exercises("02")] == [
        "patchify",
        "random_mask",
        "put_back",
        "masked_loss",
        "per_patch_norm",
        "attention_pairs",
    ]
