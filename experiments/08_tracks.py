"""The four tracks of lesson 08 beside the baselines, on places that nothing was learnt or tuned on.

python experiments/08_tracks.py
writes data/results/08_tracks.json, about an hour on one core; what is there already is kept.

Places of 20 x 20 km, seeds 3010 to 3014. Each is judged on five of its 25 windows of 4 x 4 km,
one of each row and column, 80 of its 400 square kilometres. Everything learnt was learnt on
`baselines.TRAIN_PLACES`, or on the labels of the place itself where its name says so; choices
were made on places 2000 to 2004. Three weathers: "60" has 60 % of clouds on the four dates in
between, "80" has 80 % there, "80 on all" has 80 % at all six dates.
"""

import json
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np

from rsedu.project.methods.baselines import (
    TRAIN_PLACES,
    NdviDifference,
    PixelClassifier,
    PixelForest,
    RadarLogRatio,
    taught_forest,
)
from rsedu.project.methods.clicks import Clicked
from rsedu.project.methods.clouds import ThroughClouds
from rsedu.project.methods.features import Pixels
from rsedu.project.methods.one_example import OneExample, example_of
from rsedu.project.methods.scales import MixedGsd
from rsedu.project.place import Place
from rsedu.project.score import score
from rsedu.project.task import CLOUDS, MARGIN_PX, Stack, Task
from rsedu.project.windows import WINDOW_PX, Method, Part, parts

PLACES = range(3010, 3015)  # of TEST_WORLDS in rsedu.synthetic.tiles
OUT = Path(__file__).parents[1] / "data" / "results" / "08_tracks.json"
WEATHERS = {"60": CLOUDS, "80": (0.0, 0.8, 0.8, 0.8, 0.8, 0.0), "80 on all": (0.8,) * 6}
CELL_PX = 100  # a square kilometre
MINUTES = (5.0, 20.0)

Fit = Callable[[Task], Method]


@cache
def taught(kind: str) -> Method:
    """What learns elsewhere learns once."""
    if kind == "forest":
        return taught_forest()
    if kind == "pixels":
        return PixelClassifier.fit(Pixels())
    if kind == "A":
        return PixelClassifier.fit(MixedGsd.fit())
    return PixelClassifier.fit(ThroughClouds.fit(sensors=kind))


METHODS: dict[str, Fit] = {
    "ndvi": lambda task: NdviDifference(),
    "radar": RadarLogRatio.fit,
    "forest, 40 labels": PixelForest.fit,
    "forest, taught elsewhere": lambda task: taught("forest"),
    "pixels, taught elsewhere": lambda task: taught("pixels"),
    "A scale-mae": lambda task: taught("A"),
    "B croma, both": lambda task: taught("both"),
    "B croma, radar": lambda task: taught("radar"),
    "B croma, optical": lambda task: taught("optical"),
    "D one example": lambda task: OneExample.fit(example_of(task)),
    **{
        f"C {minutes:g} minutes": lambda task, minutes=minutes: Clicked.fit(task, minutes=minutes)
        for minutes in MINUTES
    },
}
#: Under heavier clouds only what that question is about; NDVI differencing has nothing to say where
#: the first date is cloudy too.
CLOUDY = (
    "radar",
    "pixels, taught elsewhere",
    "B croma, both",
    "B croma, radar",
    "B croma, optical",
)
ASKED = {"60": tuple(METHODS), "80": ("ndvi", *CLOUDY), "80 on all": CLOUDY}


def chosen(task: Task) -> list[Part]:
    """One window of each row and column of windows, a knight's move apart."""
    cut = parts(task.shape, window_px=WINDOW_PX, margin_px=MARGIN_PX)
    at = [(part, *(side.start // WINDOW_PX for side in part.core)) for part in cut]
    return [part for part, row, col in at if col == 2 * row % 5]


def empty_false_px(mapped: np.ndarray, true: np.ndarray) -> tuple[int, int]:
    """Pixels of loss that were mapped in square kilometres without any, and their number."""
    cells = [
        array.reshape(-1, CELL_PX, array.shape[1] // CELL_PX, CELL_PX).sum(axis=(1, 3))
        for array in (mapped, true)
    ]
    empty = cells[1] == 0
    return int(cells[0][empty].sum()), int(empty.sum())


def judged(maps: list[np.ndarray], truths: list[np.ndarray]) -> dict[str, float]:
    """Scores of all windows of a place together."""
    mapped, true = np.concatenate(maps), np.concatenate(truths)
    found = score(mapped, true, gsd_m=10.0)
    ours, theirs = np.isfinite(mapped), np.isfinite(true)
    false, empty = empty_false_px(ours, theirs)
    return {
        "f1": found.f1,
        "precision": found.precision,
        "recall": found.recall,
        "date error, years": found.date_error_years,
        "boundary bias, m": found.boundary_bias_m,
        "mapped, ha": found.mapped_ha,
        "true, ha": found.true_ha,
        "wrong, ha": float((ours ^ theirs).sum()) / 100,
        "false in empty cells, ha per km2": false / 100 / max(empty, 1),
        "empty cells": empty,
    }


def write(out: Path, runs: list[dict[str, Any]]) -> None:
    """Store the runs, one per line."""
    about = {
        "command": "python experiments/08_tracks.py",
        "seeds": list(PLACES),
        "taught on": [TRAIN_PLACES[0], TRAIN_PLACES[-1]],
        "clouds": WEATHERS,
    }
    runs.sort(key=lambda run: (run["clouds"], run["method"], run["seed"]))
    lines = ",\n".join(json.dumps(run) for run in runs)
    start = json.dumps(about, indent=1).removesuffix("\n}")
    out.write_text(f'{start},\n "runs": [\n{lines}\n]}}\n')


def run_one(fit: Fit, task: Task, seen: list[tuple[Part, Stack, np.ndarray]]) -> dict[str, float]:
    """Fit, map and judge one method; seconds without the rendering of what is mapped."""
    start = time.perf_counter()
    method = fit(task)
    fitted = time.perf_counter()
    maps = [method.map(stack)[part.inside] for part, stack, _ in seen]
    facts = {"fit, s": fitted - start, "map, s": time.perf_counter() - fitted}
    if isinstance(method, Clicked):
        facts |= {"minutes": method.minutes, "boxes": method.boxes}
    return {**judged(maps, [true for _, _, true in seen]), **facts}


@click.command()
@click.option("--place", "seeds", multiple=True, type=int, default=PLACES)
@click.option("--clouds", multiple=True, type=click.Choice(list(WEATHERS)), default=list(WEATHERS))
@click.option("--method", "names", multiple=True, type=click.Choice(list(METHODS)))
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(
    seeds: tuple[int, ...], clouds: tuple[str, ...], names: tuple[str, ...], out: Path
) -> None:
    """Run what is not in the results yet."""
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    done = {(run["clouds"], run["method"], run["seed"]) for run in runs}
    for weather in clouds:
        asked = names or ASKED[weather]
        for seed in seeds:
            todo = [name for name in asked if (weather, name, seed) not in done]
            if not todo:
                continue
            task = Task(place=Place(seed=seed), clouds=WEATHERS[weather])
            seen = [
                (part, task.read(part.read), task.place.truth(window=part.core))
                for part in chosen(task)
            ]
            for name in todo:
                found = run_one(METHODS[name], task, seen)
                rounded = {fact: float(f"{value:.5g}") for fact, value in found.items()}
                runs.append({"clouds": weather, "method": name, "seed": seed, **rounded})
                write(out, runs)
                click.echo(f"{weather} {seed} {name}: {json.dumps(rounded)}")


if __name__ == "__main__":
    main()
