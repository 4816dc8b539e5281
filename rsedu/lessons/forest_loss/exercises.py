"""Lesson 08's exercises: how far the echo fell, and when the forest went.

What is asked about a map's worth, about hectares and about samples has files of its own. A
reference is what a clear solution looks like; its oracle reaches the same numbers another way; a
misconception is a wrong answer that tends to come.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Misconception
from rsedu.lessons.forest_loss.change import SCORES
from rsedu.lessons.forest_loss.hectares import STRATIFIED
from rsedu.lessons.forest_loss.sampling import MOST_MISSED, SAMPLE_SIZE

Array = NDArray[Any]


def fall_db(before_db: Array, after_db: Array) -> Array:
    """(looks, pixels) of dB before and after -> (pixels,) dB by which the mean power fell."""
    before, after = (np.mean(10 ** (looks / 10), axis=0) for looks in (before_db, after_db))
    return np.asarray(10 * np.log10(before / after))


def _fall_by_pixel(before_db: Array, after_db: Array) -> Array:
    """Sum the powers of each pixel, look by look, in natural logarithms."""
    falls = []
    for pixel in range(before_db.shape[1]):
        power = [
            sum(math.exp(float(look[pixel]) * math.log(10) / 10) for look in looks) / len(looks)
            for looks in (before_db, after_db)
        ]
        falls.append((math.log(power[0]) - math.log(power[1])) * 10 / math.log(10))
    return np.array(falls)


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
    oracle=_fall_by_pixel,
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
            seen = np.flatnonzero(clear[: shows[0], pixel])
            years[pixel] = (dates[seen[-1]] + dates[shows[0]]) / 2
    return years


def _year_by_looks(gone: Array, clear: Array, dates: Array) -> Array:
    """Walk through the looks once, and remember the last clear one."""
    last = np.full(gone.shape[1], np.nan)
    years = np.full(gone.shape[1], np.nan)
    for look, date in enumerate(dates.tolist()):
        for pixel in np.flatnonzero(clear[look]).tolist():
            if gone[look, pixel] and math.isnan(years[pixel]):
                years[pixel] = last[pixel] + (date - last[pixel]) / 2
            last[pixel] = date
    return years


def _first(gone: Array, seen: Array) -> tuple[Array, Array]:
    """Number of the first look that shows a loss, and whether there is one."""
    shows = gone & seen
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
    oracle=_year_by_looks,
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


EXERCISES = (FALL, YEAR, SCORES, STRATIFIED, MOST_MISSED, SAMPLE_SIZE)
