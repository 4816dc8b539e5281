"""One example instead of clicks: PerSAM, PerSAM-F, and several objects of a scene.

Zhang et al. 2024, "Personalize Segment Anything Model with One Shot" (arXiv 2305.03048). The mean
embedding of one masked object is compared with every cell of an image; the most similar place is
the click. Beyond the paper: several references, several objects, and a threshold that finds
nothing where the class is absent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float32
from torch.nn import functional as F

from rsedu.errors import InputError
from rsedu.segment.answer import Prediction
from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot.guided_attention import guided
from rsedu.segment.oneshot.persam import fit_mask_weights
from rsedu.segment.oneshot.reference import (
    Reference,
    combined,
    cosine_map,
    embed_example,
    likelihood,
    resemblance,
    similarity,
    similarity_map,
    the_tile,
    tile_of,
    top,
)
from rsedu.segment.prompt import Prompt, box_of
from rsedu.segment.regions import interior_point
from rsedu.segment.tiles import Tile, agreement

__all__ = [
    "PRESENT",
    "Match",
    "Reference",
    "clicked",
    "combined",
    "cosine_map",
    "embed_example",
    "find",
    "fit_mask_weights",
    "fit_weights",
    "likelihood",
    "persam",
    "persam_f",
    "resemblance",
    "similarity",
    "similarity_map",
]

Method = Literal["click", "persam", "persam_f"]

#: Similarity from which a class counts as present: nine in ten present ones of validation worlds
#: reach it with the small model and one example (`data/results/07_oneshot.json`). Eight examples in
#: three looks need 0.77; another model needs its own.
PRESENT = 0.68
_SAME = 0.5  # IoU, or share, from which two findings are one object
_AGAIN = 2  # clicks in the middle of what was found
_APART_PX = 8  # between two clicks: a cell of the small model's embedding


@dataclass(frozen=True, kw_only=True, eq=False)
class Match:
    """One object that resembles the reference.

    Attributes:
        mask: on the image's pixels.
        score: IoU with the truth that the model predicts.
        similarity: mean cosine similarity of the mask's pixels to the target, -1 to 1.
        peak: that of the pixel which was clicked.
    """

    mask: Bool[np.ndarray, "rows cols"]
    score: float
    similarity: float
    peak: float

    @property
    def confidence(self) -> float:
        """Similarity times predicted IoU: high where it is alike *and* has an outline."""
        return self.similarity * self.score


def _found(
    embedded: Embedded, answer: Prediction, fine: np.ndarray, tile: Tile, click: tuple[float, float]
) -> Match:
    """What an answer in a tile is, on the whole image."""
    mask = np.zeros(embedded.shape, dtype=np.bool_)
    mask[tile.window] = answer.mask
    return Match(
        mask=mask,
        score=float(answer.scores[answer.best]),
        similarity=_inside(fine, answer.mask),
        peak=float(fine[int(click[1]), int(click[0])]),
    )


def _inside(fine: np.ndarray, mask: np.ndarray) -> float:
    return float(fine[mask].mean()) if mask.any() else -1.0


def clicked(
    embedded: Embedded,
    reference: Reference,
    *,
    tile: Tile | None = None,
    free: Bool[np.ndarray, "rows cols"] | None = None,
    fine: Float32[np.ndarray, "rows cols"] | None = None,
) -> Match:
    """The plainest way: one click on the most similar pixel, no guidance, no refinement.

    Args:
        embedded: the image.
        reference: what is looked for.
        tile: which; None: the only one.
        free: pixels of the tile where the object may be clicked; None: all.
        fine: similarity of the tile's pixels, such as the `resemblance` of several looks; None:
            `similarity` to the target.

    Raises:
        InputError: the image has several tiles and none was named.
    """
    tile = the_tile(embedded, tile)
    fine = similarity(embedded, reference.target, tile=tile) if fine is None else fine
    place = top(fine, free)
    return _found(embedded, embedded.ask(tile, Prompt(points=(place,))), fine, tile, place)


def persam(
    embedded: Embedded,
    reference: Reference,
    *,
    tile: Tile | None = None,
    free: Bool[np.ndarray, "rows cols"] | None = None,
    fine: Float32[np.ndarray, "rows cols"] | None = None,
) -> Match:
    """PerSAM: no training, three passes of the decoder.

    Click on the most and (negative) on the least similar pixel. First pass: guided attention,
    target added to the queries, single mask. Second: the same clicks with its logits. Third: with a
    tight box and the latest logits.

    Args:
        embedded: the image; square tiles, so that nothing is padded.
        reference: what is looked for.
        tile: which; None: the only one.
        free: pixels of the tile where the object may be clicked; None: all.
        fine: similarity of the tile's pixels, such as the `resemblance` of several looks; None:
            `similarity` to the target.

    Returns:
        One object, also where the class is absent: ask its `similarity`, or use `find`.

    Raises:
        InputError: the image has several tiles and none was named.
    """
    tile = the_tile(embedded, tile)
    fine = similarity(embedded, reference.target, tile=tile) if fine is None else fine
    place = top(fine, free)
    clicks = Prompt(points=(place, top(-fine)), labels=(1, 0))
    with embedded.lock, torch.inference_mode():
        cosine = cosine_map(embedded.features(tile)[0], reference.target)
        model = guided(embedded.model, likelihood(cosine), reference.target)
        first = embedded.ask(tile, clicks, model=model, single=True)
    last = _refined(embedded, tile, clicks, first)
    return _found(embedded, last, fine, tile, place)


def _refined(embedded: Embedded, tile: Tile, clicks: Prompt, first: Prediction) -> Prediction:
    """PerSAM's second and third pass; an empty mask ends it early."""
    second = embedded.ask(tile, replace(clicks, mask=first.logits[0]))
    return _boxed(embedded, tile, clicks, second) if second.mask.any() else second


