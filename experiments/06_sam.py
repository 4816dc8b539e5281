"""How good is the small SAM on worlds and on a real scene that it never saw?

python experiments/06_sam.py
writes data/results/06_sam.json, about 8 minutes on one core. What is there already is kept, so it
can be stopped and called again. A seed is a group of test worlds: there is one training, so the
spread is that of places.
"""

import json
from pathlib import Path

import click
import numpy as np
import torch

from rsedu.evaluation.intervals import interval
from rsedu.evaluation.masks import iou
from rsedu.scenes.colours import rgb
from rsedu.scenes.samples import clearing
from rsedu.segment.baselines import patches, region_growing
from rsedu.segment.learning.dataset import PracticeTiles
from rsedu.segment.learning.evaluation import colours, measure, objects_of
from rsedu.segment.sam import Segmenter, load
from rsedu.segment.simulated_user import next_click
from rsedu.synthetic.tiles import TEST_WORLDS, VALIDATION_WORLDS

WORLDS_PER_SEED, OBJECTS_PER_TILE, CLICKS = 3, 2, 5
TRUE_COLOUR, WITH_INFRARED = ("B04", "B03", "B02"), ("B08", "B04", "B03")
TOLERANCES = (8.0, 16.0, 24.0, 32.0, 48.0)
GROUPS = {"bare": False, "green": True}
MOST_HA = 225.0  # a quarter of the real scene
OUT = Path(__file__).parents[1] / "data" / "results" / "06_sam.json"


def in_the_middle(truth: np.ndarray) -> tuple[int, int]:
    """The first click, as whole numbers."""
    found = next_click(np.zeros_like(truth), truth)
    assert found is not None
    return int(found[0][0]), int(found[0][1])


def grown(image: np.ndarray, truth: np.ndarray, tolerance: float) -> float:
    """IoU of region growing from the same click."""
    return iou(region_growing(image, in_the_middle(truth), tolerance=tolerance), truth)


def one_object(
    segmenter: Segmenter, image: np.ndarray, truths: list[np.ndarray], gsd_m: float
) -> list[dict[str, float]]:
    """Everything that is measured of each object of one image."""
    embedded, rows = segmenter.embed(image), []
    for truth in truths:
        row = {"pixels": int(truth.sum())}
        row |= measure(embedded, truth, clicks=CLICKS, gsd_m=gsd_m)
        rows.append(row | {f"grown {level:g}": grown(image, truth, level) for level in TOLERANCES})
    return rows


def worlds(
    segmenter: Segmenter, seeds: range, bands: tuple[str, str, str], folder: Path
) -> list[dict[str, float]]:
    """All objects of some worlds."""
    tiles = PracticeTiles(worlds=seeds, folder=folder)
    tiles.prepare()
    rows = []
    for index in range(len(tiles)):
        truths = list(objects_of(tiles, index, most=OBJECTS_PER_TILE))
        gsd_m = tiles.gsd_m(index)
        if truths:
            found = one_object(segmenter, colours(tiles, index, bands), truths, gsd_m)
            rows += [{"gsd_m": gsd_m, **row} for row in found]
    return rows


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each number over objects, and how many there were."""
    names = [name for name in rows[0] if name not in ("gsd_m", "pixels")]
    told = {name: float(np.mean([row[name] for row in rows])) for name in names}
    return {"objects": len(rows), **{name: round(value, 4) for name, value in told.items()}}


def one_seed(segmenter: Segmenter, seed: int, folder: Path) -> dict[str, object]:
    """Means over the objects of one group of test worlds, and by size and GSD."""
    first = WORLDS_PER_SEED * seed
    run: dict[str, object] = {"seed": seed}
    for name, bands in (("true colour", TRUE_COLOUR), ("with infrared", WITH_INFRARED)):
        rows = worlds(segmenter, TEST_WORLDS[first : first + WORLDS_PER_SEED], bands, folder)
        sizes = np.array([row["pixels"] for row in rows])
        by_size = {
            f"{low} to {high - 1} px": means([rows[at] for at in np.flatnonzero(chosen)])
            for low, high in ((64, 150), (150, 400), (400, 1500), (1500, 10_000))
            if (chosen := (sizes >= low) & (sizes < high)).any()
        }
        gsds = sorted({row["gsd_m"] for row in rows})
        by_gsd = {f"{gsd:g}": means([r for r in rows if r["gsd_m"] == gsd]) for gsd in gsds}
        run[name] = {"all": means(rows), "by_size": by_size, "by_gsd_m": by_gsd}
    return run


def best_tolerance(folder: Path) -> float:
    """The tolerance of region growing that does best on validation worlds."""
    tiles = PracticeTiles(worlds=VALIDATION_WORLDS[:4], folder=folder)
    tiles.prepare()
    scores: dict[float, list[float]] = {level: [] for level in TOLERANCES}
    for index in range(len(tiles)):
        image = colours(tiles, index, WITH_INFRARED)
        for truth in objects_of(tiles, index, most=OBJECTS_PER_TILE):
            for level in TOLERANCES:
                scores[level].append(grown(image, truth, level))
    return max(TOLERANCES, key=lambda level: float(np.mean(scores[level])))


def real_scene(segmenter: Segmenter) -> dict[str, object]:
    """Patches of the real scene that NDVI outlines, bare ones in the forest and green ones."""
    scene, told = clearing(), {}
    for name, bands in (("true colour", TRUE_COLOUR), ("with infrared", WITH_INFRARED)):
        for group, green in GROUPS.items():
            truths = list(patches(scene, green=green, most_ha=MOST_HA))
            rows = one_object(segmenter, rgb(scene, bands=bands), truths, scene.gsd_m)
            told[f"{name}, {group}"] = {**means(rows), "each": rows}
    return told


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".rsedu") / "worlds")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], cache: Path, out: Path) -> None:
    """Prompt objects of test worlds and of the real scene."""
    torch.set_num_threads(1)
    segmenter = load("tiny", device="cpu")
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    for seed in seeds:
        if all(run["seed"] != seed for run in runs):
            runs.append(one_seed(segmenter, seed, cache))
            click.echo(json.dumps(runs[-1]))
            _write(out, segmenter, sorted(runs, key=lambda run: run["seed"]), {})
    real = {
        "tolerance": best_tolerance(cache),
        **{name: found for name, found in real_scene(segmenter).items()},
    }
    _write(out, segmenter, sorted(runs, key=lambda run: run["seed"]), real)


def _write(out: Path, segmenter: Segmenter, runs: list[dict], real: dict) -> None:
    summary = {}
    for name in ("true colour", "with infrared"):
        numbers = runs[0][name]["all"]
        for key in numbers if len(runs) > 1 else ():
            found = interval([run[name]["all"][key] for run in runs])
            summary[f"{name}, {key}"] = [round(x, 4) for x in (found.mean, found.low, found.high)]
    about = {
        "command": "python experiments/06_sam.py",
        "weights": segmenter.weights,
        "seeds": [run["seed"] for run in runs],
        "worlds_per_seed": WORLDS_PER_SEED,
        "objects": f"plots of 64 px to 6/10 of a tile of 128 px, {OBJECTS_PER_TILE} a tile at most",
        "mean, low and high of 95 %": summary,
        "real scene": real,
    }
    out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
