"""Five seeds of lesson 03: land cover and forest edges across scales, and a wrong GSD.

python experiments/03_land_cover.py
writes data/results/03_land_cover.json, about 25 minutes on one core, of which 4 render worlds. What
is there already is kept, so it can be stopped and called again.

A masked autoencoder learns without labels from tiles at 5, 10 and 20 m. Neighbours are then
sought for tiles of other worlds at eight GSDs, among labelled tiles at the three. Two questions on
the same features: which class lies at the centre; and into which quarter the tile falls by
kilometres of forest edge per square kilometre, which pixels alone cannot tell.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from einops import reduce
from torch import Tensor

from rsedu.evaluation.neighbours import knn_accuracy
from rsedu.lessons.masked_autoencoders.lab import hidden_error
from rsedu.models.mae import MAE, MAEConfig
from rsedu.pretraining.tile_sources import RandomSymmetry
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import CLASSES, FOREST
from rsedu.training.loop import train
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import TrainConfig

BANDS = ("B02", "B03", "B04", "B08")
FINE_M, SIDE_M, SIDE_PX = 2.5, 3840.0, 32
TRAINED_M = (5.0, 10.0, 20.0)
GSDS_M = (2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0)
TOLD_M = (0.625, 1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
# The same ranges as rsedu.synthetic.tiles: nothing is trained, labelled and tested on one world.
TRAIN, LABELLED, TEST = range(1000, 1016), range(2000, 2008), range(3000, 3008)
PER_CLASS, PER_WORLD = 8, 64
STEPS, REFERENCE_M = 1000, 10.0
OUT = Path(__file__).parents[1] / "data" / "results" / "03_land_cover.json"


Embed = Callable[[Tensor, float], np.ndarray]  # images and their GSD -> features


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Tiles around the same places at several GSDs; every entry is in the same order.

    Attributes:
        images: GSD -> (N, 4, 32, 32) standardised reflectance.
        cover: (N,) class at the centre.
        edges: GSD -> (N,) km of forest edge per square km of the tile.
    """

    images: dict[float, Tensor]
    cover: np.ndarray
    edges: dict[float, np.ndarray]


def centres(classes: np.ndarray, generator: np.random.Generator, balanced: bool) -> np.ndarray:
    """(N, 2) rows and columns of 2.5 m, far enough from the border for the coarsest tile."""
    margin = int(SIDE_PX * max(GSDS_M) / FINE_M / 2)
    inside = np.zeros(classes.shape, dtype=bool)
    inside[margin:-margin, margin:-margin] = True
    if not balanced:
        return generator.choice(np.argwhere(inside), PER_WORLD, replace=False)
    chosen = []
    for label in range(len(CLASSES)):
        found = np.argwhere(inside & (classes == label))
        chosen.append(found[generator.permutation(len(found))[:PER_CLASS]])
    return np.concatenate(chosen)


def around(array: np.ndarray, points: np.ndarray, factor: int) -> np.ndarray:
    """Tiles of 32 x 32 pixels of `factor` cells around points, cut from a (..., rows, cols) map."""
    starts = np.round(points / factor).astype(int) - SIDE_PX // 2
    return np.stack([array[..., r : r + SIDE_PX, c : c + SIDE_PX] for r, c in starts])


def edge_map(classes: np.ndarray) -> np.ndarray:
    """Metres of forest edge in each cell of 2.5 m, towards its right and lower neighbours."""
    forest = (classes == FOREST).astype(np.int8)
    edges = np.zeros(classes.shape, dtype=np.float32)
    edges[:-1] += np.abs(np.diff(forest, axis=0))
    edges[:, :-1] += np.abs(np.diff(forest, axis=1))
    return edges * FINE_M


