"""Hectares of each calendar year, estimated from the sample that the whole is estimated from."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from rsedu.evaluation.area import allocate, draw, error_matrix, estimate
from rsedu.project.place import Place
from rsedu.project.score import LOST, SAMPLE


@dataclass(frozen=True, kw_only=True)
class YearEstimate:
    """One calendar year's loss.

    Attributes:
        year: such as 2021.
        mapped_ha: hectares, counted on the map.
        estimated_ha: hectares, estimated from the sample.
        low_ha: lower end of the 95 % interval, see `rsedu.evaluation.area.estimate`.
        high_ha: its upper end.
        true_ha: hectares of the truth.
    """

    year: int
    mapped_ha: float
    estimated_ha: float
    low_ha: float
    high_ha: float
    true_ha: float


def calendar(place: Place) -> range:
    """Calendar years that the period of a place touches."""
    return range(math.floor(place.since), math.ceil(place.until))


def _classes(
    years: Float32[np.ndarray, "rows cols"], calendar_years: range
) -> Int64[np.ndarray, "pixels"]:
    """0 for no loss, 1 for a loss in the first calendar year, and so on."""
    lost = np.isfinite(years).ravel()
    number = np.floor(np.where(lost, years.ravel(), 0)).astype(np.int64) - calendar_years[0] + 1
    # A loss at the very end of the period, say 2026.0, belongs to its last year.
    return np.where(lost, np.clip(number, 1, len(calendar_years)), 0).astype(np.int64)


def by_year(
    mapped: Float32[np.ndarray, "rows cols"],
    true: Float32[np.ndarray, "rows cols"],
    place: Place,
    *,
    sample: int = SAMPLE,
    how: str = "at_least",
    seed: int = 0,
) -> tuple[YearEstimate, ...]:
    """Estimate the loss of each calendar year.

    Strata and sample are those of `rsedu.project.score.score`, so the estimates of the years add up
    to its own. The map's years play no part in them: a map with wrong dates gets right hectares
    here, and a wider interval than one year's stratum would give.

    Args:
        mapped: decimal year of the loss, NaN for none.
        true: likewise, on the same pixels.
        place: of both.
        sample: pixels to look up.
        how: they are dealt out, see `rsedu.evaluation.area.ALLOCATIONS`.
        seed: of the sample.

    Raises:
        InputError: one stratum has fewer than 2 pixels.
    """
    calendar_years = calendar(place)
    strata = np.isfinite(mapped).astype(np.int8)
    sizes = np.bincount(strata.ravel(), minlength=2)
    places = draw(strata, allocate(sizes, sample, how=how), seed=seed)
    ours, theirs = (_classes(years, calendar_years) for years in (mapped, true))
    counts = error_matrix(
        strata.ravel()[places].astype(np.int64),
        theirs[places],
        strata_count=2,
        classes=len(calendar_years) + 1,
    )
    hectares = place.gsd_m**2 / 10_000
    found = estimate(counts, sizes * hectares, mapped=(0, LOST))
    return tuple(
        YearEstimate(
            year=year,
            mapped_ha=float((ours == number).sum() * hectares),
            estimated_ha=float(found.area[number]),
            low_ha=float(found.low[number]),
            high_ha=float(found.high[number]),
            true_ha=float((theirs == number).sum() * hectares),
        )
        for number, year in enumerate(calendar_years, 1)
    )
