"""How good are features? Nearest neighbours, a linear probe, honest splits and intervals.

Protocols of Scale-MAE (Reed et al. 2023) and CROMA (Fuller et al. 2023). Numpy in, numbers out;
no model is known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64, Shaped
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from rsedu.errors import InputError

_CHUNK = 1024  # test rows at a time: the matrix of similarities stays small


def _unit_rows(features: Float[np.ndarray, "samples dim"]) -> Float[np.ndarray, "samples dim"]:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise InputError(
            "A feature vector is zero or not finite, so it has no direction; "
            "look for invalid pixels, or for a layer that gives only zeros."
        )
    unit: Float[np.ndarray, "samples dim"] = features / norms
    return unit


def _require_labels(features: np.ndarray, labels: np.ndarray, what: str) -> None:
    if len(features) != len(labels) or len(labels) == 0:
        raise InputError(
            f"The {what} set has {len(features)} feature vectors and {len(labels)} labels; "
            "it needs one label for each, and at least one."
        )


def knn_predict(
    train_features: Float[np.ndarray, "train dim"],
    train_labels: Shaped[np.ndarray, "train_labels"],
    test_features: Float[np.ndarray, "test dim"],
    *,
    neighbours: int = 20,
    temperature: float = 0.07,
) -> Shaped[np.ndarray, "test"]:
    """Classify by weighted votes of the nearest training samples.

    The class c with the largest sum of ``exp(cos(x, x_i) / temperature)`` over those of the K most
    similar training samples x_i that carry c. The first class, in sorted order, wins a tie.

    Args:
        train_features: (N, D), any scale: only directions count.
        train_labels: (N,), any labels that sort.
        test_features: (M, D).
        neighbours: K, at most N.
        temperature: small values let the nearest decide alone.

    Returns:
        (M,) predicted labels.

    Raises:
        InputError: K is not in [1, N], lengths differ, or a vector is zero or not finite.
    """
    _require_labels(train_features, train_labels, "training")
    if not 1 <= neighbours <= len(train_labels):
        raise InputError(
            f"neighbours is {neighbours}, and there are {len(train_labels)} training samples; "
            "take between 1 and that many."
        )
    classes, codes = np.unique(train_labels, return_inverse=True)
    train, test = _unit_rows(train_features), _unit_rows(test_features)
    predicted = np.empty(len(test), dtype=np.int64)
    for start in range(0, len(test), _CHUNK):
        similarity = test[start : start + _CHUNK] @ train.T  # (chunk, N)
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbours]
        weights = np.exp((np.take_along_axis(similarity, nearest, axis=1) - 1) / temperature)
        votes = np.zeros((len(nearest), len(classes)))
        np.add.at(votes, (np.arange(len(nearest))[:, None], codes[nearest]), weights)
        predicted[start : start + _CHUNK] = votes.argmax(axis=1)
    labels: Shaped[np.ndarray, test] = classes[predicted]
    return labels


def knn_accuracy(
    train_features: Float[np.ndarray, "train dim"],
    train_labels: Shaped[np.ndarray, "train_labels"],
    test_features: Float[np.ndarray, "test dim"],
    test_labels: Shaped[np.ndarray, "test_labels"],
    *,
    neighbours: int = 20,
    temperature: float = 0.07,
) -> float:
    """Share of test samples, in [0, 1], that `knn_predict` gets right."""
    _require_labels(test_features, test_labels, "test")
    predicted = knn_predict(
        train_features,
        train_labels,
        test_features,
        neighbours=neighbours,
        temperature=temperature,
    )
    return float(np.mean(predicted == test_labels))


def chance_accuracy(
    train_labels: Shaped[np.ndarray, "train"], test_labels: Shaped[np.ndarray, "test"]
) -> float:
    """Share of test samples, in [0, 1], that carry the most frequent training label.

    The accuracy to beat: it needs no features at all.
    """
    classes, counts = np.unique(train_labels, return_counts=True)
    return float(np.mean(test_labels == classes[counts.argmax()]))


@dataclass(frozen=True)
class Labelled:
    """Features with their labels.

    Attributes:
        features: (N, D).
        labels: (N,).
    """

    features: Float[np.ndarray, "samples dim"]
    labels: Shaped[np.ndarray, "labels"]

    def __post_init__(self) -> None:
        _require_labels(self.features, self.labels, "labelled")


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What a linear probe found.

    Attributes:
        accuracy: on the test set, [0, 1].
        validation_accuracy: of the strength that was chosen, [0, 1].
        strength: inverse of the L2 penalty that did best on the validation set.
        predicted: (M,), labels of the test set.
    """

    accuracy: float
    validation_accuracy: float
    strength: float
    predicted: Shaped[np.ndarray, "test"]


