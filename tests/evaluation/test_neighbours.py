import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression

from rsedu.errors import InputError
from rsedu.evaluation.neighbours import (
    Labelled,
    chance_accuracy,
    interval,
    knn_accuracy,
    knn_predict,
    linear_probe,
    paired_interval,
    spatial_split,
)


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


def test_knn_only_sees_directions_and_works_in_chunks() -> None:
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


@pytest.mark.parametrize("k", [0, 91])
def test_knn_refuses_a_number_of_neighbours_it_cannot_have(k: int) -> None:
    train, labels = clusters(1)
    with pytest.raises(InputError, match=f"neighbours is {k}"):
        knn_predict(train, labels, train, neighbours=k)


def test_knn_refuses_vectors_without_direction_and_missing_labels() -> None:
    train, labels = clusters(1)
    with pytest.raises(InputError, match="no direction"):
        knn_predict(train * 0, labels, train)
    with pytest.raises(InputError, match="no direction"):
        knn_predict(train, labels, train * np.nan)
    with pytest.raises(InputError, match="90 feature vectors and 89 labels"):
        knn_predict(train, labels[1:], train)


def three_sets(noise: float = 0.9) -> list[Labelled]:
    return [Labelled(*clusters(seed, noise=noise)) for seed in (1, 2, 3)]


def test_the_probe_is_logistic_regression_on_features_standardised_by_the_training_set() -> None:
    train, validation, test = three_sets()
    test = Labelled(3 * test.features + 2, test.labels)  # must not be standardised by itself
    result = linear_probe(train, validation, test, strengths=[0.1])
    mean, deviation = train.features.mean(axis=0), train.features.std(axis=0)
    oracle = LogisticRegression(C=0.1).fit((train.features - mean) / deviation, train.labels)
    expected = oracle.predict((test.features - mean) / deviation)
    np.testing.assert_array_equal(result.predicted, expected)
    assert result.accuracy == np.mean(expected == test.labels)


def test_the_probe_does_not_mind_the_scale_of_the_features() -> None:
    scaled = [Labelled(1e4 * each.features + 500, each.labels) for each in three_sets()]
    np.testing.assert_array_equal(
        linear_probe(*three_sets()).predicted, linear_probe(*scaled).predicted
    )


def test_the_penalty_is_chosen_on_validation_and_blind_to_the_test_set() -> None:
    """Validation labels are what the strong penalty says; the test set prefers the weak one."""
    train, other, _ = three_sets()
    strengths = (1e-5, 1.0)
    strong = linear_probe(train, other, other, strengths=strengths[:1])
    validation = Labelled(other.features, strong.predicted)
    each = {c: linear_probe(train, validation, train, strengths=[c]) for c in strengths}
    assert each[1e-5].validation_accuracy > each[1.0].validation_accuracy
    assert each[1e-5].accuracy < each[1.0].accuracy
    chosen = linear_probe(train, validation, train, strengths=strengths)
    assert chosen.strength == 1e-5
    assert chosen.validation_accuracy == each[1e-5].validation_accuracy


def test_of_equal_penalties_the_strongest_is_taken() -> None:
    result = linear_probe(*three_sets(noise=0.05), strengths=(10.0, 0.1, 1.0))
    assert (result.validation_accuracy, result.strength) == (1.0, 0.1)


def test_a_probe_on_noise_reaches_chance() -> None:
    generator = np.random.default_rng(0)
    sets = [
        Labelled(generator.normal(size=(900, 4)), generator.integers(3, size=900)) for _ in "abc"
    ]
    assert linear_probe(*sets).accuracy == pytest.approx(1 / 3, abs=0.05)


def test_a_probe_needs_two_classes_and_a_strength() -> None:
    train, validation, test = three_sets()
    one = Labelled(train.features, np.zeros_like(train.labels))
    with pytest.raises(InputError, match="only the label"):
        linear_probe(one, validation, test)
    with pytest.raises(InputError, match="strengths is empty"):
        linear_probe(train, validation, test, strengths=[])


@given(seed=st.integers(0, 99), block_m=st.sampled_from([150.0, 333.0]))
def test_no_block_of_the_map_is_on_two_sides(seed: int, block_m: float) -> None:
    generator = np.random.default_rng(seed)
    x_m, y_m = generator.uniform(-2000, 2000, size=(2, 500))
    parts = spatial_split(x_m, y_m, block_m=block_m, seed=seed)
    sides: dict[tuple[int, int], set[int]] = {}
    for x, y, part in zip(x_m, y_m, parts, strict=True):
        sides.setdefault((math.floor(x / block_m), math.floor(y / block_m)), set()).add(int(part))
    assert all(len(parts_of_block) == 1 for parts_of_block in sides.values())
    shares = np.bincount(parts, minlength=3) / 500
    np.testing.assert_allclose(shares, (0.6, 0.2, 0.2), atol=0.05)


def test_x_and_y_both_make_blocks_and_the_seed_deals_them_out() -> None:
    x_m, y_m = (axis.ravel() for axis in np.meshgrid(np.arange(10.0), np.arange(10.0)))
    first = spatial_split(x_m, y_m, block_m=1.0, seed=0)
    assert (first != spatial_split(x_m, y_m, block_m=1.0, seed=1)).any()
    np.testing.assert_array_equal(first, spatial_split(x_m, y_m, block_m=1.0, seed=0))
    grid = first.reshape(10, 10)
    assert any(len(set(row)) > 1 for row in grid)
    assert any(len(set(column)) > 1 for column in grid.T)


def test_splits_that_cannot_be_are_refused() -> None:
    x_m = y_m = np.arange(10.0)
    with pytest.raises(InputError, match="1 blocks of 1000 m leave part"):
        spatial_split(x_m, y_m, block_m=1000.0)
    with pytest.raises(InputError, match="sum to 1"):
        spatial_split(x_m, y_m, block_m=1.0, fractions=(0.5, 0.4))


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


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    held = [
        one.low <= 3 <= one.high
        for one in (interval(generator.normal(3, 2, size=5)) for _ in range(1000))
    ]
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


def test_an_interval_of_one_run_or_of_unequal_pairs_is_refused() -> None:
    with pytest.raises(InputError, match="two or more finite values"):
        interval([0.5])
    with pytest.raises(InputError, match="two or more finite values"):
        interval([0.5, math.nan])
    with pytest.raises(InputError, match="3 and 2"):
        paired_interval([1.0, 2.0, 3.0], [1.0, 2.0])


def test_an_interval_prints_its_mean_ends_and_count() -> None:
    assert str(interval([1.0, 2.0, 3.0])) == "2 [-0.484, 4.48], n = 3"
