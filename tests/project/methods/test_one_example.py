"""Track D: what an example is, and that what is like it is found."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from rsedu.errors import InputError
from rsedu.evaluation.masks import dice
from rsedu.project.methods import one_example
from rsedu.project.methods.baselines import Sample
from rsedu.project.methods.features import Pixels
from rsedu.project.methods.one_example import Example, OneExample, example_of
from rsedu.project.place import Place
from rsedu.project.task import Task
from rsedu.project.windows import Method


def test_the_example_is_the_clearing_of_the_middle_size(place: Place, true: np.ndarray) -> None:
    example = example_of(Task(place=place))
    sizes = np.unique(true[np.isfinite(true)], return_counts=True)[1]
    sizes = np.sort(sizes[sizes >= 100])
    assert example.mask.sum() == sizes[len(sizes) // 2]
    with pytest.raises(InputError, match="no clearing of 100 pixels"):
        example_of(Task(place=Place(seed=3, size_m=400.0)))


def test_its_likeness_is_the_mean_inside(samples: tuple[Sample, ...]) -> None:
    stack = samples[0].stack
    mask = np.zeros(stack.shape, dtype=np.bool_)
    mask[50:55, 60:66] = True
    inside = Pixels()(stack)[:, 51:54, 61:65].reshape(68, -1)
    told = Example(stack=stack, mask=mask).likeness()
    assert told == pytest.approx(inside.mean(axis=1), abs=1e-4, nan_ok=True)
    with pytest.raises(InputError, match="outline one clearing"):
        Example(stack=stack, mask=np.zeros_like(mask)).likeness()


def test_the_like_is_found_and_the_unlike_is_not(
    place: Place, true: np.ndarray, samples: tuple[Sample, ...]
) -> None:
    one_example._metric.cache_clear()
    method = OneExample.fit(example_of(Task(place=place)), places=(1,))
    one_example._metric.cache_clear()
    mapped = method.map(samples[0].stack)
    assert dice(np.isfinite(mapped), np.isfinite(samples[0].years)) > 0.9
    assert isinstance(method, Method)
    assert method.name.endswith(", trees of places 1")


def test_a_name_tells_the_example_and_the_school(
    place: Place, samples: tuple[Sample, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = HistGradientBoostingClassifier()
    monkeypatch.setattr(one_example, "_metric", lambda places: trees)
    first = example_of(Task(place=place))
    other = Example(stack=first.stack, mask=~first.mask)
    names = {
        OneExample.fit(example, places=places).name
        for example in (first, other)
        for places in ((1,), (2,), (1, 2))
    }
    assert len(names) == 6
    assert first.name != other.name
    assert first.name in OneExample.fit(first, places=(1,)).name
