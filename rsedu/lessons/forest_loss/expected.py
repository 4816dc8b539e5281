"""What the tracks of lesson 08 reached on places that nothing was chosen on: for instructors."""

from statistics import median
from typing import Any

from rsedu.course.results import stored
from rsedu.errors import MissingDataError
from rsedu.evaluation.intervals import interval

RESULTS = "08_tracks"
_FEWEST = 2  # places that have an interval
_NOT_YET = f"   not measured yet: python experiments/{RESULTS}.py"
_SKIES = {
    "60": "60 % at four of six dates",
    "80": "80 % at four of six dates",
    "80 on all": "80 % at all six dates",
}
_COLUMNS = {"f1": "F1", "date error, years": "years", "wrong, ha": "wrong ha"}


def table(*methods: str, clouds: str = "60") -> str:
    """Write the scores of methods: means over places with their 95 % intervals.

    Hectares that are wrong are told as their median, least and most: a few places have most of
    them, and an interval round their mean would reach below 0.

    Args:
        methods: names in the results, in the order wanted.
        clouds: the weather, "60", "80" or "80 on all".

    Returns:
        A line for each method. One that was not measured on two places or more has no interval, and
        its line says what to run.
    """
    width = max(map(len, methods))
    rows = [f"{'':<{width}}" + "".join(f"{head:>22}" for head in _COLUMNS.values())]
    for name in methods:
        mine = [run for run in _runs(clouds) if run["method"] == name]
        if len(mine) < _FEWEST:
            rows.append(f"{name:<{width}}{_NOT_YET}")
            continue
        cells = "".join(f"{_cell(key, [run[key] for run in mine]):>22}" for key in _COLUMNS)
        rows.append(f"{name:<{width}}{cells}")
    places = len({run["seed"] for run in _runs(clouds)})
    return "\n".join(
        [
            *rows,
            f"{places} places, 80 km2 of each, clouds over {_SKIES[clouds]}",
            "F1 and years: mean [95 % interval]; wrong ha: median (least to most)",
        ]
    )


def _runs(clouds: str) -> list[dict[str, Any]]:
    """Runs in one weather; none where nothing was measured yet."""
    try:
        runs = stored(RESULTS)["runs"]
    except MissingDataError:
        return []
    return [run for run in runs if run["clouds"] == clouds]


def _cell(key: str, values: list[float]) -> str:
    if key == "wrong, ha":
        return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
    mean = interval(values)
    digits = 2 if abs(mean.mean) < 10 else 0
    return f"{mean.mean:.{digits}f} [{mean.low:.{digits}f}, {mean.high:.{digits}f}]"
