"""Five seeds of lesson 05: images larger than those of training, and clouds.

python experiments/05_places.py
writes data/results/05_places.json, about 60 minutes on one core; the models of 05_objectives.py
are read from .rsedu/05 where they are. What is there already is kept.

Two models per seed beside those of the objectives: one with the positions of MAE instead of
distances, one with clouds over what it learns from. Asked of single patches: which
class covers them, in images of 64, 120 and 240 px, by a probe fitted at 64 px; and whether they
are forest, as clouds gather, by a probe that has seen every cloud cover.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from experiments.objectives import learn, objective
from rsedu.lessons.two_sensors.lab import PATCH_PX, Pairs, World, crop_pairs, render_pair
from rsedu.lessons.two_sensors.objectives import OBJECTIVES, TINY, probed, tokens_of
from rsedu.models.croma_pretraining import CromaTraining
from rsedu.synthetic.land_cover import FOREST, WATER

LEARN, LABEL, TEST = (
    1000,
    2000,
    3000,
)  # first worlds, as in rsedu.synthetic.tiles; ten further per seed
SIDES_PX = (64, 120, 240)
SIDE_M, SIDE_PX = 9600.0, 960  # of a world: 15 tiles of 64 px, 8 of 120, 4 of 240
CLOUDY_M, CLOUDY_PX = 3840.0, 384
COVERS = (0.0, 0.25, 0.5, 0.75, 1.0)
PURE = 0.75  # share of a patch from which it is forest, or is not
OUT = Path(__file__).parents[1] / "data" / "results" / "05_places.json"


def per_class(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Numbers of patches in random order, `count` of each class that has so many."""
    generator = np.random.default_rng(seed)
    each = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    drawn = [generator.permutation(one)[:count] for one in each if len(one) >= count]
    return generator.permutation(np.concatenate(drawn))


def in_place(tokens: np.ndarray, whole_px: int, side_px: int) -> np.ndarray:
    """Tokens of tiles of any side, in the order of the patches on the ground: (patches, D)."""
    tiles, patches = whole_px // side_px, side_px // PATCH_PX
    split = tokens.reshape(-1, tiles, tiles, patches, patches, tokens.shape[-1])
    return split.swapaxes(2, 3).reshape(-1, tokens.shape[-1])


def maps(
    model: CromaTraining, worlds: Sequence[World], whole_px: int, side_px: int
) -> dict[str, np.ndarray]:
    """(patches, D) tokens of each encoder, over all worlds."""
    tokens = tokens_of(model, crop_pairs(worlds, side_px=side_px))
    return {name: in_place(each, whole_px, side_px) for name, each in tokens.items()}


def sizes(model: CromaTraining, labelled: list[World], test: list[World], seed: int) -> Any:
    """Accuracy on the class of patches, by the side of the image and by encoder."""
    truth, answers = (
        np.concatenate([each.shares.argmax(axis=0).ravel() for each in worlds])
        for worlds in (labelled, test)
    )
    at, asked_at = per_class(truth, 300, seed), per_class(answers, 300, seed)
    known = maps(model, labelled, SIDE_PX, SIDES_PX[0])
    table: dict[str, Any] = {}
    for side_px in SIDES_PX:
        asked = maps(model, test, SIDE_PX, side_px)
        table[str(side_px)] = {
            name: probed(known[name][at], truth[at], asked[name][asked_at], answers[asked_at])
            for name in known
        }
    return table


def pure(worlds: Sequence[World], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of patches that are forest, or are land without it, and which of both."""
    shares = np.concatenate([each.shares.reshape(len(each.shares), -1) for each in worlds], axis=1)
    bare = 1 - shares[FOREST] - shares[WATER]
    labels = np.where(shares[FOREST] > PURE, 1, np.where(bare > PURE, 0, -1))
    numbers = np.flatnonzero(labels >= 0)
    numbers = numbers[per_class(labels[numbers], 600, seed)]
    return numbers, labels[numbers]


def under(first: int, cover: float) -> list[World]:
    """Six worlds under clouds."""
    return [render_pair(first + each, side_m=CLOUDY_M, cloud_cover=cover) for each in range(6)]


def clouds(model: CromaTraining, skies: dict[tuple[int, float], list[World]], seed: int) -> Any:
    """Accuracy on forest or not, by cloud cover and by encoder."""
    labelled, test = (first + 10 * seed for first in (LABEL, TEST))
    at, truth = pure(skies[labelled, 0.0], seed)
    asked_at, answers = pure(skies[test, 0.0], seed)

    def tokens(first: int, cover: float) -> dict[str, np.ndarray]:
        return maps(model, skies[first, cover], CLOUDY_PX, SIDES_PX[0])

    known = [tokens(labelled, cover) for cover in COVERS]
    drawn = np.random.default_rng(seed).permutation(len(COVERS) * len(at))[: 2 * len(at)]
    labels = np.tile(truth, len(COVERS))[drawn]
    table: dict[str, Any] = {}
    for cover in COVERS:
        asked = tokens(test, cover)
        table[f"{cover:g}"] = {
            name: probed(
                np.concatenate([each[name][at] for each in known])[drawn],
                labels,
                asked[name][asked_at],
                answers,
            )
            for name in asked
        }
    return table


def model_of(name: str, seed: int, keep: Path) -> CromaTraining:
    """Train one model, or read it."""
    numbers = [LEARN + 10 * seed + each for each in range(10)]
    file = keep / f"{name}-{seed}.pt"
    covers = np.linspace(0, 1, 10) if name == "clouds" else np.zeros(10)
    skies = zip(numbers, covers, strict=True)
    worlds = (
        []
        if file.exists()
        else [render_pair(each, cloud_cover=float(cover)) for each, cover in skies]
    )
    if name in OBJECTIVES:
        return objective(name, worlds, seed=seed, keep=keep)
    config = replace(TINY, positions="sincos") if name == "sincos" else TINY
    return learn(config, Pairs(worlds=worlds, seed=seed), seed=seed, keep=file)


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=".rsedu/05", show_default=True)
def main(seeds: tuple[int, ...], out: Path, keep: Path) -> None:
    """Train what is missing, and ask for places."""
    torch.set_num_threads(1)
    keep.mkdir(parents=True, exist_ok=True)
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    about = {
        "command": "python experiments/05_places.py",
        "seeds": sorted({*seeds, *(run["seed"] for run in runs)}),
        "sides_px": SIDES_PX,
        "cloud_covers": COVERS,
    }
    for seed in seeds:
        models = {
            name: model_of(name, seed, keep)
            for name in (*OBJECTIVES, "sincos", "clouds")
            if not any((run["seed"], run["model"]) == (seed, name) for run in runs)
        }
        if not models:
            continue
        firsts = [first + 10 * seed for first in (LABEL, TEST)]
        large = [
            [render_pair(first + each, side_m=SIDE_M) for each in range(6)] for first in firsts
        ]
        skies = {(first, cover): under(first, cover) for first in firsts for cover in COVERS}
        for name, model in models.items():
            found = {"sizes": sizes(model, *large, seed)} if name != "clouds" else {}
            if name in ("both", "clouds"):
                found["clouds"] = clouds(model, skies, seed)
            runs.append({"seed": seed, "model": name, **found})
            out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")
            click.echo(json.dumps(runs[-1]))


if __name__ == "__main__":
    main()
