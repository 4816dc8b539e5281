from pathlib import Path

import numpy as np
import pytest
import torch

from rsedu.segment.learning import recipe
from rsedu.segment.learning.dataset import PracticeTiles
from rsedu.segment.learning.losses import SamTraining
from rsedu.segment.tiny_sam import TinySamConfig

SMALL = TinySamConfig(
    image_px=64, patch_px=8, encoder_dim=16, encoder_depth=1, encoder_heads=2, dim=32
)


def test_the_curve_is_told_in_parts_without_the_dense_steps() -> None:
    first = np.concatenate([np.full(20, np.nan), np.linspace(0, 0.59, 60)])
    told = recipe.curve({"first": first})
    assert len(told) == 6
    (first_name, *_, last_name) = told
    assert first_name.endswith("steps 20 to 29") and last_name.endswith("steps 70 to 79")
    assert (told[first_name], told[last_name]) == pytest.approx((0.045, 0.545))


def test_a_run_shorter_than_its_parts_is_told_too() -> None:
    assert list(recipe.curve({"first": np.array([0.5, 0.7])}).values()) == [0.5, 0.7]


def test_the_first_process_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    monkeypatch.setattr(PracticeTiles, "prepare", lambda self, **_: rendered.append(self.seed))
    recipe.practice(range(3), tmp_path, 7)
    monkeypatch.setenv("LOCAL_RANK", "1")
    recipe.practice(range(3), tmp_path, 8)
    assert rendered == [7]


def test_the_card_tells_the_iou_of_every_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = np.zeros((17, 32, 32), dtype=np.uint8)
    tile[:14, 4:12, 4:14] = 200
    tile[15:, 4:12, 4:14] = 1
    monkeypatch.setattr(PracticeTiles, "prepare", lambda self, **_: None)
    monkeypatch.setattr(PracticeTiles, "__len__", lambda self: 2)
    monkeypatch.setattr(PracticeTiles, "tile", lambda self, index: tile)
    torch.manual_seed(0)
    model = SamTraining(SMALL)
    found = recipe.evaluate(model, {"first": np.array([0.5])}, range(9), tmp_path)
    told = {name for name in found if name.startswith("mean IoU")}
    assert len(told) == 8 and all(np.isfinite(value) for value in found.values())
    assert "mean IoU on validation worlds, B08 B04 B03, 5 clicks" in told
    assert recipe.product(model) is model.sam
