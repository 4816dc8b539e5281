"""One-shot search: all objects of a scene that resemble an example, or none.

Beyond the paper of `persam`: several references, several objects, and a threshold that finds
nothing where the class is absent.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rsedu.evaluation.masks import iou
from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot.persam import clicked
from rsedu.segment.oneshot.reference import Match, Reference, mean_inside, resemblance, top
from rsedu.segment.prompt import Prompt
from rsedu.segment.regions import interior_point
from rsedu.segment.tiles import Tile

#: Similarity from which a class counts as present: nine in ten present ones of validation worlds
#: reach it with the small model and one example (`data/results/07_oneshot.json`). Eight examples in
#: three looks need 0.77; another model needs its own.
PRESENT = 0.68
_SAME = 0.5  # IoU, or share, from which two findings are one object
_AGAIN = 2  # clicks in the middle of what was found
_APART_PX = 8  # between two clicks: a cell of the small model's embedding


def find(
    embedded: Embedded,
    reference: Reference,
    *,
    more: Sequence[tuple[Embedded, Reference]] = (),
    threshold: float = PRESENT,
    most: int = 16,
    closer: bool = True,
) -> tuple[Match, ...]:
    """Find all objects that resemble the reference, or none.

    In each tile, the most similar pixel that no object has yet is clicked, until it is less similar
    than the threshold. What was found twice counts once.

    Args:
        embedded: the image.
        reference: what is looked for.
        more: further looks at the same pixels, such as other bands, each with the reference as it
            is described there; similarities are means over all of them.
        threshold: similarity of the clicked pixel below which the class is absent.
        most: clicks per tile.
        closer: whether each object is clicked twice more, in its middle and in a closer look.

    Returns:
        The surest first, by `Match.confidence`; empty where nothing reaches the threshold.
    """
    looks = [(image, example.target) for image, example in ((embedded, reference), *more)]

    def at(tile: Tile, free: np.ndarray, fine: np.ndarray) -> Match:
        match = clicked(embedded, reference, tile=tile, free=free, fine=fine)
        return _centred(embedded, match, fine, tile) if closer else match

    matches = [
        match
        for tile in embedded.tiles
        for match in _in_tile(at, tile, resemblance(looks, tile=tile), threshold, most)
    ]
    different: list[Match] = []
    for match in sorted(matches, key=lambda match: -match.confidence):
        if all(iou(match.mask, other.mask) < _SAME for other in different):  # none is empty
            different.append(match)
    return tuple(different)


def _centred(embedded: Embedded, match: Match, fine: np.ndarray, tile: Tile) -> Match:
    """The same object, clicked in its middle: the most similar pixel often lies near its edge."""
    for _ in range(_AGAIN):
        if not match.mask.any():
            return match
        answer = embedded.predict(Prompt(points=(interior_point(match.mask),)))
        similar = mean_inside(fine, answer.mask[tile.window])
        score = float(answer.scores[answer.best])
        match = replace(match, mask=answer.mask, score=score, similarity=similar)
    return match


def _in_tile(
    at: Callable[[Tile, np.ndarray, np.ndarray], Match],
    tile: Tile,
    fine: np.ndarray,
    threshold: float,
    most: int,
) -> list[Match]:
    """Objects of one tile, each clicked where no other is yet."""
    free = np.ones((tile.rows, tile.cols), dtype=np.bool_)
    rows, cols = np.indices(free.shape)
    matches: list[Match] = []
    for _ in range(most):
        if not free.any() or np.where(free, fine, -np.inf).max() < threshold:
            break
        col, row = top(fine, free)
        match = at(tile, free, fine)
        inside = match.mask[tile.window]
        if inside.any() and (inside & ~free).sum() < _SAME * inside.sum():
            matches.append(match)
        # Round the click too, or an object that was missed is clicked again one pixel further.
        free &= ~inside & (np.maximum(abs(rows - row), abs(cols - col)) > _APART_PX)
    return matches
