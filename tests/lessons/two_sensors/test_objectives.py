"""Lesson 05 compares what costs the same, and scores it right."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from rsedu.lessons.two_sensors import objectives
from rsedu.lessons.two_sensors.lab import Pairs, Places, World
from rsedu.lessons.two_sensors.objectives import (
    OBJECTIVES,
    STEPS,
    contrasted,
    gallery,
    learn,
    probe_scores,
    probed,
    quarters,
    retrieval,
    steps_of,
    tokens_of,
)
from rsedu.models.croma_pretraining import CromaTraining


def world(seed: int = 0) -> World:
    """Noise, in which nothing can be learnt."""
    generator = np.random.default_rng(seed)
    return World(
        optical=generator.normal(size=(12, 128, 128)).astype(np.float16),
        radar=generator.normal(size=(2, 128, 128)).astype(np.float16),
        shares=np.full((8, 16, 16), 0.125, dtype=np.float32),
        edges=np.zeros((16, 16)),
    )


def places(forest: np.ndarray, edges: np.ndarray) -> Places:
    """Tiles of 16 px with some share of forest."""
    shares = np.zeros((len(forest), 8, 2, 2), dtype=np.float32)
    shares[:, 0] = forest[:, None, None]
    images = torch.randn(len(forest), 12, 16, 16)
    return Places(radar=images[:, :2], optical=images, shares=shares, edges=edges)


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
    source, keep = Pairs(worlds=[world()]), tmp_path / "model.pt"
    settings = {"seed": 1, "steps": 2, "batch": 4, "keep": keep}
    first = learn(OBJECTIVES["both"], source, **settings)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(objectives, "train", refuse)
    again = learn(OBJECTIVES["both"], source, **settings)
    assert not again.training
    for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_tokens_and_contrasted_vectors_are_those_of_the_model() -> None:
    torch.manual_seed(0)
    model, tiles = CromaTraining(OBJECTIVES["both"]).eval(), places(np.ones(3), np.ones(3))
    with torch.no_grad():
        out = model.croma(radar=tiles.radar, optical=tiles.optical)
    tokens = tokens_of(model, tiles)
    assert set(tokens) == {"radar", "optical", "joint", "apart"}
    np.testing.assert_allclose(tokens["joint"], out["joint_tokens"], atol=1e-6)
    np.testing.assert_allclose(tokens["apart"][..., 64:], out["optical_tokens"], atol=1e-6)
    radar, optical = contrasted(model, tiles)
    with torch.no_grad():
        np.testing.assert_allclose(radar, model.contrast_radar(out["radar_pooled"]), atol=1e-6)
        np.testing.assert_allclose(
            optical, model.contrast_optical(out["optical_pooled"]), atol=1e-6
        )


def test_quarters_are_those_of_the_labelled() -> None:
    labelled = np.arange(100.0)
    np.testing.assert_array_equal(np.bincount(quarters(labelled, labelled)), [25, 25, 25, 25])
    np.testing.assert_array_equal(quarters(np.array([-1.0, 30, 60, 1000]), labelled), [0, 1, 2, 3])


def test_a_probe_reads_what_is_there_and_no_more() -> None:
    generator = np.random.default_rng(0)
    truth, answers = generator.integers(4, size=300), generator.integers(4, size=200)
    told = probed(np.eye(4)[truth], truth, np.eye(4)[answers], answers)
    noise = probed(generator.normal(size=(300, 4)), truth, generator.normal(size=(200, 4)), answers)
    assert told["linear"] == told["knn"] == 1
    assert noise["linear"] < 0.4 and noise["chance"] == pytest.approx(0.25, abs=0.08)


def test_whole_forest_is_not_asked_about() -> None:
    generator = np.random.default_rng(1)
    forest, edges = generator.permutation(np.linspace(0, 1, 400)), generator.random(400)
    labelled, test = places(forest, edges), places(forest, edges)
    vectors = np.stack([forest, edges], axis=1)
    vectors[forest >= 0.95] = np.nan  # would stop the probe
    found = probe_scores({"true": (vectors, vectors)}, labelled, test)
    assert found["forest"]["true"]["linear"] > 0.9 and found["edges"]["true"]["linear"] > 0.9
    assert (gallery(test, count=500) == np.flatnonzero(forest < 0.95)).all()
    assert (gallery(test, count=3) == [0, 1, 2]).all()


def test_retrieval_goes_both_ways() -> None:
    optical = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1, 0], [0, -1], [-1, -1]])
    radar = np.array([[1.0, 0.1], [1.0, 0.0], [0.1, 1.0], [-1, 0], [0, -1], [-1, -1]])
    found = retrieval(radar, optical)
    assert found["radar to optical, recall@1"] == pytest.approx(5 / 6)
    assert found["optical to radar, recall@1"] == pytest.approx(4 / 6)
    assert found["radar to optical, recall@5"] == 1
