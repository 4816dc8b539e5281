"""Five seeds of lesson 03's first question: how large is the roof?

python experiments/03_gsd_encodings.py
writes data/results/03_gsd_encodings.json, about 6 minutes on one core. What is there already is
kept, so it can be stopped and called again.
"""

import json
from pathlib import Path

import click
import torch

from rsedu.lessons.gsd_encodings.lab import SIDES_M, TRAINED_M, UNSEEN_M, learn_sizes, read_sizes

STEPS = 500
GSDS_M = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0)
FACTORS = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0)
READERS = {
    "GSD": {"gsd_encoding": True, "gsds_m": TRAINED_M},
    "plain": {"gsd_encoding": False, "gsds_m": TRAINED_M},
    # What can be read at 3 to 5 m at all, by a reader that has seen such pixels.
    "GSD, trained to 5 m": {"gsd_encoding": True, "gsds_m": (TRAINED_M[0], UNSEEN_M[1])},
}
OUT = Path(__file__).parents[1] / "data" / "results" / "03_gsd_encodings.json"


def measure(seed: int, reader: str) -> dict[str, object]:
    """Train one reader; accuracies by range and by GSD, and what a wrong GSD does at 2 m."""
    model = learn_sizes(seed, steps=STEPS, **READERS[reader])

    def accuracy(low: float, high: float) -> float:
        predicted, true = read_sizes(model, (low, high))
        return float((predicted == true).mean())

    told = {}
    for factor in FACTORS:
        predicted, true = read_sizes(model, (2.0, 2.0), told=factor)
        step = float((predicted - true).mean())
        told[f"{factor:g}"] = {"accuracy": float((predicted == true).mean()), "step": step}
    return {
        "seed": seed,
        "reader": reader,
        "trained": accuracy(*TRAINED_M),
        "unseen": accuracy(*UNSEEN_M),
        "by_gsd": {f"{gsd_m:g}": accuracy(gsd_m, gsd_m) for gsd_m in GSDS_M},
        "told": told,
    }


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], out: Path) -> None:
    """Train the readers on five seeds, and ask them."""
    torch.set_num_threads(1)
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    about = {
        "command": "python experiments/03_gsd_encodings.py",
        "seeds": sorted({*seeds, *(run["seed"] for run in runs)}),
        "steps": STEPS,
        "sides_m": SIDES_M,
        "trained_m": TRAINED_M,
        "unseen_m": UNSEEN_M,
    }
    for seed in seeds:
        for reader in READERS:
            if any((run["seed"], run["reader"]) == (seed, reader) for run in runs):
                continue
            run = measure(seed, reader)
            runs.append(run)
            out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")
            click.echo(json.dumps(run))


if __name__ == "__main__":
    main()
