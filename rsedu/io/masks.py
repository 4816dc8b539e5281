"""Masks as people hand them in: bool, 0 and 1, or 0 and 255."""

from typing import Any

import numpy as np
from jaxtyping import Bool

from rsedu.errors import InputError


def as_mask(mask: Any) -> Bool[np.ndarray, "rows cols"]:
    """Return a mask as bool, so that a pixel counts once whatever number stands for "yes".

    Args:
        mask: (rows, cols), bool or numbers that are all 0 and 1, or all 0 and 255.

    Raises:
        InputError: it has other dimensions or other values, such as labels or probabilities.
    """
    given = np.asarray(mask)
    if given.ndim != 2:
        raise InputError(
            f"A mask has the shape {given.shape}; wanted (rows, cols): hand in one mask at a time, "
            "such as masks[0]."
        )
    if given.dtype == np.bool_:
        return given
    if given.dtype.kind not in "iuf":
        raise InputError(f"A mask is {given.dtype}; wanted bool, 0 and 1, or 0 and 255.")
    counts = np.asarray(given != 0)
    if not any((given[counts] == yes).all() for yes in (1, 255)):
        values = ", ".join(f"{value:g}" for value in np.unique(given)[:6])
        raise InputError(
            f"A mask is {given.dtype} with the values {values}, ...; wanted bool, 0 and 1, or 0 "
            "and 255. Choose one of several labels by `labels == 3`, and cut probabilities by "
            "`probability > 0.5`."
        )
    return counts
