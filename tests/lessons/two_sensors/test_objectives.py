"""Lesson 05 compares what costs the same, and scores it right."""

import numpy as np
import pytest
import torch

from rsedu.lessons.two_sensors.lab import Places
from rsedu.lessons.two_sensors.objectives import (
    OBJECTIVES,
    contrasted,
    probe_scores,
    probed,
    quarters,
    tokens_of,
)
from rsedu.models.croma_pretraining import CromaTraining


def places(forest: np.ndarray, edges: np.ndarray) -> Places:
    """Tiles of 16 px with some share of forest."""
    shares = np.zeros((len(forest), 8, 2, 2), dtype=np.float32)
    shares[:, 0] = forest[:, None, None]
    images = torch.randn(len(forest), 12, 16, 16)
    return Places(radar=images[:, :2], optical=images, shares=shares, edges=edges)


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
