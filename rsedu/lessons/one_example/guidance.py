"""Target-guided attention and weights of three masks: exercises of lesson 07."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Misconception

Array = NDArray[Any]


def _softmax(scores: Array, axis: int = -1) -> Array:
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis=axis, keepdims=True))


def guided_attention(scores: Array, likelihood: Array) -> Array:
    """(tokens, cells) weights ``softmax(softmax(scores) + likelihood)``, each row sums to 1."""
    return _softmax(_softmax(scores) + likelihood)


def _scores(seed: int, tokens: int, cells: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(tokens, cells)).round(2), draw.random(cells).round(2)


def _rescaled(scores: Array, likelihood: Array) -> Array:
    tilted = _softmax(scores) * likelihood
    return np.asarray(tilted / tilted.sum(axis=1, keepdims=True))


GUIDED_ATTENTION = Exercise(
    id="guided_attention",
    lesson="07",
    title="Attention that knows where to look",
    points=3,
    minutes=6,
    difficulty=2,
    reference=guided_attention,
    cases=(
        lambda: (np.array([[2.0, 0.0, 1.0], [-1.0, 0.5, 3.0]]), np.array([0.1, 0.9, 0.4])),
        lambda: _scores(83, 3, 7),
        lambda: _scores(84, 5, 4),
    ),
    misconceptions=(
        Misconception(
            "one softmax",
            lambda scores, likelihood: _softmax(scores + likelihood),
            "You added the likelihood to the *scores*. PerSAM adds it to the weights, after a "
            "first softmax, and takes a second one.",
        ),
        Misconception(
            "not normalised again",
            lambda scores, likelihood: _softmax(scores) + likelihood,
            "Your rows no longer sum to 1: after the likelihood was added comes a second softmax.",
        ),
        Misconception(
            "divided by the sum",
            lambda scores, likelihood: (
                (_softmax(scores) + likelihood)
                / (_softmax(scores) + likelihood).sum(axis=1, keepdims=True)
            ),
            "Your rows sum to 1, but by dividing by their sum. The published code takes a second "
            "softmax, which is much flatter.",
        ),
        Misconception(
            "multiplied",
            _rescaled,
            "You multiplied the weights with the likelihood. PerSAM adds it, so that a cell of "
            "likelihood 0 can still be looked at.",
        ),
        Misconception(
            "no guidance",
            lambda scores, likelihood: _softmax(_softmax(scores)),
            "The likelihood is missing between the two softmaxes.",
        ),
        Misconception(
            "over the tokens",
            lambda scores, likelihood: _softmax(_softmax(scores, axis=0) + likelihood, axis=0),
            "Your columns sum to 1. Each *token* shares its attention among the cells: softmax "
            "along axis 1.",
        ),
        Misconception(
            "order of the softmaxes",
            lambda scores, likelihood: _softmax(_softmax(scores + likelihood)),
            "The likelihood came too early: first softmax, then add it, then softmax again.",
        ),
    ),
)


def mask_weights(chances: Array, truth: Array) -> Array:
    """(w0, w1, w2), sum 1, whose mixture of three masks has the least squares to the truth."""
    first = chances[0]
    away = (chances[1:] - first).T
    second, third = np.linalg.lstsq(away, truth - first, rcond=None)[0]
    return np.array([1 - second - third, second, third])


def _free(chances: Array, truth: Array) -> Array:
    return np.asarray(np.linalg.lstsq(chances.T, truth, rcond=None)[0])


def _overlaps(chances: Array, truth: Array) -> Array:
    masks, object_ = chances > 0.5, truth > 0.5
    return np.asarray((masks & object_).sum(axis=1) / (masks | object_).sum(axis=1))


def _left_over(chances: Array, truth: Array) -> Array:
    """Fits the two differences to the truth itself."""
    second, third = np.linalg.lstsq((chances[1:] - chances[0]).T, truth, rcond=None)[0]
    return np.array([1 - second - third, second, third])


def _three_masks(seed: int, cells: int) -> tuple[Array, Array]:
    """Chances of a part, an object, and what it belongs to; the truth is mostly the second."""
    draw = np.random.default_rng(seed)
    place = np.sort(draw.random(cells))
    masks = [1 / (1 + np.exp((place - edge) * 12)) for edge in (0.25, 0.5, 0.8)]
    noisy = np.clip(np.array(masks) + draw.normal(0, 0.05, (3, cells)), 0, 1)
    return noisy.round(3), (place < 0.58).astype(float)


MASK_WEIGHTS = Exercise(
    id="mask_weights",
    lesson="07",
    title="How much does each mask count?",
    points=3,
    minutes=8,
    difficulty=3,
    reference=mask_weights,
    cases=(
        lambda: (
            np.array(
                [
                    [0.9, 0.6, 0.2, 0.1, 0.1, 0.0],
                    [0.9, 0.8, 0.7, 0.3, 0.2, 0.1],
                    [1.0, 0.9, 0.8, 0.9, 0.7, 0.2],
                ]
            ),
            np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
        ),
        lambda: _three_masks(85, 30),
        lambda: _three_masks(86, 17),
    ),
    misconceptions=(
        Misconception(
            "three free weights",
            _free,
            "These fit best, but do not sum to 1. PerSAM-F has two numbers to learn, w1 and w2; "
            "w0 = 1 - w1 - w2 is what they leave.",
        ),
        Misconception(
            "divided by their sum",
            lambda chances, truth: _free(chances, truth) / _free(chances, truth).sum(),
            "You fitted three free weights and then divided by their sum: they sum to 1 now, but "
            "fit no longer. Put w0 = 1 - w1 - w2 in first, then fit two.",
        ),
        Misconception(
            "a third each",
            lambda chances, truth: np.full(3, 1 / 3),
            "A third each is where PerSAM-F starts. Solve for the two weights.",
        ),
        Misconception(
            "the best mask alone",
            lambda chances, truth: np.eye(3)[_overlaps(chances, truth).argmax()],
            "You chose one mask. A mixture may fit better than any of the three.",
        ),
        Misconception(
            "overlaps as weights",
            lambda chances, truth: _overlaps(chances, truth) / _overlaps(chances, truth).sum(),
            "You weighted each mask by its own overlap with the truth. What fits *together* is "
            "another question: solve for the weights.",
        ),
        Misconception(
            "first mask not taken off",
            _left_over,
            "The two differences have to explain what the first mask leaves over, truth - M0, and "
            "not the truth itself.",
        ),
        Misconception(
            "order",
            lambda chances, truth: np.roll(mask_weights(chances, truth), -1),
            "The weights are right and in another order: w0, w1, w2.",
        ),
        Misconception(
            "masks cut first",
            lambda chances, truth: mask_weights((chances > 0.5).astype(float), truth),
            "You cut the masks at one half before mixing. Mix what is soft; the cut comes last.",
        ),
    ),
)
