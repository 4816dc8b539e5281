"""Recall at k: how often a place's own vector is among the most similar ones, by cosine."""

import numpy as np
from jaxtyping import Float

from rsedu.errors import InputError
from rsedu.lessons.two_sensors.objectives import DIRECTIONS


def recall(
    queries: Float[np.ndarray, "places dim"], keys: Float[np.ndarray, "places dim"], *, k: int = 1
) -> float:
    """Share of queries that have their own key among the `k` most similar ones, by cosine.

    Args:
        queries: (N, D) vectors of one sensor.
        keys: (N, D) vectors of the other, in the same order of places.
        k: how many keys may be looked at, 1 to N; chance is k / N.

    Raises:
        InputError: k is not in [1, N].
    """
    if not 1 <= k <= len(keys):
        raise InputError(f"k is {k}, and there are {len(keys)} keys: take 1 to that many.")
    one, other = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (queries, keys))
    similarity = one @ other.T
    better = (similarity > similarity.diagonal()[:, None]).sum(axis=1)
    return float((better < k).mean())


def retrieval(
    radar: Float[np.ndarray, "tiles dim"], optical: Float[np.ndarray, "tiles dim"]
) -> dict[str, float]:
    """Recall@1 and @5 in both `DIRECTIONS`; chance is k / N."""
    pairs = dict(zip(DIRECTIONS, ((radar, optical), (optical, radar)), strict=True))
    return {
        f"{direction}, recall@{k}": recall(*pair, k=k)
        for direction, pair in pairs.items()
        for k in (1, 5)
    }
