"""Pre-training: a recipe on some data for some time, from one command to weights with a card.

``rsedu pretrain scalemae --data frontier`` on a laptop and
``torchrun --nproc-per-node 8 -m rsedu.pretraining scalemae --data frontier`` on a cluster are
the same run: the batch size counts over all processes.
"""

import math
import os
import platform
import shlex
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from rsedu.device import describe_device, pick_device
from rsedu.errors import InputError, MissingExtraError
from rsedu.evaluation.neighbours import chance_accuracy, knn_accuracy
from rsedu.models.weights import Card, save, target
from rsedu.pretraining.recipes import ENCODER_PX, IMAGES, INPUTS, RECIPES, inputs_of
from rsedu.pretraining.tile_sources import Downsample, GeoTiffTiles, SelectInputs, TorchGeoTiles
from rsedu.scenes.bands import S2_BANDS
from rsedu.synthetic.land_cover import FOREST
from rsedu.synthetic.tiles import TRAIN_WORLDS, VALIDATION_WORLDS, FrontierTiles
from rsedu.training.loop import History, time_per_step, train
from rsedu.training.sampler import Source
from rsedu.training.settings import TrainConfig, read_checkpoint


@dataclass(frozen=True, kw_only=True)
class Data:
    """Tiles as the command line names them.

    Attributes:
        name: "frontier", a folder of GeoTIFFs, or "torchgeo:CLASS:FOLDER".
        size_px: side of a tile before shrinking.
        scale: reflectance = scale * value + offset, for data that does not say.
        offset: see `scale`.
        worlds: how many synthetic worlds are rendered for training, up to 1000.
        cache: folder for rendered worlds.
    """

    name: str = "frontier"
    size_px: int = 128
    scale: float = 1e-4
    offset: float = 0.0
    worlds: int = 256
    cache: Path = Path(".rsedu") / "worlds"

    def tiles(self) -> Source:
        """Open the source of tiles.

        Raises:
            InputError: the name is none of the three.
            MissingExtraError: torchgeo is asked for and not installed.
        """
        if self.name == "frontier":
            return self._frontier()
        if self.name.startswith("torchgeo:"):
            return self._torchgeo()
        if Path(self.name).is_dir():
            return GeoTiffTiles(
                folder=Path(self.name), size_px=self.size_px, scale=self.scale, offset=self.offset
            )
        raise InputError(
            f"--data {self.name} is no folder; give frontier, a folder of GeoTIFFs, or "
            "torchgeo:CLASS:FOLDER such as torchgeo:EuroSAT100:data."
        )

    def described(self) -> str:
        """The data in words, for a card."""
        if self.name != "frontier":
            return self.name
        first, last = TRAIN_WORLDS[0], TRAIN_WORLDS[self.worlds - 1]
        return f"synthetic frontier, worlds {first} to {last}, tiles of {self.size_px} px"

    @property
    def seeds(self) -> range:
        """Seeds of the training worlds.

        Raises:
            InputError: there are not so many.
        """
        if not 1 <= self.worlds <= len(TRAIN_WORLDS):
            raise InputError(f"--worlds is {self.worlds}; there are 1 to {len(TRAIN_WORLDS)}.")
        return TRAIN_WORLDS[: self.worlds]

    def _frontier(self) -> FrontierTiles:
        """Tiles of training worlds, rendered by the first process of each machine."""
        tiles = FrontierTiles(worlds=self.seeds, size_px=self.size_px, folder=self.cache)
        if int(os.environ.get("LOCAL_RANK", 0)) == 0:  # the others wait for it when they connect
            tiles.prepare(progress=True, processes=min(8, os.cpu_count() or 1))
        return tiles

    def _torchgeo(self) -> Source:
        parts = self.name.split(":")
        if len(parts) != 3:
            raise InputError(f"{self.name!r} has to read torchgeo:CLASS:FOLDER.")
        try:
            datasets: Any = import_module("torchgeo.datasets")
        except ImportError as error:
            raise MissingExtraError(
                "torchgeo is not installed; pip install 'rsedu[parity]' brings it."
            ) from error
        if not hasattr(datasets, parts[1]):
            raise InputError(f"torchgeo {datasets.__package__} has no data set {parts[1]!r}.")
        dataset = getattr(datasets, parts[1])(parts[2], bands=S2_BANDS, download=False)
        return TorchGeoTiles(
            dataset=dataset,
            bands=S2_BANDS,
            gsd_m=10.0,
            size_px=self.size_px,
            scale=self.scale,
            offset=self.offset,
        )


def steps_within(
    minutes: float, model: nn.Module, source: Source, config: TrainConfig, *, device: str = "auto"
) -> int:
    """How many steps fit into some minutes on this machine, measured.

    Raises:
        InputError: there are several processes, which would not agree on a number, or no time.
    """
    if not 0 < minutes < math.inf:
        raise InputError(f"minutes is {minutes:g}; wanted a number above 0.")
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError("Processes measure different times; give --steps and not --minutes.")
    seconds = time_per_step(model, source, config, steps=20, device=device)
    return max(1, int(60 * minutes / seconds))


