import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from click.testing import CliRunner, Result

from rsedu.errors import InputError, MissingExtraError
from rsedu.models import weights
from rsedu.pretraining import command as module
from rsedu.pretraining.command import Data, Request, embed, knn_forest_share, pretrain, steps_within
from rsedu.pretraining.recipes import RECIPES
from rsedu.scenes.bands import S2_BANDS
from rsedu.synthetic.tiles import FrontierTiles
from rsedu.training.sampler import TensorSource
from rsedu.training.settings import Checkpoint, TrainConfig, read_checkpoint


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


def tile_source(count: int = 4, size: int = 32) -> TensorSource:
    generator = torch.Generator().manual_seed(0)
    optical = torch.randn(count, 12, size, size, generator=generator)
    radar = torch.randn(count, 2, size, size, generator=generator)
    gsd = torch.linspace(2.5, 20, count)
    return TensorSource({"optical": optical, "radar": radar, "gsd": gsd})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pretrain, arguments, catch_exceptions=False)


def test_the_command_trains_on_a_folder_saves_weights_and_goes_on(scenes: Path) -> None:
    command = ["mae", "--data", str(scenes), "--size", "32", "--batch-size", "4"]
    first = run(*command, "--steps", "3", "--checkpoint", "run.ckpt", "--save-as", "trial")
    assert first.exit_code == 0
    assert "3 steps" in first.output
    card = weights.read_card("trial")
    assert (card.kind, card.steps, card.data) == ("MAE", 3, str(scenes))
    again = run(*command, "--steps", "3", "--checkpoint", "run.ckpt", "--save-as", "again")
    assert again.exit_code == 0
    one, two = weights.load("trial").state_dict(), weights.load("again").state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_seed_decides_the_weights(scenes: Path) -> None:
    command = ["mae", "--data", str(scenes), "--size", "32", "--batch-size", "2", "--steps", "1"]
    outputs = [
        run(*command, "--seed", seed, "--save-as", name)
        for seed, name in (("1", "a"), ("1", "b"), ("2", "c"))
    ]
    assert all(output.exit_code == 0 for output in outputs)
    digests = [weights.read_card(name).sha256 for name in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_a_signal_ends_the_command_with_its_status_and_without_weights(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = module.History(
        steps=np.arange(2),
        losses=np.ones(2),
        parts={},
        learning_rates=np.ones(2),
        seconds_per_step=0.1,
        stopped_by="SIGTERM",
    )
    monkeypatch.setattr(module, "train", lambda *_, **__: stopped)
    result = run("mae", "--data", str(scenes), "--size", "32", "--save-as", "trial")
    assert result.exit_code == 143
    assert weights.available() == ()


def test_a_run_that_keeps_nothing_says_how_to_keep_it(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("stopped after 3 of 9 steps")

    monkeypatch.setattr(module, "train", stop)
    result = run("mae", "--data", str(scenes), "--size", "32", "--save-as", "trial")
    assert result.exit_code == 130 and weights.available() == ()
    assert "stopped after 3 of 9 steps" in result.stderr and "--checkpoint" in result.stderr


def test_options_replace_single_values_of_the_recipe() -> None:
    source, model = tile_source(), torch.nn.Linear(1, 1)
    request = Request(name="mae", data=Data(), steps=40, batch_size=8, blr=0.5, seed=3)
    config = request.config(model, source)
    recipe = RECIPES["mae"].config
    assert (config.steps, config.batch_size, config.blr, config.seed) == (40, 8, 0.5, 3)
    assert (config.warmup_steps, config.weight_decay) == (4, recipe.weight_decay)
    assert Request(name="mae", data=Data()).config(model, source) == recipe


@pytest.mark.parametrize("name", ["steps", "batch_size", "blr"])
def test_nothing_asked_for_is_not_the_recipe_own_value(name: str) -> None:
    request = Request(name="mae", data=Data(), **{name: 0})
    with pytest.raises(InputError, match=f"{name} must be above 0, got 0"):
        request.config(torch.nn.Linear(1, 1), tile_source())


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("inf"), float("nan")])
def test_no_time_is_told(minutes: float) -> None:
    with pytest.raises(InputError, match="wanted a number above 0"):
        steps_within(minutes, torch.nn.Linear(1, 1), tile_source(), TrainConfig())


def test_a_minute_is_a_minute_however_long_the_recipe_warms_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "time_per_step", lambda *_, **__: 0.5)
    config = Request(name="mae", data=Data(), minutes=1.0).config(
        torch.nn.Linear(1, 1), tile_source()
    )
    assert (config.steps, config.warmup_steps) == (120, 12)
    config = Request(name="mae", data=Data(), minutes=1e-9).config(
        torch.nn.Linear(1, 1), tile_source()
    )
    assert (config.steps, config.warmup_steps) == (1, 0)


