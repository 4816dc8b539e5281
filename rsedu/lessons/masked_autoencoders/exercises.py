"""Patches, their loss and their normalisation: exercises of lesson 02; masks are in `masking`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.masked_autoencoders.masking import ATTENTION_PAIRS, PUT_BACK, RANDOM_MASK

Array = NDArray[Any]


def _image(seed: int, shape: tuple[int, int, int], size: int) -> tuple[Any, ...]:
    return np.random.default_rng(seed).random(shape), size


def _blocks(image: Array, size: int) -> Array:
    """(bands, rows, y, cols, x): both sides cut where they stand."""
    bands, height, width = image.shape
    return image.reshape(bands, height // size, size, width // size, size)


def patchify(image: Array, size: int) -> Array:
    """(N, size * size * bands) patches row by row, in each the pixels row by row, bands last."""
    blocks = _blocks(image, size)
    count = blocks.shape[1] * blocks.shape[3]
    return blocks.transpose(1, 3, 2, 4, 0).reshape(count, -1)


def _patch_order(image: Array, size: int, *order: int) -> Array:
    blocks = _blocks(image, size)
    count = blocks.shape[1] * blocks.shape[3]
    return blocks.transpose(*order).reshape(count, -1)


PATCHIFY = Exercise(
    id="patchify",
    lesson="02",
    title="Cut an image into patches",
    points=3,
    minutes=7,
    difficulty=2,
    reference=patchify,
    cases=(
        lambda: (np.arange(48.0).reshape(2, 4, 6), 2),
        lambda: _image(25, (4, 6, 9), 3),
        lambda: _image(26, (3, 8, 4), 4),
    ),
    misconceptions=(
        Misconception(
            "torn",
            lambda image, size: image.reshape(-1, size * size * image.shape[0]),
            "Each of your patches is a run of neighbours along one row: reshape alone never moves "
            "a number. Cut rows and columns into (rows, y) and (cols, x) first, then bring the "
            "axes into order, then flatten.",
        ),
        Misconception(
            "bands first",
            lambda image, size: _patch_order(image, size, 1, 3, 0, 2, 4),
            "The patches are right; inside a patch the bands come first. Wanted: pixel by pixel, "
            "with all bands of a pixel side by side.",
        ),
        Misconception(
            "columns before rows",
            lambda image, size: _patch_order(image, size, 3, 1, 2, 4, 0),
            "Your patches run down the columns of the grid; wanted is row by row, as one reads.",
        ),
        Misconception(
            "patches turned",
            lambda image, size: _patch_order(image, size, 1, 3, 4, 2, 0),
            "Each patch is mirrored on its diagonal: inside a patch go row by row, y before x.",
        ),
        Misconception(
            "one patch per band",
            lambda image, size: _patch_order(image, size, 0, 1, 3, 2, 4).reshape(
                -1, size * size * image.shape[0]
            ),
            "You cut each band for itself, one after the other; a patch holds all bands of its "
            "pixels.",
        ),
    ),
    invariants=(
        Invariant(
            "every value of the image appears as often as before",
            lambda answer, image, size: np.array_equal(
                np.sort(answer.ravel()), np.sort(image, None)
            ),
        ),
    ),
)


def _guess(seed: int, tokens: int, values: int, hidden: int) -> tuple[Any, ...]:
    draw = np.random.default_rng(seed)
    mask = (draw.permutation(tokens) < hidden).astype(float)
    return draw.normal(size=(tokens, values)), draw.normal(size=(tokens, values)), mask


def masked_loss(prediction: Array, target: Array, mask: Array) -> float:
    """Mean squared error over the values of hidden patches."""
    per_patch = ((prediction - target) ** 2).mean(axis=1)
    return float((per_patch * mask).sum() / mask.sum())


def _squares(prediction: Array, target: Array) -> Array:
    return np.asarray((prediction - target) ** 2)


MASKED_LOSS = Exercise(
    id="masked_loss",
    lesson="02",
    title="What counts: the hidden patches",
    points=2,
    minutes=4,
    difficulty=1,
    reference=masked_loss,
    cases=(
        lambda: (
            np.array([[1.0, 2.0], [5.0, 3.0], [0.0, 4.0], [2.0, 2.0]]),
            np.array([[1.0, 5.0], [4.0, 1.0], [2.0, 0.0], [0.0, 1.0]]),
            np.array([1.0, 0.0, 1.0, 1.0]),
        ),
        lambda: _guess(27, 9, 6, 5),
        lambda: _guess(28, 16, 4, 12),
    ),
    misconceptions=(
        Misconception(
            "all patches",
            lambda p, t, mask: _squares(p, t).mean(),
            "You average over all patches. The visible ones were given: copying them would pass "
            "for learning. Only those with mask 1 count.",
        ),
        Misconception(
            "visible patches",
            lambda p, t, mask: (_squares(p, t).mean(axis=1) * (1 - mask)).sum() / (1 - mask).sum(),
            "You average over the visible patches: mask is 1 where a patch was hidden.",
        ),
        Misconception(
            "divided by all",
            lambda p, t, mask: (_squares(p, t).mean(axis=1) * mask).mean(),
            "You sum over hidden patches and divide by the number of all: then the loss falls as "
            "less is hidden, though nothing got better. Divide by mask.sum().",
        ),
        Misconception(
            "summed over values",
            lambda p, t, mask: (_squares(p, t).sum(axis=1) * mask).sum() / mask.sum(),
            "You sum over the values of a patch: then larger patches have a larger loss. Take "
            "their mean.",
        ),
        Misconception(
            "absolute",
            lambda p, t, mask: (np.abs(p - t).mean(axis=1) * mask).sum() / mask.sum(),
            "These are absolute differences; the masked autoencoder squares them.",
        ),
        Misconception(
            "root",
            lambda p, t, mask: np.sqrt((_squares(p, t).mean(axis=1) * mask).sum() / mask.sum()),
            "You took the root at the end: that is the RMSE; wanted is the mean square itself.",
        ),
    ),
)


def _patches(seed: int, tokens: int, values: int) -> tuple[Array]:
    draw = np.random.default_rng(seed)
    return (draw.normal(draw.normal(size=(tokens, 1)), 0.3, size=(tokens, values)),)


def per_patch_norm(patches: Array) -> Array:
    """Each patch shifted to mean 0 and scaled to variance 1 (that of a sample)."""
    mean = patches.mean(axis=1, keepdims=True)
    variance = patches.var(axis=1, ddof=1, keepdims=True)
    return np.asarray((patches - mean) / np.sqrt(variance + 1e-6))


def _normed(patches: Array, axis: int | None, ddof: int = 1, eps: float = 1e-6) -> Array:
    shifted = patches - patches.mean(axis=axis, keepdims=True)
    return np.asarray(shifted / np.sqrt(patches.var(axis=axis, ddof=ddof, keepdims=True) + eps))


PER_PATCH_NORM = Exercise(
    id="per_patch_norm",
    lesson="02",
    title="Each patch on its own scale",
    points=2,
    minutes=4,
    difficulty=1,
    reference=per_patch_norm,
    cases=(
        lambda: (np.array([[1.0, 2.0, 3.0, 6.0], [10.0, 10.5, 9.0, 10.5], [0.0, 4.0, 4.0, 8.0]]),),
        lambda: _patches(29, 7, 12),
        lambda: (np.vstack([np.full((1, 6), 0.4), _patches(30, 4, 6)[0]]),),
    ),
    misconceptions=(
        Misconception(
            "over the whole image",
            lambda patches: _normed(patches, None),
            "One mean and one deviation for all patches: a bright patch stays bright. Take them "
            "patch by patch, along the last axis.",
        ),
        Misconception(
            "wrong axis",
            lambda patches: _normed(patches, 0),
            "You normalise each position over all patches (axis 0); wanted is each patch over its "
            "own values (axis 1).",
        ),
        Misconception(
            "only shifted",
            lambda patches: patches - patches.mean(axis=1, keepdims=True),
            "The mean is gone, the contrast is not: divide by the deviation too.",
        ),
        Misconception(
            "divided by the variance",
            lambda patches: (
                (patches - patches.mean(axis=1, keepdims=True))
                / (patches.var(axis=1, ddof=1, keepdims=True) + 1e-6)
            ),
            "You divide by the variance: its root has the unit of the pixels.",
        ),
        Misconception(
            "variance over n",
            lambda patches: _normed(patches, 1, ddof=0),
            "Your variance divides by n; that of a sample, which torch's var gives and the "
            "released code uses, divides by n - 1: ddof=1 in numpy.",
        ),
        Misconception(
            "flat patch divides by zero",
            lambda patches: _normed(patches, 1, eps=0.0),
            "A flat patch (open water) has variance 0, and 0 / 0 is no number: add 1e-6 to the "
            "variance before you take the root.",
        ),
    ),
    invariants=(
        Invariant(
            "every patch has mean 0",
            lambda answer, patches: np.allclose(answer.mean(axis=1), 0, atol=1e-6),
        ),
    ),
)

EXERCISES = (
    PATCHIFY,
    RANDOM_MASK,
    PUT_BACK,
    MASKED_LOSS,
    PER_PATCH_NORM,
    ATTENTION_PAIRS,
)
