"""How good a change map is: found or not, when, how far its outlines lie off, and hectares."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy import ndimage

from rsedu.errors import InputError
from rsedu.evaluation.area import Estimate, allocate, draw, error_matrix, estimate
from rsedu.evaluation.masks import boundary_bias

LOST = 1  # the class and the stratum of lost forest; the rest is 0
SAMPLE = 1000  # pixels; of what a map missed, too few of a smaller sample tell

Years = Float32[np.ndarray, "rows cols"]


@dataclass(frozen=True, kw_only=True)
class YearHectares:
    """One calendar year's loss.

    Attributes:
        year: such as 2021.
        mapped_ha: hectares, counted on the map.
        true_ha: hectares of the truth.
    """

    year: int
    mapped_ha: float
    true_ha: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """What a change map is worth.

    Attributes:
        precision: share of the mapped loss that is one, 0 to 1.
        recall: share of the true loss that was mapped.
        f1: their harmonic mean; 0 where nothing was found.
        found_px: pixels that are lost on the map and in truth, whenever.
        date_error_years: mean absolute difference on those; NaN where there are none.
        boundary_bias_m: mean way from the true outlines to the mapped ones, outwards above 0, over
            the patches that both show; NaN where there are none.
        mapped_ha: hectares of loss, counted on the map.
        true_ha: hectares of loss in truth.
        matrix: (2, 2) the sample: mapped in rows, true in columns; not lost first.
        estimate: of the areas in hectares and of the accuracies, from that sample.
        by_year: every calendar year in which something was lost, mapped or true.
    """

    precision: float
    recall: float
    f1: float
    found_px: int
    date_error_years: float
    boundary_bias_m: float
    mapped_ha: float
    true_ha: float
    matrix: Int64[np.ndarray, "2 2"]
    estimate: Estimate
    by_year: tuple[YearHectares, ...]

    @property
    def estimated_ha(self) -> float:
        """Hectares of loss, estimated from the sample."""
        return float(self.estimate.area[LOST])

    @property
    def interval_ha(self) -> tuple[float, float]:
        """Ends of the 95 % interval of `estimated_ha`."""
        return float(self.estimate.low[LOST]), float(self.estimate.high[LOST])


def score(
    mapped: Years,
    true: Years,
    *,
    gsd_m: float,
    sample: int = SAMPLE,
    how: str = "at_least",
    seed: int = 0,
) -> Score:
    """Score a change map against the truth.

    A pixel counts as found whatever year the map gives it; the years are judged apart. The area is
    estimated as one would without the truth: strata are the map's loss and the rest, and only the
    pixels of a random sample are looked up.

    Args:
        mapped: decimal year of the loss, NaN for none; some of both.
        true: likewise, on the same pixels.
        gsd_m: side of a pixel, metres.
        sample: pixels to look up.
        how: they are dealt out to the strata, see `rsedu.evaluation.area.ALLOCATIONS`.
        seed: of the sample.

    Raises:
        InputError: shapes differ, or one of both is lost nowhere or everywhere.
    """
    _check(mapped, true)
    ours, theirs = np.isfinite(mapped), np.isfinite(true)
    found = ours & theirs
    hectares = gsd_m**2 / 10_000
    precision, recall = float(found.sum() / ours.sum()), float(found.sum() / theirs.sum())
    matrix, sizes = sampled(ours, theirs, sample=sample, how=how, seed=seed)
    apart = np.abs(mapped[found].astype(np.float64) - true[found])
    return Score(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if found.any() else 0.0,
        found_px=int(found.sum()),
        date_error_years=float(apart.mean()) if found.any() else math.nan,
        boundary_bias_m=_boundary_m(ours, theirs, gsd_m) if found.any() else math.nan,
        mapped_ha=float(ours.sum() * hectares),
        true_ha=float(theirs.sum() * hectares),
        matrix=matrix,
        estimate=estimate(matrix, sizes * hectares),
        by_year=_by_year(mapped[ours], true[theirs], hectares),
    )


def sampled(
    mapped: Bool[np.ndarray, "rows cols"],
    true: Bool[np.ndarray, "rows cols"],
    *,
    sample: int = SAMPLE,
    how: str = "at_least",
    seed: int = 0,
) -> tuple[Int64[np.ndarray, "2 2"], Int64[np.ndarray, "2"]]:
    """Look up a stratified random sample of a map: its error matrix, and the strata's pixels."""
    strata = mapped.astype(np.int8)
    lost = int(mapped.sum())
    sizes = np.array([mapped.size - lost, lost], dtype=np.int64)
    places = draw(strata, allocate(sizes, sample, how=how), seed=seed)
    looked = error_matrix(
        strata.ravel()[places].astype(np.int64),
        true.ravel()[places].astype(np.int64),
        strata_count=2,
        classes=2,
    )
    return looked, sizes


def _check(mapped: np.ndarray, true: np.ndarray) -> None:
    if mapped.shape != true.shape:
        raise InputError(
            f"The map has {mapped.shape} (rows, cols), the truth {true.shape}: bring both to the "
            "same pixels."
        )
    for name, years in (("map", mapped), ("truth", true)):
        count = int(np.isfinite(years).sum())
        if count in (0, years.size):
            raise InputError(
                f"The {name} shows loss in {count} of {years.size} pixels; a score needs pixels "
                "with loss (a year) and pixels without (NaN)."
            )


def _boundary_m(mapped: np.ndarray, true: np.ndarray, gsd_m: float) -> float:
    """Boundary bias of patches that were found; whole ones too many or too few are no outlines."""
    return boundary_bias(_met(mapped, true), _met(true, mapped), gsd_m=gsd_m).boundary_m


def _met(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Those connected parts of a mask that share a pixel with another mask."""
    labels, count = ndimage.label(mask)
    meets = np.bincount(labels[other], minlength=count + 1) > 0
    meets[0] = False  # what lies outside the mask is no part of it
    kept: np.ndarray = meets[labels]
    return kept


def _by_year(mapped: np.ndarray, true: np.ndarray, hectares: float) -> tuple[YearHectares, ...]:
    ours, theirs = np.floor(mapped).astype(int), np.floor(true).astype(int)
    return tuple(
        YearHectares(
            year=year,
            mapped_ha=float((ours == year).sum() * hectares),
            true_ha=float((theirs == year).sum() * hectares),
        )
        for year in sorted({*ours.tolist(), *theirs.tolist()})
    )
