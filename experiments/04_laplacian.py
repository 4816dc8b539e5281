"""Five seeds of lesson 04: whose energy lies in which band, and which decoder rebuilds it.

python experiments/04_laplacian.py
writes data/results/04_laplacian.json, about 25 minutes on one core. What is there already is kept,
so it can be stopped and called again; parts may run side by side with an --out of their own.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from rsedu.lessons.laplacian import decoders
from rsedu.lessons.laplacian.detail import energy_by_class
from rsedu.lessons.masked_autoencoders import lab
from rsedu.pretraining.tile_sources import RandomSymmetry
from rsedu.synthetic.frontier import Frontier
from rsedu.training.loop import train
from rsedu.training.sampler import TensorSource

# Of the ranges in rsedu.synthetic.tiles: nothing is trained and tested on one world.
TRAIN, TEST = range(1000, 1006), range(3000, 3002)
SIDE_PX, GSD_M, WORLD_M = 48, 5.0, 5120.0  # of a target of the frontier: 240 m
GSDS_M = (5.0, 10.0, 20.0, 40.0)
MASK_RATIO = {"frontier": 0.75, "streets": 0.5}
STEPS = {"frontier": 400, "streets": 1500}
OUT = Path(__file__).parents[1] / "data" / "results" / "04_laplacian.json"


def frontier(worlds: range) -> Tensor:
    """(tiles, bands, 48, 48) tiles of synthetic worlds at 5 m, standardised; 441 of each world."""
    places = {world: Frontier(seed=world, size_m=WORLD_M) for world in worlds}
    return torch.cat(
        [
            lab.cut(place.optical(date=lab.date_of(world), gsd_m=GSD_M), SIDE_PX)
            for world, place in places.items()
        ]
    )


@cache
def images(where: str) -> tuple[Tensor, Tensor]:
    """Tiles to learn from and tiles to judge by."""
    if where == "frontier":
        return frontier(TRAIN), frontier(TEST)
    return decoders.streets(4000, 0), decoders.streets(400, 7)


def decoder(where: str, arm: str, seed: int) -> dict[str, Any]:
    """Train one model and judge it on tiles of other places."""
    learnt, test = images(where)
    model = decoders.make(arm, channels=learnt.shape[1], mask_ratio=MASK_RATIO[where], seed=seed)
    steps = STEPS[where]
    started = time.process_time()
    history = train(
        model,
        RandomSymmetry(TensorSource({"images": learnt})),
        decoders.recipe(steps, seed),
        device="cpu",
    )
    if history.stopped_by:  # a signal ends a run early, and such a run must not be stored
        raise click.Abort
    return {
        "steps": steps,
        "milliseconds per step": round(1000 * (time.process_time() - started) / steps),
        "parameters": sum(weights.numel() for weights in model.parameters()),
        **decoders.evaluate(model, test),
    }


def energy(where: str, arm: str, seed: int) -> dict[str, Any]:
    """Whose energy lies in which band of one world, at four pixel sizes."""
    place = Frontier(seed=TEST.start + seed, size_m=WORLD_M)
    return {
        f"{gsd_m:g}": {
            band: {kind: vars(held) for kind, held in kinds.items()}
            for band, kinds in energy_by_class(place, gsd_m=gsd_m).items()
        }
        for gsd_m in GSDS_M
    }


def rounded(value: Any) -> Any:
    """Five significant digits, at any depth."""
    if isinstance(value, Mapping):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


PARTS: dict[str, tuple[Callable[[str, str, int], dict[str, Any]], tuple[str, ...]]] = {
    "energy": (energy, ("-",)),
    "frontier": (decoder, decoders.ARMS),
    "streets": (decoder, decoders.ARMS),
}


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--part", "parts", multiple=True, type=click.Choice(list(PARTS)), default=list(PARTS))
@click.option("--arm", "arms", multiple=True, type=click.Choice(["-", *decoders.ARMS]), default=())
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], parts: tuple[str, ...], arms: tuple[str, ...], out: Path) -> None:
    """Run what is not in the results yet."""
    torch.set_num_threads(1)
    stored = json.loads(out.read_text()) if out.exists() else {"runs": []}
    runs = stored["runs"]
    about = {
        "command": "python experiments/04_laplacian.py",
        "train worlds": [TRAIN.start, TRAIN.stop],
        "test worlds": [TEST.start, TEST.stop],
    }
    for seed in seeds:
        for part in parts:
            measure, known = PARTS[part]
            for arm in (each for each in known if each in (arms or known)):
                key = {"part": part, "arm": arm, "seed": seed}
                if any(key.items() <= run.items() for run in runs):
                    continue
                run = {**key, **rounded(measure(part, arm, seed))}
                runs.append(run)
                runs.sort(key=lambda each: (each["part"], each["arm"], each["seed"]))
                lines = ",\n".join(json.dumps(each) for each in runs)
                start = json.dumps(about, indent=1).removesuffix("\n}")
                out.write_text(f'{start},\n "runs": [\n{lines}\n]}}\n')
                shown = {name: value for name, value in run.items() if "power" not in name}
                click.echo(json.dumps(shown))


if __name__ == "__main__":
    main()
