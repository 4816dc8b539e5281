"""Lesson 05 on real pixels: whose radar image belongs to whose optical one?

python tests/experiments/05_retrieval.py
writes data/results/05_retrieval.json in some minutes; the models of 05_objectives.py are read from
.rsedu/05 and have to be there.

The six real pairs are cut into nine crops of 400 m each; a query of one sensor seeks its own crop
among all 54 of the other, and among the nine of its pair. Asked are the weights that the kit
ships and the five seeds of 05_objectives.py, none of which has seen a real pixel; beside them band
means, brought from radar to optical by a line fitted on synthetic worlds. Intervals of the shipped
weights are over six pairs.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from sklearn.linear_model import Ridge

from rsedu import weights
from rsedu.lessons.objectives import DIRECTIONS, OBJECTIVES, contrasted, learn, retrieval
from rsedu.lessons.sensors import Pairs, Places, Tiles, band_means, cut, look, real, recall
from rsedu.models.croma_training import CromaTraining

SIDE_PX = 40  # nine crops of each pair
PER_PAIR = 9
LABEL = range(2000, 2006)
SEEDS = range(5)
OUT = Path(__file__).parents[2] / "data" / "results" / "05_retrieval.json"


def scores(radar: np.ndarray, optical: np.ndarray) -> dict[str, Any]:
    """Among all crops, and among those of the same pair; the latter for each pair."""
    near = [slice(start, start + PER_PAIR) for start in range(0, len(radar), PER_PAIR)]
    both = ((radar, optical), (optical, radar))
    return {
        "all": retrieval(radar, optical),
        "found, by pair": {
            name: [share(*pair, part) for part in near]
            for name, pair in zip(DIRECTIONS, both, strict=True)
        },
        "same pair, recall@1": {
            name: [recall(one[part], other[part]) for part in near]
            for name, (one, other) in zip(DIRECTIONS, both, strict=True)
        },
    }


def share(queries: np.ndarray, keys: np.ndarray, part: slice) -> float:
    """Share of some queries that find their own key first among all keys."""
    one, other = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (queries, keys))
    first = (one @ other.T).argmax(axis=1)
    return float((first == np.arange(len(keys)))[part].mean())


def mapped(known: Places, crops: Tiles) -> tuple[np.ndarray, np.ndarray]:
    """Band means of the crops; radar's brought to optical's by a line fitted on other places."""
    line = Ridge().fit(band_means(known.radar), band_means(known.optical))
    middle = band_means(known.optical).mean(axis=0)
    radar, optical = line.predict(band_means(crops.radar)), band_means(crops.optical)
    return radar - middle, optical - middle


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=".rsedu/05", show_default=True)
def main(out: Path, keep: Path) -> None:
    """Ask the shipped weights, five seeds, and band means."""
    torch.set_num_threads(1)
    crops, known = real(side_px=SIDE_PX), cut([look(each) for each in LABEL], side_px=SIDE_PX)
    nothing = Pairs(worlds=[])
    models: dict[str, CromaTraining] = {"croma-tiny": weights.load("croma-tiny")}
    for seed in SEEDS:
        file = keep / f"both-{seed}.pt"
        models[f"seed {seed}"] = learn(OBJECTIVES["both"], nothing, seed=seed, keep=file)
    table = {name: scores(*contrasted(model, crops)) for name, model in models.items()}
    table["band means"] = scores(*mapped(known, crops))
    about = {"command": "python tests/experiments/05_retrieval.py", "seeds": list(SEEDS)}
    about |= {"side_px": SIDE_PX, "crops": len(crops.radar), "per_pair": PER_PAIR}
    out.write_text(json.dumps({**about, "runs": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