def _boxed(embedded: Embedded, tile: Tile, clicks: Prompt, answer: Prediction) -> Prediction:
    """Once more, with the box and the logits of an answer that is not empty."""
    again = replace(clicks, box=box_of(answer.mask), mask=answer.logits[answer.best])
    return embedded.ask(tile, again)


def fit_weights(
    embedded: Embedded,
    mask: Bool[np.ndarray, "rows cols"],
    reference: Reference,
    *,
    steps: int = 1000,
    rate: float = 1e-3,
) -> Float32[np.ndarray, "3"]:
    """PerSAM-F: how much each of SAM's three masks counts, learnt on the reference alone.

    ``M = w0 M0 + w1 M1 + w2 M2`` with ``w0 = 1 - w1 - w2``, from 1/3 each, by AdamW with a cosine
    over 1000 steps; the loss is Dice plus focal. The three masks do not change, so they are made
    once and only the two numbers are learnt.

    Args:
        embedded: the image of the reference.
        mask: of the reference.
        reference: as described from it.
        steps: of AdamW.
        rate: its largest step.

    Returns:
        (w0, w1, w2), which sum to 1.

    Raises:
        InputError: the mask is empty or has another shape than the image.
    """
    tile = tile_of(embedded, mask)
    place = top(similarity(embedded, reference.strongest, tile=tile))
    logits = embedded.ask(tile, Prompt(points=(place,))).logits
    scale = logits.shape[-1] / embedded.model.image_encoder.img_size
    high, wide = (round(size * scale) for size in embedded.predictor(tile).input_size)
    truth = F.interpolate(
        torch.from_numpy(mask[tile.window].astype(np.float32))[None, None],
        size=(high, wide),
        mode="area",
    )[0, 0]
    return fit_mask_weights(torch.tensor(logits)[:, :high, :wide], truth, steps=steps, rate=rate)


def persam_f(
    embedded: Embedded,
    reference: Reference,
    weights: Float32[np.ndarray, "3"],
    *,
    tile: Tile | None = None,
    free: Bool[np.ndarray, "rows cols"] | None = None,
    fine: Float32[np.ndarray, "rows cols"] | None = None,
) -> Match:
    """PerSAM-F: one click, the weighted sum of three masks, two passes that refine it.

    Args:
        embedded: the image.
        reference: what is looked for.
        weights: of `fit_weights`.
        tile: which; None: the only one.
        free: pixels of the tile where the object may be clicked; None: all.
        fine: similarity of the tile's pixels, such as the `resemblance` of several looks; None:
            `similarity` to the target.

    Raises:
        InputError: the image has several tiles and none was named.
    """
    tile = the_tile(embedded, tile)
    fine = similarity(embedded, reference.strongest, tile=tile) if fine is None else fine
    place = top(fine, free)
    click = Prompt(points=(place,))
    answer = embedded.ask(tile, click)
    mixed = np.einsum("m,mrc->rc", weights, answer.logits)
    whole = _whole(embedded, tile, mixed)
    if whole.any():
        answer = embedded.ask(tile, replace(click, box=box_of(whole), mask=mixed))
    if answer.mask.any():
        answer = _boxed(embedded, tile, click, answer)
    return _found(embedded, answer, fine, tile, place)


