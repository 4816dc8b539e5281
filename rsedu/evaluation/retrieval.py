"""Retrieval: recall at k, the share of queries that find their partner among their k nearest."""

import numpy as np
from jaxtyping import Float

from rsedu.errors import InputError


def recall_at_k(
    queries: Float[np.ndarray, "places dim"], keys: Float[np.ndarray, "places dim"], *, k: int = 1
) -> float:
    """Share of queries that have their own key among the `k` most similar ones, by cosine.

    Args:
        queries: (N, D) vectors of one sensor.
        keys: (N, D) vectors of the other, in the same order of places.
        k: how many keys may be looked at, 1 to N; chance is k / N.

    Raises:
        InputError: k is not in [1, N].

    >>> recall_at_k(np.array([[1.0, 0.1], [1.0, 0.0]]), np.eye(2))  # both nearest to key 0
    0.5
    """
    if not 1 <= k <= len(keys):
        raise InputError(f"k is {k}, and there are {len(keys)} keys: take 1 to that many.")
    unit_queries, unit_keys = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, keys)
    )
    similarity = unit_queries @ unit_keys.T  # (N, N)
    better = (similarity > similarity.diagonal()[:, None]).sum(axis=1)
    return float((better < k).mean())
