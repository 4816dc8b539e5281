"""What a stopped run leaves behind, whole or not at all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from rsedu.errors import BrokenDataError, InputError
from rsedu.io.files import write_atomically
from rsedu.training.settings import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a run between two steps.

    The random state is not in it: the loop draws it anew from the seed and the step.

    Attributes:
        step: steps made so far.
        samples: length of the source; another length would mean another order.
        config: of the run.
        model: the module's state dict.
        optimizer: the optimiser's state dict.
        losses: the curve so far, one list per scalar.
        seconds: spent on it so far.
    """

    step: int
    samples: int
    config: TrainConfig
    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    losses: Mapping[str, list[float]]
    seconds: float = 0.0

    def write(self, path: Path) -> None:
        """Write to a file in one stroke: a kill leaves the old file or the new one."""
        state = {**vars(self), "config": asdict(self.config)}
        write_atomically(path, lambda temporary: torch.save(state, temporary))

    def require_same_run(self, config: TrainConfig, samples: int) -> None:
        """Refuse to go on with another curve.

        Raises:
            InputError: the settings (apart from how often to write) or the source differ.
        """
        old = {**asdict(self.config), "samples": self.samples}
        new = asdict(replace(config, checkpoint_every=self.config.checkpoint_every))
        new["samples"] = samples
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
