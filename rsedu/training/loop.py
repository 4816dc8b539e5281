"""One training loop for every model of the kit: laptop, one GPU, or many processes.

Everything random is a pure function of the seed and the step (which samples, their augmentation,
the model's own draws), so a run that was stopped and resumed gives the curve of the run that was
not, to the last digit on a CPU.
"""

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule, _FabricOptimizer
from torch import Tensor, nn

from rsedu.device import pick_device
from rsedu.errors import InputError, RseduError
from rsedu.io.progress_bar import progress_bar
from rsedu.training.sampler import Source, indices_of_step
from rsedu.training.settings import Checkpoint, TrainConfig, parameter_groups, read_checkpoint


class TrainingError(RseduError, ArithmeticError):
    """Training went wrong in a way that more steps will not mend."""


@dataclass(frozen=True, kw_only=True)
class History:
    """The curve of a run, with the part before a resume.

    Attributes:
        steps: (S,), 0 for the first step.
        losses: (S,), the loss that was minimised, mean over all processes.
        parts: every scalar entry of the model's dict of losses, each (S,).
        learning_rates: (S,).
        seconds: spent on the whole run, with the part before a resume.
        stopped_by: "SIGINT" or "SIGTERM" when a signal ended the run early, else None.
    """

    steps: Int64[np.ndarray, "steps"]
    losses: Float[np.ndarray, "steps"]
    parts: dict[str, Float[np.ndarray, "steps"]]
    learning_rates: Float[np.ndarray, "steps"]
    seconds: float = 0.0
    stopped_by: str | None = None


def pick_precision(device: torch.device) -> Literal["32-true", "16-mixed", "bf16-mixed"]:
    """Mixed precision where the hardware has it: bf16, else fp16, on CUDA; float32 elsewhere."""
    if device.type != "cuda":
        return "32-true"
    # Volta and Turing (a free Colab T4) only emulate bf16, which is slower than float32.
    capability = torch.get_device_module(device).get_device_capability(device)
    return "bf16-mixed" if capability >= (8, 0) else "16-mixed"


