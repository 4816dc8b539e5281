"""What a prompt is worth: clicks, boxes, pixel sizes, boundaries, everything, radar.

python experiments/06_prompts.py
writes data/results/06_prompts.json, about 15 minutes on one core. What is there already is kept,
so it can be stopped and called again. The small SAM is asked about plots of test worlds: a seed is
a group of three of them, so the spread is that of places. The threshold of the logits is chosen on
validation worlds.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch.nn import functional as F

from rsedu.evaluation.masks import boundary_bias, iou
from rsedu.scenes.colours import rgb
from rsedu.segment.embedding import Embedded
from rsedu.segment.learning.dataset import PracticeTiles
from rsedu.segment.learning.evaluation import colours, iou_after_clicks, measure, objects_of
from rsedu.segment.prompt import Prompt, box_of
from rsedu.segment.regions import components, interior_point
from rsedu.segment.sam import Segmenter, load
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import CLASSES, CLEARING, CROP, PASTURE
from rsedu.synthetic.tiles import TEST_WORLDS, VALIDATION_WORLDS

WORLDS_PER_SEED, OBJECTS_PER_TILE, CLICKS = 3, 2, 8
TRUE_COLOUR, RADAR = ("B04", "B03", "B02"), ("VV", "VH", "VV")
BESIDE_PX = 3  # from the object's box to a negative click
LOGITS = np.arange(-6.0, 4.5, 0.5)
GSDS_M = (2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0)
WINDOW_M, SNAP_M, FINEST_M, DATE = 1920, 60, 2.5, 2020.0
PLOTS, PLOT_HA = 12, (4.0, 60.0)
OUT = Path(__file__).parents[1] / "data" / "results" / "06_prompts.json"
Row = dict[str, float]


def shown(
    worlds: range, bands: tuple[str, str, str], folder: Path, *, most: int | None = OBJECTS_PER_TILE
) -> Iterator[tuple[np.ndarray, float, tuple[np.ndarray, ...]]]:
    """Image, GSD and objects of each tile of some worlds."""
    tiles = PracticeTiles(worlds=worlds, folder=folder)
    tiles.prepare()
    for index in range(len(tiles)):
        truths = objects_of(tiles, index, most=most)
        if truths:
            yield colours(tiles, index, bands), tiles.gsd_m(index), truths


def beside(truth: np.ndarray) -> list[tuple[float, float]]:
    """Four places just outside the middle of each side of an object's box, within the image."""
    left, top, right, bottom = box_of(truth)
    rows, cols = truth.shape
    col, row = (left + right) // 2, (top + bottom) // 2
    four = [
        (left - BESIDE_PX, row),
        (right - 1 + BESIDE_PX, row),
        (col, top - BESIDE_PX),
        (col, bottom - 1 + BESIDE_PX),
    ]
    return [(x, y) for x, y in four if 0 <= x < cols and 0 <= y < rows]


def prompted(embedded: Embedded, truth: np.ndarray) -> dict[str, np.ndarray]:
    """The mask of each way to prompt for one object."""
    answers = iou_after_clicks(embedded, truth, clicks=CLICKS)
    first, middle, box = answers[0], Prompt(points=(interior_point(truth),)), box_of(truth)
    beset = middle
    for across, along in beside(truth):
        beset = beset.click(across, along, positive=False)
    asked = {
        "click, refined": replace(middle, mask=first.logits[first.best]),
        "click and 4 beside": beset,
        "box": Prompt(box=box),
        "box and click": replace(middle, box=box),
    }
    masks = {f"{number} clicks": answer.mask for number, answer in enumerate(answers, 1)}
    chosen = max(first.masks, key=lambda mask: iou(mask, truth))
    masks |= {"1 click, best of three": chosen}
    return masks | {name: embedded.predict(prompt).mask for name, prompt in asked.items()}


def measured(mask: np.ndarray, truth: np.ndarray, gsd_m: float) -> Row:
    """IoU, and boundary bias in metres, pixels and per cent of area."""
    bias = boundary_bias(mask, truth, gsd_m=gsd_m)
    return {
        "iou": iou(mask, truth),
        "bias_m": bias.boundary_m,
        "bias_px": bias.boundary_m / gsd_m,
        "area_percent": bias.area_percent,
        "too_large": float(bias.area_percent > 0),
    }


def mean_of(rows: list[Row]) -> Row:
    """Mean of each number; the median of areas, which a single flood would drown."""
    found = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    if "area_percent" in found:
        found["area_percent"] = float(np.median([row["area_percent"] for row in rows]))
    return {name: round(value, 4) for name, value in found.items()} | {"objects": len(rows)}


