"""One example finds the others: PerSAM, PerSAM-F, and a search for all objects of a scene.

The methods themselves are in `persam`, the steps of their guidance in `guided_attention`.
"""

from rsedu.segment.oneshot.persam import fit_weights
from rsedu.segment.oneshot.reference import (
    Match,
    Reference,
    combined,
    embed_example,
    resemblance,
    similarity,
    similarity_map,
)
from rsedu.segment.oneshot.search import PRESENT, find

__all__ = [
    "PRESENT",
    "Match",
    "Reference",
    "combined",
    "embed_example",
    "find",
    "fit_weights",
    "resemblance",
    "similarity",
    "similarity_map",
]
