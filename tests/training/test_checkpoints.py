from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rsedu.errors import BrokenDataError, InputError
from rsedu.training.checkpoints import Checkpoint, read_checkpoint
from rsedu.training.settings import TrainConfig

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


@pytest.mark.parametrize("keep", [0, 1, 100, -10])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "run.ckpt"
    STATE.write(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BrokenDataError, match=r"run\.ckpt is not a checkpoint"):
        read_checkpoint(path)


def test_another_file_of_torch_is_no_checkpoint_and_a_missing_one_is_missing(
    tmp_path: Path,
) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(BrokenDataError, match="not a checkpoint"):
        read_checkpoint(tmp_path / "other.pt")
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "none.pt")


def test_another_recipe_or_source_is_refused_but_not_another_rhythm_of_writing() -> None:
    STATE.require_same_run(replace(STATE.config, checkpoint_every=3), samples=40)
    with pytest.raises(InputError, match=r"steps 90 -> 91"):
        STATE.require_same_run(replace(STATE.config, steps=91), samples=40)
    with pytest.raises(InputError, match=r"samples 40 -> 41"):
        STATE.require_same_run(STATE.config, samples=41)