def by_prompt(segmenter: Segmenter, worlds: range, folder: Path) -> dict[str, Row]:
    """Every way to prompt, mean over objects; those below 400 px once more by themselves."""
    rows: dict[str, list[Row]] = {}
    for image, gsd_m, truths in shown(worlds, TRUE_COLOUR, folder):
        embedded = segmenter.embed(image)
        for truth in truths:
            for name, mask in prompted(embedded, truth).items():
                row = measured(mask, truth, gsd_m)
                size = "small" if truth.sum() < 400 else "large"
                rows.setdefault(name, []).append(row)
                rows.setdefault(f"{name}, {size}", []).append(row)
    return {name: mean_of(each) for name, each in rows.items()}


def enlarged(embedded: Embedded, truth: np.ndarray) -> np.ndarray:
    """Logits of the best mask of one click, on the pixels of an image that is one tile."""
    answer = embedded.predict(Prompt(points=(interior_point(truth),)))
    low = torch.from_numpy(answer.logits[answer.best])[None, None]
    logits = F.interpolate(low, size=truth.shape, mode="bilinear", align_corners=False)[0, 0]
    return np.asarray(logits)


def by_logit(segmenter: Segmenter, worlds: range, folder: Path) -> dict[str, Row]:
    """One click without a closer look; the mask is where logits exceed each threshold."""
    rows: dict[str, list[Row]] = {}
    for image, gsd_m, truths in shown(worlds, TRUE_COLOUR, folder):
        embedded = segmenter.embed(image, closer=False)
        for truth in truths:
            logits = enlarged(embedded, truth)
            for level in LOGITS:
                row = measured(logits > level, truth, gsd_m)
                rows.setdefault(f"{level:g}", []).append(row)
    return {name: mean_of(each) for name, each in rows.items()}


def in_radar(segmenter: Segmenter, worlds: range, folder: Path) -> Row:
    """The same objects, in radar shown as red, green and blue."""
    rows = [
        measure(embedded, truth)
        for image, _, truths in shown(worlds, RADAR, folder)
        for embedded in [segmenter.embed(image)]
        for truth in truths
    ]
    return mean_of(rows)


def everything(segmenter: Segmenter, worlds: range, folder: Path) -> dict[str, Any]:
    """How many plots have a mask of IoU 0.5 among all that come without a prompt, by size."""
    best: list[tuple[int, float]] = []
    counts = []
    for image, _, truths in shown(worlds, TRUE_COLOUR, folder, most=None):
        masks = [record["segmentation"] for record in segmenter.everything(image)]
        counts.append(len(masks))
        for truth in truths:
            scores = [iou(mask, truth) for mask in masks]
            best.append((int(truth.sum()), max(scores, default=0.0)))
    sizes, scores = np.array(best).T
    groups = {"64 to 149": (64, 150), "150 to 399": (150, 400), "400 and more": (400, 10**6)}
    found = {
        name: round(float((scores[(sizes >= low) & (sizes < high)] >= 0.5).mean()), 4)
        for name, (low, high) in groups.items()
    }
    return {
        "found": found | {"all": round(float((scores >= 0.5).mean()), 4)},
        "plots per tile": round(len(best) / len(counts), 2),
        "masks per tile": round(float(np.mean(counts)), 2),
    }


def plots_of(place: Frontier, seed: int) -> list[tuple[int, int, np.ndarray]]:
    """Some plots of one world: row and col of a window's corner in metres, and the truth in it."""
    classes = place.truth(date=DATE, gsd_m=FINEST_M).classes
    wanted = [
        part
        for kind in (CLEARING, PASTURE, CROP)
        for part in components(classes == kind, least_px=int(PLOT_HA[0] * 1e4 / FINEST_M**2))
        if part.sum() * FINEST_M**2 <= PLOT_HA[1] * 1e4
    ]
    order = np.random.default_rng(seed).permutation(len(wanted))
    found = []
    for part in (wanted[at] for at in order):
        left, top, right, bottom = box_of(part)
        corner = [
            int(FINEST_M * (low + high) / 2 - WINDOW_M / 2) // SNAP_M * SNAP_M
            for low, high in ((top, bottom), (left, right))
        ]
        side = int(WINDOW_M / FINEST_M)
        row, col = (int(start / FINEST_M) for start in corner)
        inside = part[max(row, 0) : row + side, max(col, 0) : col + side]
        if min(corner) >= 0 and inside.shape == (side, side) and inside.sum() == part.sum():
            found.append((corner[0], corner[1], inside))
    return found[:PLOTS]


def by_gsd(segmenter: Segmenter, seed: int) -> dict[str, Row]:
    """The same plots, seen with smaller and larger pixels."""
    place = Frontier(seed=TEST_WORLDS[WORLDS_PER_SEED * seed], size_m=7680.0)
    rows: dict[str, list[Row]] = {f"{gsd_m:g}": [] for gsd_m in GSDS_M}
    for top_m, left_m, finest in plots_of(place, seed):
        for gsd_m in GSDS_M:
            side, factor = int(WINDOW_M / gsd_m), int(gsd_m / FINEST_M)
            row, col = int(top_m / gsd_m), int(left_m / gsd_m)
            window = (slice(row, row + side), slice(col, col + side))
            scene = place.optical(date=DATE, gsd_m=gsd_m, window=window)
            shares = finest.reshape(side, factor, side, factor).mean(axis=(1, 3))
            truth = shares >= 0.5
            embedded = segmenter.embed(rgb(scene, bands=TRUE_COLOUR))
            rows[f"{gsd_m:g}"].append(
                {"pixels": float(truth.sum()), **measure(embedded, truth, gsd_m=gsd_m)}
            )
    return {name: mean_of(each) for name, each in rows.items()}


