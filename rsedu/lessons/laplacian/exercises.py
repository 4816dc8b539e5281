"""Laplacian pyramid, taken apart and put together: exercises of lesson 04.

Images are (rows, cols) numpy arrays, any unit. `laplacian.spectra` holds the second half.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.laplacian.detail import upsample_bilinear
from rsedu.lessons.laplacian.spectra import BAND_LOSSES, LOW_TARGET, RADIAL_POWER

Array = NDArray[Any]


def _image(seed: int, rows: int, cols: int) -> Array:
    return np.random.default_rng(seed).normal(size=(rows, cols)).round(3)


def shrink(image: Array, n: int) -> Array:
    """Means of blocks of n x n pixels."""
    rows, cols = image.shape
    return np.asarray(image.reshape(rows // n, n, cols // n, n).mean(axis=(1, 3)))


SHRINK = Exercise(
    id="shrink",
    lesson="04",
    title="A coarser pixel",
    points=2,
    minutes=4,
    difficulty=1,
    reference=shrink,
    cases=(
        lambda: (np.arange(24.0).reshape(4, 6) ** 2 % 17, 2),
        lambda: (_image(41, 6, 9), 3),
        lambda: (_image(42, 15, 10), 5),
    ),
    invariants=(
        Invariant(
            "the mean of the whole image stays",
            lambda answer, image, n: (
                np.isclose(answer.mean() - image.mean(), 0, atol=10)
                and answer.size * n * n == image.size
            ),
        ),
    ),
    misconceptions=(
        Misconception(
            "picked",
            lambda image, n: image[::n, ::n],
            "You keep one pixel of each block. Detail too fine for the new grid is then not "
            "averaged away: it comes back as false coarse detail (aliasing). Average the block.",
        ),
        Misconception(
            "torn",
            lambda image, n: image.reshape(image.shape[0] // n, image.shape[1] // n, n, n).mean(
                axis=(2, 3)
            ),
            "Your blocks are torn: n x n neighbours along one row, not a square. Cut each axis "
            "where it stands: reshape to (rows // n, n, cols // n, n).",
        ),
        Misconception(
            "summed",
            lambda image, n: n * n * shrink(image, n),
            "Each value is n x n times too large: that is the sum of a block. A pixel's "
            "reflectance is the mean of what lies in it.",
        ),
        Misconception(
            "wrong axes averaged",
            lambda image, n: image.reshape(n, image.shape[0] // n, n, image.shape[1] // n).mean(
                axis=(0, 2)
            ),
            "You averaged pixels that lie a whole block apart: in reshape, the number of blocks "
            "comes first and n, the place within the block, second.",
        ),
        Misconception(
            "middle value",
            lambda image, n: np.median(
                image.reshape(image.shape[0] // n, n, image.shape[1] // n, n), axis=(1, 3)
            ),
            "That is the median, which ignores the road that crosses a block. A sensor adds light "
            "up: take the mean.",
        ),
    ),
)


def take_apart(image: Array, levels: int) -> list[Array]:
    """Detail of each level, finest first, and what is left."""
    parts = []
    for _ in range(levels):
        coarse = shrink(image, 2)
        parts.append(image - upsample_bilinear(coarse, image.shape))
        image = coarse
    return [*parts, image]


def _apart(step: Callable[[Array, Array], Array]) -> Callable[[Array, int], list[Array]]:
    """Take apart with another idea of what a level's detail is: of the image and its coarse one."""

    def taken(image: Array, levels: int) -> list[Array]:
        parts = []
        for _ in range(levels):
            coarse = shrink(image, 2)
            parts.append(step(image, coarse))
            image = coarse
        return [*parts, image]

    return taken


def _from_the_detail(image: Array, levels: int) -> list[Array]:
    parts = []
    for _ in range(levels):
        coarse = shrink(image, 2)
        image = image - upsample_bilinear(coarse, image.shape)
        parts.append(image)
        image = shrink(image, 2)
    return [*parts, image]


