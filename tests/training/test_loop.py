import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rsedu.errors import InputError
from rsedu.training.loop import TrainingError, pick_precision, time_per_step, train
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import TrainConfig, read_checkpoint

CONFIG = TrainConfig(steps=20, batch_size=8, blr=0.1, warmup_steps=3, seed=5)


class Regression(nn.Module):
    """A small net with its own randomness, as a masked autoencoder has."""

    def __init__(self, *, drop: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.hidden, self.norm, self.out = nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 1)
        self.drop = drop

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        hidden = self.norm(self.hidden(x).relu())
        if self.drop:
            hidden = hidden * (torch.rand_like(hidden) > 0.5)
        error = self.out(hidden)[:, 0] - y
        return {"loss": error.square().mean(), "absolute": error.abs().mean(), "error": error}


def source(rows: int = 37) -> TensorSource:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 4, generator=generator)
    return TensorSource({"x": x, "y": x.sum(dim=1)})


@dataclass(frozen=True)
class Interrupting:
    """A source that sends a signal to its own process when one draw is fetched."""

    inner: TensorSource
    position: int
    number: int

    def __len__(self) -> int:
        return len(self.inner)

    def batch(self, indices: np.ndarray, positions: np.ndarray) -> Mapping[str, Tensor]:
        if self.position in positions:
            os.kill(os.getpid(), self.number)
        return self.inner.batch(indices, positions)


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_loop_is_adamw_with_these_rates_this_clipping_and_this_order() -> None:
    """Against the loop written out by hand with torch alone."""
    config = replace(CONFIG, clip_norm=0.5, weight_decay=0.2, seed=0)
    model, oracle, data = Regression(drop=False), Regression(drop=False), source(8)
    history = train(model, data, config, device="cpu")
    matrices = [oracle.hidden.weight]
    vectors = [p for p in oracle.parameters() if p is not oracle.hidden.weight]
    groups = [{"params": matrices, "weight_decay": 0.2}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95))
    losses = []
    for step in range(20):
        loss = oracle(**data.tensors)["loss"]  # the whole source is one batch: order is no matter
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(oracle.parameters(), 0.5)
        for group in optimizer.param_groups:
            group["lr"] = config.lr_at(step)
        optimizer.step()
    np.testing.assert_allclose(history.losses, losses, rtol=1e-5)
    torch.testing.assert_close(weights(model), weights(oracle), rtol=1e-4, atol=1e-6)


def test_the_history_holds_scalars_rates_and_time_and_on_step_sees_each() -> None:
    seen: list[tuple[int, float]] = []

    def note(step: int, losses: dict[str, float]) -> None:
        seen.append((step, losses["loss"]))

    history = train(Regression(), source(), CONFIG, device="cpu", on_step=note)
    assert seen == list(zip(range(20), history.losses, strict=True))
    assert history.steps.tolist() == list(range(20))
    assert set(history.parts) == {"loss", "absolute"}
    np.testing.assert_array_equal(history.parts["loss"], history.losses)
    np.testing.assert_array_equal(history.learning_rates, [CONFIG.lr_at(s) for s in range(20)])
    assert history.stopped_by is None


def test_a_run_learns_and_leaves_mode_and_random_state_as_they_were() -> None:
    model = Regression(drop=False).eval()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    history = train(model, source(), replace(CONFIG, steps=300), device="cpu")
    assert torch.equal(torch.rand(2), expected)
    assert not model.training
    assert history.losses[-20:].mean() < 0.2 * history.losses[:20].mean()


def test_the_seed_decides_order_and_draws() -> None:
    configs = [replace(CONFIG, seed=seed) for seed in (5, 5, 6)]
    first, again, other = (train(Regression(), source(), each, device="cpu") for each in configs)
    np.testing.assert_array_equal(first.losses, again.losses)
    assert (first.losses != other.losses).all()


