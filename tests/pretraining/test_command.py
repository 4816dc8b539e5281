import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from click.testing import CliRunner, Result

from rsedu.errors import InputError
from rsedu.models import weights
from rsedu.pretraining import command as module
from rsedu.pretraining.command import Request, pretrain
from rsedu.pretraining.recipes import RECIPES
from rsedu.scenes.bands import S2_BANDS
from rsedu.synthetic.tiles import FrontierTiles
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import Checkpoint, read_checkpoint


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RSEDU_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    folder = tmp_path / "scenes"
    folder.mkdir()
    profile = {"driver": "GTiff", "count": 12, "height": 40, "width": 36, "dtype": "uint16"}
    grid = {"crs": "EPSG:32721", "transform": Affine(10, 0, 5e5, 0, -10, 9e6)}
    with rasterio.open(folder / "a.tif", "w", **profile, **grid) as file:
        file.write(np.random.default_rng(0).integers(100, 4000, (12, 40, 36)).astype(np.uint16))
        file.descriptions = S2_BANDS
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pretrain, arguments, catch_exceptions=False)


def short(scenes: Path, batch: str = "2") -> list[str]:
    return ["mae", "--data", str(scenes), "--size", "32", "--batch-size", batch]


SOURCE, MODEL = TensorSource({"x": torch.zeros(4, 1)}), torch.nn.Linear(1, 1)


