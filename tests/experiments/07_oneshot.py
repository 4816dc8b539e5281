"""One example instead of a click per object: how good, and does it see that a class is absent?

python tests/experiments/07_oneshot.py
writes data/results/07_oneshot.json, about 3 minutes on one core. What is there already is kept.
A seed is a group of test worlds. Reference, a tile with its class and one without come from
different tiles whose pixels differ by a factor of 2.5 at most.
"""

import json
from pathlib import Path

import click
import numpy as np
import torch

from rsedu.evaluate import interval
from rsedu.segment import oneshot
from rsedu.segment.embedding import Embedded
from rsedu.segment.metrics import iou
from rsedu.segment.practice import CLASS, PracticeTiles
from rsedu.segment.sam import Segmenter, load
from rsedu.segment.trial import clicked, colours, objects_of
from rsedu.worlds import TEST_WORLDS

WORLDS_PER_SEED, PAIRS, FACTOR = 3, 16, 2.5
BANDS = ("B08", "B04", "B03")
OUT = Path(__file__).parents[2] / "data" / "results" / "07_oneshot.json"


class Shelf:
    """Objects, classes and embeddings of some tiles, each made once."""

    def __init__(self, segmenter: Segmenter, tiles: PracticeTiles) -> None:
        self.segmenter, self.tiles = segmenter, tiles
        self.objects = [objects_of(tiles, index) for index in range(len(tiles))]
        self.kinds = [
            [int(np.bincount(tiles.tile(index)[CLASS][mask]).argmax()) for mask in masks]
            for index, masks in enumerate(self.objects)
        ]
        self.kept: dict[int, Embedded] = {}

    def embedded(self, index: int) -> Embedded:
        """One tile, embedded."""
        if index not in self.kept:
            self.kept[index] = self.segmenter.embed(colours(self.tiles, index, BANDS))
        return self.kept[index]

    def like(self, index: int) -> list[int]:
        """Other tiles with pixels of about the same size."""
        gsd_m = self.tiles.gsd_m(index)
        return [
            other
            for other in range(len(self.tiles))
            if other != index and 1 / FACTOR <= self.tiles.gsd_m(other) / gsd_m <= FACTOR
        ]


def one_pair(
    shelf: Shelf, index: int, number: int, rng: np.random.Generator
) -> dict[str, float] | None:
    """One reference, a tile with its class and one without."""
    kind, mask = shelf.kinds[index][number], shelf.objects[index][number]
    like = shelf.like(index)
    present = [other for other in like if kind in shelf.kinds[other]]
    absent = [other for other in like if not (shelf.tiles.tile(other)[CLASS] == kind).any()]
    if not present or not absent:
        return None
    here = shelf.embedded(index)
    reference = oneshot.describe(here, mask)
    weights = oneshot.fit_weights(here, mask, reference)
    there, without = int(rng.choice(present)), int(rng.choice(absent))
    image = shelf.embedded(there)
    kinds = shelf.kinds[there]
    truths = [m for m, k in zip(shelf.objects[there], kinds, strict=True) if k == kind]

    def best(found: np.ndarray) -> float:
        return max(iou(found, truth) for truth in truths)

    finds = oneshot.find(image, reference, threshold=-1, most=1)
    return {
        "clicked": best(oneshot.clicked(image, reference).mask),
        "clicked, closer": best(finds[0].mask) if finds else 0.0,
        "persam": best(oneshot.persam(image, reference).mask),
        "persam_f": best(oneshot.persam_f(image, reference, weights).mask),
        "one click per object": float(
            np.mean([iou(clicked(image, truth, clicks=1)[0].mask, truth) for truth in truths])
        ),
        "peak, present": float(oneshot.similarity(image, reference.target).max()),
        "peak, absent": float(oneshot.similarity(shelf.embedded(without), reference.target).max()),
    }


def one_seed(segmenter: Segmenter, seed: int, cache: Path) -> dict[str, object]:
    """Means over the pairs of one group of test worlds."""
    first = WORLDS_PER_SEED * seed
    worlds = TEST_WORLDS[first : first + WORLDS_PER_SEED]
    tiles = PracticeTiles(worlds=worlds, folder=cache)
    tiles.prepare()
    shelf, rng = Shelf(segmenter, tiles), np.random.default_rng(seed)
    every = [(at, number) for at, masks in enumerate(shelf.objects) for number in range(len(masks))]
    pairs: list[dict[str, float]] = []
    for at, number in rng.permutation(every):
        pair = one_pair(shelf, int(at), int(number), rng)
        pairs += [pair] if pair is not None else []
        if len(pairs) == PAIRS:
            break
    told = {name: round(float(np.mean([pair[name] for pair in pairs])), 4) for name in pairs[0]}
    peaks = {
        key: np.array([pair[f"peak, {key}"] for pair in pairs]) for key in ("present", "absent")
    }
    return {
        "seed": seed,
        "pairs": len(pairs),
        **told,
        "present ones kept": float((peaks["present"] >= oneshot.PRESENT).mean()),
        "absent ones rejected": float((peaks["absent"] < oneshot.PRESENT).mean()),
    }


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=Path(".rsedu") / "worlds")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], cache: Path, out: Path) -> None:
    """Look for one example's class in tiles of test worlds."""
    torch.set_num_threads(1)
    segmenter = load("tiny", device="cpu")
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    for seed in seeds:
        if any(run["seed"] == seed for run in runs):
            continue
        runs.append(one_seed(segmenter, seed, cache))
        click.echo(json.dumps(runs[-1]))
    summary = {}
    for key in runs[0] if len(runs) > 1 else ():
        found = interval([float(run[key]) for run in runs])
        summary[key] = [round(x, 4) for x in (found.mean, found.low, found.high)]
    about = {
        "command": "python tests/experiments/07_oneshot.py",
        "weights": segmenter.weights,
        "seeds": sorted(run["seed"] for run in runs),
        "threshold": oneshot.PRESENT,
        "mean, low and high of 95 %": summary,
    }
    runs.sort(key=lambda run: run["seed"])
    out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