def one_world(world: int, gsds_m: Sequence[float], *, balanced: bool) -> Places:
    """Render a world at 2.5 m; a pixel of any GSD is the mean of its cells."""
    place, date = Frontier(seed=world, size_m=SIDE_M), 2006.5 + world * 7 % 19
    fine = normalise(place.optical(date=date, gsd_m=FINE_M).select(*BANDS).array, BANDS)
    classes = place.truth(date=date, gsd_m=FINE_M).classes
    points = centres(classes, np.random.default_rng(world), balanced)
    edges = edge_map(classes)
    images, density = {}, {}
    for gsd_m in gsds_m:
        factor = int(gsd_m / FINE_M)
        block = {"y": factor, "x": factor}
        coarse = reduce(fine, "b (r y) (c x) -> b r c", "mean", **block)
        metres = reduce(edges, "(r y) (c x) -> r c", "sum", **block)
        images[gsd_m] = torch.from_numpy(around(coarse, points, factor).astype(np.float32))
        side_km = SIDE_PX * gsd_m / 1000
        density[gsd_m] = around(metres, points, factor).sum(axis=(1, 2)) / 1000 / side_km**2
    return Places(images=images, cover=classes[tuple(points.T)], edges=density)


def places(worlds: range, gsds_m: Sequence[float], *, balanced: bool = True) -> Places:
    """Tiles of several worlds."""
    each = [one_world(world, gsds_m, balanced=balanced) for world in worlds]
    return Places(
        images={gsd_m: torch.cat([one.images[gsd_m] for one in each]) for gsd_m in gsds_m},
        cover=np.concatenate([one.cover for one in each]),
        edges={gsd_m: np.concatenate([one.edges[gsd_m] for one in each]) for gsd_m in gsds_m},
    )


def learn(seed: int, gsd_encoding: bool, tiles: Places) -> MAE:
    """Train one model; both encodings of a seed see the same tiles under the same masks."""
    images = torch.cat([tiles.images[gsd_m] for gsd_m in TRAINED_M])
    gsd = torch.cat([torch.full((len(tiles.images[gsd_m]),), gsd_m) for gsd_m in TRAINED_M])
    torch.manual_seed(seed)
    model = MAE(
        MAEConfig(
            channels=4,
            patch_size=4,
            decoder_depth=1,
            norm_pix_loss=False,
            gsd_encoding=gsd_encoding,
            reference_gsd=REFERENCE_M,
        )
    )
    config = TrainConfig(steps=STEPS, batch_size=32, blr=8e-3, warmup_steps=50, seed=seed)
    train(model, RandomSymmetry(TensorSource({"images": images, "gsd": gsd})), config, device="cpu")
    return model.eval()


@torch.no_grad()
def features(model: MAE, images: Tensor, gsd_m: float) -> np.ndarray:
    """Mean of the patch tokens."""
    return torch.cat([model.features(part, gsd_m) for part in images.split(256)]).numpy()


def nearest_trained(gsd_m: float) -> float:
    """The trained GSD that is fewest octaves away."""
    return min(TRAINED_M, key=lambda each: abs(np.log2(each / gsd_m)))


def scores(
    labelled: tuple[np.ndarray, np.ndarray, np.ndarray],
    asked: tuple[np.ndarray, np.ndarray, np.ndarray],
    cuts: np.ndarray,
) -> dict[str, float]:
    """KNN accuracy on both questions, of (features, cover, edges) beside (features, ...)."""
    quarters = [np.digitize(each[2], cuts) for each in (labelled, asked)]
    return {
        "cover": knn_accuracy(labelled[0], labelled[1], asked[0], asked[1]),
        "edges": knn_accuracy(labelled[0], quarters[0], asked[0], quarters[1]),
    }


def quarters_of(edges: Sequence[np.ndarray]) -> np.ndarray:
    """Where quarters of labelled tiles end, km per square km."""
    return np.quantile(np.concatenate(edges), (0.25, 0.5, 0.75))


def across(
    embed: Embed, labelled: Places, test: Places, *, same: bool = False
) -> dict[str, dict[str, float]]:
    """Labelled tiles at the trained GSDs (`same`: at the nearest of them), tested at all."""
    cuts = quarters_of([labelled.edges[gsd_m] for gsd_m in TRAINED_M])
    known = {gsd_m: embed(labelled.images[gsd_m], gsd_m) for gsd_m in TRAINED_M}
    table = {}
    for gsd_m in GSDS_M:
        used = (nearest_trained(gsd_m),) if same else TRAINED_M
        near = (
            np.concatenate([known[each] for each in used]),
            np.concatenate([labelled.cover] * len(used)),
            np.concatenate([labelled.edges[each] for each in used]),
        )
        asked = (embed(test.images[gsd_m], gsd_m), test.cover, test.edges[gsd_m])
        table[f"{gsd_m:g}"] = scores(near, asked, cuts)
    return table


