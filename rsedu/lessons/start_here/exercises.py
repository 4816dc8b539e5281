"""Exercises of lesson 00: one toy, to learn how checks talk."""

import numpy as np
from jaxtyping import Float

from rsedu.course.exercise import Exercise, Invariant, Misconception


def to_db(power: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Convert power, linear and above 0, to decibels: 10 log10(power)."""
    return np.asarray(10 * np.log10(power))


def _unseen() -> tuple[np.ndarray]:
    return (np.random.default_rng(7).uniform(0.001, 3.0, size=(3, 5)),)


EXERCISES = (
    Exercise(
        id="to_db",
        lesson="00",
        title="Power in decibels",
        points=1,
        minutes=3,
        difficulty=1,
        reference=to_db,
        cases=(lambda: (np.array([1.0, 10.0, 100.0, 0.5]),), _unseen),
        invariants=(
            Invariant(
                "ten times the power is 10 dB more",
                lambda answer, power: np.allclose(answer - to_db(power / 10), 10),
            ),
        ),
        misconceptions=(
            Misconception(
                "amplitude",
                lambda power: 20 * np.log10(power),
                "You multiply by 20, which is the rule for amplitudes. Backscatter is a power "
                "already: the factor is 10.",
            ),
            Misconception(
                "natural logarithm",
                lambda power: 10 * np.log(power),
                "np.log is the natural logarithm, to the base e. Decibels count powers of ten: "
                "np.log10.",
            ),
            Misconception(
                "bel",
                lambda power: np.log10(power),
                "These are bels. A decibel is a tenth of a bel, so there are ten times as many.",
            ),
            Misconception(
                "backwards",
                lambda power: 10 ** (power / 10),
                "This is the way back, from decibels to power. Here power comes in and decibels "
                "go out.",
            ),
            Misconception(
                "sign",
                lambda power: -10 * np.log10(power),
                "The sign is flipped: a power above 1 has more than 0 dB, one below 1 has less.",
            ),
        ),
    ),
)
