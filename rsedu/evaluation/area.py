"""Area estimation by stratified random sampling: hectares with an honest interval.

Counting a map's pixels gives a number without an error. Looking at a random sample of them, of
known chances, gives an estimate with one, however good or bad the map: the stratified estimator of
Olofsson et al., "Good practices for estimating area and assessing accuracy of land change", Remote
Sensing of Environment 148, 42-57, 2014.

Their interval is symmetric, and too narrow where the sample meets few errors, as it does on a good
map. The one given first here is therefore put together from Jeffreys' interval of each stratum's
share (Brown, Cai and DasGupta, Statistical Science 16, 101-133, 2001) as Zou and Donner combine
intervals (Statistics in Medicine 27, 1693-1702, 2008).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, Integer
from scipy import stats

from rsedu.errors import InputError

#: How a sample is dealt out. equal: as many in each stratum. proportional: by area. at_least: by
#: area, but no stratum fewer than `LEAST`, the compromise of the paper's section 5.1.1.
ALLOCATIONS = ("equal", "proportional", "at_least")
LEAST = 75
PAIR = 2  # the fewest of a stratum that have a variance


def _rounded(shares: Float64[np.ndarray, "strata"], total: int) -> Int64[np.ndarray, "strata"]:
    """Whole numbers near `shares` that add up to `total`: the largest remainders are rounded up."""
    counts = np.floor(shares).astype(np.int64)
    up = np.argsort(-(shares - counts), kind="stable")[: total - int(counts.sum())]
    counts[up] += 1
    return np.asarray(counts)


def allocate(
    sizes: Integer[np.ndarray, "strata"], total: int, *, how: str = "at_least"
) -> Int64[np.ndarray, "strata"]:
    """Deal a sample out to strata.

    Args:
        sizes: pixels of each stratum, 2 or more.
        total: pixels of the sample, 2 or more for each stratum.
        how: one of `ALLOCATIONS`.

    Returns:
        Pixels of the sample in each stratum, 2 or more and no more than there are. They add up to
        `total`, except where a stratum is too small for its share or had to be given its 2.
    """
    if sizes.min() < PAIR or total < PAIR * len(sizes):
        raise InputError(
            f"A sample of {total} from strata of {', '.join(map(str, sizes))} pixels; every "
            "stratum needs 2 pixels or more and 2 of the sample, or it has no variance."
        )
    if how == "equal":
        counts = _rounded(np.full(len(sizes), total / len(sizes)), total)
    elif how == "proportional":
        counts = _rounded(sizes / sizes.sum() * total, total)
    elif how == "at_least":
        counts = _at_least(sizes, total)
    else:
        raise InputError(f"how is {how!r}; wanted one of {', '.join(ALLOCATIONS)}.")
    return np.asarray(np.clip(counts, PAIR, sizes), dtype=np.int64)


def _at_least(sizes: np.ndarray, total: int) -> Int64[np.ndarray, "strata"]:
    """By area, but `LEAST` or more for each stratum, or an equal share where that is less.

    What a small stratum is given is taken from the others, of which one may become too small.
    """
    floor = min(LEAST, total // len(sizes))
    small = np.zeros(len(sizes), dtype=np.bool_)
    while True:
        rest = total - floor * int(small.sum())
        large = np.where(small, 0, sizes)
        shares = large / max(large.sum(), 1) * rest
        below = ~small & (shares < floor)
        if not below.any():
            return np.where(small, floor, _rounded(shares, rest))
        small |= below


def draw(
    strata: Integer[np.ndarray, "rows cols"], counts: Integer[np.ndarray, "strata"], *, seed: int
) -> Int64[np.ndarray, "sample"]:
    """Draw pixels at random within each stratum, none twice.

    Args:
        strata: number of each pixel's stratum, from 0.
        counts: how many to draw from each.
        seed: each stratum has a stream of its own, so more of one leaves the others.

    Returns:
        Places in `strata.ravel()`, stratum by stratum.
    """
    flat = strata.ravel()
    drawn = []
    for stratum, count in enumerate(counts):
        pixels = np.flatnonzero(flat == stratum)
        if len(pixels) < count:
            raise InputError(
                f"{count} pixels are to be drawn from stratum {stratum}, which has {len(pixels)}: "
                "draw no more than there are."
            )
        rng = np.random.default_rng((seed, stratum))
        drawn.append(rng.choice(pixels, size=int(count), replace=False))
    return np.concatenate(drawn).astype(np.int64)


def error_matrix(
    strata: Integer[np.ndarray, "sample"],
    reference: Integer[np.ndarray, "sample"],
    *,
    strata_count: int,
    classes: int,
) -> Int64[np.ndarray, "strata classes"]:
    """Count a sample by stratum (rows) and by what is really there (columns)."""
    wrong = (strata < 0) | (strata >= strata_count) | (reference < 0) | (reference >= classes)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} pixels of the sample have a stratum outside 0 to "
            f"{strata_count - 1} or a class outside 0 to {classes - 1}."
        )
    counts = np.bincount(strata * classes + reference, minlength=strata_count * classes)
    return counts.reshape(strata_count, classes).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """Areas and accuracies of classes, from a stratified random sample.

    Each has its standard error under the same name with `_error`. Areas are in the unit that was
    given.

    Attributes:
        area: (classes,) error-adjusted area.
        low: (classes,) lower end of its interval, from Jeffreys' intervals.
        high: (classes,) upper end.
        user: (classes,) share of what the map calls a class that is it, 0 to 1; NaN where the map
            has none.
        producer: (classes,) share of a class that the map calls so; NaN where the sample has none.
        overall: share of the map that is right.
        z: standard errors from the middle of a symmetric interval to its ends.
    """

    area: Float64[np.ndarray, "classes"]
    area_error: Float64[np.ndarray, "classes"]
    low: Float64[np.ndarray, "classes"]
    high: Float64[np.ndarray, "classes"]
    user: Float64[np.ndarray, "classes"]
    user_error: Float64[np.ndarray, "classes"]
    producer: Float64[np.ndarray, "classes"]
    producer_error: Float64[np.ndarray, "classes"]
    overall: float
    overall_error: float
    z: float

    def symmetric(self, kind: int) -> tuple[float, float]:
        """Ends of the paper's interval of a class's area (equation 12); may lie below 0."""
        half = self.z * float(self.area_error[kind])
        return float(self.area[kind]) - half, float(self.area[kind]) + half


def jeffreys(
    hits: Integer[np.ndarray, "*shape"], draws: Integer[np.ndarray, "*shape"], *, level: float
) -> tuple[Float64[np.ndarray, "*shape"], Float64[np.ndarray, "*shape"]]:
    """Bound a share that was found `hits` times in `draws`: quantiles of Beta(hits + 1/2, ...).

    The lower end is 0 where nothing was found, the upper end 1 where everything was.
    """
    tail = (1 - level) / 2
    misses = draws - hits
    low = np.where(hits == 0, 0.0, stats.beta.ppf(tail, hits + 0.5, misses + 0.5))
    high = np.where(misses == 0, 1.0, stats.beta.ppf(1 - tail, hits + 0.5, misses + 0.5))
    return low, high


def estimate(
    counts: Integer[np.ndarray, "strata classes"],
    areas: Float64[np.ndarray, "areas"],
    *,
    mapped: tuple[int, ...] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Estimate areas and accuracies from an error matrix.

    With W_h the share of a stratum's area and p_hj = n_hj / n_h, equations of the paper:
    area A_j = A sum_h W_h p_hj (8, 9) with variance A^2 sum_h W_h^2 p_hj (1 - p_hj) / (n_h - 1)
    (10, 11); overall, user's and producer's accuracies (1 to 3) with their variances (5 to 7).
    Samples count as small beside their strata: there is no correction for a finite population.
    Ends of the interval: A_j -+ A sqrt(sum_h W_h^2 (p_hj - end_hj)^2), end_hj of `jeffreys`.

    Args:
        counts: pixels of the sample: strata in rows, what is really there in columns.
        areas: area of each stratum on the map, in any unit.
        mapped: the class that the map gives each stratum; left out, stratum i is class i. Several
            strata may share one, for example forest near and far from the change.
        level: confidence of the intervals, 0 to 1.
    """
    _check(counts, areas, mapped, level)
    drawn = counts.sum(axis=1, keepdims=True)
    weight = (areas / areas.sum())[:, None]
    share = counts / drawn
    ends = jeffreys(counts, np.broadcast_to(drawn, counts.shape), level=level)
    below, above = (np.sqrt((weight**2 * (share - end) ** 2).sum(axis=0)) for end in ends)
    total = (weight * share).sum(axis=0)
    variance = weight**2 * share * (1 - share) / (drawn - 1)
    of = np.arange(len(counts)) if mapped is None else np.array(mapped)
    accuracies = _accuracies(weight, share, variance, of[:, None] == np.arange(counts.shape[1]))
    return Estimate(
        area=areas.sum() * total,
        area_error=areas.sum() * np.sqrt(variance.sum(axis=0)),
        low=areas.sum() * (total - below),
        high=areas.sum() * (total + above),
        **accuracies,
        z=float(stats.norm.ppf((1 + level) / 2)),
    )


