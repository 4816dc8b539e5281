"""Random masking of tokens, the way back and its cost: exercises of lesson 02."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception

Array = NDArray[Any]


def _noise(seed: int, count: int, ratio: float) -> tuple[Any, ...]:
    return np.random.default_rng(seed).random(count), ratio


def random_mask(noise: Array, mask_ratio: float) -> tuple[Array, Array]:
    """Which tokens stay, and where each position's token is after shuffling."""
    visible = round(len(noise) * (1 - mask_ratio))
    shuffled = noise.argsort()
    return shuffled[:visible], shuffled.argsort()


def _kept(noise: Array, share: float) -> int:
    return round(len(noise) * share)


RANDOM_MASK = Exercise(
    id="random_mask",
    lesson="02",
    title="Hide at random, remember the order",
    points=3,
    minutes=7,
    difficulty=2,
    reference=random_mask,
    cases=(
        lambda: (np.array([0.9, 0.2, 0.7, 0.4, 0.1, 0.8, 0.3, 0.6]), 0.75),
        lambda: _noise(21, 15, 0.6),
        lambda: _noise(22, 64, 0.25),
    ),
    misconceptions=(
        Misconception(
            "hidden and kept swapped",
            lambda noise, ratio: (
                noise.argsort()[: _kept(noise, ratio)],
                noise.argsort().argsort(),
            ),
            "You keep as many tokens as should be hidden: of N tokens, N x (1 - mask_ratio) stay.",
        ),
        Misconception(
            "order not inverted",
            lambda noise, ratio: (
                noise.argsort()[: _kept(noise, 1 - ratio)],
                noise.argsort(),
            ),
            "The second part is the shuffled order itself, not the way back: it answers 'which "
            "token stands at place i?', and wanted is 'at which place stands token i?'. Sort the "
            "order once more (argsort) to invert it.",
        ),
        Misconception(
            "most noise kept",
            lambda noise, ratio: (
                (-noise).argsort()[: _kept(noise, 1 - ratio)],
                (-noise).argsort().argsort(),
            ),
            "You keep the tokens with the most noise. As random, but not what was agreed: those "
            "with the least noise stay.",
        ),
        Misconception(
            "kept ones sorted",
            lambda noise, ratio: (
                np.sort(noise.argsort()[: _kept(noise, 1 - ratio)]),
                noise.argsort().argsort(),
            ),
            "You sorted the kept tokens by their position. Then the way back leads to wrong "
            "places: it belongs to the shuffled order, so leave them in it.",
        ),
        Misconception(
            "first tokens kept",
            lambda noise, ratio: (
                np.arange(_kept(noise, 1 - ratio)),
                noise.argsort().argsort(),
            ),
            "You keep the first tokens of the grid, always the same corner: keep the first ones "
            "of the shuffled order.",
        ),
    ),
    invariants=(
        Invariant(
            "the way back names each place once",
            lambda answer, noise, ratio: sorted(answer[1].tolist()) == list(range(len(noise))),
        ),
    ),
)


def _tokens(seed: int, count: int, visible: int, dim: int) -> tuple[Any, ...]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(visible, dim)), draw.permutation(count), draw.normal(size=dim)


def put_back(visible: Array, ids_restore: Array, mask_token: Array) -> Array:
    """(N, D) tokens in grid order, the mask token where one was hidden."""
    missing = len(ids_restore) - len(visible)
    shuffled = np.concatenate([visible, np.tile(mask_token, (missing, 1))])
    return np.asarray(shuffled[ids_restore])


def _filled(visible: Array, ids_restore: Array, token: Array) -> Array:
    return np.concatenate([visible, np.tile(token, (len(ids_restore) - len(visible), 1))])


def _scattered(visible: Array, ids_restore: Array, mask_token: Array) -> Array:
    out = np.empty((len(ids_restore), visible.shape[1]))
    out[ids_restore] = _filled(visible, ids_restore, mask_token)
    return out


