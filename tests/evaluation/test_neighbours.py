"""Neighbours, retrieval, intervals: numbers in, numbers out."""

import math

import numpy as np
import pytest
from scipy import stats

from rsedu.errors import InputError
from rsedu.evaluation.intervals import interval, paired_interval
from rsedu.evaluation.neighbours import chance_accuracy, knn_accuracy, knn_predict
from rsedu.evaluation.retrieval import recall_at_k


def clusters(
    seed: int, *, samples: int = 90, dim: int = 5, noise: float = 0.6
) -> tuple[np.ndarray, np.ndarray]:
    centres = np.random.default_rng(0).normal(size=(3, dim))
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=samples)
    return centres[labels] + noise * generator.normal(size=(samples, dim)), labels


def brute_force_knn(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, k: int, temperature: float
) -> list[int]:
    predicted = []
    for vector in test:
        scored = []
        for other, label in zip(train, labels, strict=True):
            cosine = sum(vector * other) / math.sqrt(sum(vector**2) * sum(other**2))
            scored.append((cosine, label))
        votes: dict[int, float] = {}
        for cosine, label in sorted(scored, reverse=True)[:k]:
            votes[label] = votes.get(label, 0.0) + math.exp(cosine / temperature)
        predicted.append(max(votes, key=lambda label: votes[label]))
    return predicted


@pytest.mark.parametrize(
    ("k", "temperature"), [(1, 0.07), (2, 50.0), (5, 50.0), (20, 0.07), (20, 50.0), (90, 10.0)]
)
def test_knn_votes_as_a_loop_over_all_pairs_does(k: int, temperature: float) -> None:
    train, labels = clusters(1)
    test, _ = clusters(2, samples=40)
    mine = knn_predict(train, labels, test, neighbours=k, temperature=temperature)
    assert mine.tolist() == brute_force_knn(train, labels, test, k, temperature)


def test_knn_counts_nearness_not_heads() -> None:
    """One very near sample against two far ones: the temperature decides."""
    train = np.array([[1.0, 0.0], [0.0, 1.0], [0.1, 1.0]])
    labels = np.array(["near", "far", "far"])
    test = np.array([[1.0, 0.3]])
    assert knn_predict(train, labels, test, neighbours=3).tolist() == ["near"]
    assert knn_predict(train, labels, test, neighbours=3, temperature=100.0).tolist() == ["far"]


def test_knn_only_sees_directions_and_each_vector_alone() -> None:
    train, labels = clusters(1)
    test, test_labels = clusters(2, samples=2100)
    scale = np.random.default_rng(3).uniform(0.1, 9, size=(len(test), 1))
    once = knn_predict(train, labels, test)
    np.testing.assert_array_equal(once, knn_predict(7 * train, labels, scale * test))
    parts = [knn_predict(train, labels, test[i : i + 300]) for i in range(0, 2100, 300)]
    np.testing.assert_array_equal(once, np.concatenate(parts))
    assert knn_accuracy(train, labels, test, test_labels) == np.mean(once == test_labels)


def test_features_without_content_reach_chance_and_good_ones_do_not() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(4, size=3000)
    noise = generator.normal(size=(3000, 6))
    accuracy = knn_accuracy(noise[:1000], labels[:1000], noise[1000:], labels[1000:])
    assert accuracy == pytest.approx(0.25, abs=0.03)  # 3 standard errors
    train, test = clusters(1), clusters(2)
    assert knn_accuracy(*train, *test) > 0.85


def test_chance_is_the_share_of_the_commonest_training_label() -> None:
    assert chance_accuracy(np.array([2, 2, 1]), np.array([1, 2, 2, 3])) == 0.5
    assert chance_accuracy(np.array([3, 1, 3]), np.array([1, 2, 2, 3])) == 0.25


