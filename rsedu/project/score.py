"""The score of a change map: F1, dates, boundary bias and hectares; as numbers and as text."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64
from scipy import ndimage

from rsedu.errors import InputError
from rsedu.evaluation.area import PAIR, Estimate, allocate, draw, error_matrix, estimate
from rsedu.evaluation.masks import boundary_bias, dice
from rsedu.io.text_table import text_table
from rsedu.project.place import Place
from rsedu.scenes.grid import hectares

LOST = 1  # the class and the stratum of lost forest; the rest is 0
SAMPLE = 1000  # pixels; of what a map missed, too few of a smaller sample tell
FEW = 5  # of a kind in a stratum; with fewer, a symmetric interval is too narrow
NO_INTERVAL = (
    "One of the map's two strata, loss and the rest, is a single pixel: that has no variance, so "
    "there is no estimate of hectares and no interval."
)

Mask = Bool[np.ndarray, "rows cols"]
Years = Float32[np.ndarray, "rows cols"]


@dataclass(frozen=True, kw_only=True)
class YearHectares:
    """One calendar year's loss in hectares: counted on the map, estimated from the sample, true.

    `low_ha` and `high_ha` are the ends of the 95 % interval, see `rsedu.evaluation.area.estimate`.
    """

    year: int
    mapped_ha: float
    estimated_ha: float
    low_ha: float
    high_ha: float
    true_ha: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """What a change map is worth; `mapped_ha` and `true_ha` are counted on the map and in truth.

    Attributes:
        precision: share of the mapped loss that is one, 0 to 1.
        recall: share of the true loss that was mapped.
        f1: their harmonic mean; 0 where nothing was found.
        found_px: pixels that are lost on the map and in truth, whenever.
        date_error_years: mean absolute difference on those; NaN where there are none.
        boundary_bias_m: mean way from the true outlines to the mapped ones, outwards above 0, over
            the patches that both show; NaN where there are none.
        matrix: (2, 2) the sample: mapped in rows, true in columns; not lost first.
        estimate: areas in hectares and accuracies, from that sample; NaN, and the sample empty,
            where loss or the rest of the map is a single pixel.
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

    @property
    def interval(self) -> str:
        """The interval in words, "none" where there is none."""
        low, high = self.interval_ha
        return "none" if math.isnan(low) else f"{low:.0f} to {high:.0f}"


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
        true: decimal year of the true loss, on the same pixels.
        gsd_m: side of a pixel, metres.
        sample: pixels to look up.
        how: the sample is dealt out to the strata, see `rsedu.evaluation.area.ALLOCATIONS`.
        seed: number of the sample.

    Raises:
        InputError: shapes differ, or one of both is lost nowhere or everywhere.
    """
    _check(mapped, true)
    ours, theirs = np.isfinite(mapped), np.isfinite(true)
    both = ours & theirs
    pixels, sizes = _draw(ours, sample=sample, how=how, seed=seed)
    matrix = _matrix(ours, theirs, pixels, classes=2)
    difference = np.abs(mapped[both].astype(np.float64) - true[both])
    # Of patches that were found; whole ones too many or too few are no outlines.
    met = _met(ours, theirs), _met(theirs, ours)
    lost = np.floor(np.concatenate([mapped[ours], true[theirs]]))
    calendar_years = range(int(lost.min()), int(lost.max()) + 1)
    years = _by_year(mapped, true, calendar_years, pixels, sizes, gsd_m)
    return Score(
        precision=float(both.sum() / ours.sum()),
        recall=float(both.sum() / theirs.sum()),
        f1=dice(ours, theirs),
        found_px=int(both.sum()),
        date_error_years=float(difference.mean()) if both.any() else math.nan,
        boundary_bias_m=boundary_bias(*met, gsd_m=gsd_m).boundary_m if both.any() else math.nan,
        mapped_ha=hectares(ours, gsd_m),
        true_ha=hectares(theirs, gsd_m),
        matrix=matrix,
        estimate=_estimate(matrix, sizes, gsd_m),
        by_year=tuple(year for year in years if year.mapped_ha or year.true_ha),
    )


def by_year(
    mapped: Years,
    true: Years,
    place: Place,
    *,
    sample: int = SAMPLE,
    how: str = "at_least",
    seed: int = 0,
) -> tuple[YearHectares, ...]:
    """Estimate the loss of each calendar year that the place's period touches.

    Arguments, strata and sample as in `score`, so the estimates add up to its own. The map's years
    play no part in them: a map with wrong dates gets right hectares here, and a wider interval than
    one year's stratum would give.
    """
    pixels, sizes = _draw(np.isfinite(mapped), sample=sample, how=how, seed=seed)
    years = range(math.floor(place.since), math.ceil(place.until))
    return _by_year(mapped, true, years, pixels, sizes, place.gsd_m)


def sampled(
    mapped: Mask, true: Mask, *, sample: int = SAMPLE, how: str = "at_least", seed: int = 0
) -> tuple[Int64[np.ndarray, "2 2"], Int64[np.ndarray, "2"]]:
    """Look up a stratified random sample of a map: its error matrix, and the strata's pixels."""
    pixels, sizes = _draw(mapped, sample=sample, how=how, seed=seed)
    return _matrix(mapped, true, pixels, classes=2), sizes


