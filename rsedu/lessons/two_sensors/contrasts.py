"""Contrastive loss, recall at k and false negatives: exercises of lesson 05."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Misconception

Array = NDArray[Any]


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _cross_entropy(logits: Array) -> Array:
    """Of each row, with its partner on the diagonal."""
    return np.asarray(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits))


def info_nce(first: Array, second: Array, temperature: float) -> float:
    """Mean of both directions' cross-entropies of (N, D) rows that belong together by number."""
    logits = _unit(first) @ _unit(second).T / temperature
    forth, back = _cross_entropy(logits), _cross_entropy(logits.T)
    return float((forth.mean() + back.mean()) / 2)


def _with(logits: Array) -> float:
    return float((_cross_entropy(logits).mean() + _cross_entropy(logits.T).mean()) / 2)


def _one_way(first: Array, second: Array, temperature: float) -> float:
    return float(_cross_entropy(_unit(first) @ _unit(second).T / temperature).mean())


def _partner_left_out(first: Array, second: Array, temperature: float) -> float:
    logits = _unit(first) @ _unit(second).T / temperature
    others = np.where(np.eye(len(logits)) > 0, -np.inf, logits)
    sums = [np.log(np.exp(table).sum(axis=1)).mean() for table in (others, others.T)]
    return float(np.mean(sums) - np.diag(logits).mean())


def _over_all(first: Array, second: Array, temperature: float) -> float:
    logits = _unit(first) @ _unit(second).T / temperature
    return float(np.log(np.exp(logits).sum()) - np.diag(logits).mean())


def _vectors(seed: int, count: int, dim: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(count, dim)).round(2), draw.normal(size=(count, dim)).round(2)


INFO_NCE = Exercise(
    id="info_nce",
    lesson="05",
    title="Which two belong together?",
    points=3,
    minutes=8,
    difficulty=3,
    reference=info_nce,
    cases=(
        lambda: (
            np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 2.0]]),
            np.array([[2.0, 1.0], [0.5, 1.5], [0.0, -1.0]]),
            0.5,
        ),
        lambda: (*_vectors(61, 7, 5), 0.2),
        lambda: (*_vectors(62, 4, 3), 1.7),
    ),
    misconceptions=(
        Misconception(
            "not normalised",
            lambda first, second, temperature: _with(first @ second.T / temperature),
            "You compared bare dot products: a long vector is then everybody's friend. Divide each "
            "row by its own length first, so that only directions count.",
        ),
        Misconception(
            "normalised as a whole",
            lambda first, second, temperature: _with(
                first @ second.T / np.linalg.norm(first) / np.linalg.norm(second) / temperature
            ),
            "You divided by one length for the whole batch. Each row has a length of its own: "
            "np.linalg.norm(first, axis=1, keepdims=True).",
        ),
        Misconception(
            "first asks only",
            _one_way,
            "This is one direction: each row of first finds its partner in second. The other way "
            "round is another question, since columns compete too. Take the mean of both.",
        ),
        Misconception(
            "second asks only",
            lambda first, second, temperature: _one_way(second, first, temperature),
            "Here second asks and first answers; the other direction is missing. Take the mean of "
            "both: a softmax along the rows, and one along the columns.",
        ),
        Misconception(
            "temperature multiplied",
            lambda first, second, temperature: info_nce(first, second, 1 / temperature),
            "You multiplied by the temperature. A low temperature sharpens: divide by it.",
        ),
        Misconception(
            "temperature left out",
            lambda first, second, temperature: info_nce(first, second, 1.0),
            "The temperature is missing: cosines lie between -1 and 1, and a softmax of so narrow "
            "numbers stays nearly even. Divide them by it.",
        ),
        Misconception(
            "directions summed",
            lambda first, second, temperature: 2 * info_nce(first, second, temperature),
            "You added both directions: take their mean, so that guessing costs log(N).",
        ),
        Misconception(
            "batch summed",
            lambda first, second, temperature: len(first) * info_nce(first, second, temperature),
            "You summed over the batch: take the mean, or the loss grows with the batch.",
        ),
        Misconception(
            "sign",
            lambda first, second, temperature: -info_nce(first, second, temperature),
            "Your sign is turned: this is a mean log probability. Whoever minimises it will push "
            "partners apart.",
        ),
        Misconception(
            "partner not among the choices",
            _partner_left_out,
            "You summed over the negatives only. The partner stands below the fraction too: what "
            "is asked for is its *share* of all N.",
        ),
        Misconception(
            "one softmax for all",
            _over_all,
            "You divided by the sum over all N x N pairs. Each row asks its own question: sum over "
            "axis 1, and over axis 0 for the way back.",
        ),
    ),
)