TRAIN, LABELS = clusters(1)
KNN = {
    "no neighbour": (lambda: knn_predict(TRAIN, LABELS, TRAIN, neighbours=0), "neighbours is 0"),
    "too many": (lambda: knn_predict(TRAIN, LABELS, TRAIN, neighbours=91), "91, and there are 90"),
    "training vectors of zeros": (lambda: knn_predict(TRAIN * 0, LABELS, TRAIN), "no direction"),
    "test vectors of NaN": (lambda: knn_predict(TRAIN, LABELS, TRAIN * np.nan), "no direction"),
    "a label too few": (
        lambda: knn_predict(TRAIN, LABELS[1:], TRAIN),
        "training set has 90 feature vectors and 89 labels",
    ),
    "a test label too many": (
        lambda: knn_accuracy(TRAIN, LABELS, TRAIN[1:], LABELS),
        "test set has 89 feature vectors and 90 labels",
    ),
    "nobody to learn from": (lambda: knn_predict(TRAIN[:0], LABELS[:0], TRAIN), "has 0 feature"),
}
OTHERS = {
    "more keys than there are": (lambda: recall_at_k(np.eye(3), np.eye(3), k=4), "are 3 keys"),
    "no key": (lambda: recall_at_k(np.eye(3), np.eye(3), k=0), "k is 0"),
    "an interval of one run": (lambda: interval([0.5]), "two or more finite values"),
    "an interval with a gap": (lambda: interval([0.5, math.nan]), "two or more finite values"),
    "pairs without a partner": (lambda: paired_interval([1.0, 2.0, 3.0], [1.0, 2.0]), "3 and 2"),
}
REFUSED = KNN | OTHERS


@pytest.mark.parametrize(("call", "pattern"), REFUSED.values(), ids=list(REFUSED))
def test_what_has_no_answer_is_refused(call, pattern) -> None:
    with pytest.raises(InputError, match=pattern):
        call()


def test_as_many_neighbours_as_samples_and_as_many_keys_are_allowed() -> None:
    assert len(knn_predict(TRAIN, LABELS, TRAIN[:3], neighbours=90)) == 3
    assert recall_at_k(np.eye(3), np.eye(3)[::-1], k=3) == 1


@pytest.mark.parametrize("k", [1, 3, 7])
def test_recall_counts_who_is_found(k: int) -> None:
    generator = np.random.default_rng(k)
    queries = generator.normal(size=(7, 4))
    keys = queries + generator.normal(size=(7, 4))
    hits = 0
    for number, query in enumerate(queries):
        cosines = [query @ key / np.linalg.norm(query) / np.linalg.norm(key) for key in keys]
        hits += number in np.argsort(cosines)[::-1][:k]
    assert recall_at_k(queries, keys, k=k) == pytest.approx(hits / 7)


def test_recall_asks_the_queries() -> None:
    keys = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    queries = np.array([[1.0, 0.1], [1.0, 0.0], [0.1, 1.0]])
    assert recall_at_k(queries, keys) == pytest.approx(2 / 3)
    assert recall_at_k(keys, queries) == pytest.approx(1 / 3)


def test_an_interval_is_that_of_scipy_and_of_the_table() -> None:
    values = [0.61, 0.64, 0.70, 0.66, 0.59]
    mine = interval(values)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (mine.low, mine.high) == pytest.approx((low, high))
    five = interval([0.0, 1.0, 2.0, 3.0, 4.0])
    assert (five.mean, five.count) == (2.0, 5)
    half = 2.776445 * math.sqrt(0.5)  # t at 97.5 % and 4 degrees; s^2 = 2.5, over 5
    assert (five.low, five.high) == pytest.approx((2 - half, 2 + half), abs=1e-6)
    assert interval(values, level=0.5).high < mine.high
    assert str(interval([1.0, 2.0, 3.0])) == "2 [-0.484, 4.48], n = 3"


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    found = [interval(generator.normal(3, 2, size=5)) for _ in range(1000)]
    held = [one.low <= 3 <= one.high for one in found]
    assert np.mean(held) == pytest.approx(0.95, abs=0.021)  # 3 standard errors


def test_pairs_cancel_what_they_share() -> None:
    shared = np.array([0.2, 0.9, 0.5, 0.4])
    gain = np.array([0.03, 0.05, 0.04, 0.04])
    paired = paired_interval(shared + gain, shared)
    assert paired.mean == pytest.approx(0.04)
    result = stats.ttest_rel(shared + gain, shared).confidence_interval(0.95)
    assert (paired.low, paired.high) == pytest.approx((result.low, result.high))
    assert paired.low > 0
    reverse = paired_interval(shared, shared + gain)
    assert (reverse.low, reverse.high) == pytest.approx((-paired.high, -paired.low))