def _draw(
    mapped: np.ndarray, *, sample: int, how: str, seed: int
) -> tuple[Int64[np.ndarray, "sample"], Int64[np.ndarray, "2"]]:
    """Places of a sample in the flat map, and the pixels of its strata."""
    lost = int(mapped.sum())
    sizes = np.array([mapped.size - lost, lost], dtype=np.int64)
    if sizes.min() < PAIR:
        return np.zeros(0, dtype=np.int64), sizes
    return draw(mapped.astype(np.int8), allocate(sizes, sample, how=how), seed=seed), sizes


def _matrix(
    mapped: np.ndarray, true: np.ndarray, pixels: np.ndarray, *, classes: int
) -> Int64[np.ndarray, "2 classes"]:
    strata, reference = (plane.ravel()[pixels].astype(np.int64) for plane in (mapped, true))
    return error_matrix(strata, reference, strata_count=2, classes=classes)


def _estimate(counts: np.ndarray, sizes: np.ndarray, gsd_m: float) -> Estimate:
    """Areas in hectares and accuracies; NaN where nothing was drawn."""
    if counts.any():
        return estimate(counts, sizes * (gsd_m**2 / 10_000), mapped=(0, LOST))
    unknown = np.full(counts.shape[1], math.nan)
    values: dict[str, Any] = {
        each.name: math.nan if each.type is float else unknown for each in fields(Estimate)
    }
    return Estimate(**values)


def _by_year(
    mapped: np.ndarray,
    true: np.ndarray,
    calendar_years: range,
    pixels: np.ndarray,
    sizes: np.ndarray,
    gsd_m: float,
) -> tuple[YearHectares, ...]:
    ours, theirs = (_classes(years, calendar_years) for years in (mapped, true))
    counts = _matrix(np.isfinite(mapped), theirs, pixels, classes=len(calendar_years) + 1)
    whole = _estimate(counts, sizes, gsd_m)
    return tuple(
        YearHectares(
            year=year,
            mapped_ha=hectares(ours == number, gsd_m),
            estimated_ha=float(whole.area[number]),
            low_ha=float(whole.low[number]),
            high_ha=float(whole.high[number]),
            true_ha=hectares(theirs == number, gsd_m),
        )
        for number, year in enumerate(calendar_years, 1)
    )


def _classes(years: np.ndarray, calendar_years: range) -> Int64[np.ndarray, "rows cols"]:
    """0 for no loss, 1 for a loss in the first calendar year, and so on."""
    lost = np.isfinite(years)
    number = np.floor(np.where(lost, years, 0)).astype(np.int64) - calendar_years[0] + 1
    # A loss at the very end of the period, say 2026.0, belongs to its last year.
    return np.where(lost, np.clip(number, 1, len(calendar_years)), 0).astype(np.int64)


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


