"""Pre-training command: a recipe on some data for some time gives weights with a card.

On a laptop and under ``torchrun -m rsedu.pretraining`` it is the same run: the batch size counts
over all processes.
"""

import math
import os
import platform
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import click
import torch
from torch import nn

from rsedu.device import describe_device, pick_device
from rsedu.errors import InputError
from rsedu.models.weights import Card, save, target
from rsedu.pretraining.features import knn_forest_share
from rsedu.pretraining.recipes import ENCODER_PX, INPUTS, RECIPES, Recipe
from rsedu.pretraining.tile_sources import GeoTiffTiles
from rsedu.synthetic.tiles import TRAIN_WORLDS, VALIDATION_WORLDS, FrontierTiles
from rsedu.training.loop import History, time_per_step, train
from rsedu.training.sampler import Source
from rsedu.training.settings import TrainConfig, read_checkpoint


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the command: `name` of the recipe, and a field for each option, with its help.

    None leaves the recipe's own value.
    """

    name: str
    data: Annotated[str, "frontier (synthetic), or a folder of GeoTIFFs."] = "frontier"
    size: Annotated[int | None, "Side of a tile, pixels; the recipe's if left out."] = None
    scale: Annotated[float, "Reflectance per stored number."] = 1e-4
    offset: Annotated[float, "Added after scaling."] = 0.0
    worlds: Annotated[int, "Synthetic worlds, up to 1000."] = 256
    cache: Annotated[Path, "Folder for rendered worlds."] = Path(".rsedu/worlds")
    steps: Annotated[int | None, "Optimiser steps; the recipe's number if left out."] = None
    minutes: Annotated[float | None, "Take as many steps as fit, measured at the start."] = None
    batch_size: Annotated[int | None, "Samples per step over all processes."] = None
    blr: Annotated[float | None, "Learning rate per 256 samples."] = None
    seed: Annotated[int, "Seed of weights, order and masks."] = 0
    device: Annotated[str, "auto, cpu, cuda or mps."] = "auto"
    devices: Annotated[int, "Processes on this machine."] = 1
    checkpoint: Annotated[Path | None, "File to go on from."] = None
    save_as: Annotated[str | None, "Write weights and card under this name."] = None

    @property
    def recipe(self) -> Recipe:
        """The recipe of that name."""
        return RECIPES[self.name]

    @property
    def size_px(self) -> int:
        """Side of a tile."""
        return self.size or self.recipe.size_px

    @property
    def seeds(self) -> range:
        """Seeds of the training worlds."""
        if not 1 <= self.worlds <= len(TRAIN_WORLDS):
            raise InputError(f"--worlds is {self.worlds}; there are 1 to {len(TRAIN_WORLDS)}.")
        return TRAIN_WORLDS[: self.worlds]

    def tiles(self) -> Source:
        """Open the source of tiles; the first process of each machine renders missing worlds."""
        if self.data == "frontier":
            tiles = FrontierTiles(worlds=self.seeds, size_px=self.size_px, folder=self.cache)
            if int(os.environ.get("LOCAL_RANK", 0)) == 0:  # the others wait when they connect
                tiles.prepare(progress=True, processes=min(8, os.cpu_count() or 1))
            return tiles
        if Path(self.data).is_dir():
            folder, scale, offset = Path(self.data), self.scale, self.offset
            return GeoTiffTiles(folder=folder, size_px=self.size_px, scale=scale, offset=offset)
        raise InputError(
            f"--data {self.data} is no folder; give frontier or a folder of GeoTIFFs. "
            "Data sets of torchgeo, and any other of torch, train from Python: four lines in "
            "help('rsedu.pretraining.tile_sources.DatasetTiles')."
        )

    def source(self) -> Source:
        """Samples as the recipe's model takes them."""
        if self.recipe.own is None:
            return self.recipe.inputs_of(self.tiles(), turn=True, seed=self.seed)
        if self.data != "frontier":
            raise InputError(
                f"{self.name} needs the frontier's objects, not {self.data}: leave --data out."
            )
        source: Source = self.recipe.own_module().practice(self.seeds, self.cache, self.seed)
        return source

    def config(self, model: nn.Module, source: Source) -> TrainConfig:
        """The recipe's settings with what was asked for; a checkpoint keeps its own length."""
        values = {"seed": self.seed, "batch_size": self.batch_size, "blr": self.blr}
        given: Any = {name: value for name, value in values.items() if value is not None}
        config = replace(_shortened(self.recipe.config, self.steps), **given)
        if self.minutes is None:
            return config
        if self.checkpoint is not None and self.checkpoint.exists():
            return read_checkpoint(self.checkpoint).config
        if not 0 < self.minutes < math.inf:
            raise InputError(f"minutes is {self.minutes:g}; wanted a number above 0.")
        if int(os.environ.get("WORLD_SIZE", 1)) > 1:
            raise InputError("Processes measure different times; give --steps and not --minutes.")
        seconds = time_per_step(model, source, config, steps=20, device=self.device)
        return _shortened(config, max(1, int(60 * self.minutes / seconds)))