@torch.no_grad()
def embed(
    model: nn.Module,
    tiles: Source,
    *,
    shrink: int,
    inputs: Mapping[str, str] = IMAGES,
    batch_size: int = 64,
) -> tuple[Float32[np.ndarray, "samples dim"], Float32[np.ndarray, "samples means"]]:
    """Features of every tile, and the band means that they have to beat.

    Args:
        model: with ``features``, which takes `inputs`; on the CPU.
        tiles: source of tiles.
        shrink: as in `Recipe.shrink`, of the image that the *encoder* sees.
        inputs: as in `Recipe.inputs`.
        batch_size: tiles at a time.

    Returns:
        (N, D) features and (N, C) mean of each standardised band that the model is given.
    """
    model.eval()
    features: Any = getattr(model, "features")  # noqa: B009  # nn.Module types it as a Tensor
    source = SelectInputs(Downsample(tiles, shrink) if shrink > 1 else tiles, inputs)
    vectors, means = [], []
    for start in range(0, len(tiles), batch_size):
        numbers = np.arange(start, min(start + batch_size, len(tiles)))
        batch = source.batch(numbers, numbers)
        vectors.append(features(**batch).numpy())
        images = [image.mean(dim=(2, 3)) for image in batch.values() if image.ndim == 4]
        means.append(torch.cat(images, dim=1).numpy())
    return np.concatenate(vectors), np.concatenate(means)


def knn_forest_share(
    model: nn.Module,
    tiles: FrontierTiles,
    *,
    shrink: int = 2,
    inputs: Mapping[str, str] = IMAGES,
) -> dict[str, float]:
    """KNN across worlds: how much forest is in a tile, in quarters of all tiles.

    The first half of the worlds is learnt from and sets the quarters, the second half is asked.

    Returns:
        Accuracies in [0, 1] of the features, of raw band means, and of the commonest quarter.
    """
    forest = np.stack([tiles.cover(index) for index in range(len(tiles))])[:, FOREST]
    half = len(tiles.worlds) // 2 * tiles.tiles_per_world
    labels = np.digitize(forest, np.quantile(forest[:half], (0.25, 0.5, 0.75)))
    features, means = embed(model, tiles, shrink=shrink, inputs=inputs)
    scores = {
        name: knn_accuracy(each[:half], labels[:half], each[half:], labels[half:])
        for name, each in (("features", features), ("band means", means))
    }
    return {**scores, "commonest quarter": chance_accuracy(labels[:half], labels[half:])}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the command; None leaves the recipe's own value.

    Attributes:
        name: of the recipe.
        data: tiles to train on.
        steps, batch_size, blr, seed: as in `TrainConfig`.
        minutes: choose the number of steps by the clock, measured at the start.
        device: "auto", "cpu", "cuda" or "mps".
        devices: processes on this machine.
        checkpoint: file to stop and go on from.
        save_as: name to write weights and card under.
        command: for the card.
    """

    name: str
    data: Data
    steps: int | None = None
    minutes: float | None = None
    batch_size: int | None = None
    blr: float | None = None
    seed: int = 0
    device: str = "auto"
    devices: int = 1
    checkpoint: Path | None = None
    save_as: str | None = None
    command: str = ""

    def source(self) -> Source:
        """Samples as the recipe's model takes them.

        Raises:
            InputError: the recipe makes its own tiles and others are asked for.
        """
        recipe = RECIPES[self.name]
        if recipe.own_tiles is None:
            return inputs_of(recipe, self.data.tiles(), turn=True, seed=self.seed)
        if self.data.name != "frontier":
            raise InputError(
                f"{self.name} needs the frontier's objects, not {self.data.name}: leave --data out."
            )
        return recipe.own_tiles(self.data.seeds, self.data.cache, self.seed)

    def config(self, model: nn.Module, source: Source) -> TrainConfig:
        """The recipe's settings with what was asked for; a checkpoint keeps its own length."""
        asked = {"steps": self.steps, "batch_size": self.batch_size, "blr": self.blr}
        given: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        config = _shortened(RECIPES[self.name].config, given.pop("steps", None))
        config = replace(config, seed=self.seed, **given)
        if self.minutes is None:
            return config
        if self.checkpoint is not None and self.checkpoint.exists():
            return read_checkpoint(self.checkpoint).config
        steps = steps_within(self.minutes, model, source, config, device=self.device)
        return _shortened(config, steps)