def _whole(embedded: Embedded, tile: Tile, logits: np.ndarray) -> np.ndarray:
    """Low-resolution logits as a mask of the tile's pixels."""
    plane = torch.from_numpy(logits)[None, None]
    size = (tile.rows, tile.cols)
    input_size = embedded.predictor(tile).input_size
    mask: np.ndarray = embedded.model.postprocess_masks(plane, input_size, size)[0, 0].numpy() > 0
    return mask


def find(
    embedded: Embedded,
    reference: Reference,
    *,
    more: Sequence[tuple[Embedded, Reference]] = (),
    method: Method = "click",
    weights: Float32[np.ndarray, "3"] | None = None,
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
        method: "click" for `clicked`, "persam", or "persam_f", which needs weights.
        weights: of `fit_weights`.
        threshold: similarity of the clicked pixel below which the class is absent.
        most: clicks per tile.
        closer: whether each object is clicked twice more, in its middle and in a closer look.

    Returns:
        The surest first, by `Found.worth`; empty where nothing reaches the threshold.

    Raises:
        InputError: "persam_f" was asked for without weights, or the looks differ in size.
    """
    if method == "persam_f" and weights is None:
        raise InputError("persam_f needs the weights of fit_weights.")
    looks = [
        (each, one.strongest if method == "persam_f" else one.target)
        for each, one in ((embedded, reference), *more)
    ]

    def one(tile: Tile, free: np.ndarray, fine: np.ndarray) -> Match:
        if method == "persam_f":
            assert weights is not None
            found = persam_f(embedded, reference, weights, tile=tile, free=free, fine=fine)
        else:
            way = persam if method == "persam" else clicked
            found = way(embedded, reference, tile=tile, free=free, fine=fine)
        return _centred(embedded, found, fine, tile) if closer else found

    found = [
        each
        for tile in embedded.tiles
        for each in _in_tile(one, tile, resemblance(looks, tile=tile), threshold, most)
    ]
    kept: list[Match] = []
    for each in sorted(found, key=lambda one: -one.confidence):
        if all(agreement(each.mask, other.mask) < _SAME for other in kept):
            kept.append(each)
    return tuple(kept)


def _centred(embedded: Embedded, found: Match, fine: np.ndarray, tile: Tile) -> Match:
    """The same object, clicked in its middle: the most similar pixel often lies near its edge."""
    for _ in range(_AGAIN):
        if not found.mask.any():
            return found
        answer = embedded.predict(Prompt(points=(interior_point(found.mask),)))
        similar = _inside(fine, answer.mask[tile.window])
        score = float(answer.scores[answer.best])
        found = replace(found, mask=answer.mask, score=score, similarity=similar)
    return found


def _in_tile(
    one: Callable[[Tile, np.ndarray, np.ndarray], Match],
    tile: Tile,
    fine: np.ndarray,
    threshold: float,
    most: int,
) -> list[Match]:
    """Objects of one tile, each clicked where no other is yet."""
    free = np.ones((tile.rows, tile.cols), dtype=np.bool_)
    rows, cols = np.indices(free.shape)
    found: list[Match] = []
    for _ in range(most):
        if not free.any() or np.where(free, fine, -np.inf).max() < threshold:
            break
        col, row = top(fine, free)
        each = one(tile, free, fine)
        inside = each.mask[tile.window]
        if inside.any() and (inside & ~free).sum() < _SAME * inside.sum():
            found.append(each)
        # Round the click too, or an object that was missed is clicked again one pixel further.
        free &= ~inside & (np.maximum(abs(rows - row), abs(cols - col)) > _APART_PX)
    return found
