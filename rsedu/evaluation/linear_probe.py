"""Linear probe: a logistic regression on frozen features says what they hold.

Protocol of CROMA (Fuller et al. 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from rsedu.errors import InputError
from rsedu.evaluation.neighbours import require_labels


@dataclass(frozen=True)
class Labelled:
    """Features (N, D) with their labels (N,)."""

    features: Float[np.ndarray, "samples dim"]
    labels: Shaped[np.ndarray, "labels"]

    def __post_init__(self) -> None:
        require_labels(self.features, self.labels, "labelled")


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What a linear probe found: share of the test set that is right, and its labels.

    `strength` is the inverse of the L2 penalty that did best on the validation set.
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
) -> ProbeResult:
    """Fit a logistic regression on frozen features.

    Features are standardised with the mean and deviation of the training set. The penalty is the
    one that does best on the validation set (the strongest of equals); the test set is only
    looked at once, at the end.

    Args:
        train: what is fitted; two classes or more.
        validation: what chooses the penalty.
        test: what is reported.
        strengths: inverse L2 penalties to try (scikit-learn's C).
    """
    if len(np.unique(train.labels)) < 2:
        raise InputError(
            f"The training set has only the label {train.labels[0]!r}; a probe needs two or more."
        )
    scaler = StandardScaler().fit(train.features)
    scaled = [scaler.transform(part.features) for part in (train, validation, test)]
    best: tuple[float, float, LogisticRegression] | None = None
    for strength in sorted(strengths):
        # Small products: a second thread of BLAS costs more than it gives, ten times as much beside
        # a busy process, and changes the last digits.
        with threadpool_limits(1):
            probe = LogisticRegression(C=strength, max_iter=1000).fit(scaled[0], train.labels)
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
