"""Decibels and power, the same on every processor.

Logarithms and powers of float32 differ in the last place from one processor to the next: numpy has
code of its own for some, and asks the system on others. In float64 they differ too, but so little
that hardly one value in a hundred million is another once rounded to float32.
"""

import numpy as np
from jaxtyping import Float32


def to_db(power: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """10 log10(power), in dB."""
    decibels: np.ndarray = 10 * np.log10(power, dtype=np.float64)
    return decibels.astype(np.float32)


def to_power(decibels: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """10^(dB / 10), linear."""
    power: np.ndarray = 10 ** (decibels.astype(np.float64) / 10)
    return power.astype(np.float32)