def at_60_m(segmenter: Segmenter, seed: int) -> dict[str, Row]:
    """The same plots at 60 m within the whole world, with and without a closer look at each.

    128 px on a side, as in training: what is wrong here is not the small window of `by_gsd`.
    """
    place = Frontier(seed=TEST_WORLDS[WORLDS_PER_SEED * seed], size_m=7680.0)
    image = rgb(place.optical(date=DATE, gsd_m=60.0), bands=TRUE_COLOUR)
    looks = {"closer": segmenter.embed(image), "as it is": segmenter.embed(image, closer=False)}
    rows: dict[str, list[Row]] = {name: [] for name in looks}
    for top_m, left_m, finest in plots_of(place, seed):
        side, row, col = (length // 60 for length in (WINDOW_M, top_m, left_m))
        truth = np.zeros(image.shape[:2], dtype=np.bool_)
        shares = finest.reshape(side, -1, side, finest.shape[1] // side).mean(axis=(1, 3))
        truth[row : row + side, col : col + side] = shares >= 0.5
        for name, embedded in looks.items():
            rows[name].append(measure(embedded, truth, gsd_m=60.0))
    return {name: mean_of(each) for name, each in rows.items()}


def at_5_m(segmenter: Segmenter, seed: int) -> dict[str, Row]:
    """The same plots at 5 m in their windows of 384 px, cut into tiles or seen as one."""
    place = Frontier(seed=TEST_WORLDS[WORLDS_PER_SEED * seed], size_m=7680.0)
    rows: dict[str, list[Row]] = {"tiles": [], "one tile": []}
    for top_m, left_m, finest in plots_of(place, seed):
        side, row, col = (length // 5 for length in (WINDOW_M, top_m, left_m))
        window = (slice(row, row + side), slice(col, col + side))
        image = rgb(place.optical(date=DATE, gsd_m=5.0, window=window), bands=TRUE_COLOUR)
        truth = finest.reshape(side, 2, side, 2).mean(axis=(1, 3)) >= 0.5
        for name, tile_px in (("tiles", None), ("one tile", side)):
            embedded = segmenter.embed(image, tile_px=tile_px)
            rows[name].append(measure(embedded, truth, gsd_m=5.0))
    return {name: mean_of(each) for name, each in rows.items()}


def asked(segmenter: Segmenter, run: dict[str, Any], folder: Path) -> None:
    """Put the questions that one group of test worlds has not answered yet."""
    seed = run["seed"]
    worlds = TEST_WORLDS[WORLDS_PER_SEED * seed : WORLDS_PER_SEED * (seed + 1)]
    questions: dict[str, Callable[[], Any]] = {
        "by_prompt": lambda: by_prompt(segmenter, worlds, folder),
        "by_logit": lambda: by_logit(segmenter, worlds, folder),
        "radar": lambda: in_radar(segmenter, worlds, folder),
        "everything": lambda: everything(segmenter, worlds, folder),
        "by_gsd_m": lambda: by_gsd(segmenter, seed),
        "at_5_m": lambda: at_5_m(segmenter, seed),
        "at_60_m": lambda: at_60_m(segmenter, seed),
    }
    for name, ask in questions.items():
        if name not in run:
            run[name] = ask()


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".rsedu") / "worlds")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], cache: Path, out: Path) -> None:
    """Prompt objects of test worlds in every way."""
    torch.set_num_threads(1)
    segmenter = load("tiny", device="cpu")
    kept: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"runs": []}
    if "validation" not in kept:
        kept["validation"] = by_logit(segmenter, VALIDATION_WORLDS[:6], cache)
    for seed in seeds:
        known = [run for run in kept["runs"] if run["seed"] == seed]
        run = known[0] if known else {"seed": seed}
        asked(segmenter, run, cache)
        kept["runs"] += [] if known else [run]
        write(out, segmenter, kept)
        click.echo(f"seed {seed} is done")


def write(out: Path, segmenter: Segmenter, kept: dict[str, Any]) -> None:
    """Store what there is."""
    runs = sorted(kept["runs"], key=lambda run: run["seed"])
    levels = kept["validation"]
    about = {
        "command": "python experiments/06_prompts.py",
        "weights": segmenter.weights,
        "seeds": [run["seed"] for run in runs],
        "classes": [CLASSES[kind] for kind in (CLEARING, PASTURE, CROP)],
        "plots of by_gsd_m, ha": PLOT_HA,
        "logit": max(levels, key=lambda level: levels[level]["iou"]),
        "validation": levels,
    }
    out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
