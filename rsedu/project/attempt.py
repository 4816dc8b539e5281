"""Attempts: one method on one place, mapped, scored, and compared with others in a line."""

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from rsedu.errors import InputError
from rsedu.io.text_table import text_table
from rsedu.project import change_map, windows
from rsedu.project.score import SAMPLE, Score, in_words, score
from rsedu.project.task import Task

#: Where a group's maps and reports lie: beside its notebook.
FOLDER = Path("afternoon")


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempt:
    """What a method made of a place: its change map, in decimal years, and what that is worth."""

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

    Stopped and called again it goes on, see `rsedu.project.windows.run`. The map is called after
    the name (letters, digits and spaces) and the place, in a folder made where it is missing;
    `sample` pixels are looked up for the hectares.
    """
    words = name.split()
    if not words or not all(word.isalnum() for word in words):
        raise InputError(f"The name {name!r} is to become a file's: give letters, digits, spaces.")
    place = task.place
    path = folder / f"{'-'.join(words)}_{place.seed}_{place.size_m / 1000:g}km.tif"
    folder.mkdir(parents=True, exist_ok=True)
    windows.run(method, task, path, progress=progress, executor=executor)
    mapped = change_map.read(path, place)
    scored = score(mapped, place.truth(), gsd_m=place.gsd_m, sample=sample)
    return Attempt(name=name, path=path, mapped=mapped, score=scored)


def compare(*attempts: Attempt) -> str:
    """Return a line for each attempt, in the order given: F1, years, metres, hectares.

    Metres are whole ones: tenths of what was learnt are not the same on every processor.
    """
    if not attempts:
        raise InputError("There is no attempt to compare: give one or more.")
    rows = [("", "F1", "years", "outlines", "mapped", " estimated")]
    for made in attempts:
        score = made.score
        numbers = (
            f"{score.f1:.2f}",
            in_words(score.date_error_years, ".2f", "").rstrip(),
            in_words(score.boundary_bias_m, "+z.0f", "m"),
            f"{score.mapped_ha:.0f} ha",
            f" {in_words(score.estimated_ha, '.0f', 'ha')} ({score.interval})",
        )
        rows.append((made.name, *numbers))
    rows.append(("truth", "", "", "", f"{attempts[0].score.true_ha:.0f} ha", ""))
    return text_table(rows, align="<>>>><", widths=(6, 5, 6, 8, 7))
