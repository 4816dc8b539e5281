"""Retrieval in both directions, between the vectors of two sensors."""

import numpy as np
from jaxtyping import Float

from rsedu.evaluation.retrieval import recall_at_k
from rsedu.lessons.two_sensors.objectives import DIRECTIONS


def retrieval(
    radar: Float[np.ndarray, "tiles dim"], optical: Float[np.ndarray, "tiles dim"]
) -> dict[str, float]:
    """Recall@1 and @5 in both `DIRECTIONS`; chance is k / N."""
    pairs = dict(zip(DIRECTIONS, ((radar, optical), (optical, radar)), strict=True))
    return {
        f"{direction}, recall@{k}": recall_at_k(*pair, k=k)
        for direction, pair in pairs.items()
        for k in (1, 5)
    }