def _shortened(config: TrainConfig, steps: int | None) -> TrainConfig:
    """The same over other steps, of which the warm-up takes a tenth at most."""
    steps = config.steps if steps is None else steps
    return replace(config, steps=steps, warmup_steps=min(config.warmup_steps, steps // 10))


def _is_first_process() -> bool:
    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0


def run_recipe(request: Request) -> History:
    """Train as asked, then judge and save.

    Returns:
        The curve; `History.stopped_by` is set, and nothing is saved, when a signal ended it.
    """
    if request.save_as is not None:
        target(request.save_as)  # hours later would be too late to find that it can't be written
    recipe = RECIPES[request.name]
    source = request.source()
    torch.manual_seed(request.seed)
    model = recipe.build()
    config = request.config(model, source)
    history = train(
        model,
        source,
        config,
        checkpoint=request.checkpoint,
        resume=True,
        device=request.device,
        devices=request.devices,
        progress=True,
    )
    if request.save_as is not None and history.stopped_by is None and _is_first_process():
        model.cpu()
        save(recipe.product(model), request.save_as, _card(request, history, model))
    return history


def _card(request: Request, history: History, model: nn.Module) -> Card:
    metrics = {"loss, mean of the last 100 steps": float(history.losses[-100:].mean())}
    recipe, size_px = RECIPES[request.name], request.data.size_px
    if recipe.judge is not None:
        metrics |= recipe.judge(model, history.parts, VALIDATION_WORLDS, request.data.cache)
    elif request.data.name == "frontier":
        tiles = FrontierTiles(
            worlds=VALIDATION_WORLDS[:40], size_px=size_px, folder=request.data.cache
        )
        shrink = recipe.size_px // ENCODER_PX
        for name, accuracy in knn_forest_share(
            model, tiles, shrink=shrink, inputs=recipe.inputs
        ).items():
            metrics[f"kNN quarter of forest share on validation worlds, {name}"] = accuracy
    return Card(
        about=RECIPES[request.name].about,
        command=request.command,
        data=request.data.described(),
        inputs=", ".join(INPUTS[entry] for entry in RECIPES[request.name].inputs.values()),
        steps=len(history.steps),
        minutes=history.seconds / 60,
        hardware=_hardware(request.device),
        metrics=metrics,
    )


def _hardware(device: str) -> str:
    if pick_device(device).type != "cpu":
        return describe_device(device).reason
    count = torch.get_num_threads()
    return f"{count} {'thread' if count == 1 else 'threads'} of {platform.machine()}"


def _command() -> str:
    """What was typed; torchrun starts this module without the word pretrain."""
    typed = sys.argv[2:] if sys.argv[1:2] == ["pretrain"] else sys.argv[1:]
    return shlex.join(["rsedu", "pretrain", *typed])


@click.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@click.option(
    "--data",
    default="frontier",
    show_default=True,
    help="frontier (synthetic), a folder of GeoTIFFs, or torchgeo:CLASS:FOLDER.",
)
@click.option("--size", type=int, help="Side of a tile, pixels; the recipe's if left out.")
@click.option("--scale", default=1e-4, show_default=True, help="Reflectance per stored number.")
@click.option("--offset", default=0.0, show_default=True, help="Added after scaling.")
@click.option("--worlds", default=256, show_default=True, help="Synthetic worlds, up to 1000.")
@click.option("--cache", default=".rsedu/worlds", show_default=True, help="For rendered worlds.")
@click.option("--steps", type=int, help="Optimiser steps; the recipe's number if left out.")
@click.option("--minutes", type=float, help="Take as many steps as fit, measured at the start.")
@click.option("--batch-size", type=int, help="Samples per step over all processes.")
@click.option("--blr", type=float, help="Learning rate per 256 samples.")
@click.option("--seed", default=0, show_default=True, help="Of weights, order and masks.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--devices", default=1, show_default=True, help="Processes on this machine.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="File to go on from.")
@click.option("--save-as", help="Write weights and card under this name.")
def pretrain(
    data: str,
    size: int | None,
    scale: float,
    offset: float,
    worlds: int,
    cache: str,
    **options: Any,
) -> None:
    """Pre-train a model of the kit.

    Give --checkpoint: Ctrl-C keeps that file, and the same command goes on from it. On many GPUs:
    torchrun --nproc-per-node 8 -m rsedu.pretraining NAME ...
    """
    tiles = Data(
        name=data,
        size_px=size or RECIPES[options["name"]].size_px,
        scale=scale,
        offset=offset,
        worlds=worlds,
        cache=Path(cache),
    )
    try:
        history = run_recipe(Request(data=tiles, command=_command(), **options))
    except KeyboardInterrupt as stop:
        click.echo(f"Interrupted {stop}; nothing is kept without --checkpoint FILE.", err=True)
        raise SystemExit(130) from None
    if history.stopped_by is not None:
        click.echo(f"Stopped by {history.stopped_by} after {len(history.steps)} steps.", err=True)
        raise SystemExit(128 + signal.Signals[history.stopped_by])
    if not _is_first_process():
        return
    click.echo(
        f"{len(history.steps)} steps in {history.seconds / 60:.1f} minutes; "
        f"loss {history.losses[0]:.3f} at first, {history.losses[-100:].mean():.3f} at last."
    )
