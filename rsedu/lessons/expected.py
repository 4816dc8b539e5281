"""What the tracks of lesson 08 reached on places that nothing was chosen on: for instructors."""

from rsedu.errors import MissingDataError
from rsedu.evaluate import interval
from rsedu.lessons.results import stored

RESULTS = "08_tracks"
_COLUMNS = {"f1": "F1", "date error, years": "years", "wrong, ha": "wrong ha"}


def table(*methods: str, clouds: str = "60") -> str:
    """Write the scores of methods, each a mean over places with its 95 % interval.

    Args:
        methods: names in the results, in the order wanted.
        clouds: the weather, also as it is called there.

    Returns:
        A line for each method; or, where nothing was measured yet, one that says what to run.

    Raises:
        MissingDataError: results are there, but not of a method in this weather.
    """
    try:
        runs = stored(RESULTS)["runs"]
    except MissingDataError:
        return f"Not measured yet: python tests/experiments/{RESULTS}.py, about an hour."
    width = max(map(len, methods))
    rows = [f"{'':<{width}}" + "".join(f"{head:>22}" for head in _COLUMNS.values())]
    for name in methods:
        mine = [run for run in runs if (run["method"], run["clouds"]) == (name, clouds)]
        if not mine:
            raise MissingDataError(
                f"{RESULTS}.json has no {name!r} under clouds {clouds!r}: run "
                f"tests/experiments/{RESULTS}.py in the repository."
            )
        cells = "".join(f"{_cell([run[key] for run in mine]):>22}" for key in _COLUMNS)
        rows.append(f"{name:<{width}}{cells}")
    places = len({run["seed"] for run in runs if run["clouds"] == clouds})
    return "\n".join([*rows, f"{places} places, 144 km2 of each, {clouds} % of clouds; 95 %"])


def _cell(values: list[float]) -> str:
    found = interval(values)
    digits = 2 if abs(found.mean) < 10 else 0
    return f"{found.mean:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