@contextmanager
def _stop_signals() -> Iterator[list[str]]:
    """Collect SIGINT and SIGTERM instead of dying; a second one acts at once."""
    caught: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught  # Python delivers signals to the main thread only
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def catch(number: int, frame: object) -> None:
        caught.append(signal.Signals(number).name)
        signal.signal(number, before[signal.Signals(number)])

    try:
        for number in numbers:
            signal.signal(number, catch)
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Run:
    """A run under way: what the loop changes."""

    fabric: Fabric
    model: nn.Module
    wrapped: _FabricModule
    optimizer: _FabricOptimizer
    source: Source
    config: TrainConfig
    step: int = 0
    losses: dict[str, list[float]] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)  # less what earlier calls took

    def save(self, path: Path) -> None:
        """Write the state after `step` steps, from the first process only."""
        state = Checkpoint(
            step=self.step,
            samples=len(self.source),
            config=self.config,
            model=self.model.state_dict(),
            optimizer=self.optimizer.optimizer.state_dict(),
            losses=self.losses,
            seconds=time.perf_counter() - self.begun,
        )
        if self.fabric.is_global_zero:
            state.write(path)
        self.fabric.barrier()

    def load(self, path: Path) -> None:
        """Take up the state of a checkpoint."""
        state = read_checkpoint(path)
        state.require_same_run(self.config, len(self.source))
        self.model.load_state_dict(state.model)
        self.optimizer.optimizer.load_state_dict(dict(state.optimizer))
        self.step, self.losses = state.step, dict(state.losses)
        self.begun -= state.seconds

    def advance(self, batch: Mapping[str, Tensor], *, caught: list[str]) -> bool:
        """Make one step; returns whether any process has caught a signal to stop."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr_at(self.step)
        seeds = np.random.SeedSequence((self.config.seed, self.step, self.fabric.global_rank))
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        losses = self.wrapped(**self.fabric.to_device(dict(batch)))
        self.fabric.backward(losses["loss"])
        self.fabric.clip_gradients(
            self.wrapped,
            self.optimizer,
            max_norm=self.config.clip_norm,
            error_if_nonfinite=False,  # fp16 skips such a step and lowers its scale
        )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        stop = self._record(losses, caught)
        self.step += 1
        return stop

    def _record(self, losses: Mapping[str, Tensor], caught: list[str]) -> bool:
        """Note the mean over all processes of each scalar; the wish to stop travels with it."""
        names = [name for name, value in losses.items() if value.ndim == 0]
        values = [losses[name].detach().cpu().double() for name in names]
        # Each process must stop after the same step, or the others wait for it for ever.
        shared = torch.stack([*values, torch.tensor(bool(caught)).double()])
        if self.fabric.world_size > 1:
            shared = shared.to(self.fabric.device)
            shared = torch.as_tensor(self.fabric.all_reduce(shared, reduce_op="mean"))
        *means, wish = shared.tolist()
        if not math.isfinite(means[names.index("loss")]):
            raise TrainingError(
                f"The loss became {means[names.index('loss')]} at step {self.step}; "
                "lower blr, lengthen the warm-up, or look for invalid pixels in the data."
            )
        for name, mean in zip(names, means, strict=True):
            self.losses.setdefault(name, []).append(mean)
        return bool(wish > 0)

    def finish(self, *, stopped_by: str | None) -> History:
        """Turn the lists into arrays."""
        parts = {name: np.asarray(values) for name, values in self.losses.items()}
        return History(
            steps=np.arange(self.step, dtype=np.int64),
            losses=parts.get("loss", np.zeros(0)),
            parts=parts,
            learning_rates=np.array([self.config.lr_at(step) for step in range(self.step)]),
            seconds=time.perf_counter() - self.begun,
            stopped_by=stopped_by,
        )


def _prefetched(run: _Run) -> Iterator[Mapping[str, Tensor]]:
    """Yield the batches that are left, fetching one ahead in a second thread."""
    shared = {"batch_size": run.config.batch_size, "seed": run.config.seed}
    process = {"rank": run.fabric.global_rank, "world": run.fabric.world_size}

    def fetch(step: int) -> Mapping[str, Tensor]:
        return run.source.batch(*indices_of_step(len(run.source), step, **shared, **process))

    with ThreadPoolExecutor(max_workers=1) as pool:
        futures = (pool.submit(fetch, step) for step in range(run.step, run.config.steps))
        for ready, _ in pairwise(chain(futures, [None])):  # pairwise takes one ahead
            assert ready is not None
            yield ready.result()


def _start(
    model: nn.Module, source: Source, config: TrainConfig, device: str, devices: int
) -> _Run:
    """Set up the processes: those that torchrun started, else `devices` (1 or more) here."""
    if devices < 1:
        raise InputError(f"devices is {devices}; a run needs 1 process or more.")
    chosen = pick_device(device)
    # Under torchrun each process reads its own number from the environment.
    local = int(os.environ.get("LOCAL_WORLD_SIZE", devices))
    fabric = Fabric(
        accelerator=chosen.type,
        devices=[chosen.index] if chosen.index is not None and local == 1 else local,
        num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", 1)),
        precision=pick_precision(chosen) if config.precision == "auto" else config.precision,
    )
    if os.environ.get("LT_CLI_USED") != "1":  # `fabric run` has launched already
        fabric.launch()
    groups = parameter_groups(model, weight_decay=config.weight_decay)
    fused = fabric.device.type == "cpu"  # elsewhere fusing would bypass the unscaling of fp16
    plain = torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=fused)
    wrapped, optimizer = fabric.setup(model, plain)
    return _Run(fabric, model, wrapped, optimizer, source, config)


def _loop(
    run: _Run,
    checkpoint: Path | None,
    caught: list[str],
    *,
    progress: bool,
    on_step: Callable[[int, dict[str, float]], None] | None,
) -> None:
    first = run.fabric.is_global_zero
    hidden = not (progress and first)
    with progress_bar(total=run.config.steps, initial=run.step, hidden=hidden, unit="step") as bar:
        for batch in _prefetched(run):
            stop = run.advance(batch, caught=caught)
            losses = {name: values[-1] for name, values in run.losses.items()}
            bar.set_postfix(loss=f"{losses['loss']:.4f}", refresh=False)
            bar.update()
            if on_step is not None and first:
                on_step(run.step - 1, losses)
            last = stop or run.step == run.config.steps
            if checkpoint is not None and (last or run.step % run.config.checkpoint_every == 0):
                run.save(checkpoint)
            if stop:
                break


def train(
    model: nn.Module,
    source: Source,
    config: TrainConfig,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    device: str = "auto",
    devices: int = 1,
    progress: bool = False,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
) -> History:
    """Train a model in place; it ends on the device it was trained on.

    Ctrl-C and SIGTERM end the run after the step under way: the checkpoint is written and the
    curve so far is returned, with `History.stopped_by` set. Without a checkpoint, KeyboardInterrupt
    is raised: whatever comes after must not take a model of half the steps for a trained one. A
    second signal acts at once.

    Args:
        model: ``model(**batch)`` returns a dict with a scalar "loss", a mean over the batch.
        source: where the batches come from.
        config: what shapes the curve.
        checkpoint: file to write every `checkpoint_every` steps and at the end; None: no file.
        resume: go on from `checkpoint` where it exists; start from step 0 where it doesn't.
        device: "auto", "cpu", "cuda" or "mps".
        devices: processes on this machine, when torchrun did not start them.
        progress: show a bar with the loss and the time that is left, on the first process.
        on_step: called as ``on_step(step, losses)`` on the first process after each step.

    Returns:
        The curve, from step 0, also of a resumed run.

    Raises:
        InputError: the checkpoint exists and `resume` is False, or it belongs to another run.
        BrokenDataError: the checkpoint can't be read.
        TrainingError: the loss is no longer finite; the last checkpoint is left as it was.
    """
    if checkpoint is not None and checkpoint.exists() and not resume:
        raise InputError(
            f"{checkpoint} exists already; pass resume=True to go on from it, or delete it."
        )
    run = _start(model, source, config, device, devices)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint)
    was_training = model.training
    model.train()
    place = run.fabric.device
    others, kind = ([], "cuda") if place.type == "cpu" else ([place], place.type)
    try:  # torch's global random generators are left as they were
        with torch.random.fork_rng(others, device_type=kind), _stop_signals() as caught:
            _loop(run, checkpoint, caught, progress=progress, on_step=on_step)
    finally:
        model.train(was_training)
    stopped = run.step < config.steps
    if stopped and checkpoint is None:
        raise KeyboardInterrupt(f"stopped after {run.step} of {config.steps} steps")
    return run.finish(stopped_by=(caught or ["another process"])[0] if stopped else None)


def time_per_step(
    model: nn.Module, source: Source, config: TrainConfig, *, steps: int = 5, device: str = "auto"
) -> float:
    """Measure how long a step takes, on a copy of the model: the median of `steps`, in seconds.

    ``replace(config, steps=int(60 / time_per_step(...)))`` makes a run of about one minute.
    """
    stamps: list[float] = []
    short = replace(config, steps=steps + 3, warmup_steps=0)  # the first two are not measured

    def stamp(*_: object) -> None:
        stamps.append(time.perf_counter())

    train(deepcopy(model), source, short, device=device, on_step=stamp)
    return float(np.median(np.diff(stamps)[2:]))
