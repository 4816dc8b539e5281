import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rsedu.errors import InputError
from rsedu.evaluation.linear_probe import Labelled, linear_probe


def clusters(seed: int, *, noise: float) -> Labelled:
    centres = np.random.default_rng(0).normal(size=(3, 5))
    generator = np.random.default_rng(seed)
    labels = generator.integers(3, size=90)
    return Labelled(centres[labels] + noise * generator.normal(size=(90, 5)), labels)


def three_sets(noise: float = 0.9) -> list[Labelled]:
    return [clusters(seed, noise=noise) for seed in (1, 2, 3)]


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
    scaled = [Labelled(1e4 * part.features + 500, part.labels) for part in three_sets()]
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


def test_a_probe_needs_two_classes_a_strength_and_a_label_for_each() -> None:
    train, validation, test = three_sets()
    one = Labelled(train.features, np.zeros_like(train.labels))
    with pytest.raises(InputError, match="only the label"):
        linear_probe(one, validation, test)
    with pytest.raises(InputError, match="strengths is empty"):
        linear_probe(train, validation, test, strengths=[])
    with pytest.raises(InputError, match="90 feature vectors and 89 labels"):
        Labelled(train.features, train.labels[1:])