def recall_at_k(similarity: Array, k: int) -> tuple[float, float]:
    """Share of rows, and of columns, whose partner is among their k most similar."""
    partner = np.diag(similarity)
    better_columns = (similarity > partner[:, None]).sum(axis=1)
    better_rows = (similarity > partner[None, :]).sum(axis=0)
    return float((better_columns < k).mean()), float((better_rows < k).mean())


def _ranks(similarity: Array) -> tuple[Array, Array]:
    """How many are better than the partner, of each row and of each column."""
    partner = np.diag(similarity)
    rows, cols = similarity > partner[:, None], similarity > partner[None, :]
    return rows.sum(axis=1), cols.sum(axis=0)


def _share(condition: Any, similarity: Array) -> tuple[float, float]:
    forth, back = _ranks(similarity)
    return float(condition(forth).mean()), float(condition(back).mean())


def _scores(seed: int, count: int) -> Array:
    draw = np.random.default_rng(seed)
    table: Array = draw.normal(size=(count, count)) + 0.9 * np.eye(count)
    return table + draw.normal(size=count)  # some columns are everybody's friend


RECALL = Exercise(
    id="recall_at_k",
    lesson="05",
    title="Is the partner among the first k?",
    points=2,
    minutes=6,
    difficulty=2,
    reference=recall_at_k,
    cases=(
        lambda: (_scores(64, 7).round(2), 3),
        lambda: (_scores(65, 11), 2),
        lambda: (_scores(66, 9), 1),
    ),
    misconceptions=(
        Misconception(
            "least similar",
            lambda similarity, k: recall_at_k(-similarity, k),
            "You took the k *least* similar: argsort counts upwards, so turn the sign or read from "
            "the end.",
        ),
        Misconception(
            "one too many",
            lambda similarity, k: recall_at_k(similarity, k + 1),
            "You look at k + 1 candidates: of the first k, at most k - 1 are before the partner.",
        ),
        Misconception(
            "one too few",
            lambda similarity, k: recall_at_k(similarity, k - 1),
            "You look at k - 1 candidates. A partner with k - 1 better ones is the k-th, and the "
            "k-th counts.",
        ),
        Misconception(
            "rank k only",
            lambda similarity, k: _share(lambda rank: rank == k - 1, similarity),
            "You count partners at place k exactly; any of the first k will do.",
        ),
        Misconception(
            "directions swapped",
            lambda similarity, k: recall_at_k(similarity.T, k),
            "Your two numbers are swapped: first the rows ask and columns answer, then the columns "
            "ask.",
        ),
        Misconception(
            "one direction twice",
            lambda similarity, k: (recall_at_k(similarity, k)[0],) * 2,
            "You ranked along the rows twice. For the second number each *column* asks: rank along "
            "axis 0, or use similarity.T.",
        ),
        Misconception(
            "divided by k",
            lambda similarity, k: _share(lambda rank: (rank < k) / k, similarity),
            "You divided by k as well: that is precision. There is one partner to be found, so "
            "finding it counts 1.",
        ),
        Misconception(
            "counted, not shared",
            lambda similarity, k: _share(lambda rank: (rank < k) * float(len(rank)), similarity),
            "You counted the hits: divide by the number of questions.",
        ),
    ),
)


def same_place_pairs(batch: int, places: int) -> float:
    """Expected number of pairs of samples from one place, each place drawn with equal chance."""
    return batch * (batch - 1) / 2 / places


SAME_PLACE = Exercise(
    id="same_place_pairs",
    lesson="05",
    title="How many negatives are false?",
    points=2,
    minutes=4,
    difficulty=2,
    reference=same_place_pairs,
    cases=(lambda: (5, 3), lambda: (4, 7), lambda: (6, 5)),
    misconceptions=(
        Misconception(
            "every pair twice",
            lambda batch, places: batch * (batch - 1) / places,
            "You counted each pair twice, once from either end: there are B (B - 1) / 2.",
        ),
        Misconception(
            "with itself",
            lambda batch, places: batch**2 / 2 / places,
            "You paired samples with themselves as well: the first of a pair has B choices, the "
            "second B - 1.",
        ),
        Misconception(
            "samples per place",
            lambda batch, places: batch / places,
            "This is how many samples come from one place. Pairs grow with the *square* of the "
            "batch.",
        ),
        Misconception(
            "a certain place",
            lambda batch, places: batch * (batch - 1) / 2 / places**2,
            "Both from *one given* place has the chance 1 / places^2; but any of the places will "
            "do, so times the number of places.",
        ),
        Misconception(
            "at least one pair",
            lambda batch, places: 1 - math.prod(max(places - n, 0) / places for n in range(batch)),
            "This is the chance that there is at least one such pair, the birthday problem. Asked "
            "is their expected number, which is easier: pairs times the chance of each.",
        ),
        Misconception(
            "neighbours in the batch",
            lambda batch, places: (batch - 1) / places,
            "You compared one sample with the others. Every sample asks: add up over all pairs.",
        ),
    ),
)
