"""Objectives that cost the same, models that are trained once, and recall that is counted right."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import top_k_accuracy_score
from sklearn.metrics.pairwise import cosine_similarity
from torch.utils.flop_counter import FlopCounterMode

from experiments import objectives
from experiments.objectives import STEPS, gallery, learn, steps_of
from experiments.retrieval import retrieval
from rsedu.errors import InputError
from rsedu.evaluation.retrieval import recall_at_k
from rsedu.lessons.two_sensors.lab import Pairs, Places, World
from rsedu.lessons.two_sensors.objectives import OBJECTIVES
from rsedu.models.croma_pretraining import CromaTraining


@pytest.mark.parametrize("name", ["both", "contrast", "reconstruction"])
def test_objectives_cost_the_same(name: str) -> None:
    images = {"radar": torch.zeros(2, 2, 64, 64), "optical": torch.zeros(2, 12, 64, 64)}
    costs = []
    for each in ("both", name):
        with FlopCounterMode(display=False) as counter:
            CromaTraining(OBJECTIVES[each])(**images)["loss"].backward()
        costs.append(counter.get_total_flops())
    steps = steps_of(OBJECTIVES[name])
    # Steps are whole numbers: at most half a step more or less.
    assert steps * costs[1] == pytest.approx(STEPS * costs[0], abs=costs[1] / 2)
    assert (steps > 2 * STEPS) == (name == "contrast")


def test_what_was_learnt_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, keep = np.random.default_rng(0), tmp_path / "model.pt"
    optical, radar = (draw.normal(size=(n, 64, 64)).astype(np.float16) for n in (12, 2))
    shares, edges = np.zeros((8, 8, 8), dtype=np.float32), np.zeros((8, 8))
    source = Pairs(worlds=[World(optical=optical, radar=radar, shares=shares, edges=edges)])
    settings = {"seed": 1, "steps": 2, "batch": 4, "keep": keep}
    first = learn(OBJECTIVES["both"], source, **settings)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(objectives.objectives, "learn", refuse)
    again = learn(OBJECTIVES["both"], source, **settings)
    assert not again.training
    for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_gallery_is_of_tiles_that_are_not_all_forest() -> None:
    forest = np.array([0.94, 0.95, 0.96, 0.2, 1.0, 0.0])
    shares = np.zeros((6, 8, 2, 2), dtype=np.float32)
    shares[:, 0] = forest[:, None, None]
    images = torch.zeros(6, 12, 16, 16)
    tiles = Places(radar=images[:, :2], optical=images, shares=shares, edges=forest)
    assert gallery(tiles).tolist() == [0, 3, 5]
    assert gallery(tiles, count=2).tolist() == [0, 3]


@pytest.mark.parametrize("k", [1, 3, 6])
def test_recall_counts_who_is_found(k: int) -> None:
    generator = np.random.default_rng(k)
    queries = generator.normal(size=(7, 4))
    keys = queries + generator.normal(size=(7, 4))
    share = top_k_accuracy_score(range(7), cosine_similarity(queries, keys), k=k)
    assert recall_at_k(queries, keys, k=k) == pytest.approx(share)


@pytest.mark.parametrize("k", [0, 4])
def test_recall_needs_a_k_that_is_there(k: int) -> None:
    assert recall_at_k(np.eye(3), -np.eye(3), k=3) == 1
    with pytest.raises(InputError, match="there are 3 keys"):
        recall_at_k(np.eye(3), np.eye(3), k=k)


def test_retrieval_goes_both_ways() -> None:
    optical = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1, 0], [0, -1], [-1, -1]])
    radar = np.array([[1.0, 0.1], [1.0, 0.0], [0.1, 1.0], [-1, 0], [0, -1], [-1, -1]])
    found = retrieval(radar, optical)
    assert found["radar to optical, recall@1"] == pytest.approx(5 / 6)
    assert found["optical to radar, recall@1"] == pytest.approx(4 / 6)
    assert found["radar to optical, recall@5"] == 1