def gsd_alone(labelled: Places, test: Places) -> dict[str, float]:
    """Accuracy on the edges of who sees no pixel: the commonest quarter at the nearest GSD."""
    cuts = quarters_of([labelled.edges[gsd_m] for gsd_m in TRAINED_M])
    table = {}
    for gsd_m in GSDS_M:
        known = np.digitize(labelled.edges[nearest_trained(gsd_m)], cuts)
        asked = np.digitize(test.edges[gsd_m], cuts)
        table[f"{gsd_m:g}"] = float((asked == np.bincount(known).argmax()).mean())
    return table


def moments(images: Tensor, gsd_m: float) -> np.ndarray:
    """Means and deviations of the bands: features that cost nothing, and know no GSD."""
    return torch.cat([images.mean(dim=(2, 3)), images.std(dim=(2, 3))], dim=1).numpy()


@torch.no_grad()
def painting_error(model: MAE, images: Tensor, gsd_m: float) -> float:
    """Mean squared error on hidden pixels, for a model that is told a GSD."""
    made = model.reconstruct(images, gsd_m, torch.Generator().manual_seed(0))
    return hidden_error(made.prediction, images, made.mask)


def told(model: MAE, labelled: Places, test: Places, gsd_m: float) -> dict[str, dict[str, float]]:
    """Labelled and tested at one true GSD, and a model that is told another.

    Returns:
        GSD that is told -> accuracies where labelled and test tiles are told it alike, the same
        where only the test tiles are ("apart"), and the error of the painting.
    """
    cuts = quarters_of([labelled.edges[gsd_m]])
    truth = features(model, labelled.images[gsd_m], gsd_m)
    table = {}
    for said in TOLD_M:
        asked = (features(model, test.images[gsd_m], said), test.cover, test.edges[gsd_m])
        alike = features(model, labelled.images[gsd_m], said)
        known = (labelled.cover, labelled.edges[gsd_m])
        apart = scores((truth, *known), asked, cuts)
        table[f"{said:g}"] = {
            **scores((alike, *known), asked, cuts),
            **{f"{question}, apart": value for question, value in apart.items()},
            "error": painting_error(model, test.images[gsd_m], said),
        }
    return table


def judged(seed: int, encoding: str, unlabelled: Places, labelled: Places, test: Places) -> Any:
    """Train one model and ask it."""
    model = learn(seed, encoding == "gsd", unlabelled)
    embed = partial(features, model)
    found: dict[str, Any] = {"by_gsd": across(embed, labelled, test)}
    if encoding == "plain":  # the GSD told to the search, and not to the model
        found["same_gsd"] = across(embed, labelled, test, same=True)
    else:
        found["told"] = {f"{g:g}": told(model, labelled, test, g) for g in (10.0, 40.0)}
    return found


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option(
    "--encoding",
    "encodings",
    multiple=True,
    type=click.Choice(["gsd", "plain"]),
    default=("gsd", "plain"),
    show_default=True,
)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(seeds: tuple[int, ...], encodings: tuple[str, ...], out: Path) -> None:
    """Train each encoding on five seeds, and look for neighbours across scales."""
    torch.set_num_threads(1)
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    about = {
        "command": "python experiments/03_land_cover.py",
        "seeds": sorted({*seeds, *(run["seed"] for run in runs)}),
        "steps": STEPS,
        "reference_m": REFERENCE_M,
        "trained_m": TRAINED_M,
        "gsds_m": GSDS_M,
        "told_m": TOLD_M,
    }
    labelled, test = places(LABELLED, GSDS_M), places(TEST, GSDS_M)
    tiles = (places(TRAIN, TRAINED_M, balanced=False), labelled, test)
    about["gsd_alone"] = gsd_alone(labelled, test)
    about["moments"] = across(moments, labelled, test)
    for seed in seeds:
        for encoding in encodings:
            if any((run["seed"], run["encoding"]) == (seed, encoding) for run in runs):
                continue
            run = {"seed": seed, "encoding": encoding, **judged(seed, encoding, *tiles)}
            runs.append(run)
            out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")
            click.echo(json.dumps(run))


if __name__ == "__main__":
    main()
