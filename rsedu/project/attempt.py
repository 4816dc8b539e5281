"""One method on one place: mapped, scored, and one line to compare it with others."""

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from rsedu.errors import InputError
from rsedu.project import change_map, windows
from rsedu.project.score import SAMPLE, Score, score
from rsedu.project.task import Task

#: Where a group's maps and reports are kept: beside its notebook.
FOLDER = Path("afternoon")


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempt:
    """What a method made of a place.

    Attributes:
        name: in the table, such as "radar".
        path: of its change map.
        mapped: decimal year of the loss, NaN for none.
        score: of the map.
    """

    name: str
    path: Path
    mapped: Float32[np.ndarray, "rows cols"]
    score: Score


def attempt(
    name: str,
    method: windows.Method,
    task: Task,
    *,
    folder: Path = FOLDER,
    sample: int = SAMPLE,
    progress: bool = True,
    executor: Executor | None = None,
) -> Attempt:
    """Map a place window by window, write the map and score it.

    Stopped and called again it goes on, see `rsedu.project.windows.run`.

    Args:
        name: letters, digits and spaces; the map is called after it and the place.
        method: that maps each window.
        task: what is mapped.
        folder: of the map, made where it is missing.
        sample: pixels to look up for the hectares.
        progress: whether to show a bar.
        executor: where windows are mapped, see `rsedu.project.windows.run`.

    Raises:
        InputError: the name is no file's, or the map cannot be scored.
    """
    words = name.split()
    if not words or not all(word.isalnum() for word in words):
        raise InputError(f"The name {name!r} is to become a file's: give letters, digits, spaces.")
    place = task.place
    path = folder / f"{'-'.join(words)}_{place.seed}_{place.size_m / 1000:g}km.tif"
    folder.mkdir(parents=True, exist_ok=True)
    windows.run(method, task, path, progress=progress, executor=executor)
    mapped = change_map.read(path, place)
    found = score(mapped, place.truth(), gsd_m=place.gsd_m, sample=sample)
    return Attempt(name=name, path=path, mapped=mapped, score=found)


def _shown(value: float, digits: str, unit: str = "") -> str:
    return "none" if math.isnan(value) else f"{value:{digits}}{unit}"


def compare(*attempts: Attempt) -> str:
    """Return a line for each attempt, in the order given: F1, years, metres, hectares.

    Raises:
        InputError: there is none.
    """
    if not attempts:
        raise InputError("There is no attempt to compare: give one or more.")
    width = max(6, *(len(each.name) for each in attempts))
    rows = [f"{'':<{width}}     F1   years  outlines   mapped   estimated"]
    for each in attempts:
        found = each.score
        low, high = found.interval_ha
        rows.append(
            f"{each.name:<{width}}  {found.f1:5.2f}  {_shown(found.date_error_years, '.2f'):>6}"
            f"  {_shown(found.boundary_bias_m, '+.1f', ' m'):>8}  {found.mapped_ha:4.0f} ha"
            f"   {found.estimated_ha:.0f} ha ({low:.0f} to {high:.0f})"
        )
    rows.append(f"{'truth':<{width}}{attempts[0].score.true_ha:31.0f} ha")
    return "\n".join(rows)