def test_a_name_that_cannot_be_saved_is_told_before_training(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "train", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(InputError, match="plain name"):
        run("mae", "--data", str(scenes), "--size", "32", "--save-as", "a/b")


def test_only_the_first_process_says_how_it_went(
    scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["mae", "--data", str(scenes), "--size", "32", "--batch-size", "2", "--steps", "1"]
    assert run(*command).stdout.startswith("1 steps in ")
    monkeypatch.setattr(module, "_is_first_process", lambda: False)
    assert run(*command, "--save-as", "trial").stdout == ""
    assert weights.available() == ()


@pytest.mark.parametrize("start", [["bin/rsedu", "pretrain"], ["rsedu/pretraining/command.py"]])
def test_the_card_has_the_command_however_it_was_started(
    scenes: Path, monkeypatch: pytest.MonkeyPatch, start: list[str]
) -> None:
    data = scenes.rename(scenes.with_name("my scenes"))
    typed = ["mae", "--data", str(data), "--size", "32", "--batch-size", "2", "--steps", "1"]
    typed += ["--save-as", "trial"]
    monkeypatch.setattr(sys, "argv", [*start, *typed])
    assert run(*typed).exit_code == 0
    card = weights.read_card("trial")
    assert card.command == (
        f"rsedu pretrain mae --data '{data}' --size 32 --batch-size 2 --steps 1 --save-as trial"
    )
    count = torch.get_num_threads()
    assert card.hardware.startswith("1 thread of" if count == 1 else f"{count} threads of")


def test_minutes_become_steps_by_the_clock_and_a_checkpoint_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "time_per_step", lambda *_, **__: 0.5)
    source, model = tile_source(), torch.nn.Linear(1, 1)
    path = tmp_path / "run.ckpt"
    request = Request(name="mae", data=Data(), minutes=10.0, checkpoint=path)
    config = request.config(model, source)
    assert config.steps == 1200
    saved = replace(config, steps=777, warmup_steps=7)
    Checkpoint(step=1, samples=4, config=saved, model={}, optimizer={}, losses={}).write(path)
    assert request.config(model, source).steps == 777
    assert read_checkpoint(path).config == saved
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="give --steps"):
        steps_within(1.0, model, source, TrainConfig())


def test_data_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="nowhere is no folder"):
        Data(name="nowhere").tiles()
    with pytest.raises(InputError, match="torchgeo:CLASS:FOLDER"):
        Data(name="torchgeo:EuroSAT100").tiles()
    monkeypatch.setitem(sys.modules, "torchgeo.datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'rsedu\[parity\]'"):
        Data(name="torchgeo:EuroSAT100:data").tiles()


def test_features_are_judged_across_worlds_against_band_means_and_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world's forest share is 0, 0.1, 0.2 or 0.3, ten times of which its second band shows."""
    tiles = FrontierTiles(worlds=range(0, 16), folder=tmp_path, size_px=32, tiles_per_world=5)
    share = torch.arange(80).div(5, rounding_mode="floor").remainder(4) / 10
    images = torch.rand(80, 12, 32, 32, generator=torch.Generator().manual_seed(0))
    images[:, 1] += 10 * share[:, None, None]
    source = TensorSource({"optical": images, "gsd": torch.full((80,), 10.0)})
    monkeypatch.setattr(FrontierTiles, "batch", lambda _, *numbers: source.batch(*numbers))
    covers = torch.stack([share, 1 - share], dim=1).numpy()
    monkeypatch.setattr(FrontierTiles, "cover", lambda _, index: covers[index])
    torch.manual_seed(0)
    model = RECIPES["mae"].build()
    scores = knn_forest_share(model, tiles)
    assert scores["band means"] == 1.0
    assert scores["commonest quarter"] == 0.25
    assert set(scores) == {"features", "band means", "commonest quarter"}


def test_the_frontier_is_rendered_before_training_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[FrontierTiles] = []
    monkeypatch.setattr(FrontierTiles, "prepare", lambda tiles, **_: prepared.append(tiles))
    tiles = Data(worlds=3, size_px=32, cache=tmp_path).tiles()
    assert prepared == [tiles]
    assert tiles == FrontierTiles(worlds=range(1000, 1003), size_px=32, folder=tmp_path)
    assert "worlds 1000 to 1002, tiles of 32 px" in Data(worlds=3, size_px=32).described()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert Data(worlds=3, size_px=32, cache=tmp_path).tiles() == tiles
    assert prepared == [tiles]  # once per machine
    with pytest.raises(InputError, match="--worlds is 0; there are 1 to 1000"):
        Data(worlds=0).tiles()


def test_features_come_in_order_from_the_shrunk_tile() -> None:
    tiles = tile_source(5)
    model = RECIPES["scalemae"].build().eval()
    features, means = embed(model, tiles, shrink=2, batch_size=2)
    small = torch.nn.functional.avg_pool2d(tiles.tensors["optical"], 2)
    with torch.no_grad():
        expected = model.features(small, 2 * tiles.tensors["gsd"])
    np.testing.assert_allclose(features, expected, atol=1e-5)
    np.testing.assert_allclose(means, tiles.tensors["optical"].mean(dim=(2, 3)), atol=1e-6)
