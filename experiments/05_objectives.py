"""Five seeds of lesson 05: contrast, reconstruction and both, at equal compute.

python experiments/05_objectives.py
writes data/results/05_objectives.json, about 25 minutes on one core. What is there already is
kept, so it can be stopped and called again; trained models are kept in .rsedu/05.

Contrast alone takes fewer operations per pair, so that it sees more pairs; it is also trained on
as few as the others. Every seed has worlds of its own to learn from, to label and to be tested on.
Asked of frozen features: the quarter of a tile by forest share and by forest edge, and whose radar
image belongs to whose optical one.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from experiments.objectives import GALLERY, SHORT, STEPS, gallery, objective, steps_of
from experiments.retrieval import retrieval
from rsedu.lessons.two_sensors.lab import Places, band_means, crop_pairs, render_pair
from rsedu.lessons.two_sensors.objectives import OBJECTIVES, contrasted, probe_scores, tokens_of
from rsedu.models.croma_pretraining import CromaTraining

LEARN, LABEL, TEST = (
    1000,
    2000,
    3000,
)  # first worlds, as in rsedu.synthetic.tiles; ten further per seed
OUT = Path(__file__).parents[1] / "data" / "results" / "05_objectives.json"


Both = tuple[np.ndarray, np.ndarray]  # of radar and of optical images


def mapped(known: Both, others: Both) -> dict[str, float]:
    """Retrieval after a linear map from radar to optical, fitted on the labelled worlds' pairs."""
    scalers = [StandardScaler().fit(each) for each in known]
    line = Ridge().fit(*(one.transform(each) for one, each in zip(scalers, known, strict=True)))
    radar, optical = (one.transform(each) for one, each in zip(scalers, others, strict=True))
    return retrieval(line.predict(radar), optical)


def means_of(places: Places) -> tuple[np.ndarray, np.ndarray]:
    """Band means of radar and optical."""
    return band_means(places.radar), band_means(places.optical)


def free(labelled: Places, test: Places) -> dict[str, Any]:
    """The same asked of band means, which nobody had to learn."""
    known, others = means_of(labelled), means_of(test)
    vectors = {
        "radar": (known[0], others[0]),
        "optical": (known[1], others[1]),
        "apart": (np.hstack(known), np.hstack(others)),
    }
    at = gallery(test)
    return {
        **probe_scores(vectors, labelled, test),
        "retrieval, mapped": mapped(known, (others[0][at], others[1][at])),
    }


def asked_of(model: CromaTraining, labelled: Places, test: Places) -> dict[str, Any]:
    """Everything that is asked of one model."""
    tokens = [
        {name: each.mean(axis=1) for name, each in tokens_of(model, places).items()}
        for places in (labelled, test)
    ]
    vectors = {name: (tokens[0][name], tokens[1][name]) for name in tokens[0]}
    at = gallery(test)
    radar, optical = contrasted(model, test)
    known, others = ((each["radar"], each["optical"]) for each in tokens)
    return {
        **probe_scores(vectors, labelled, test),
        "retrieval": retrieval(radar[at], optical[at]),
        "retrieval, mapped": mapped(known, (others[0][at], others[1][at])),
    }


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=".rsedu/05", show_default=True)
def main(seeds: tuple[int, ...], out: Path, keep: Path) -> None:
    """Train the objectives on five seeds, and ask them."""
    torch.set_num_threads(1)
    keep.mkdir(parents=True, exist_ok=True)
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    about = {
        "command": "python experiments/05_objectives.py",
        "seeds": sorted({*seeds, *(run["seed"] for run in runs)}),
        "steps": {**{name: steps_of(each) for name, each in OBJECTIVES.items()}, SHORT: STEPS},
        "gallery": GALLERY,
    }
    for seed in seeds:
        wanted = [*OBJECTIVES, SHORT, "band means"]
        done = {run["features"] for run in runs if run["seed"] == seed}
        if done >= set(wanted):
            continue
        worlds = [render_pair(LEARN + 10 * seed + each) for each in range(10)]
        labelled, test = (
            crop_pairs([render_pair(first + 10 * seed + each) for each in range(6)])
            for first in (LABEL, TEST)
        )
        for name in wanted:
            if name in done:
                continue
            found = (
                free(labelled, test)
                if name == "band means"
                else asked_of(objective(name, worlds, seed=seed, keep=keep), labelled, test)
            )
            runs.append({"seed": seed, "features": name, **found})
            out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")
            click.echo(json.dumps(runs[-1]))


if __name__ == "__main__":
    main()
