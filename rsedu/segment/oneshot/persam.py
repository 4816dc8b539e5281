"""PerSAM and PerSAM-F: one example instead of clicks, without training or with two numbers learnt.

Zhang et al. 2024, "Personalize Segment Anything Model with One Shot" (arXiv 2305.03048). The mean
embedding of one masked object is compared with every cell of an image; the most similar place is
the click.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Shaped
from torch import Tensor
from torch.nn import functional as F

from rsedu.io.masks import as_mask
from rsedu.segment.embedding import Embedded
from rsedu.segment.oneshot.guided_attention import guided
from rsedu.segment.oneshot.reference import (
    Match,
    Reference,
    cosine_map,
    likelihood,
    mean_inside,
    similarity,
    the_tile,
    tile_of,
    top,
)
from rsedu.segment.prompt import Prediction, Prompt, box_of
from rsedu.segment.tiles import Tile


def _match(
    embedded: Embedded, answer: Prediction, fine: np.ndarray, tile: Tile, click: tuple[float, float]
) -> Match:
    """What an answer in a tile is, on the whole image."""
    mask = np.zeros(embedded.shape, dtype=np.bool_)
    mask[tile.window] = answer.mask
    return Match(
        mask=mask,
        score=float(answer.scores[answer.best]),
        similarity=mean_inside(fine, answer.mask),
        peak=float(fine[int(click[1]), int(click[0])]),
    )


def clicked(
    embedded: Embedded,
    reference: Reference,
    *,
    tile: Tile | None = None,
    free: Bool[np.ndarray, "rows cols"] | None = None,
    fine: Float32[np.ndarray, "rows cols"] | None = None,
) -> Match:
    """The plainest way: one click on the most similar pixel, no guidance, no refinement.

    `free` are the pixels of the tile (None: the only one) that may be clicked, None: all; `fine` is
    their similarity, such as the `resemblance` of several looks; None: that to the target.
    """
    tile = the_tile(embedded, tile)
    fine = similarity(embedded, reference.target, tile=tile) if fine is None else fine
    place = top(fine, free)
    return _match(embedded, embedded.ask(tile, Prompt(points=(place,))), fine, tile, place)


def persam(embedded: Embedded, reference: Reference, *, tile: Tile | None = None) -> Match:
    """PerSAM: no training, three passes of the decoder.

    Click on the most and (negative) on the least similar pixel. First pass: guided attention,
    target added to the queries, single mask. Second: the same clicks with its logits. Third: with a
    tight box and the latest logits.

    Tiles must be square, so that nothing is padded. It is one object also where the class is
    absent: ask its `similarity`, or use `find`.
    """
    tile = the_tile(embedded, tile)
    fine = similarity(embedded, reference.target, tile=tile)
    place = top(fine)
    clicks = Prompt(points=(place, top(-fine)), labels=(1, 0))
    with embedded.lock, torch.inference_mode():
        cosine = cosine_map(embedded.features(tile)[0], reference.target)
        model = guided(embedded.model, likelihood(cosine), reference.target)
        first = embedded.ask(tile, clicks, model=model, single=True)
    last = _refined(embedded, tile, clicks, first)
    return _match(embedded, last, fine, tile, place)


def _refined(embedded: Embedded, tile: Tile, clicks: Prompt, first: Prediction) -> Prediction:
    """PerSAM's second and third pass; an empty mask ends it early."""
    second = embedded.ask(tile, replace(clicks, mask=first.logits[0]))
    return _boxed(embedded, tile, clicks, second) if second.mask.any() else second


def _boxed(embedded: Embedded, tile: Tile, clicks: Prompt, answer: Prediction) -> Prediction:
    """Once more, with the box and the logits of an answer that is not empty."""
    again = replace(clicks, box=box_of(answer.mask), mask=answer.logits[answer.best])
    return embedded.ask(tile, again)


def fit_mask_weights(
    logits: Float[Tensor, "3 rows cols"],
    truth: Float[Tensor, "rows cols"],
    *,
    steps: int = 1000,
    rate: float = 1e-3,
) -> Float32[np.ndarray, "3"]:
    """How much each of SAM's three masks counts, for one truth.

    ``M = w0 M0 + w1 M1 + w2 M2`` with ``w0 = 1 - w1 - w2``, from 1/3 each, by AdamW with a cosine;
    the loss is Dice plus focal.

    Truth is the share of each cell that is the object, 0 to 1, and rate the largest step. Returns
    (w0, w1, w2), which sum to 1.
    """
    base, *others = logits.detach().clone()
    away = torch.stack([other - base for other in others]).flatten(1)
    flat, target = base.flatten(), truth.flatten()
    weights = torch.full((2,), 1 / 3, requires_grad=True)
    optimizer = torch.optim.AdamW([weights], lr=rate, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        mixed = flat + weights @ away
        chance = mixed.sigmoid()
        dice = 1 - (2 * chance @ target + 1) / (chance.sum() + target.sum() + 1)
        entropy = F.binary_cross_entropy_with_logits(mixed, target, reduction="none")
        right = chance * target + (1 - chance) * (1 - target)
        alpha = 0.25 * target + 0.75 * (1 - target)
        loss = dice + (alpha * (1 - right) ** 2 * entropy).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    first, second = weights.detach().tolist()
    return np.array([1 - first - second, first, second], dtype=np.float32)


def fit_weights(
    embedded: Embedded,
    mask: Shaped[np.ndarray, "rows cols"],
    reference: Reference,
    *,
    steps: int = 1000,
    rate: float = 1e-3,
) -> Float32[np.ndarray, "3"]:
    """PerSAM-F: how much each of SAM's three masks counts, learnt on the reference alone.

    The three masks do not change, so they are made once, and `fit_mask_weights` learns two numbers.

    Image and mask are those that `embed_example` described the reference from.
    """
    mask = as_mask(mask)
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
) -> Match:
    """PerSAM-F: one click, three masks summed with `fit_weights`, two passes that refine it."""
    tile = the_tile(embedded, tile)
    fine = similarity(embedded, reference.strongest, tile=tile)
    place = top(fine)
    click = Prompt(points=(place,))
    answer = embedded.ask(tile, click)
    mixed = np.einsum("m,mrc->rc", weights, answer.logits)
    whole = _whole(embedded, tile, mixed)
    if whole.any():
        answer = embedded.ask(tile, replace(click, box=box_of(whole), mask=mixed))
    if answer.mask.any():
        answer = _boxed(embedded, tile, click, answer)
    return _match(embedded, answer, fine, tile, place)


def _whole(embedded: Embedded, tile: Tile, logits: np.ndarray) -> np.ndarray:
    """Low-resolution logits as a mask of the tile's pixels."""
    plane = torch.from_numpy(logits)[None, None]
    size = (tile.rows, tile.cols)
    input_size = embedded.predictor(tile).input_size
    return np.asarray(embedded.model.postprocess_masks(plane, input_size, size)[0, 0] > 0)