def _accuracies(
    weight: np.ndarray, share: np.ndarray, variance: np.ndarray, right: np.ndarray
) -> dict[str, Any]:
    """User's, producer's and overall accuracy; `right` is (strata, classes): the map says so."""
    hit, hit_variance = (weight * share * right).sum(axis=0), (variance * right).sum(axis=0)
    on_map, total = (weight * right).sum(axis=0), (weight * share).sum(axis=0)
    missed_variance = variance.sum(axis=0) - hit_variance
    with np.errstate(invalid="ignore", divide="ignore"):  # a class of no area has no accuracy
        producer = hit / total
        spread = (1 - producer) ** 2 * hit_variance + producer**2 * missed_variance
        return {
            "user": hit / on_map,
            "user_error": np.sqrt(hit_variance) / on_map,
            "producer": producer,
            "producer_error": np.sqrt(spread) / total,
            "overall": float(hit.sum()),
            "overall_error": float(np.sqrt(hit_variance.sum())),
        }


def _check(
    counts: np.ndarray, areas: np.ndarray, mapped: tuple[int, ...] | None, level: float
) -> None:
    if len(areas) != len(counts) or (mapped is not None and len(mapped) != len(counts)):
        raise InputError(
            f"The error matrix has {len(counts)} strata, but {len(areas)} areas and "
            f"{len(counts) if mapped is None else len(mapped)} classes were given: one of each."
        )
    if mapped is None and len(counts) != counts.shape[1]:
        raise InputError(
            f"{len(counts)} strata and {counts.shape[1]} classes: say with `mapped` which class "
            "the map gives each stratum."
        )
    if (counts < 0).any() or (counts.sum(axis=1) < PAIR).any() or not (areas > 0).all():
        raise InputError(
            "Every stratum needs an area above 0 and 2 or more pixels of the sample; got "
            f"{counts.sum(axis=1).tolist()} of areas {areas.tolist()}."
        )
    if not 0 < level < 1:
        raise InputError(f"level is {level}; wanted a share between 0 and 1, such as 0.95.")
