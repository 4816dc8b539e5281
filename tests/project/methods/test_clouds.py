"""Track B: which look fills a cloudy date, and what CROMA's tokens say of a period."""

from dataclasses import replace

import numpy as np
import pytest

from rsedu.errors import InputError
from rsedu.project.methods.baselines import Sample
from rsedu.project.methods.clouds import ThroughClouds, across, latest_clear_composite, tokens_of
from rsedu.project.task import Stack


def test_a_cloudy_date_shows_the_latest_clear_look_else_the_next() -> None:
    optical = np.broadcast_to(np.arange(4, dtype=np.float32)[:, None, None, None], (4, 12, 1, 3))
    clear = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)[:, None]
    radar, dates = np.zeros((4, 2, 1, 3), dtype=np.float32), (1.0, 2.0, 3.0, 4.0)
    stack = Stack(dates=dates, optical=optical.copy(), radar=radar, clear=clear, gsd_m=10.0)
    found = latest_clear_composite(stack)[:, 0, 0]
    assert found[:, 0].tolist() == [1, 1, 1, 3]
    assert found[:, 1].tolist() == [0, 0, 0, 3]
    assert np.isnan(found[:, 2]).all()


def test_a_period_has_the_mean_token_before_it_beside_that_after_it() -> None:
    tokens = np.random.default_rng(0).normal(size=(4, 2, 3, 5)).astype(np.float32)
    pairs = across(tokens)
    assert pairs.shape == (3, 2, 3, 10)
    assert pairs[1, 1, 2, :5] == pytest.approx(tokens[:2, 1, 2].mean(axis=0), abs=1e-6)
    assert pairs[1, 1, 2, 5:] == pytest.approx(tokens[2:, 1, 2].mean(axis=0), abs=1e-6)


def test_radar_tokens_don_t_see_clouds_and_joint_ones_do(samples: tuple[Sample, ...]) -> None:
    stack = samples[0].stack
    dark = replace(stack, clear=np.zeros_like(stack.clear))
    assert np.array_equal(tokens_of(stack, "radar"), tokens_of(dark, "radar"))
    assert not np.array_equal(tokens_of(stack, "both"), tokens_of(dark, "both"))


def test_the_tokens_find_the_period_of_most_losses(samples: tuple[Sample, ...]) -> None:
    method = ThroughClouds.fit(sensors="radar", places=(1,))
    sample = samples[0]
    told = method.read(sample.stack)
    lost = np.isfinite(sample.years)
    true = np.searchsorted(np.array(sample.stack.dates), sample.years[lost]) - 1
    assert (told.argmax(axis=0)[lost] == true).mean() > 0.6
    assert len(method(sample.stack)) == 12 + 2
    assert method.name == "croma of radar, head of places 1"
    with pytest.raises(InputError, match="sensors is 'sonar'"):
        ThroughClouds.fit(sensors="sonar", places=(1,))