def test_the_command_trains_on_a_folder_saves_weights_and_goes_on(scenes: Path) -> None:
    command = short(scenes, "4")
    first = run(*command, "--steps", "3", "--checkpoint", "run.ckpt", "--save-as", "trial")
    assert first.exit_code == 0
    assert "3 steps" in first.output
    card = weights.read_card("trial")
    assert (card.kind, card.steps, card.data) == ("rsedu.models.mae.MAE", 3, str(scenes))
    again = run(*command, "--steps", "3", "--checkpoint", "run.ckpt", "--save-as", "again")
    assert again.exit_code == 0
    one, two = weights.load("trial").state_dict(), weights.load("again").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_seed_decides_the_weights(scenes: Path) -> None:
    for seed, name in (("1", "a"), ("1", "b"), ("2", "c")):
        command = [*short(scenes), "--steps", "1", "--seed", seed, "--save-as", name]
        assert run(*command).exit_code == 0
    digests = [weights.read_card(name).sha256 for name in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_a_signal_ends_the_command_with_its_status_and_without_weights(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, rates = np.arange(2), np.ones(2)
    curve = {"steps": steps, "losses": rates, "parts": {}, "learning_rates": rates}
    stopped = module.History(**curve, stopped_by="SIGTERM")
    monkeypatch.setattr(module, "train", lambda *_, **__: stopped)
    result = run("mae", "--data", str(scenes), "--size", "32", "--save-as", "trial")
    assert result.exit_code == 143
    assert weights.available() == ()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("stopped after 3 of 9 steps")

    monkeypatch.setattr(module, "train", stop)
    result = run("mae", "--data", str(scenes), "--size", "32", "--save-as", "trial")
    assert result.exit_code == 130 and weights.available() == ()
    assert "stopped after 3 of 9 steps" in result.stderr and "--checkpoint" in result.stderr


def test_options_replace_single_values_of_the_recipe() -> None:
    request = Request(name="mae", steps=40, batch_size=8, blr=0.5, seed=3)
    config = request.config(MODEL, SOURCE)
    recipe = RECIPES["mae"].config
    assert (config.steps, config.batch_size, config.blr, config.seed) == (40, 8, 0.5, 3)
    assert (config.warmup_steps, config.weight_decay) == (4, recipe.weight_decay)
    assert Request(name="mae").config(MODEL, SOURCE) == recipe


@pytest.mark.parametrize(
    ("minutes", "steps"), [(1.0, (120, 12)), (1e-9, (1, 0)), (99.9 / 120, (99, 9))]
)
def test_a_minute_is_a_minute_however_long_the_recipe_warms_up(
    monkeypatch: pytest.MonkeyPatch, minutes: float, steps: tuple[int, int]
) -> None:
    monkeypatch.setattr(module, "time_per_step", lambda *_, **__: 0.5)
    config = Request(name="mae", minutes=minutes).config(MODEL, SOURCE)
    assert (config.steps, config.warmup_steps) == steps


def configured(**changes: Any) -> Any:
    return lambda: Request(name="mae", **changes).config(MODEL, SOURCE)


REFUSED = {
    **{
        f"no {name}, not the recipe's": (configured(**{name: 0}), f"{name} must be above 0, got 0")
        for name in ("steps", "batch_size", "blr")
    },
    **{
        f"{minutes} minutes": (configured(minutes=minutes), "wanted a number above 0")
        for minutes in (0.0, -1.0, float("inf"), float("nan"))
    },
    "data that is not there": (lambda: Request(name="mae", data="no").tiles(), "no is no folder"),
    "a data set of torchgeo": (
        lambda: Request(name="mae", data="torchgeo:EuroSAT100:data").tiles(),
        r"from Python: four lines in help\('rsedu\.pretraining\.tile_sources\.DatasetTiles'\)",
    ),
    "no world": (lambda: Request(name="mae", worlds=0).tiles(), "--worlds is 0; .* 1 to 1000"),
    "a world too many": (lambda: Request(name="mae", worlds=1001).seeds, "--worlds is 1001"),
    "other tiles than sam's own": (
        lambda: Request(name="sam", data="mine").source(),
        "sam needs the frontier's objects, not mine",
    ),
    "a name that cannot be saved, before training": (
        lambda: run("mae", "--data", ".", "--save-as", "a/b"),
        "plain name",
    ),
}


@pytest.mark.parametrize(("call", "pattern"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_refused(call: Any, pattern: str) -> None:
    with pytest.raises(InputError, match=pattern):
        call()
    assert len(Request(name="mae", worlds=1000).seeds) == 1000


def test_only_the_first_process_says_how_it_went(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*short(scenes), "--steps", "1"]
    assert run(*command).stdout.startswith("1 steps in ")
    monkeypatch.setattr(module, "_is_first_process", lambda: False)
    assert run(*command, "--save-as", "trial").stdout == ""
    assert weights.available() == ()


@pytest.mark.parametrize("start", [["bin/rsedu", "pretrain"], ["rsedu/pretraining/__main__.py"]])
def test_the_card_has_the_command_however_it_was_started(
    scenes: Path, monkeypatch: pytest.MonkeyPatch, start: list[str]
) -> None:
    data = scenes.rename(scenes.with_name("my scenes"))
    typed = [*short(data), "--steps", "1", "--save-as", "trial"]
    monkeypatch.setattr(sys, "argv", [*start, *typed])
    assert run(*typed).exit_code == 0
    card = weights.read_card("trial")
    assert card.command == (
        f"rsedu pretrain mae --data '{data}' --size 32 --batch-size 2 --steps 1 --save-as trial"
    )
    count = torch.get_num_threads()
    assert card.hardware.startswith("1 thread of" if count == 1 else f"{count} threads of")


def test_minutes_become_steps_by_the_clock_and_a_checkpoint_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "time_per_step", lambda *_, **__: 0.5)
    path = Path("run.ckpt")
    request = Request(name="mae", minutes=10.0, checkpoint=path)
    config = request.config(MODEL, SOURCE)
    assert config.steps == 1200
    saved = replace(config, steps=777, warmup_steps=7)
    Checkpoint(step=1, samples=4, config=saved, model={}, optimizer={}, losses={}).write(path)
    assert request.config(MODEL, SOURCE).steps == 777
    assert read_checkpoint(path).config == saved
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="give --steps"):
        Request(name="mae", minutes=1.0).config(MODEL, SOURCE)


def test_the_frontier_is_rendered_before_training_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[FrontierTiles] = []
    monkeypatch.setattr(FrontierTiles, "prepare", lambda tiles, **_: prepared.append(tiles))
    request = Request(name="mae", worlds=3, size=32, cache=tmp_path)
    tiles = request.tiles()
    assert prepared == [tiles]
    assert tiles == FrontierTiles(worlds=range(1000, 1003), size_px=32, folder=tmp_path)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert request.tiles() == tiles
    assert prepared == [tiles]  # once per machine


def test_the_card_of_a_run_on_the_frontier_names_worlds_and_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = TensorSource({"optical": torch.zeros(4, 12, 32, 32), "gsd": torch.ones(4)})
    monkeypatch.setattr(FrontierTiles, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(FrontierTiles, "batch", lambda _, i, place: source.batch(i % 4, place))
    scores = {"features": 0.5, "band means": 0.25}
    judged: list[FrontierTiles] = []

    def judge(model: object, tiles: FrontierTiles, **_: object) -> dict[str, float]:
        judged.append(tiles)
        return scores

    monkeypatch.setattr(module, "knn_forest_share", judge)
    done = run("mae", "--worlds", "3", "--size", "32", "--steps", "1", "--save-as", "trial")
    assert done.exit_code == 0
    card = weights.read_card("trial")
    assert card.data == "synthetic frontier, worlds 1000 to 1002, tiles of 32 px"
    assert judged[0].worlds == range(2000, 2040)  # none of them was trained on
    label = "kNN quarter of forest share on validation worlds"
    assert card.metrics[f"{label}, features"] == 0.5 and len(card.metrics) == 3
