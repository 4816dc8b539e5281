"""Loss by log ratio, its year and the scores of a map: exercises of lesson 08.

Areas and samples are in `hectares`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.forest_loss.hectares import MOST_MISSED, SAMPLE_SIZE, STRATIFIED

Array = NDArray[Any]


def fall_db(before_db: Array, after_db: Array) -> Array:
    """(looks, pixels) of dB before and after -> (pixels,) dB by which the mean power fell."""
    before, after = (np.mean(10 ** (looks / 10), axis=0) for looks in (before_db, after_db))
    return np.asarray(10 * np.log10(before / after))


def _of_means(before_db: Array, after_db: Array) -> tuple[Array, Array]:
    before, after = (np.mean(10 ** (looks / 10), axis=0) for looks in (before_db, after_db))
    return np.asarray(before), np.asarray(after)


def _ratio_of_sums(before_db: Array, after_db: Array) -> Array:
    before, after = (np.sum(10 ** (looks / 10), axis=0) for looks in (before_db, after_db))
    return np.asarray(10 * np.log10(before / after))


def _echoes(seed: int, looks: tuple[int, int], pixels: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    before, after = (
        mean_db + 10 * np.log10(draw.gamma(4.4, 1 / 4.4, (count, pixels)))
        for mean_db, count in zip((-12.0, -15.5), looks, strict=True)
    )
    return before.round(2), after.round(2)


FALL = Exercise(
    id="fall_db",
    lesson="08",
    title="By how many dB did the echo fall?",
    points=2,
    minutes=5,
    difficulty=1,
    reference=fall_db,
    cases=(
        lambda: (
            np.array([[-10.0, -12.0], [-13.0, -12.0]]),
            np.array([[-15.0, -12.0], [-18.0, -9.0], [-14.0, -13.0]]),
        ),
        lambda: _echoes(81, (3, 3), 5),
        lambda: _echoes(82, (2, 4), 7),
    ),
    misconceptions=(
        Misconception(
            "mean of decibels",
            lambda before_db, after_db: before_db.mean(axis=0) - after_db.mean(axis=0),
            "You averaged decibels. A decibel is a logarithm, and a mean of logarithms lies below "
            "the logarithm of the mean, the more the more speckle: go back to power first, "
            "10 ** (db / 10).",
        ),
        Misconception(
            "rise, not fall",
            lambda before_db, after_db: -fall_db(before_db, after_db),
            "Your sign is turned: a fall is above 0 where the echo was stronger before.",
        ),
        Misconception(
            "amplitude",
            lambda before_db, after_db: 2 * fall_db(before_db, after_db),
            "You took 20 log10, which is for amplitudes. Backscatter is power: 10 log10.",
        ),
        Misconception(
            "no logarithm",
            lambda before_db, after_db: np.divide(*_of_means(before_db, after_db)),
            "This is the ratio of the powers. In decibels it is 10 log10 of that.",
        ),
        Misconception(
            "difference of powers",
            lambda before_db, after_db: np.subtract(*_of_means(before_db, after_db)),
            "You subtracted powers. A fall in decibels is a ratio: what halves loses 3 dB, whether "
            "it was bright or dark.",
        ),
        Misconception(
            "sums, not means",
            _ratio_of_sums,
            "You compared sums: with more looks after than before, the echo seems to rise. Take "
            "the mean of each side.",
        ),
        Misconception(
            "natural logarithm",
            lambda before_db, after_db: fall_db(before_db, after_db) * math.log(10),
            "You took 10 times the natural logarithm (np.log). A decibel is a tenth of a power of "
            "ten: np.log10.",
        ),
        Misconception(
            "one look each",
            lambda before_db, after_db: before_db[-1] - after_db[0],
            "You compared the last look before with the first one after. One look is speckle: a "
            "pixel's echo varies by half its power. Take the mean of all looks on each side.",
        ),
    ),
)


def loss_year(gone: Array, clear: Array, dates: Array) -> Array:
    """(dates, pixels) bool -> (pixels,) decimal year half-way to the first clear look without it.

    NaN where no clear look shows a loss; the first look of all is clear and shows none.
    """
    years = np.full(gone.shape[1], np.nan)
    for pixel in range(gone.shape[1]):
        shows = np.flatnonzero(gone[:, pixel] & clear[:, pixel])
        if len(shows):
            before = np.flatnonzero(clear[: shows[0], pixel])
            years[pixel] = (dates[before[-1]] + dates[shows[0]]) / 2
    return years


def _first(gone: Array, clear: Array) -> tuple[Array, Array]:
    """Number of the first look that shows a loss, and whether there is one."""
    shows = gone & clear
    return np.asarray(shows.argmax(axis=0)), np.asarray(shows.any(axis=0))


def _as_first_seen(gone: Array, clear: Array, dates: Array) -> Array:
    first, any_look = _first(gone, clear)
    return np.where(any_look, dates[first], np.nan)


def _one_step_back(gone: Array, clear: Array, dates: Array) -> Array:
    first, any_look = _first(gone, clear)
    return np.where(any_look, (dates[first - 1] + dates[first]) / 2, np.nan)


def _through_clouds(gone: Array, clear: Array, dates: Array) -> Array:
    return loss_year(gone, np.ones_like(clear), dates)


def _last_without(gone: Array, clear: Array, dates: Array) -> Array:
    """Half-way between the first look with a loss and the last one without, wherever that is."""
    first, any_look = _first(gone, clear)
    without = clear & ~gone
    last = len(dates) - 1 - without[::-1].argmax(axis=0)
    return np.where(any_look, (dates[last] + dates[first]) / 2, np.nan)


def _last_clear(gone: Array, clear: Array, dates: Array) -> Array:
    """The date of the last clear look before."""
    exact, first_seen = loss_year(gone, clear, dates), _as_first_seen(gone, clear, dates)
    return 2 * exact - first_seen


def _from_last_look(gone: Array, clear: Array, dates: Array) -> Array:
    """Half-way between the last look that shows the loss and the clear one before the first."""
    exact, first_seen = loss_year(gone, clear, dates), _as_first_seen(gone, clear, dates)
    last = len(dates) - 1 - (gone & clear)[::-1].argmax(axis=0)
    return np.asarray(exact + (dates[last] - first_seen) / 2)


def _looks(seed: int, dates: int, pixels: int) -> tuple[Array, Array, Array]:
    draw = np.random.default_rng(seed)
    lost = draw.integers(1, dates + 2, pixels)
    gone = np.arange(dates)[:, None] >= lost
    clear = draw.random((dates, pixels)) > 0.5
    clouds = draw.random((dates, pixels)) > 0.6  # under which anything may seem gone
    gone, clear[0] = gone | (clouds & ~clear), True
    gone[0] = False
    return gone, clear, np.sort(draw.uniform(2016, 2026, dates)).round(1)


def _six_looks() -> tuple[Array, Array, Array]:
    gone = np.array(
        [
            [0, 0, 0, 0, 0],
            [0, 1, 0, 0, 0],
            [0, 1, 1, 0, 0],
            [1, 1, 0, 0, 1],
            [1, 1, 0, 0, 0],
            [1, 1, 0, 0, 1],
        ],
        dtype=bool,
    )
    clear = np.array(
        [
            [1, 1, 1, 1, 1],
            [1, 1, 0, 1, 1],
            [0, 0, 0, 1, 0],
            [1, 1, 1, 0, 1],
            [0, 1, 1, 1, 1],
            [1, 1, 1, 1, 1],
        ],
        dtype=bool,
    )
    return gone, clear, np.arange(2020.5, 2026.0)


YEAR = Exercise(
    id="loss_year",
    lesson="08",
    title="When, if clouds were in the way?",
    points=3,
    minutes=9,
    difficulty=3,
    reference=loss_year,
    cases=(
        _six_looks,
        lambda: _looks(83, 6, 9),
        lambda: _looks(84, 9, 13),
    ),
    tolerance=1e-6,  # relative to 2026: a day and a half at most, which float32 keeps
    misconceptions=(
        Misconception(
            "date of the first look",
            _as_first_seen,
            "You gave the date of the first look that shows the loss. By then it had happened, and "
            "with clouds long before: all your dates come too late. Go half-way back to the last "
            "clear look without it.",
        ),
        Misconception(
            "one step back",
            _one_step_back,
            "You went half-way back to the look just before, clear or not. Behind a cloud nobody "
            "saw that the forest still stood: go back to the last look that was *clear*.",
        ),
        Misconception(
            "looked through clouds",
            _through_clouds,
            "You took what cloudy looks show. A cloud has a low NDVI and looks like a loss: only "
            "gone & clear counts.",
        ),
        Misconception(
            "last look without, whenever",
            _last_without,
            "Your last look without loss may come *after* the loss, where a field has greened. "
            "Search only among the looks before the first one that shows it.",
        ),
        Misconception(
            "last look before",
            _last_clear,
            "You gave the last look without loss. The forest went some time after it, and before "
            "the look that shows it gone: take the middle.",
        ),
        Misconception(
            "last look that shows it",
            _from_last_look,
            "You went back from the last look that shows the loss. The first one that shows it "
            "comes closest to when it happened: later ones only confirm it.",
        ),
        Misconception(
            "zero for none",
            lambda gone, clear, dates: np.nan_to_num(loss_year(gone, clear, dates)),
            "Where nothing was lost you gave the year 0, which every mean would count in. There is "
            "no year: NaN.",
        ),
    ),
)


def change_scores(mapped: Array, truth: Array) -> tuple[float, float]:
    """Years of a map and of the truth, NaN for none -> F1 of change, mean error in years."""
    ours, theirs = np.isfinite(mapped), np.isfinite(truth)
    both = ours & theirs
    f1 = 2 * both.sum() / (ours.sum() + theirs.sum())
    return float(f1), float(np.abs(mapped[both] - truth[both]).mean())


def _other_f1(f1: Any) -> Any:
    """A wrong answer whose date error is right."""

    def wrong(mapped: Array, truth: Array) -> tuple[float, float]:
        ours, theirs = np.isfinite(mapped), np.isfinite(truth)
        return float(f1(mapped, truth, ours, theirs)), change_scores(mapped, truth)[1]

    return wrong


def _other_error(error: Any) -> Any:
    """A wrong answer whose F1 is right."""

    def wrong(mapped: Array, truth: Array) -> tuple[float, float]:
        return change_scores(mapped, truth)[0], float(error(mapped, truth))

    return wrong


def _two_maps(seed: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    truth, mapped = draw.uniform(2020.5, 2025.5, (2, *shape)).round(2)
    chance = draw.random((2, *shape))
    truth[chance[0] > 0.4] = np.nan
    mapped[(chance[0] > 0.3) & (chance[1] > 0.2)] = np.nan
    return mapped, truth


SCORES = Exercise(
    id="change_scores",
    lesson="08",
    title="F1 of change, and years off",
    points=2,
    minutes=6,
    difficulty=2,
    reference=change_scores,
    cases=(
        lambda: (
            np.array([[2021.0, 2022.5, np.nan], [2023.0, np.nan, np.nan]]),
            np.array([[2021.5, np.nan, np.nan], [2021.0, 2024.0, np.nan]]),
        ),
        lambda: _two_maps(85, (7, 9)),
        lambda: _two_maps(86, (5, 13)),
    ),
    invariants=(
        Invariant("F1 lies between 0 and 1", lambda scores, mapped, truth: 0 <= scores[0] <= 1),
    ),
    misconceptions=(
        Misconception(
            "share of right pixels",
            _other_f1(lambda mapped, truth, ours, theirs: (ours == theirs).mean()),
            "You counted every pixel on which map and truth agree. Nearly all of them were not "
            "lost: an empty map would get 0.96 in this lesson. F1 leaves those out.",
        ),
        Misconception(
            "intersection over union",
            _other_f1(
                lambda mapped, truth, ours, theirs: (ours & theirs).sum() / (ours | theirs).sum()
            ),
            "This is the IoU, found over either. F1 counts what was found twice, 2 found / "
            "(mapped + true), and is the larger of both.",
        ),
        Misconception(
            "arithmetic mean",
            _other_f1(
                lambda mapped, truth, ours, theirs: (
                    (ours & theirs).sum() * (1 / ours.sum() + 1 / theirs.sum()) / 2
                )
            ),
            "You took the plain mean of precision and recall: a map of everything would get more "
            "than a half. F1 is the harmonic mean, 2 / (1 / precision + 1 / recall).",
        ),
        Misconception(
            "precision only",
            _other_f1(lambda mapped, truth, ours, theirs: (ours & theirs).sum() / ours.sum()),
            "This is the precision alone: a map of the one surest pixel would get 1.",
        ),
        Misconception(
            "the year must be right",
            _other_f1(
                lambda mapped, truth, ours, theirs: (
                    2 * (np.floor(mapped) == np.floor(truth)).sum() / (ours.sum() + theirs.sum())
                )
            ),
            "You counted a pixel as found only where the calendar year is right too. F1 asks "
            "*whether*, the error in years asks *when*: mixed, neither can be read.",
        ),
        Misconception(
            "signed years",
            _other_error(lambda mapped, truth: np.nanmean(mapped - truth)),
            "Your years have signs, so what comes a year too early makes up for what comes a year "
            "too late. Take absolute differences.",
        ),
        Misconception(
            "root of squares",
            _other_error(lambda mapped, truth: np.sqrt(np.nanmean((mapped - truth) ** 2))),
            "You took the root of the mean square, which a few pixels of five years decide. Asked "
            "for is the mean absolute difference.",
        ),
        Misconception(
            "all pixels",
            _other_error(lambda mapped, truth: np.nan_to_num(np.abs(mapped - truth)).mean()),
            "You divided by all pixels of the map. Only those that were found have two dates to "
            "compare.",
        ),
    ),
)


EXERCISES = (FALL, YEAR, SCORES, STRATIFIED, MOST_MISSED, SAMPLE_SIZE)
