"""Recipes: which model is trained on what kind of tile, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from rsedu.pretraining.tile_sources import Downsample, RandomSymmetry, SelectInputs
from rsedu.scenes.bands import S2_BANDS
from rsedu.training.sampler import Source
from rsedu.training.settings import TrainConfig


def _mae() -> nn.Module:
    from rsedu.models.mae import MAE, MAEConfig

    return MAE(MAEConfig(channels=len(S2_BANDS)))


def _scalemae() -> nn.Module:
    from rsedu.models.scalemae import ScaleMAE, ScaleMAEConfig

    return ScaleMAE(ScaleMAEConfig(channels=len(S2_BANDS)))


def _croma() -> nn.Module:
    from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig

    return CromaTraining(CromaTrainingConfig())


def _croma_base() -> nn.Module:
    """The widths, depths and heads of the published base model."""
    from rsedu.models.croma_pretraining import CromaTraining, CromaTrainingConfig

    config = CromaTrainingConfig(
        dim=768,
        heads=16,
        optical_depth=12,
        radar_depth=6,
        joint_depth=6,
        decoder_dim=512,
        decoder_heads=8,
    )
    return CromaTraining(config)


def _sam() -> nn.Module:
    from rsedu.segment.learning.model import SamTraining

    return SamTraining()


def _sam_tiles(worlds: range, folder: Path, seed: int) -> Source:
    from rsedu.segment.learning.dataset import practice

    return practice(worlds, folder, seed)


def _sam_product(model: nn.Module) -> nn.Module:
    from rsedu.segment.learning.model import product

    return product(model)


def _sam_judge(
    model: nn.Module, parts: Mapping[str, np.ndarray], worlds: range, folder: Path
) -> dict[str, float]:
    from rsedu.segment.learning.evaluation import evaluate

    return evaluate(model, parts, worlds, folder)


def _itself(model: nn.Module) -> nn.Module:
    return model


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one model of the kit is trained.

    Attributes:
        build: makes it with fresh weights.
        inputs: argument of ``forward`` and of ``features`` -> entry of a tile.
        size_px: side of a tile.
        shrink: tile pixels that become one pixel of what the model is given, along each side.
        about: for the card.
        config: what shapes the curve; the command's options replace single values.
        own_tiles: makes a source of its own from worlds, a folder and a seed; None: any tiles do.
        product: what is saved of the trained model.
        judge: numbers for the card from the trained model, the curve, validation worlds and the
            folder of rendered tiles; None: nearest neighbours of its features.
    """

    build: Callable[[], nn.Module]
    inputs: Mapping[str, str]
    size_px: int
    shrink: int
    about: str
    config: TrainConfig
    own_tiles: Callable[[range, Path, int], Source] | None = None
    product: Callable[[nn.Module], nn.Module] = _itself
    judge: Callable[[nn.Module, Mapping[str, np.ndarray], range, Path], dict[str, float]] | None = (
        None
    )


ENCODER_PX = 64  # side of what every encoder sees
IMAGES = {"images": "optical", "gsd": "gsd"}
INPUTS = {
    "optical": "12 bands of Sentinel-2 in CROMA's order (surface reflectance, standardised by "
    "rsedu.scenes.tensors)",
    "radar": "VV and VH of Sentinel-1 (dB, standardised likewise)",
    "gsd": "the GSD in metres per pixel",
    "colours": "any three bands, or one thrice, as 8-bit colours by rsedu.scenes.colours",
}
_CONFIG = TrainConfig(steps=20_000, batch_size=64, blr=4e-3, warmup_steps=500, weight_decay=0.05)

#: All but croma-base see 8 x 8 patches of 8 pixels. MAE and Scale-MAE have the same tiles: what
#: Scale-MAE is given is twice as fine, since it shrinks its input itself and rebuilds the fine
#: image. CROMA's are rendered at their size, since decibels must not be averaged.
RECIPES = {
    "mae": Recipe(
        build=_mae,
        inputs=IMAGES,
        size_px=128,
        shrink=2,
        about="Masked autoencoder on 12 optical bands; positions count patches, not metres.",
        config=_CONFIG,
    ),
    "scalemae": Recipe(
        build=_scalemae,
        inputs=IMAGES,
        size_px=128,
        shrink=1,
        about="Scale-MAE on 12 optical bands; positions are measured in metres by the GSD.",
        config=_CONFIG,
    ),
    "croma": Recipe(
        build=_croma,
        inputs={"radar": "radar", "optical": "optical"},
        size_px=64,
        shrink=1,
        about="CROMA on 2 radar and 12 optical bands: contrast and reconstruction, 1 to 1.",
        config=_CONFIG,
    ),
    "sam": Recipe(
        build=_sam,
        inputs={"images": "colours"},
        size_px=128,
        shrink=1,
        about="A small SAM for one made-up kind of land: it finds plots of even colour, and knows "
        "nothing of buildings, cars, cats or whatever else the released SAM can tell.",
        # Of the three hundred worlds and 6600 steps, none was tuned: they fit into 80 minutes.
        config=TrainConfig(
            steps=6600, batch_size=4, blr=1e-3 * 256 / 4, warmup_steps=200, weight_decay=0.05
        ),
        own_tiles=_sam_tiles,
        product=_sam_product,
        judge=_sam_judge,
    ),
    "croma-base": Recipe(
        build=_croma_base,
        inputs={"radar": "radar", "optical": "optical"},
        size_px=120,
        shrink=1,
        about="CROMA as large as the published base model, for many GPUs; never run by the kit.",
        config=TrainConfig(
            steps=100_000, batch_size=4096, blr=1.5e-4, warmup_steps=5000, weight_decay=0.05
        ),
    ),
}


def inputs_of(recipe: Recipe, tiles: Source, *, turn: bool, seed: int = 0) -> Source:
    """Tiles as the model of a recipe takes them.

    Args:
        recipe: names and pixel size.
        tiles: source of tiles.
        turn: turn and mirror them at random, as in training.
        seed: of the turns.
    """
    turned = RandomSymmetry(tiles, seed=seed) if turn else tiles
    shrunk = Downsample(turned, recipe.shrink) if recipe.shrink > 1 else turned
    return SelectInputs(shrunk, recipe.inputs)
