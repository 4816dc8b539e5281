"""Oracles of lesson 08: the kit's own scores, years and areas, scipy's beta, trial and error."""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rsedu.evaluation.area import estimate
from rsedu.project.methods.baselines import first_year
from rsedu.project.score import score

Array = NDArray[np.float64]


def _year(gone: NDArray[np.bool_], clear: NDArray[np.bool_], dates: Array) -> Array:
    years = first_year(gone[..., None], clear[..., None], tuple(dates.tolist()))
    return years[:, 0].astype(float)


def _scores(mapped: Array, truth: Array) -> tuple[float, float]:
    scores = score(mapped.astype(np.float32), truth.astype(np.float32), gsd_m=10.0, sample=4)
    return scores.f1, scores.date_error_years


def _area(counts: NDArray[np.int64], strata_ha: Array) -> tuple[float, float]:
    areas = estimate(counts, strata_ha, mapped=(0, 1, 1)[: len(counts)])
    return float(areas.area[1]), float(areas.area_error[1])


def _sample_size(shares: Array, strata_ha: Array, half_ha: float) -> int:
    """Deal out larger and larger samples as Neyman does, until the interval is short enough."""
    spreads = strata_ha * np.sqrt(shares * (1 - shares))
    for total in itertools.count(1):
        drawn = total * spreads / spreads.sum()
        if 1.96 * np.sqrt((spreads**2 / drawn).sum()) <= half_ha:
            return total
    raise AssertionError


ORACLES = {
    "fall_db": lambda before_db, after_db: (
        (
            (np.logaddexp.reduce(before_db * np.log(10) / 10) - np.log(len(before_db)))
            - (np.logaddexp.reduce(after_db * np.log(10) / 10) - np.log(len(after_db)))
        )
        / np.log(10)
        * 10
    ),
    "loss_year": _year,
    "change_scores": _scores,
    "stratified_area": _area,
    "sample_size": _sample_size,
    # Clopper and Pearson's upper limit of a share of which a sample met none.
    "most_missed_ha": lambda looked, ha: float(ha * stats.beta.ppf(0.95, 1, looked)),
}
