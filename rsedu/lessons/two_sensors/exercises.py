"""ALiBi bias in two dimensions, and the losses of two sensors: exercises of lesson 05."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.two_sensors.contrasts import INFO_NCE, RECALL, SAME_PLACE

Array = NDArray[Any]


def alibi_bias(rows: int, cols: int, heads: int) -> Array:
    """What each head's attention loses by distance: (heads, N, N), at most 0."""
    slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    row, col = np.divmod(np.arange(rows * cols), cols)
    distance = np.hypot(row[:, None] - row, col[:, None] - col)
    return np.asarray(-slopes[:, None, None] * distance)


def _bias(
    rows: int,
    cols: int,
    heads: int,
    *,
    distance: Callable[[Array, Array], Array] = np.hypot,
    slopes: Callable[[int], Array] | None = None,
) -> Array:
    """With another distance of (rows, columns) apart, or with other slopes."""
    row, col = np.divmod(np.arange(rows * cols), cols)
    apart = distance(np.abs(row[:, None] - row), np.abs(col[:, None] - col))
    steep = slopes(heads) if slopes else 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    return np.asarray(-steep[:, None, None] * apart)


def _columns_of_rows(rows: int, cols: int, heads: int) -> Array:
    return alibi_bias(cols, rows, heads)


ALIBI = Exercise(
    id="alibi_bias",
    lesson="05",
    title="A penalty on distance",
    points=3,
    minutes=7,
    difficulty=2,
    reference=alibi_bias,
    cases=(lambda: (2, 3, 2), lambda: (4, 3, 8), lambda: (1, 5, 4)),
    misconceptions=(
        Misconception(
            "sign",
            lambda rows, cols, heads: -alibi_bias(rows, cols, heads),
            "Your bias rewards distance: each patch would look at the far corner. It is a penalty, "
            "at most 0.",
        ),
        Misconception(
            "steps along the grid",
            lambda rows, cols, heads: _bias(rows, cols, heads, distance=np.add),
            "You added rows and columns, as a taxi drives. The straight line is shorter: np.hypot.",
        ),
        Misconception(
            "larger of both",
            lambda rows, cols, heads: _bias(rows, cols, heads, distance=np.maximum),
            "You took the larger of both differences, as a king moves in chess. The straight line "
            "over a diagonal is longer: np.hypot.",
        ),
        Misconception(
            "squared",
            lambda rows, cols, heads: _bias(
                rows, cols, heads, distance=lambda down, across: down**2 + across**2
            ),
            "Your penalty grows with the distance squared: the root is missing.",
        ),
        Misconception(
            "order of tokens",
            lambda rows, cols, heads: _bias(
                1, rows * cols, heads, distance=lambda down, across: across
            ),
            "You measured along the row of tokens, as for text. There the end of one row of "
            "patches touches the start of the next; on the ground it doesn't.",
        ),
        Misconception(
            "slopes from zero",
            lambda rows, cols, heads: _bias(
                rows, cols, heads, slopes=lambda n: 2.0 ** (-8 * np.arange(n) / n)
            ),
            "Your first head has the slope 1: heads are counted from 1, so that the last has 2^-8.",
        ),
        Misconception(
            "eight heads always",
            lambda rows, cols, heads: _bias(
                rows, cols, heads, slopes=lambda n: 2.0 ** -np.arange(1, n + 1)
            ),
            "Your slopes halve from head to head whatever their number: the exponent is -8 i / n, "
            "so n heads share the same eight halvings.",
        ),
        Misconception(
            "slopes turned round",
            lambda rows, cols, heads: alibi_bias(rows, cols, heads)[::-1],
            "Your heads come in reversed order: the first is the most near-sighted, 2^(-8/n).",
        ),
        Misconception(
            "rows for columns",
            _columns_of_rows,
            "Rows and columns of the grid are swapped: token t stands in row t // cols, column "
            "t % cols.",
        ),
    ),
)


def cross_bias(bias: Array, radar_keep: Array, optical_keep: Array) -> Array:
    """The bias between the kept radar patches, which ask, and the kept optical ones: (h, K, L)."""
    return bias[:, radar_keep][:, :, optical_keep]


def _kept(seed: int, rows: int, cols: int, heads: int, kept: int) -> tuple[Array, Array, Array]:
    draw = np.random.default_rng(seed)
    ids = [draw.permutation(rows * cols)[:kept] for _ in range(2)]
    return alibi_bias(rows, cols, heads), ids[0], ids[1]