def _met(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Those regions of a mask that share a pixel with another mask."""
    labels, count = ndimage.label(mask)
    meets = np.bincount(labels[other], minlength=count + 1) > 0
    meets[0] = False  # what lies outside the mask is no part of it
    return np.asarray(meets[labels])


def in_words(value: float, digits: str, unit: str) -> str:
    """Return a number with its unit, or "none" for NaN."""
    return "none" if math.isnan(value) else f"{value:{digits}} {unit}"


def render(score: Score, place: Place) -> str:
    """Return the score as a table of text; the places of its decimals are those that hold."""
    years = [("", "year", "mapped ha", "true ha")]
    years += [("", str(y.year), f"{y.mapped_ha:.0f}", f"{y.true_ha:.0f}") for y in score.by_year]
    parts = [
        f"SYNTHETIC {place}",
        _table(_accuracy(score)),
        "hectares lost\n" + _table(_hectares(score)),
        text_table(years, align="<<>", widths=(0, 4, 12, 10)),
    ]
    missed, looked_up = int(score.matrix[0, LOST]), int(score.matrix[0].sum())
    if not score.matrix.any():
        parts.append(NO_INTERVAL)
    elif missed < FEW:
        parts.append(
            f"Only {missed} of {looked_up} sampled pixels outside the mapped loss were lost: the "
            "symmetric interval is too narrow here."
        )
    return "\n\n".join(parts)


def _table(rows: list[tuple[str, str, str]]) -> str:
    indented = [("", name, value, f" {remark}") for name, value, remark in rows]
    return text_table(indented, align="<<><", widths=(0, 20, 12))


def _accuracy(score: Score) -> list[tuple[str, str, str]]:
    rates = f"precision {score.precision:.3f}, recall {score.recall:.3f}"
    years = in_words(score.date_error_years, ".2f", "years")
    metres = in_words(score.boundary_bias_m, "+z.1f", "m")
    bias_m = round(score.boundary_bias_m, 1)
    wide = "too large" if bias_m > 0 else "too small" if bias_m < 0 else "as large as they are"
    patches = f"patches that were found are mapped {wide}"
    return [
        ("F1 of change", f"{score.f1:.3f}", rates),
        ("date error", years, f"mean of {score.found_px} pixels found"),
        ("boundary bias", metres, "no patch was found" if math.isnan(bias_m) else patches),
    ]


def _hectares(score: Score) -> list[tuple[str, str, str]]:
    low, high = score.interval_ha
    first, last = score.estimate.symmetric(LOST)
    inside = "within" if low <= score.true_ha <= high else "outside"
    off = f"the map's count is {100 * (score.mapped_ha / score.true_ha - 1):+.0f} % off"
    digits = 0 if score.mapped_ha >= 1 else 2
    counted = ("counted on the map", f"{score.mapped_ha:.{digits}f}", "no error is known")
    if not score.matrix.any():
        return [counted, ("estimated", "none", ""), ("truth", f"{score.true_ha:.0f}", off)]
    sampled = f"estimated, {int(score.matrix.sum())} px"
    return [
        counted,
        (sampled, f"{score.estimated_ha:.0f}", f"95 % interval {score.interval}"),
        ("", "", f"symmetric, Olofsson et al. 2014: {first:.0f} to {last:.0f}"),
        ("truth", f"{score.true_ha:.0f}", f"{inside} the interval; {off}"),
        *(
            (f"{name}'s accuracy", f"{share:.2f}", f"standard error {error:.2f}")
            for name, (share, error) in _accuracies(score.estimate).items()
        ),
    ]


def _accuracies(estimate: Estimate) -> dict[str, tuple[float, float]]:
    return {
        "user": (float(estimate.user[LOST]), float(estimate.user_error[LOST])),
        "producer": (float(estimate.producer[LOST]), float(estimate.producer_error[LOST])),
    }


def facts(score: Score, place: Place) -> dict[str, Any]:
    """Return the score as JSON knows it: None for what is not defined, six digits at most."""
    names = ("f1", "precision", "recall", "date_error_years", "boundary_bias_m", "mapped_ha")
    values = {name: getattr(score, name) for name in (*names, "estimated_ha")}
    values["low_ha"], values["high_ha"] = score.interval_ha
    values["symmetric_low_ha"], values["symmetric_high_ha"] = score.estimate.symmetric(LOST)
    values["true_ha"] = score.true_ha
    for name, (share, error) in _accuracies(score.estimate).items():
        values |= {name: share, f"{name}_error": error}
    rounded = {name: float(f"{v:.6g}") if math.isfinite(v) else None for name, v in values.items()}
    by_year = {str(y.year): {"mapped_ha": y.mapped_ha, "true_ha": y.true_ha} for y in score.by_year}
    matrix = score.matrix.tolist()
    return {"place": str(place), **rounded, "error_matrix": matrix, "by_year": by_year}