def linear_probe(
    train: Labelled,
    validation: Labelled,
    test: Labelled,
    *,
    strengths: Sequence[float] = (0.001, 0.01, 0.1, 1.0, 10.0),
    max_steps: int = 1000,
) -> ProbeResult:
    """Fit a logistic regression on frozen features.

    Features are standardised with the mean and deviation of the training set. The penalty is the
    one that does best on the validation set (the strongest of equals); the test set is only
    looked at once, at the end.

    Args:
        train: to fit on.
        validation: to choose the penalty on.
        test: to report on.
        strengths: inverse L2 penalties to try (scikit-learn's C).
        max_steps: of the L-BFGS solver.

    Raises:
        InputError: the training set has one class only.
    """
    if len(np.unique(train.labels)) < 2:
        raise InputError(
            f"The training set has only the label {train.labels[0]!r}; a probe needs two or more."
        )
    scaler = StandardScaler().fit(train.features)
    scaled = [scaler.transform(each.features) for each in (train, validation, test)]
    best: tuple[float, float, LogisticRegression] | None = None
    for strength in sorted(strengths):
        probe = LogisticRegression(C=strength, max_iter=max_steps).fit(scaled[0], train.labels)
        accuracy = float(probe.score(scaled[1], validation.labels))
        if best is None or accuracy > best[0]:
            best = (accuracy, strength, probe)
    if best is None:
        raise InputError("strengths is empty; give at least one inverse penalty.")
    predicted = best[2].predict(scaled[2])
    return ProbeResult(
        accuracy=float(np.mean(predicted == test.labels)),
        validation_accuracy=best[0],
        strength=best[1],
        predicted=predicted,
    )


def spatial_split(
    x_m: Float[np.ndarray, "samples"],
    y_m: Float[np.ndarray, "samples"],
    *,
    block_m: float,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    seed: int = 0,
) -> Int64[np.ndarray, "samples"]:
    """Split samples by blocks of the map, so that neighbours never fall on two sides.

    Blocks are shuffled and dealt out in that order until each part has its share of the samples.
    Samples closer than their own footprint can still touch across a block's edge: take blocks
    that are large beside the footprint.

    Args:
        x_m: (N,) easting of the sample's centre, metres.
        y_m: (N,) northing, metres.
        block_m: edge of a block, metres.
        fractions: share of each part; they sum to 1.
        seed: of the shuffle.

    Returns:
        (N,) number of the part, 0 for the first fraction.

    Raises:
        InputError: the fractions don't sum to 1, or there are too few blocks for every part.
    """
    if abs(sum(fractions) - 1) > 1e-9 or min(fractions) <= 0 or block_m <= 0:
        raise InputError(
            f"fractions {tuple(fractions)} must be above 0 and sum to 1, and block_m {block_m} "
            "must be above 0 metres."
        )
    columns_rows = np.stack([np.floor(x_m / block_m), np.floor(y_m / block_m)], axis=1)
    _, block, counts = np.unique(columns_rows, axis=0, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(counts))
    middle = (np.cumsum(counts[order]) - counts[order] / 2) / len(x_m)  # of each block's samples
    part_of_block = np.empty(len(counts), dtype=np.int64)
    part_of_block[order] = np.searchsorted(np.cumsum(fractions)[:-1], middle, side="right")
    parts: Int64[np.ndarray, samples] = part_of_block[block.ravel()]
    missing = sorted(set(range(len(fractions))) - set(parts.tolist()))
    if missing:
        raise InputError(
            f"{len(counts)} blocks of {block_m:g} m leave part {missing[0]} empty; take smaller "
            "blocks, more samples or another seed."
        )
    return parts


@dataclass(frozen=True)
class Interval:
    """A mean with its interval of confidence.

    Attributes:
        mean: of the values.
        low: lower end.
        high: upper end.
        count: number of values.
    """

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}], n = {self.count}"


def interval(
    values: Sequence[float] | Float[np.ndarray, "runs"], *, level: float = 0.95
) -> Interval:
    """Mean of independent runs and its two-sided Student interval.

    ``mean +- t(level, n - 1) * s / sqrt(n)``, with s the deviation over n - 1.

    Args:
        values: one per run (seed), two or more.
        level: probability that the interval holds the true mean, if runs are normal.

    Raises:
        InputError: fewer than two values, or one that is not finite.
    """
    runs = np.asarray(values, dtype=np.float64)
    if runs.size < 2 or not np.isfinite(runs).all():
        raise InputError(
            f"An interval needs two or more finite values, one per seed; got {runs.tolist()}."
        )
    half = stats.t.ppf((1 + level) / 2, runs.size - 1) * runs.std(ddof=1) / np.sqrt(runs.size)
    mean = float(runs.mean())
    return Interval(mean, mean - float(half), mean + float(half), runs.size)


def paired_interval(
    first: Sequence[float] | Float[np.ndarray, "runs"],
    second: Sequence[float] | Float[np.ndarray, "runs"],
    *,
    level: float = 0.95,
) -> Interval:
    """Mean of ``first - second`` over runs that share their seed, with its Student interval.

    What both runs of a pair have in common (data, split, initial weights) cancels.

    Args:
        first: one value per seed.
        second: the other method under the same seeds, in the same order.
        level: as for `interval`.

    Raises:
        InputError: the lengths differ, or as for `interval`.
    """
    if len(first) != len(second):
        raise InputError(f"Pairs need equal numbers of runs; got {len(first)} and {len(second)}.")
    return interval(np.asarray(first, dtype=np.float64) - np.asarray(second, float), level=level)