TAKE_APART = Exercise(
    id="take_apart",
    lesson="04",
    title="A pyramid by hand",
    points=3,
    minutes=7,
    difficulty=2,
    reference=take_apart,
    cases=(
        lambda: (np.arange(64.0).reshape(8, 8) ** 2 % 19, 2),
        lambda: (_image(43, 8, 12), 2),
        lambda: (_image(44, 24, 16), 3),
    ),
    misconceptions=(
        Misconception(
            "upside down",
            lambda image, levels: take_apart(image, levels)[::-1],
            "All parts are right, and in the wrong order: the finest detail comes first, what is "
            "left comes last.",
        ),
        Misconception(
            "sign",
            _apart(lambda image, coarse: upsample_bilinear(coarse, image.shape) - image),
            "The sign is turned: detail is the image minus its coarse version, so that adding it "
            "back gives the image.",
        ),
        Misconception(
            "blurred, not detail",
            _apart(lambda image, coarse: upsample_bilinear(coarse, image.shape)),
            "These are the blurred images. Detail is what the blur took away: subtract.",
        ),
        Misconception(
            "blocks",
            _apart(lambda image, coarse: image - np.kron(coarse, np.ones((2, 2)))),
            "You enlarged by repeating pixels. That can be put together too, but its bands hold "
            "the edges of blocks; use enlarge(), which is linear between the pixels' centres.",
        ),
        Misconception(
            "detail taken apart",
            _from_the_detail,
            "The second level is made from the first one's detail, in which nothing coarse is "
            "left. Go on with the coarse image.",
        ),
    ),
)


def put_together(parts: list[Array]) -> Array:
    """The image again: enlarge, add the next finer detail, and so on."""
    *details, image = parts
    for detail in reversed(details):
        image = upsample_bilinear(image, detail.shape) + detail
    return image


def _parts(seed: int, rows: int, cols: int, levels: int) -> list[Array]:
    sizes = [(rows >> level, cols >> level) for level in range(levels + 1)]
    return [_image(seed + level, *size) for level, size in enumerate(sizes)]


def _without_rest(parts: list[Array]) -> Array:
    return put_together([*parts[:-1], np.zeros_like(parts[-1])])


def _rest_only(parts: list[Array]) -> Array:
    return put_together([*(np.zeros_like(part) for part in parts[:-1]), parts[-1]])


def _in_one_go(parts: list[Array]) -> Array:
    return np.asarray(sum(upsample_bilinear(part, parts[0].shape) for part in parts))


def _blocks(parts: list[Array]) -> Array:
    *details, image = parts
    for detail in reversed(details):
        image = np.kron(image, np.ones((2, 2))) + detail
    return image


PUT_TOGETHER = Exercise(
    id="put_together",
    lesson="04",
    title="Nothing is lost",
    points=3,
    minutes=6,
    difficulty=2,
    reference=put_together,
    cases=(
        lambda: (_parts(45, 4, 8, 2),),
        lambda: (take_apart(_image(46, 16, 24), 3),),
        lambda: (_parts(47, 12, 20, 2),),
    ),
    invariants=(
        Invariant(
            "the image is as large as the finest detail",
            lambda answer, parts: answer.shape == parts[0].shape,
        ),
    ),
    misconceptions=(
        Misconception(
            "rest forgotten",
            _without_rest,
            "The coarsest image is missing: details alone have no brightness. Begin with the last "
            "part.",
        ),
        Misconception(
            "details forgotten",
            _rest_only,
            "That is the coarsest image enlarged, a blur: add each level's detail on the way up.",
        ),
        Misconception(
            "in one go",
            _in_one_go,
            "You enlarged each part to full size in one step. Two enlargements by 2 are not one "
            "by 4: go back by the very steps that were taken on the way down, or it is not exact.",
        ),
        Misconception(
            "subtracted",
            lambda parts: put_together([*(-part for part in parts[:-1]), parts[-1]]),
            "The details are subtracted: they were image minus blur, so image = blur plus detail.",
        ),
        Misconception(
            "blocks",
            _blocks,
            "You enlarged by repeating pixels, and the details were made with enlarge(), which is "
            "linear between centres: use the same enlargement both ways.",
        ),
    ),
)

EXERCISES = (SHRINK, TAKE_APART, PUT_TOGETHER, RADIAL_POWER, BAND_LOSSES, LOW_TARGET)
