"""Five seeds of lesson 02: which mask ratio, and what happens at another GSD.

python experiments/02_masked_autoencoders.py
writes data/results/02_masked_autoencoders.json, about 40 minutes on one core. What is there
already is kept, so it can be stopped and called again.
"""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor

from rsedu.evaluation.retrieval import recall_at_k
from rsedu.lessons.masked_autoencoders import lab
from rsedu.models.mae import MAE, MAEConfig
from rsedu.pretraining.tile_sources import RandomSymmetry
from rsedu.training.loop import train
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import TrainConfig

RATIOS = (0.25, 0.5, 0.75, 0.9, 0.95)
GSDS_M = (5.0, 10.0, 20.0, 40.0)
# The same ranges as rsedu.synthetic.tiles: nothing is trained, labelled and tested on one world.
TRAIN, LABELLED, TEST = range(1000, 1016), range(2000, 2003), range(3000, 3004)
LABELS = 64
STEPS = 1000
OUT = Path(__file__).parents[1] / "data" / "results" / "02_masked_autoencoders.json"


@cache
def worlds(first: int, last: int, gsd_m: float = 10.0) -> tuple[Tensor, np.ndarray]:
    """Images and edges of some worlds."""
    each = [lab.tiles(world, gsd_m=gsd_m) for world in range(first, last)]
    return torch.cat([one.images for one in each]), np.concatenate([one.edges for one in each])


def learn(seed: int, ratio: float) -> MAE:
    """Train one model at 10 m."""
    images, _ = worlds(TRAIN.start, TRAIN.stop)
    torch.manual_seed(seed)
    model = MAE(MAEConfig(channels=4, norm_pix_loss=False, decoder_depth=1, mask_ratio=ratio))
    config = TrainConfig(steps=STEPS, batch_size=32, blr=16e-3, warmup_steps=50, seed=seed)
    train(model, RandomSymmetry(TensorSource({"images": images})), config, device="cpu")
    return model.eval()


@torch.no_grad()
def features(model: MAE, images: Tensor, gsd_m: float | None = None) -> np.ndarray:
    """Mean of the patch tokens."""
    return torch.cat([model.features(part, gsd_m) for part in images.split(128)]).numpy()


def probed(model: MAE, seed: int) -> dict[str, float]:
    """R2 of learnt features and of what costs nothing."""
    sets, edges = zip(*(worlds(each.start, each.stop) for each in (LABELLED, TEST)), strict=True)
    torch.manual_seed(100 + seed)
    untrained = MAE(model.config).eval()
    given = {
        "learnt": [features(model, images) for images in sets],
        "untrained": [features(untrained, images) for images in sets],
        "means": [images.mean(dim=(2, 3)).numpy() for images in sets],
        "means and deviations": [
            torch.cat([images.mean(dim=(2, 3)), images.std(dim=(2, 3))], dim=1).numpy()
            for images in sets
        ],
    }
    return {
        name: lab.explained(*zip(both, edges, strict=True), labels=LABELS, seed=seed)
        for name, both in given.items()
    }


def errors(model: MAE, images: Tensor, seed: int, gsd_m: float | None = None) -> dict[str, float]:
    """Mean squared error on the hidden pixels of every eighth tile."""
    chosen = images[seed % 8 :: 8]
    made = model.reconstruct(chosen, gsd_m, torch.Generator().manual_seed(seed))
    found = {"learnt": lab.hidden_error(made.prediction, chosen, made.mask)}
    for method in ("mean", "nearest", "linear"):
        filled = lab.inpaint_batch(chosen, made.mask, method)
        found[method] = lab.hidden_error(filled, chosen, made.mask)
    return found


def across_gsd(model: MAE, seed: int) -> dict[str, dict[str, float]]:
    """The same places at other pixel sizes, positions counted in patches or measured in metres."""
    measuring = MAE(replace(model.config, gsd_encoding=True, reference_gsd=10.0)).eval()
    measuring.load_state_dict(model.state_dict())  # positions hold no weights
    here = features(model, worlds(TEST.start, TEST.stop)[0])
    table = {}
    for gsd_m in GSDS_M:
        images, _ = worlds(TEST.start, TEST.stop, gsd_m)
        counted = errors(model, images, seed)
        measured = errors(measuring, images, seed, gsd_m)
        means = [worlds(TEST.start, TEST.stop, each)[0].mean(dim=(2, 3)) for each in (gsd_m, 10.0)]
        table[f"{gsd_m:g}"] = {
            **{f"error, {name}": value for name, value in counted.items() if name != "learnt"},
            "error, counted": counted["learnt"],
            "error, measured": measured["learnt"],
            "found, counted": recall_at_k(features(model, images), here),
            "found, measured": recall_at_k(features(measuring, images, gsd_m), here),
            "found, means": recall_at_k(*(each.numpy() for each in means)),
        }
    return table


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], out: Path) -> None:
    """Train five seeds at five mask ratios, and judge them."""
    torch.set_num_threads(1)
    stored = json.loads(out.read_text()) if out.exists() else {"runs": []}
    runs = stored["runs"]
    about = {
        "command": "python experiments/02_masked_autoencoders.py",
        "seeds": sorted({*seeds, *(run["seed"] for run in runs)}),
        "steps": STEPS,
        "labels": LABELS,
        "ratios": RATIOS,
        "gsds_m": GSDS_M,
    }
    for seed in seeds:
        for ratio in RATIOS:
            if any((run["seed"], run["ratio"]) == (seed, ratio) for run in runs):
                continue
            model = learn(seed, ratio)
            images, _ = worlds(TEST.start, TEST.stop)
            run = {"seed": seed, "ratio": ratio, "error": errors(model, images, seed)}
            run["r2"] = probed(model, seed)
            if ratio == MAEConfig().mask_ratio:
                run["gsd"] = across_gsd(model, seed)
            runs.append(run)
            out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")
            click.echo(json.dumps(run))


if __name__ == "__main__":
    main()
