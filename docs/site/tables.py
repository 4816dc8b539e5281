"""Pages of results: every number of data/results, as a mean over its seeds with an interval."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from rsedu.errors import InputError
from rsedu.evaluation.intervals import interval

# Numbers that were set and not measured: with the texts of a run, they tell one arm from another.
SET = ("ratio", "sample")
Path = tuple[str, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Every number in nested dictionaries and lists, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, str(index)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def _is_set(key: str, value: object) -> bool:
    return isinstance(value, str) or (key in SET and isinstance(value, int | float))


def arms(runs: list[dict[str, Any]]) -> dict[str, dict[Path, list[float]]]:
    """Sort the numbers of runs by arm and measure, one number for each seed.

    Args:
        runs: each with its "seed", what was set, and what was measured.

    Returns:
        By arm, such as "ratio 0.75", and by path of the measure: the values, seed by seed.

    Raises:
        InputError: two runs of an arm have the same seed, so that they are not independent.
    """
    found: dict[str, dict[Path, list[float]]] = defaultdict(lambda: defaultdict(list))
    seeds: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        given = {key: value for key, value in run.items() if key != "seed"}
        arm = ", ".join(f"{key} {value}" for key, value in given.items() if _is_set(key, value))
        if run["seed"] in seeds[arm]:
            raise InputError(f"Seed {run['seed']} is there twice for {arm!r}: name what differs.")
        seeds[arm].add(run["seed"])
        for path, number in leaves({k: v for k, v in given.items() if not _is_set(k, v)}):
            found[arm][path].append(number)
    return found


def _number(value: float) -> str:
    """Three digits, and whole numbers above a thousand."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _row(path: Path, values: list[float]) -> str:
    name = " / ".join(path).replace("|", "\\|")
    if len(values) < 2:
        return f"| {name} | {_number(values[0])} | none: one seed | 1 |"
    if len(set(values)) == 1:
        return f"| {name} | {_number(values[0])} | the same in all | {len(values)} |"
    found = interval(values)
    ends = f"{_number(found.low)} to {_number(found.high)}"
    return f"| {name} | {_number(found.mean)} | {ends} | {found.count} |"


def _tables(measures: dict[Path, list[float]]) -> list[str]:
    """Lines of an arm: one table of what stands alone, and one for each group of measures."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path, values in measures.items():
        groups[path[0] if path[1:] else ""].append(_row(path[1:] or path, values))
    lines = []
    for group in sorted(groups, key=bool):
        lines += ["", f"### {group}"] if group else []
        lines += ["", "| Measure | Mean | 95 % interval | Seeds |", "|---|---|---|---|"]
        lines += groups[group]
    return lines


def page(name: str, stored: dict[str, Any]) -> str:
    """Write the page of one experiment, in Markdown.

    Args:
        name: of its file, such as "02_masked_autoencoders".
        stored: what the file holds.

    Returns:
        A title, how it was made and with what set, then a table for each arm and kind of measure.
    """
    lines = [
        f"# {name}",
        "",
        f"Made by `{stored['command']}`. Means over seeds, with 95 % intervals.",
    ]
    fixed = {key: value for key, value in stored.items() if key not in ("command", "runs")}
    short = {key: str(value) for key, value in fixed.items() if len(str(value)) < 100}
    lines += ["", *(f"- **{key}**: {value}" for key, value in short.items())]
    for arm, measures in arms(stored["runs"]).items():
        lines += ["", f"## {arm or 'All runs'}", *_tables(measures)]
    return "\n".join(lines) + "\n"
