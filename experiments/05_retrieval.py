"""Lesson 05 on real pixels: whose radar image belongs to whose optical one?

python experiments/05_retrieval.py
writes data/results/05_retrieval.json, about 20 minutes on one core; the models of
05_objectives.py are read from .rsedu/05 and have to be there.

The six real pairs are cut into nine crops of 400 m each; a query of one sensor seeks its own crop
among all 54 of the other, and among the nine of its pair. Asked are the weights that the kit ships
and the five seeds of 05_objectives.py, none of which has seen a real pixel; and band means, brought
from radar to optical by a line fitted on synthetic worlds. Three galleries: the real crops; the
same with the mean of each band over all crops shifted to the synthetic mean of 0, which needs no
pairing; and as many crops of synthetic test worlds. Last, five of the real pairs are learnt from
and the sixth is asked about.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from sklearn.linear_model import Ridge

from experiments.objectives import learn
from experiments.retrieval import retrieval
from rsedu.evaluation.retrieval import recall_at_k
from rsedu.lessons.two_sensors.lab import (
    Pairs,
    Places,
    Tiles,
    World,
    band_means,
    crop_pairs,
    real,
    render_pair,
)
from rsedu.lessons.two_sensors.objectives import BROKEN, DIRECTIONS, OBJECTIVES, contrasted
from rsedu.models import weights
from rsedu.models.croma_pretraining import CromaTraining
from rsedu.training.loop import train
from rsedu.training.settings import TrainConfig

SIDE_PX = 40  # nine crops of each pair
PER_PAIR, COUNT = 9, 54
LABEL, TEST = range(2000, 2006), 3000
SEEDS = range(5)
STEPS = 150
OUT = Path(__file__).parents[1] / "data" / "results" / "05_retrieval.json"


def within(radar: np.ndarray, optical: np.ndarray) -> dict[str, list[float]]:
    """Recall@1 among the crops of each pair; chance is 1 / 9."""
    parts = [slice(start, start + PER_PAIR) for start in range(0, len(radar), PER_PAIR)]
    both = ((radar, optical), (optical, radar))
    return {
        name: [recall_at_k(one[part], other[part]) for part in parts]
        for name, (one, other) in zip(DIRECTIONS, both, strict=True)
    }


def mapped(known: Places, crops: Tiles) -> tuple[np.ndarray, np.ndarray]:
    """Band means of the crops; radar's brought to optical's by a line fitted on other places."""
    line = Ridge().fit(band_means(known.radar), band_means(known.optical))
    middle = band_means(known.optical).mean(axis=0)
    radar, optical = line.predict(band_means(crops.radar)), band_means(crops.optical)
    return radar - middle, optical - middle


def shifted(crops: Tiles) -> Tiles:
    """Each band's mean over all crops taken away."""
    radar, optical = (
        images - images.mean(dim=(0, 2, 3), keepdim=True) for images in (crops.radar, crops.optical)
    )
    return Tiles(radar=radar, optical=optical)


def synthetic(seed: int) -> Tiles:
    """As many crops of a test world, drawn from those that are not all forest."""
    places = crop_pairs([render_pair(TEST + 10 * seed)], side_px=SIDE_PX)
    broken = np.flatnonzero(places.forest < BROKEN)
    at = torch.from_numpy(np.random.default_rng(seed).permutation(broken)[:COUNT])
    return Tiles(radar=places.radar[at], optical=places.optical[at])


def world(pairs: Tiles, number: int) -> World:
    """A real pair as something to cut training tiles from."""
    side = pairs.radar.shape[-1] // 8
    return World(
        optical=pairs.optical[number].numpy().astype(np.float16),
        radar=pairs.radar[number].numpy().astype(np.float16),
        shares=np.zeros((8, side, side), dtype=np.float32),
        edges=np.zeros((side, side)),
    )


def one_left_out(start: CromaTraining | None, seed: int, crops: Tiles) -> dict[str, list[float]]:
    """Contrast learns from five real pairs; recall@1 among the crops of the sixth, for each."""
    worlds = [world(real(side_px=120), number) for number in range(6)]
    found: dict[str, list[float]] = {name: [] for name in DIRECTIONS}
    for left in range(6):
        torch.manual_seed(seed)
        model = CromaTraining(OBJECTIVES["contrast"])
        if start is not None:
            known, own = start.state_dict(), model.state_dict()
            model.load_state_dict({name: known[name] for name in own})
        others = [each for number, each in enumerate(worlds) if number != left]
        config = TrainConfig(steps=STEPS, batch_size=64, blr=4e-3, warmup_steps=15, seed=seed)
        train(model, Pairs(worlds=others, seed=seed, side_px=SIDE_PX), config, device="cpu")
        part = slice(left * PER_PAIR, (left + 1) * PER_PAIR)
        asked = replace(crops, radar=crops.radar[part], optical=crops.optical[part])
        for name, (value,) in within(*contrasted(model.eval(), asked)).items():
            found[name].append(value)
    return found


def at_rest(models: dict[str, CromaTraining], crops: Tiles) -> dict[str, dict[str, Any]]:
    """What each model, and band means, find without learning from real pixels; by gallery."""
    known = crop_pairs([render_pair(each) for each in LABEL], side_px=SIDE_PX)
    made = [synthetic(seed) for seed in SEEDS]
    galleries = {"real": crops, "real, shifted": shifted(crops)}

    def asked(embed: Callable[[Tiles], tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for where, tiles in galleries.items():
            both = embed(tiles)
            found[where] = {"all": retrieval(*both), "same pair, recall@1": within(*both)}
        return found | {"synthetic": [{"all": retrieval(*embed(tiles))} for tiles in made]}

    table = {name: asked(partial(contrasted, model)) for name, model in models.items()}
    return table | {"band means": asked(partial(mapped, known))}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=".rsedu/05", show_default=True)
def main(out: Path, keep: Path) -> None:
    """Ask the shipped weights, five seeds, and band means; then learn from real pairs."""
    torch.set_num_threads(1)
    crops, nothing = real(side_px=SIDE_PX), Pairs(worlds=[])
    both = [
        learn(OBJECTIVES["both"], nothing, seed=seed, keep=keep / f"both-{seed}.pt")
        for seed in SEEDS
    ]
    models: dict[str, CromaTraining] = {"croma-tiny": weights.load("croma-tiny")}
    table = at_rest(models | {str(seed): model for seed, model in enumerate(both)}, crops)
    about = {
        "command": "python experiments/05_retrieval.py",
        "seeds": list(SEEDS),
        "side_px": SIDE_PX,
        "crops": COUNT,
        "per_pair": PER_PAIR,
        "without seeds": {name: table[name] for name in ("croma-tiny", "band means")},
        "runs": [
            {
                "seed": seed,
                **table[str(seed)],
                "left out, recall@1": {
                    "fresh": one_left_out(None, seed, crops),
                    "both": one_left_out(model, seed, crops),
                },
            }
            for seed, model in enumerate(both)
        ],
    }
    out.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
