"""K nearest neighbours: classes by weighted votes, and the accuracy to beat.

Protocol of Scale-MAE (Reed et al. 2023). Numpy in, numbers out; no model is known here.
"""

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.neighbors import KNeighborsClassifier

from rsedu.errors import InputError


def require_labels(
    features: Float[np.ndarray, "samples dim"], labels: Shaped[np.ndarray, "labels"], what: str
) -> None:
    """Refuse a set ("training", "test") that is empty or lacks a label."""
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

    >>> features = np.array([[1.0, 0.0], [0.0, 1.0], [0.1, 1.0]])
    >>> labels = np.array(["road", "forest", "forest"])
    >>> knn_predict(features, labels, np.array([[1.0, 0.3], [0.3, 1.0]]), neighbours=3)
    array(['road', 'forest'], dtype='<U6')
    """
    require_labels(train_features, train_labels, "training")
    if not 1 <= neighbours <= len(train_labels):
        raise InputError(
            f"neighbours is {neighbours}, and there are {len(train_labels)} training samples; "
            "take between 1 and that many."
        )
    for features in (train_features, test_features):
        norms = np.linalg.norm(features, axis=1)
        if not (np.isfinite(norms) & (norms > 0)).all():
            raise InputError(
                "A feature vector is zero or not finite, so it has no direction; "
                "look for invalid pixels, or for a layer that gives only zeros."
            )
    classes, codes = np.unique(train_labels, return_inverse=True)
    voters = KNeighborsClassifier(
        neighbours,
        metric="cosine",
        algorithm="brute",
        weights=lambda distances: np.exp(-distances.astype(np.float64) / temperature),
    )
    votes = voters.fit(train_features, codes).predict_proba(test_features)
    return np.asarray(classes[votes.argmax(axis=1)])


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
    require_labels(test_features, test_labels, "test")
    train = train_features, train_labels
    predicted = knn_predict(*train, test_features, neighbours=neighbours, temperature=temperature)
    return float(np.mean(predicted == test_labels))


def chance_accuracy(
    train_labels: Shaped[np.ndarray, "train"], test_labels: Shaped[np.ndarray, "test"]
) -> float:
    """Share of test samples with the most frequent training label: to be beaten by features."""
    classes, counts = np.unique(train_labels, return_counts=True)
    return float(np.mean(test_labels == classes[counts.argmax()]))
