"""Five seeds of lesson 05: what contrast and reconstruction need.

python experiments/05_needs.py
writes data/results/05_needs.json, about 100 minutes on one core; the models of 05_objectives.py are
read from .rsedu/05 where they are. What is there already is kept.

First, how many labels: 10, 100 and 1000 tiles, with frozen encoders or with fine-tuned ones, after
each objective and after none. Second, which pairs: contrast alone learns from as many pairs in
larger and smaller batches, from pairs that are shifted, from pairs of which some are wrong, and
from batches that show one place only.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.objectives import gallery, objective
from experiments.retrieval import retrieval
from rsedu.lessons.two_sensors.lab import Pairs, Places, World, crop_pairs, render_pair
from rsedu.lessons.two_sensors.objectives import (
    BROKEN,
    OBJECTIVES,
    contrasted,
    learn,
    probe_scores,
    quarters,
    tokens_of,
)
from rsedu.models.croma_pretraining import CromaTraining
from rsedu.pretraining.tile_sources import RandomSymmetry
from rsedu.training.loop import train
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import TrainConfig

LEARN, LABEL, TEST = (
    1000,
    2000,
    3000,
)  # first worlds, as in rsedu.synthetic.tiles; ten further per seed
LABELS = (10, 100, 1000)
TUNING_STEPS, TUNING_RATE = 300, 1e-3  # chosen by one trial on other validation worlds; for all
SAMPLES, BATCH = 25_600, 64  # pairs that contrast learns from
OUT = Path(__file__).parents[1] / "data" / "results" / "05_needs.json"


@dataclass(frozen=True, kw_only=True)
class Diet:
    """What one model is fed with; fields as in `Pairs`."""

    batch: int = BATCH
    shift_px: float = 0.0
    wrong: float = 0.0
    one_place: bool = False


DIETS = {
    "as it should be": Diet(),
    **{f"batch {size}": Diet(batch=size) for size in (8, 32, 128, 256)},
    **{f"shifted {pixels} px": Diet(shift_px=pixels) for pixels in (2, 4, 8)},
    **{f"wrong {share}": Diet(wrong=share) for share in (0.1, 0.25, 0.5)},
    "one place": Diet(one_place=True),
}


class Quarter(nn.Module):
    """Both encoders and a linear layer that says the quarter; trained as a whole."""

    def __init__(self, model: CromaTraining) -> None:
        super().__init__()
        self.croma = model.croma
        self.head = nn.Linear(2 * model.config.dim, 4)

    def scores(self, radar: Tensor, optical: Tensor) -> Tensor:
        """(B, 4) logits."""
        out = self.croma(radar=radar, optical=optical)
        means = [out[f"{name}_tokens"].mean(dim=1) for name in ("radar", "optical")]
        return self.head(torch.cat(means, dim=1))

    def forward(self, radar: Tensor, optical: Tensor, label: Tensor) -> dict[str, Tensor]:
        """Cross-entropy."""
        return {"loss": F.cross_entropy(self.scores(radar, optical), label)}


def questions(labelled: Places, test: Places) -> tuple[tuple[np.ndarray, ...], ...]:
    """Numbers of tiles that are not all forest, and their quarters by forest edge."""
    kept = [np.flatnonzero(each.forest < BROKEN) for each in (labelled, test)]
    edges = [each.edges[at] for each, at in zip((labelled, test), kept, strict=True)]
    return (kept[0], quarters(edges[0], edges[0])), (kept[1], quarters(edges[1], edges[0]))


def frozen(model: CromaTraining, labelled: Places, test: Places, order: np.ndarray) -> list[float]:
    """Accuracies of a logistic regression on the features as they are, by number of labels."""
    (known, truth), (at, answers) = questions(labelled, test)
    features, others = (tokens_of(model, each)["apart"].mean(axis=1) for each in (labelled, test))
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    return [
        float(probe.fit(features[known[drawn]], truth[drawn]).score(others[at], answers))
        for drawn in (order[:count] for count in LABELS)
    ]


def tuned(
    model: CromaTraining, labelled: Places, test: Places, drawn: np.ndarray, seed: int
) -> float:
    """Accuracy after all weights have learnt from the labels."""
    (known, truth), (at, answers) = questions(labelled, test)
    torch.manual_seed(seed)
    pupil, chosen = Quarter(model), torch.from_numpy(known[drawn])
    source = TensorSource(
        {
            "radar": labelled.radar[chosen],
            "optical": labelled.optical[chosen],
            "label": torch.from_numpy(truth[drawn]),
        }
    )
    batch = min(32, len(drawn))
    config = TrainConfig(
        steps=TUNING_STEPS, batch_size=batch, blr=TUNING_RATE * 256 / batch, warmup_steps=30
    )
    train(pupil, RandomSymmetry(source, seed=seed), replace(config, seed=seed), device="cpu")
    asked_of = torch.from_numpy(at)
    with torch.no_grad():
        parts = zip(test.radar[asked_of].split(64), test.optical[asked_of].split(64), strict=True)
        said = torch.cat([pupil.eval().scores(*pair).argmax(dim=1) for pair in parts]).numpy()
    return float((said == answers).mean())


def labels(seed: int, keep: Path) -> dict[str, Any]:
    """Accuracy on quarters by forest edge: objective -> labels -> frozen and tuned."""
    labelled = crop_pairs([render_pair(LABEL + 10 * seed + each) for each in range(10)])
    test = crop_pairs([render_pair(TEST + 10 * seed + each) for each in range(6)])
    order = np.random.default_rng(seed).permutation(len(questions(labelled, test)[0][0]))
    worlds: list[World] = []
    if not all((keep / f"{name}-{seed}.pt").exists() for name in OBJECTIVES):
        worlds = [render_pair(LEARN + 10 * seed + each) for each in range(10)]
    table: dict[str, Any] = {}
    for name in (*OBJECTIVES, "none"):

        def fresh(name: str = name) -> CromaTraining:
            if name != "none":
                return objective(name, worlds, seed=seed, keep=keep)
            torch.manual_seed(seed)
            return CromaTraining(OBJECTIVES["both"]).eval()

        at_rest = frozen(fresh(), labelled, test, order)
        table[name] = {
            str(count): {
                "frozen": still,
                "tuned": tuned(fresh(), labelled, test, order[:count], seed),
                "labels": min(count, len(order)),
            }
            for count, still in zip(LABELS, at_rest, strict=True)
        }
    return table


def fed(diet: Diet, seed: int, worlds: list[World], labelled: Places, test: Places) -> Any:
    """Contrast alone on one diet: retrieval, and both questions with a linear probe."""
    source = Pairs(
        worlds=worlds,
        seed=seed,
        shift_px=diet.shift_px,
        wrong=diet.wrong,
        together=diet.batch if diet.one_place else 1,
    )
    model = learn(
        OBJECTIVES["contrast"],
        source,
        seed=seed,
        steps=SAMPLES // diet.batch,
        batch=diet.batch,
        peak=2e-3 * (diet.batch / BATCH) ** 0.5,
    )
    vectors = [tokens_of(model, each)["apart"].mean(axis=1) for each in (labelled, test)]
    radar, optical = contrasted(model, test)
    at = gallery(test)
    return {
        **probe_scores({"apart": (vectors[0], vectors[1])}, labelled, test),
        "retrieval": retrieval(radar[at], optical[at]),
    }


@click.command()
@click.option("--seed", "seeds", multiple=True, type=int, default=range(5), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), default=".rsedu/05", show_default=True)
def main(seeds: tuple[int, ...], out: Path, keep: Path) -> None:
    """Feed contrast, and count labels."""
    torch.set_num_threads(1)
    keep.mkdir(parents=True, exist_ok=True)
    runs = json.loads(out.read_text())["runs"] if out.exists() else []
    about = {
        "command": "python experiments/05_needs.py",
        "seeds": sorted({*seeds, *(run["seed"] for run in runs)}),
        "labels": LABELS,
        "pairs": SAMPLES,
        "batch": BATCH,
    }

    def add(run: dict[str, Any]) -> None:
        runs.append(run)
        out.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n")
        click.echo(json.dumps(run))

    for seed in seeds:
        done = {run.get("diet", "labels") for run in runs if run["seed"] == seed}
        if not done >= set(DIETS):
            worlds = [render_pair(LEARN + 10 * seed + each) for each in range(10)]
            labelled, test = (
                crop_pairs([render_pair(first + 10 * seed + each) for each in range(6)])
                for first in (LABEL, TEST)
            )
            for name, diet in DIETS.items():
                if name not in done:
                    add({"seed": seed, "diet": name, **fed(diet, seed, worlds, labelled, test)})
        if "labels" not in done:
            add({"seed": seed, "accuracy": labels(seed, keep)})


if __name__ == "__main__":
    main()