class Draws(nn.Module):
    """Its loss is its own random draw."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        assert self.training
        return {"loss": torch.rand(()) + 0 * self.weight.sum()}


def test_every_step_draws_anew() -> None:
    losses = train(Draws(), source(), CONFIG, device="cpu").losses
    assert len(set(losses)) == 20
    other = train(Draws().eval(), source(), replace(CONFIG, seed=6), device="cpu").losses
    assert not set(losses) & set(other)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_stopped_by_a_signal_goes_on_to_the_last_digit(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "run.ckpt"
    straight, model = Regression(), Regression()
    whole = train(straight, source(), CONFIG, device="cpu")
    part = train(model, Interrupting(source(), 80, number), CONFIG, checkpoint=path, device="cpu")
    assert part.stopped_by == number.name
    assert 8 <= len(part.steps) <= 12
    assert read_checkpoint(path).step == len(part.steps)
    resumed = Regression()
    rest = train(resumed, source(), CONFIG, checkpoint=path, resume=True, device="cpu")
    np.testing.assert_array_equal(rest.losses, whole.losses)
    np.testing.assert_array_equal(rest.parts["absolute"], whole.parts["absolute"])
    assert torch.equal(weights(resumed), weights(straight))
    assert rest.stopped_by is None


@pytest.mark.parametrize("position", [80, -1])
def test_handlers_are_restored_whether_a_signal_came_or_not(position: int) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    told = rf"stopped after \d+ of {CONFIG.steps} steps"  # and is not taken for a trained model
    with pytest.raises(KeyboardInterrupt, match=told) if position >= 0 else nullcontext():
        train(Regression(), Interrupting(source(), position, signal.SIGINT), CONFIG, device="cpu")
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_finished_run_resumes_to_itself_and_its_time_is_that_of_all_its_calls(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.ckpt"
    whole = train(Regression(), source(), CONFIG, checkpoint=path, device="cpu")
    saved = read_checkpoint(path)
    assert 0 < saved.seconds <= whole.seconds < 60
    replace(saved, seconds=500.0).write(path)
    again = train(Regression(), source(), CONFIG, checkpoint=path, resume=True, device="cpu")
    np.testing.assert_array_equal(again.losses, whole.losses)
    assert 500 < again.seconds < 560


def test_the_checkpoint_is_written_every_so_many_steps_and_at_the_end(tmp_path: Path) -> None:
    path, written = tmp_path / "run.ckpt", {}

    def note(step: int, _: object) -> None:
        written[step] = read_checkpoint(path).step if path.exists() else 0

    config = replace(CONFIG, checkpoint_every=9)
    train(Regression(), source(), config, checkpoint=path, device="cpu", on_step=note)
    assert (written[8], written[9], written[17], written[18]) == (0, 9, 9, 18)
    assert read_checkpoint(path).step == 20


REFUSED = {
    "a checkpoint that is there already": ({}, {}, r"exists already; pass resume=True"),
    "the checkpoint of another run": ({"resume": True}, {"seed": 6}, r"seed 5 -> 6"),
    "no process": ({"devices": 0}, {}, "a run needs 1 process or more"),
    "fewer than none": ({"devices": -1}, {}, "devices is -1"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run.ckpt"
    train(Regression(), source(), CONFIG, checkpoint=path, device="cpu")
    return path


@pytest.mark.parametrize(("options", "changes", "pattern"), REFUSED.values(), ids=list(REFUSED))
def test_what_a_run_refuses_leaves_the_checkpoint_alone(
    finished: Path, options: dict[str, object], changes: dict[str, int], pattern: str
) -> None:
    before = finished.read_bytes()
    checkpoint = None if "devices" in options else finished
    with pytest.raises(InputError, match=pattern):
        config = replace(CONFIG, **changes)
        train(Regression(), source(), config, checkpoint=checkpoint, device="cpu", **options)
    assert finished.read_bytes() == before


def test_a_loss_that_is_not_finite_stops_the_run_and_spares_the_checkpoint(tmp_path: Path) -> None:
    path, data, config = tmp_path / "run.ckpt", source(8), replace(CONFIG, checkpoint_every=2)

    def poison(step: int, _: object) -> None:
        if step == 2:  # the batches of steps 3 and 4 are fetched already
            data.tensors["x"][3] = torch.nan

    with pytest.raises(TrainingError, match=r"became nan at step [45]; lower blr"):
        train(Regression(), data, config, checkpoint=path, device="cpu", on_step=poison)
    assert read_checkpoint(path).step == 4


def test_a_source_that_fails_reports_its_own_error() -> None:
    class Failing(TensorSource):
        def batch(self, indices: np.ndarray, positions: np.ndarray) -> Mapping[str, Tensor]:
            raise KeyError("tile 7")

    with pytest.raises(KeyError, match="tile 7"):
        train(Regression(), Failing(source().tensors), CONFIG, device="cpu")


def test_it_runs_outside_the_main_thread_where_python_has_no_signals() -> None:
    with ThreadPoolExecutor() as pool:
        history = pool.submit(train, Regression(), source(), CONFIG, device="cpu").result()
    assert len(history.steps) == 20


def test_time_per_step_measures_and_leaves_the_model_alone() -> None:
    model = Regression()
    before = weights(model)
    assert 0 < time_per_step(model, source(), CONFIG, device="cpu") < 5
    assert torch.equal(weights(model), before)


def test_the_bar_shows_loss_and_length(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TQDM_DISABLE")
    train(Regression(), source(), CONFIG, device="cpu", progress=True)
    shown = capsys.readouterr().err
    assert "20/20" in shown
    assert "loss=" in shown


PRECISIONS = [
    *(("cpu", (0, 0), "32-true"), ("mps", (9, 0), "32-true")),
    *(("cuda", (7, 5), "16-mixed"), ("cuda", (8, 0), "bf16-mixed")),
]


@pytest.mark.parametrize(("device", "capability", "precision"), PRECISIONS)
def test_precision_is_mixed_where_the_hardware_has_it(
    monkeypatch: pytest.MonkeyPatch, device: str, capability: tuple[int, int], precision: str
) -> None:
    hardware = SimpleNamespace(get_device_capability=lambda _: capability)
    monkeypatch.setattr(torch, "get_device_module", lambda _: hardware)
    assert pick_precision(torch.device(device)) == precision


SCRIPT = """
import sys, torch
from pathlib import Path
from torch import nn
from rsedu.blocks.contrastive import info_nce
from rsedu.training.loop import train
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import TrainConfig