CROSS = Exercise(
    id="cross_bias",
    lesson="05",
    title="Two masks, one ground",
    points=2,
    minutes=5,
    difficulty=2,
    reference=cross_bias,
    cases=(
        lambda: (alibi_bias(2, 3, 1), np.array([5, 0, 2]), np.array([1, 4, 0])),
        lambda: _kept(67, 3, 4, 2, 5),
        lambda: _kept(68, 5, 3, 4, 4),
    ),
    misconceptions=(
        Misconception(
            "radar for both",
            lambda bias, radar_keep, optical_keep: cross_bias(bias, radar_keep, radar_keep),
            "You used the radar's places for both axes. That is right where radar looks at radar; "
            "here the columns are optical patches, and those were hidden by another draw.",
        ),
        Misconception(
            "optical for both",
            lambda bias, radar_keep, optical_keep: cross_bias(bias, optical_keep, optical_keep),
            "You used the optical places for both axes. The rows ask, and radar asks.",
        ),
        Misconception(
            "sensors swapped",
            lambda bias, radar_keep, optical_keep: cross_bias(bias, optical_keep, radar_keep),
            "Your rows are optical and your columns radar. In this encoder radar asks (rows) and "
            "optical answers (columns).",
        ),
        Misconception(
            "first rows",
            lambda bias, radar_keep, optical_keep: bias[:, : len(radar_keep), : len(optical_keep)],
            "You cut the table's first rows and columns: those are the distances of the patches in "
            "the north-west corner, whichever were kept.",
        ),
        Misconception(
            "sorted",
            lambda bias, radar_keep, optical_keep: cross_bias(
                bias, np.sort(radar_keep), np.sort(optical_keep)
            ),
            "You sorted the places. Kept tokens stand in shuffled order, and row i belongs to the "
            "i-th kept token.",
        ),
        Misconception(
            "pairs, not a table",
            lambda bias, radar_keep, optical_keep: bias[:, radar_keep, optical_keep],
            "Two index arrays side by side are read as pairs: (first, first), (second, second). "
            "Index one axis after the other, or use np.ix_.",
        ),
    ),
)


def two_losses(
    prediction: Array, optical: Array, radar: Array, optical_mask: Array, radar_mask: Array
) -> float:
    """Mean squared error of the optical bands plus that of the radar bands, hidden patches only."""
    both = np.concatenate([optical, radar], axis=2)
    mean = both.mean(axis=(1, 2), keepdims=True)
    target = (both - mean) / np.sqrt(both.var(axis=(1, 2), ddof=1, keepdims=True) + 1e-6)
    error = (prediction - target) ** 2
    bands = optical.shape[2]
    return float(
        error[optical_mask == 1][:, :, :bands].mean() + error[radar_mask == 1][:, :, bands:].mean()
    )


def _standard(values: Array, axis: tuple[int, ...], *, ddof: int = 1) -> Array:
    mean = values.mean(axis=axis, keepdims=True)
    return np.asarray((values - mean) / np.sqrt(values.var(axis=axis, ddof=ddof, keepdims=True)))


def _squares(args: tuple[Array, ...], normalised: Callable[[Array, Array], Array]) -> Array:
    prediction, optical, radar = args[:3]
    return np.asarray((prediction - normalised(optical, radar)) ** 2)


def _jointly(optical: Array, radar: Array) -> Array:
    return _standard(np.concatenate([optical, radar], axis=2), (1, 2))


def _total(error: Array, bands: int, optical_mask: Array, radar_mask: Array) -> float:
    visible = error[optical_mask == 1][:, :, :bands], error[radar_mask == 1][:, :, bands:]
    return float(visible[0].mean() + visible[1].mean())


def _wrong_target(normalised: Callable[[Array, Array], Array]) -> Callable[..., float]:
    return lambda *args: _total(_squares(args, normalised), args[1].shape[2], *args[3:])


def _wrong_masks(masks: Callable[[Array, Array], tuple[Array, Array]]) -> Callable[..., float]:
    return lambda *args: _total(_squares(args, _jointly), args[1].shape[2], *masks(*args[3:]))


def _by_bands(*args: Array) -> float:
    error, bands = _squares(args, _jointly), args[1].shape[2]
    hidden = error[args[3] == 1][:, :, :bands], error[args[4] == 1][:, :, bands:]
    return float(np.concatenate([errors.ravel() for errors in hidden]).mean())


