"""Recipes: which model is pre-trained on what kind of tile, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

from torch import nn

from rsedu.pretraining.tile_sources import Downsample, RandomSymmetry, SelectInputs
from rsedu.scenes.bands import S2_BANDS
from rsedu.training.sampler import Source
from rsedu.training.settings import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one model of the kit is trained.

    `own` is the full name of a module with tiles of its own (`practice`), with what is saved of the
    trained model (`product`) and with numbers for its card (`evaluate`). None: any tiles do, the
    model is saved, and nearest neighbours of its features give the numbers.
    """

    model: str  # full name of its class, imported when first built
    settings: Mapping[str, Any] = field(default_factory=dict)  # of a class of that name + "Config"
    inputs: Mapping[str, str]  # argument of ``forward`` and of ``features`` -> entry of a tile
    size_px: int  # side of a tile
    shrink: int = 1  # pixels of a tile, along a side, that become one of what the model is given
    about: str
    config: TrainConfig  # of which the command's options replace single values
    own: str | None = None

    def build(self) -> nn.Module:
        """Make the model with fresh weights."""
        kind = resolve_name(self.model)
        config = [resolve_name(f"{self.model}Config")(**self.settings)] if self.settings else []
        model: nn.Module = kind(*config)
        return model

    def own_module(self) -> Any:
        """Import the module `own`."""
        return None if self.own is None else import_module(self.own)

    def inputs_of(self, tiles: Source, *, turn: bool, seed: int = 0) -> Source:
        """Tiles as the model takes them, turned and mirrored at random in training (`turn`)."""
        turned = RandomSymmetry(tiles, seed=seed) if turn else tiles
        shrunk = Downsample(turned, self.shrink) if self.shrink > 1 else turned
        return SelectInputs(shrunk, self.inputs)


ENCODER_PX = 64  # side of what every encoder sees
IMAGES = {"images": "optical", "gsd": "gsd"}
BOTH_SENSORS = {"radar": "radar", "optical": "optical"}
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
        model="rsedu.models.mae.MAE",
        settings={"channels": len(S2_BANDS)},
        inputs=IMAGES,
        size_px=128,
        shrink=2,
        about="Masked autoencoder on 12 optical bands; positions count patches, not metres.",
        config=_CONFIG,
    ),
    "scalemae": Recipe(
        model="rsedu.models.scalemae.ScaleMAE",
        settings={"channels": len(S2_BANDS)},
        inputs=IMAGES,
        size_px=128,
        about="Scale-MAE on 12 optical bands; positions are measured in metres by the GSD.",
        config=_CONFIG,
    ),
    "croma": Recipe(
        model="rsedu.models.croma_pretraining.CromaTraining",
        inputs=BOTH_SENSORS,
        size_px=64,
        about="CROMA on 2 radar and 12 optical bands: contrast and reconstruction, 1 to 1.",
        config=_CONFIG,
    ),
    "sam": Recipe(
        model="rsedu.segment.learning.model.SamTraining",
        inputs={"images": "colours"},
        size_px=128,
        about="A small SAM for one made-up kind of land: it finds plots of even colour, and knows "
        "nothing of buildings, cars, cats or whatever else the released SAM can tell.",
        # Of the three hundred worlds and 6600 steps, none was tuned: they fit into 80 minutes.
        config=TrainConfig(
            steps=6600, batch_size=4, blr=1e-3 * 256 / 4, warmup_steps=200, weight_decay=0.05
        ),
        own="rsedu.segment.learning",
    ),
    "croma-base": Recipe(
        model="rsedu.models.croma_pretraining.CromaTraining",
        settings={
            **{"dim": 768, "heads": 16, "optical_depth": 12, "radar_depth": 6, "joint_depth": 6},
            **{"decoder_dim": 512, "decoder_heads": 8},
        },
        inputs=BOTH_SENSORS,
        size_px=120,
        about="CROMA as large as the published base model, for many GPUs; never run by the kit.",
        config=TrainConfig(
            steps=100_000, batch_size=4096, blr=1.5e-4, warmup_steps=5000, weight_decay=0.05
        ),
    ),
}
