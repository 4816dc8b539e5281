"""Two hundred samples of each map of lesson 08: does the interval of the area cover the truth?

python experiments/08_area.py
writes data/results/08_area.json, about 10 minutes on one idle core; what is there already is kept.

Five places that nothing was tuned on, three maps of each. "ndvi" is the loss of NDVI between two
clear scenes, above 0.1. "good" is the truth without 3 % of its clearings; "shaky" the truth without
15 % of them, a pixel too large all round, with 5 % of the older clearings on top. Every sample is
drawn from the map's pixels as `rsedu score` draws it; its seeds are 0 to 199. The design that
`rsedu score` takes was chosen on place 2000.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy import ndimage

from rsedu.evaluation.area import ALLOCATIONS, estimate
from rsedu.project.place import Place
from rsedu.project.score import LOST, SAMPLE, sampled
from rsedu.scenes.indices import ndvi

PLACES = range(3000, 3005)  # of TEST_WORLDS in rsedu.synthetic.tiles
SAMPLES = 200
SIZES = (300, 500, SAMPLE)
NDVI_LOSS = 0.1
OUT = Path(__file__).parents[1] / "data" / "results" / "08_area.json"


def by_ndvi(place: Place, true: np.ndarray) -> np.ndarray:
    """Loss of NDVI between the first and the last date, without clouds."""
    first, last = (place.frontier.optical(date=date) for date in (place.since, place.until))
    return ndvi(first) - ndvi(last) > NDVI_LOSS


def with_errors(place: Place, true: np.ndarray, *, missed: float, added: float) -> np.ndarray:
    """Leave away whole clearings, and add whole older ones."""
    labels = place.frontier.truth(date=place.until).clearings
    chance = np.random.default_rng(place.seed).random((2, labels.max() + 1))
    older = (labels > 0) & ~true
    kept: np.ndarray = true & (chance[0] >= missed)[labels]
    if added:
        kept = ndimage.binary_dilation(kept) | (older & (chance[1] < added)[labels])
    return kept


MAPS: dict[str, Callable[[Place, np.ndarray], np.ndarray]] = {
    "ndvi": by_ndvi,
    "good": lambda place, true: with_errors(place, true, missed=0.03, added=0.0),
    "shaky": lambda place, true: with_errors(place, true, missed=0.15, added=0.05),
}


DESIGNS = {
    "ndvi": [(size, how) for size in SIZES for how in ALLOCATIONS],
    "good": [(size, "at_least") for size in SIZES],
    "shaky": [(size, "at_least") for size in SIZES],
}


def covered(mapped: np.ndarray, true: np.ndarray, size: int, how: str) -> dict[str, float]:
    """Draw the samples, and count the intervals that hold the truth."""
    hectares = 0.01  # of a pixel of 10 m
    truth = float(true.sum()) * hectares
    hits, symmetric, areas, halves, thin = 0, 0, [], [], 0
    for seed in range(SAMPLES):
        matrix, sizes = sampled(mapped, true, sample=size, how=how, seed=seed)
        found = estimate(matrix, sizes * hectares)
        hits += bool(found.low[LOST] <= truth <= found.high[LOST])
        low, high = found.symmetric(LOST)
        symmetric += low <= truth <= high
        areas.append(float(found.area[LOST]))
        halves.append(float(found.high[LOST] - found.low[LOST]) / 2)
        thin += int(matrix[0, LOST] == 0)
    both = float((mapped & true).sum())
    return {
        "f1": 2 * both / float(mapped.sum() + true.sum()),
        "true_ha": truth,
        "mapped_ha": float(mapped.sum()) * hectares,
        "mean of estimates, ha": float(np.mean(areas)),
        "mean half width, ha": float(np.mean(halves)),
        "covered": hits / SAMPLES,
        "covered, symmetric": symmetric / SAMPLES,
        "met no omission": thin / SAMPLES,
    }


def write(out: Path, runs: list[dict[str, Any]]) -> None:
    """Store the runs, one per line."""
    about = {
        "command": "python experiments/08_area.py",
        "seeds": list(PLACES),
        "samples": SAMPLES,
        "design of rsedu score": {"sample": SAMPLE, "allocation": "at_least"},
    }
    runs.sort(key=lambda run: (run["map"], run["sample"], run["allocation"], run["seed"]))
    lines = ",\n".join(json.dumps(run) for run in runs)
    start = json.dumps(about, indent=1).removesuffix("\n}")
    out.write_text(f'{start},\n "runs": [\n{lines}\n]}}\n')


@click.command()
@click.option("--place", "seeds", multiple=True, type=int, default=PLACES)
@click.option("--map", "names", multiple=True, type=click.Choice(list(MAPS)), default=list(MAPS))
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], names: tuple[str, ...], out: Path) -> None:
    """Run what is not in the results yet."""
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    for seed in seeds:
        place = Place(seed=seed)
        true = np.isfinite(place.truth())
        for name in names:
            mapped = MAPS[name](place, true)
            for size, how in DESIGNS[name]:
                key = {"map": name, "seed": seed, "sample": size, "allocation": how}
                if any(key.items() <= run.items() for run in runs):
                    continue
                found = covered(mapped, true, size, how)
                rounded = {fact: float(f"{value:.5g}") for fact, value in found.items()}
                runs.append({**key, **rounded})
                write(out, runs)
                click.echo(json.dumps({**key, **rounded}))


if __name__ == "__main__":
    main()