torch.manual_seed(0)
x, y = torch.randn(2, 24, 4)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)
    def forward(self, x, y):
        first, second = self.linear(x), self.linear(y)
        contrast = info_nce(first, second, 0.3)  # each process's negatives are those of both
        return {"loss": first.square().mean() + contrast, "contrast": contrast}
config = TrainConfig(steps=int(sys.argv[2]), batch_size=8, warmup_steps=1, blr=0.3,
                     clip_norm=float("inf"))
train(Net(), TensorSource({"x": x, "y": y}), config, checkpoint=Path(sys.argv[1]), device="cpu")
"""


def test_two_processes_give_the_gradients_of_one_also_of_a_contrast_over_the_whole_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, one_path, two_path = (tmp_path / name for name in ("script.py", "one", "two"))
    script.write_text(SCRIPT)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RSEDU_DEVICE": "cpu"}
    command = [sys.executable, *launcher, str(script), str(two_path), "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(sys, "argv", ["script.py", str(one_path), "1"])
    with torch.random.fork_rng(devices=[]):
        runpy.run_path(str(script))
    one, two = read_checkpoint(one_path), read_checkpoint(two_path)
    for name, values in one.losses.items():
        assert values == pytest.approx(two.losses[name], rel=1e-6)
    for index, state in one.optimizer["state"].items():
        gradient = state["exp_avg"] / (1 - 0.9)  # the first moment after one step
        assert gradient.abs().max() > 1e-3
        torch.testing.assert_close(
            two.optimizer["state"][index]["exp_avg"] / (1 - 0.9), gradient, rtol=1e-5, atol=1e-7
        )
