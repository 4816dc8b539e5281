"""Settings of a training run, and its checkpoint: what shapes the curve, what a stop leaves."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from rsedu.errors import BrokenDataError, InputError
from rsedu.io.files import write_atomically

Precision = Literal["auto", "32-true", "64-true", "16-mixed", "bf16-mixed"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What shapes the curve. The defaults are those of MAE (He et al. 2022, appendix A.1)."""

    steps: int = 1000
    batch_size: int = 64  # samples per step over all processes together
    blr: float = 1.5e-4  # learning rate per 256 samples: lr = blr * batch_size / 256
    warmup_steps: int = 50
    min_lr: float = 0.0
    weight_decay: float = 0.05  # not on norms, biases and single tokens
    betas: tuple[float, float] = (0.9, 0.95)
    clip_norm: float = 1.0  # largest 2-norm of the whole gradient; inf to switch off
    precision: Precision = "auto"  # bf16 or fp16 on CUDA, float32 elsewhere
    seed: int = 0
    checkpoint_every: int = 200  # steps

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "checkpoint_every", "clip_norm", "blr"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} must be above 0, got {getattr(self, name)}.")
        if not 0 <= self.warmup_steps <= self.steps:
            raise InputError(
                f"warmup_steps is {self.warmup_steps}; it must lie in [0, steps={self.steps}]."
            )

    @property
    def lr(self) -> float:
        """Peak learning rate: the base rate scaled linearly with the batch."""
        return self.blr * self.batch_size / 256

    def lr_at(self, step: int) -> float:
        """Learning rate of one step, 0 for the first.

        It rises linearly to `lr`, reached in the last step of the warm-up, then falls along half a
        cosine to `min_lr`, reached one past the last step of the run.
        """
        if step < self.warmup_steps:
            return self.lr * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.min_lr + 0.5 * (self.lr - self.min_lr) * (1 + math.cos(math.pi * done))


def parameter_groups(model: nn.Module, *, weight_decay: float) -> list[dict[str, Any]]:
    """Split the trainable parameters into those that decay and those that do not.

    Matrices and kernels decay. Vectors do not: norms, biases, class and mask tokens.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trainable if p.squeeze().ndim > 1]
    vectors = [p for p in trainable if p.squeeze().ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a run between two steps; the random state follows from the seed and the step."""

    step: int  # steps made so far
    samples: int  # length of the source; another length would mean another order
    config: TrainConfig
    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    losses: Mapping[str, list[float]]  # the curve so far, one list per scalar
    seconds: float = 0.0  # spent so far

    def write(self, path: Path) -> None:
        """Write to a file in one stroke: a kill leaves the old file or the new one."""
        state = {**vars(self), "config": asdict(self.config)}
        write_atomically(path, lambda temporary: torch.save(state, temporary))

    def require_same_run(self, config: TrainConfig, samples: int) -> None:
        """Raise InputError if the settings (apart from how often to write) or the source differ."""
        old = {**asdict(self.config), "samples": self.samples}
        new = {**asdict(config), "samples": samples, "checkpoint_every": old["checkpoint_every"]}
        changed = [f"{name} {old[name]} -> {new[name]}" for name in old if old[name] != new[name]]
        if changed:
            raise InputError(
                f"The checkpoint belongs to another run ({', '.join(changed)}); resume with its "
                "own settings, or start a new checkpoint."
            )


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint to the CPU.

    Raises:
        FileNotFoundError: there is none.
        BrokenDataError: the file is truncated or is no checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(**{**state, "config": TrainConfig(**state["config"])})
    except FileNotFoundError:
        raise
    except Exception as error:  # torch raises half a dozen unrelated types here
        raise BrokenDataError(
            f"{path} is not a checkpoint of rsedu.training.loop ({type(error).__name__}); "
            "delete it and start again, or pass the right file."
        ) from error