def _shortened(config: TrainConfig, steps: int | None) -> TrainConfig:
    """The same over other steps, of which the warm-up takes a tenth at most."""
    steps = config.steps if steps is None else steps
    return replace(config, steps=steps, warmup_steps=min(config.warmup_steps, steps // 10))


def _is_first_process() -> bool:
    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0


def run_recipe(request: Request, *, command: str = "") -> History:
    """Train as asked, then evaluate and save, unless a signal ended the run (`History.stopped_by`).

    The card says how to do it again: by `command`.
    """
    if request.save_as is not None:
        target(request.save_as)  # hours later would be too late to find that it can't be written
    source = request.source()
    torch.manual_seed(request.seed)
    model = request.recipe.build()
    history = train(
        model,
        source,
        request.config(model, source),
        checkpoint=request.checkpoint,
        resume=True,
        device=request.device,
        devices=request.devices,
        progress=True,
    )
    if request.save_as is not None and history.stopped_by is None and _is_first_process():
        own = request.recipe.own_module()
        product = model.cpu() if own is None else own.product(model.cpu())
        save(product, request.save_as, _card(request, history, model, command))
    return history


def _card(request: Request, history: History, model: nn.Module, command: str) -> Card:
    recipe, data = request.recipe, request.data
    if data == "frontier":
        first, last = request.seeds[0], request.seeds[-1]
        data = f"synthetic frontier, worlds {first} to {last}, tiles of {request.size_px} px"
    return Card(
        about=recipe.about,
        command=command,
        data=data,
        inputs=", ".join(INPUTS[entry] for entry in recipe.inputs.values()),
        steps=len(history.steps),
        minutes=history.seconds / 60,
        hardware=_hardware(request.device),
        metrics={
            "loss, mean of the last 100 steps": float(history.losses[-100:].mean()),
            **_metrics(request, history, model),
        },
    )


def _metrics(request: Request, history: History, model: nn.Module) -> dict[str, float]:
    """Numbers of the trained model on validation worlds."""
    recipe, cache = request.recipe, request.cache
    if recipe.own is not None:
        return dict(recipe.own_module().evaluate(model, history.parts, VALIDATION_WORLDS, cache))
    if request.data != "frontier":
        return {}
    worlds, shrink = VALIDATION_WORLDS[:40], recipe.size_px // ENCODER_PX
    tiles = FrontierTiles(worlds=worlds, size_px=request.size_px, folder=cache)
    scores = knn_forest_share(model, tiles, shrink=shrink, inputs=recipe.inputs)
    label = "kNN quarter of forest share on validation worlds"
    return {f"{label}, {name}": accuracy for name, accuracy in scores.items()}


def _hardware(device: str) -> str:
    if pick_device(device).type != "cpu":
        return describe_device(device).reason
    count = torch.get_num_threads()
    return f"{count} {'thread' if count == 1 else 'threads'} of {platform.machine()}"


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of `Request` that has a help text."""
    hints = get_type_hints(Request, include_extras=True)
    for item in reversed(fields(Request)[1:]):
        annotated, text = get_args(hints[item.name])
        kind = (get_args(annotated) or (annotated,))[0]  # of "int | None", int
        command = click.option(
            f"--{item.name.replace('_', '-')}",
            type=click.Path(path_type=Path) if kind is Path else kind,
            default=item.default,
            show_default=item.default is not None,
            help=text,
        )(command)
    return command


@click.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@_options
def pretrain(**options: Any) -> None:
    """Pre-train a model of the kit.

    Give --checkpoint: Ctrl-C keeps that file, and the same command goes on from it. On many GPUs:
    torchrun --nproc-per-node 8 -m rsedu.pretraining NAME ...
    """
    # torchrun starts this without the word pretrain.
    typed = sys.argv[2:] if sys.argv[1:2] == ["pretrain"] else sys.argv[1:]
    command = shlex.join(["rsedu", "pretrain", *typed])
    try:
        history = run_recipe(Request(**options), command=command)
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