PUT_BACK = Exercise(
    id="put_back",
    lesson="02",
    title="Back to the grid",
    points=3,
    minutes=5,
    difficulty=2,
    reference=put_back,
    cases=(
        lambda: (
            np.array([[1.0, 10.0], [2.0, 20.0]]),
            np.array([3, 0, 4, 2, 1]),
            np.array([7.0, 8.0]),
        ),
        lambda: _tokens(23, 11, 4, 3),
        lambda: _tokens(24, 16, 4, 5),
    ),
    misconceptions=(
        Misconception(
            "still shuffled",
            _filled,
            "The tokens are all there, still in shuffled order: index them with ids_restore.",
        ),
        Misconception(
            "mask tokens first",
            lambda visible, ids, token: np.concatenate(
                [np.tile(token, (len(ids) - len(visible), 1)), visible]
            )[ids],
            "You put the mask tokens before the visible ones. In the shuffled order the visible "
            "ones come first, so what is hidden has to be appended.",
        ),
        Misconception(
            "written instead of read",
            _scattered,
            "You wrote token i to position ids_restore[i]. ids_restore says for each position "
            "where its token is: read with it, tokens[ids_restore], do not write with it.",
        ),
        Misconception(
            "zeros",
            lambda visible, ids, token: _filled(visible, ids, 0 * token)[ids],
            "Hidden places hold zeros: put the mask token there. It is learnt, and tells the "
            "decoder 'something is missing here', which a zero does not.",
        ),
        Misconception(
            "mean of the visible",
            lambda visible, ids, token: _filled(visible, ids, visible.mean(axis=0))[ids],
            "Hidden places hold the mean of the visible tokens: that is a guess; the guessing is "
            "the decoder's work. Put the mask token there.",
        ),
    ),
)


def attention_pairs(side_px: int, patch_px: int, mask_ratio: float) -> tuple[int, float]:
    """Visible tokens of a square image, and the share of token pairs that is left."""
    tokens = (side_px // patch_px) ** 2
    visible = round(tokens * (1 - mask_ratio))
    return visible, visible**2 / tokens**2


def _visible(side_px: int, patch_px: int, share: float) -> int:
    return round((side_px // patch_px) ** 2 * share)


ATTENTION_PAIRS = Exercise(
    id="attention_pairs",
    lesson="02",
    title="What hiding saves",
    points=2,
    minutes=4,
    difficulty=1,
    reference=attention_pairs,
    cases=(lambda: (40, 8, 0.6), lambda: (64, 8, 0.75), lambda: (224, 16, 0.5)),
    misconceptions=(
        Misconception(
            "pairs counted as tokens",
            lambda side, patch, ratio: (_visible(side, patch, 1 - ratio), 1 - ratio),
            "The share of pairs is not the share of tokens: each visible token looks at each "
            "visible token, so the share counts twice, as a square.",
        ),
        Misconception(
            "hidden tokens counted",
            lambda side, patch, ratio: (_visible(side, patch, ratio), ratio**2),
            "These are the hidden tokens; the encoder sees the others, a share of 1 - mask_ratio.",
        ),
        Misconception(
            "one row only",
            lambda side, patch, ratio: (round(side // patch * (1 - ratio)), (1 - ratio) ** 2),
            "side_px // patch_px patches stand in one row; an image has as many rows as well.",
        ),
        Misconception(
            "saved, not left",
            lambda side, patch, ratio: (_visible(side, patch, 1 - ratio), 1 - (1 - ratio) ** 2),
            "That is the share of pairs that is saved; asked is the share that is left.",
        ),
        Misconception(
            "pixels, not patches",
            lambda side, patch, ratio: (round(side**2 * (1 - ratio)), (1 - ratio) ** 2),
            "You counted pixels. A token is a whole patch of patch_px x patch_px pixels.",
        ),
    ),
)