def _patches(seed: int, tokens: int, pixels: int, bands: int) -> tuple[Array, ...]:
    draw = np.random.default_rng(seed)
    images = (
        draw.normal(size=(tokens, pixels, bands)),
        2 + 3 * draw.normal(size=(tokens, pixels, 2)),
    )
    masks = [(draw.permutation(tokens) < 0.6 * tokens).astype(float) for _ in range(2)]
    masks[1] = np.roll(masks[0], 1) if (masks[0] == masks[1]).all() else masks[1]
    prediction = draw.normal(size=(tokens, pixels, bands + 2))
    return (prediction.round(2), *(image.round(2) for image in images), *masks)


TWO_LOSSES = Exercise(
    id="two_losses",
    lesson="05",
    title="One loss for two sensors",
    points=3,
    minutes=8,
    difficulty=3,
    reference=two_losses,
    cases=(lambda: _patches(69, 4, 2, 3), lambda: _patches(70, 9, 4, 12)),
    invariants=(Invariant("a mean of squares is not below 0", lambda loss, *_: loss >= 0),),
    misconceptions=(
        Misconception(
            "all patches",
            _wrong_masks(lambda optical, radar: (np.ones_like(optical), np.ones_like(radar))),
            "You average over all patches. A patch that was seen can be copied: each sensor counts "
            "where it was hidden (mask 1).",
        ),
        Misconception(
            "visible patches",
            _wrong_masks(lambda optical, radar: (1 - optical, 1 - radar)),
            "You average over what was visible: in a mask, 1 means hidden.",
        ),
        Misconception(
            "radar's mask for both",
            _wrong_masks(lambda optical, radar: (radar, radar)),
            "You used the radar's mask for both sensors. They were hidden by two draws, so a patch "
            "may be hidden to one and seen by the other.",
        ),
        Misconception(
            "optical mask for both",
            _wrong_masks(lambda optical, radar: (optical, optical)),
            "You used the optical mask for both sensors; the radar has its own.",
        ),
        Misconception(
            "each sensor normalised by itself",
            _wrong_target(
                lambda optical, radar: np.concatenate(
                    [_standard(optical, (1, 2)), _standard(radar, (1, 2))], axis=2
                )
            ),
            "You normalised each sensor by itself. CROMA takes one mean and one variance per patch "
            "over all its bands, of both sensors together: concatenate first.",
        ),
        Misconception(
            "each band normalised by itself",
            _wrong_target(
                lambda optical, radar: _standard(np.concatenate([optical, radar], axis=2), (1,))
            ),
            "You normalised each band by itself: take the mean over pixels *and* bands of a patch, "
            "axis=(1, 2).",
        ),
        Misconception(
            "whole image normalised",
            _wrong_target(
                lambda optical, radar: _standard(
                    np.concatenate([optical, radar], axis=2), (0, 1, 2)
                )
            ),
            "You took one mean for the whole image. Each patch has its own: keep axis 0.",
        ),
        Misconception(
            "not normalised",
            _wrong_target(lambda optical, radar: np.concatenate([optical, radar], axis=2)),
            "You compared with the pixels as they are: the target is each patch with its mean "
            "taken away, divided by its deviation.",
        ),
        Misconception(
            "variance over n",
            _wrong_target(
                lambda optical, radar: _standard(
                    np.concatenate([optical, radar], axis=2), (1, 2), ddof=0
                )
            ),
            "Your variance divides by n; the released code's, like torch's, divides by n - 1: "
            "ddof=1 in numpy.",
        ),
        Misconception(
            "radar first",
            _wrong_target(
                lambda optical, radar: _standard(np.concatenate([radar, optical], axis=2), (1, 2))
            ),
            "Your target has the radar bands first. The order is agreed: optical, then radar.",
        ),
        Misconception(
            "weighed by bands",
            _by_bands,
            "You took one mean over all hidden values, so 12 optical bands outvote 2 of radar. Two "
            "means, one of each sensor, then their sum: 1 to 1.",
        ),
        Misconception(
            "halved",
            lambda *args: two_losses(*args) / 2,
            "You took the mean of both sensors' losses; CROMA adds them.",
        ),
    ),
)

EXERCISES = (INFO_NCE, RECALL, ALIBI, CROSS, TWO_LOSSES, SAME_PLACE)
