import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from rsedu.errors import BrokenDataError, InputError
from rsedu.training.settings import Checkpoint, TrainConfig, parameter_groups, read_checkpoint

#: At 256 samples a batch, the peak is `blr`.
RATE = TrainConfig(steps=30, warmup_steps=10, batch_size=256, blr=2.0, min_lr=0.5)


def test_the_rate_rises_linearly_then_falls_along_half_a_cosine() -> None:
    assert [RATE.lr_at(step) for step in (0, 4, 9)] == pytest.approx([0.2, 1.0, 2.0])
    assert RATE.lr_at(10) == pytest.approx(2.0)
    assert RATE.lr_at(20) == pytest.approx(1.25)  # half way: the mean of peak and floor
    assert RATE.lr_at(15) == pytest.approx(0.5 + 1.5 * (1 + math.sqrt(0.5)) / 2)  # cos 45 degrees
    assert RATE.lr_at(30) == pytest.approx(0.5)
    assert replace(RATE, batch_size=64).lr == 0.5
    assert replace(RATE, steps=3, warmup_steps=3).lr_at(3) == pytest.approx(2.0)  # not 0 / 0


def test_the_rate_agrees_with_torch_own_cosine() -> None:
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.3)
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=17, eta_min=0.01)
    config = replace(RATE, steps=17, warmup_steps=0, blr=0.3, min_lr=0.01)
    for step in range(17):
        assert config.lr_at(step) == pytest.approx(oracle.get_last_lr()[0])
        optimizer.step()
        oracle.step()


REFUSED = {
    "no step": ({"steps": 0}, "steps must be above 0, got 0"),
    "a batch of less than nothing": ({"batch_size": -1}, "batch_size must be above 0"),
    "no rate": ({"blr": 0.0}, "blr must be above 0"),
    "a gradient of no length": ({"clip_norm": 0.0}, "clip_norm must be above 0"),
    "never a checkpoint": ({"checkpoint_every": 0}, "checkpoint_every must be above 0"),
    "more warm-up than run": ({"steps": 10, "warmup_steps": 11}, r"must lie in \[0, steps=10\]"),
    "less warm-up than none": ({"warmup_steps": -1}, "must lie in"),
}


@pytest.mark.parametrize(("settings", "pattern"), REFUSED.values(), ids=list(REFUSED))
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], pattern: str) -> None:
    with pytest.raises(InputError, match=pattern):
        TrainConfig(**settings)
    assert TrainConfig(steps=1, warmup_steps=1, batch_size=1, checkpoint_every=1).steps == 1


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.conv = nn.Conv2d(2, 3, 2)
        self.norm = nn.LayerNorm(4)
        self.token = nn.Parameter(torch.zeros(1, 1, 4))
        self.frozen = nn.Parameter(torch.zeros(2, 2), requires_grad=False)


def test_only_matrices_and_kernels_decay() -> None:
    model = Parts()
    decay, rest = parameter_groups(model, weight_decay=0.3)
    assert (decay["weight_decay"], rest["weight_decay"]) == (0.3, 0.0)
    assert {id(p) for p in decay["params"]} == {id(model.linear.weight), id(model.conv.weight)}
    vectors = (model.linear.bias, model.conv.bias, model.norm.weight, model.norm.bias, model.token)
    assert {id(p) for p in rest["params"]} == {id(p) for p in vectors}


STATE = Checkpoint(
    step=7,
    samples=40,
    config=TrainConfig(steps=90, betas=(0.8, 0.9)),
    model={"weight": torch.arange(3.0)},
    optimizer={"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []},
    losses={"loss": [0.1 + 0.2, 1 / 3]},
)


def test_what_is_written_is_read_to_the_last_digit(tmp_path: Path) -> None:
    STATE.write(tmp_path / "run.ckpt")
    back = read_checkpoint(tmp_path / "run.ckpt")
    assert (back.step, back.samples, back.config) == (7, 40, STATE.config)
    assert back.losses == STATE.losses
    assert torch.equal(back.model["weight"], torch.arange(3.0))
    assert torch.equal(back.optimizer["state"][0]["exp_avg"], torch.ones(3))


def test_a_truncated_file_another_file_and_none_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    with pytest.raises(FileNotFoundError):
        read_checkpoint(path)
    torch.save({"weight": torch.zeros(1)}, path)
    other = path.read_bytes()
    STATE.write(path)
    whole = path.read_bytes()
    for content in (other, *(whole[:keep] for keep in (0, 1, 100, -10))):
        path.write_bytes(content)
        with pytest.raises(BrokenDataError, match=r"run\.ckpt is not a checkpoint"):
            read_checkpoint(path)


def test_another_recipe_or_source_is_refused_but_not_another_rhythm_of_writing() -> None:
    STATE.require_same_run(replace(STATE.config, checkpoint_every=3), samples=40)
    with pytest.raises(InputError, match=r"steps 90 -> 91"):
        STATE.require_same_run(replace(STATE.config, steps=91), samples=40)
    with pytest.raises(InputError, match=r"samples 40 -> 41"):
        STATE.require_same_run(STATE.config, samples=41)
