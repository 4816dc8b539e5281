"""SAM, segment anything that is pointed at: the kit's own small one offline, or a released one.

Through the classes of `segment_anything`: one word changes the model, ``load("vit_b")``.
"""

import math
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import UInt8
from segment_anything import SamAutomaticMaskGenerator, sam_model_registry
from segment_anything.modeling import Sam

from rsedu.device import pick_device
from rsedu.errors import BrokenDataError, InputError, MissingDataError
from rsedu.io.http import download
from rsedu.models import weights
from rsedu.models.published import load_tensors
from rsedu.scenes.colours import rgb
from rsedu.scenes.scene import Scene
from rsedu.segment.embedding import EAGER, Embedded
from rsedu.segment.tiles import tiling

Name = Literal["tiny", "vit_b", "vit_l", "vit_h"]
TINY = "sam-tiny"  # in rsedu.models.weights
FOLDER = Path(".rsedu") / "sam"  # of downloads and embeddings
BASE = "https://dl.fbaipublicfiles.com/segment_anything/"
#: The end of each name is the beginning of the file's SHA-256.
FILES = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}

#: Pixels of a tile, for each pixel of what the model sees. The small model learnt on tiles that
#: were doubled; a released one sees small things better enlarged, too.
_SHOWN_PER_PIXEL = 2
_OVERLAP = 4  # a tile shares a quarter of its side with the next


class FallbackWarning(UserWarning):
    """Another model than the one that was asked for is used."""


def _pixels(image: Scene | np.ndarray, bands: tuple[str, str, str]) -> np.ndarray:
    """Red, green and blue of a scene, or of an image that holds just these."""
    pixels = rgb(image, bands=bands) if isinstance(image, Scene) else np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise InputError(
            f"An image of {pixels.dtype} {pixels.shape}; wanted uint8 (rows, cols, 3), or a Scene."
        )
    return pixels


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmenter:
    """A SAM that is ready for images.

    Attributes:
        name: of `load`; "tiny" also where it stands in for another.
        model: a `segment_anything` Sam in evaluation mode.
        weights: what tells these weights from others.
        cache: folder for embeddings; None keeps none.
    """

    name: str
    model: Sam
    weights: str
    cache: Path | None = None
    _lock: Any = field(default_factory=threading.RLock)

    @property
    def tile_px(self) -> int:
        """Side of the tiles that a larger image is cut into, pixels of the image."""
        return int(self.model.image_encoder.img_size) // _SHOWN_PER_PIXEL

    def embed(
        self,
        image: Scene | UInt8[np.ndarray, "rows cols 3"],
        *,
        bands: tuple[str, str, str] = ("B04", "B03", "B02"),
        tile_px: int | None = None,
        closer: bool = True,
    ) -> Embedded:
        """Run the image encoder: the slow half, once; clicks are the fast one.

        Args:
            image: a scene, or red, green and blue.
            bands: of a scene, for red, green and blue; each is stretched by its own percentiles.
            tile_px: side of a tile; None: `tile_px`. An image that is no larger is one tile.
            closer: answer prompts for small objects in a part of the image round them, enlarged
                and embedded when it is asked for.

        Of more than 64 tiles each is embedded when it is first needed.

        Raises:
            InputError: a band is missing, the image is another, or a tile below 16 px.
        """
        pixels = _pixels(image, bands)
        side = self.tile_px if tile_px is None else tile_px
        if side < 16:
            raise InputError(f"tile_px is {side}; wanted 16 or more.")
        shape = (pixels.shape[0], pixels.shape[1])
        embedded = Embedded(
            image=pixels,
            tiles=tiling(shape, side_px=side, overlap_px=side // _OVERLAP),
            model=self.model,
            weights=self.weights,
            cache=self.cache,
            grid=image.grid if isinstance(image, Scene) else None,
            closer=closer,
            lock=self._lock,
        )
        if len(embedded.tiles) <= EAGER:
            embedded.prepare(embedded.tiles)
        return embedded

    def everything(
        self,
        image: Scene | UInt8[np.ndarray, "rows cols 3"],
        *,
        bands: tuple[str, str, str] = ("B04", "B03", "B02"),
        points_per_side: int = 16,
        least_iou: float = 0.7,
        least_stability: float = 0.8,
        **settings: Any,
    ) -> list[dict[str, Any]]:
        """Segment without a prompt: click a grid of points, keep what is good and new.

        A larger image is also looked at in overlapping crops, as often halved as it takes to come
        down to `tile_px`, or until the grid has a single point.

        Args:
            image: as for `embed`, like its bands.
            bands: of a scene.
            points_per_side: of the grid.
            least_iou: predicted IoU from which a mask is kept.
            least_stability: IoU of the masks at logits +1 and -1 from which it is kept.
            **settings: more of `SamAutomaticMaskGenerator`.

        Returns:
            One record per mask, the largest first: "segmentation" (rows, cols) bool, "area" in
            pixels, "bbox" (left, top, width, height), "predicted_iou", "stability_score",
            "point_coords", "crop_box".
        """
        if points_per_side < 1:
            raise InputError(f"points_per_side is {points_per_side}; wanted 1 or more.")
        pixels = _pixels(image, bands)
        halvings = math.ceil(math.log2(max(1.0, max(pixels.shape[:2]) / self.tile_px)))
        # With each halving the grid has half as many points a side, and the last has one at least.
        layers = min(halvings, int(math.log2(points_per_side)))
        chosen = {"crop_n_layers": layers, "crop_n_points_downscale_factor": 2, **settings}
        generator = SamAutomaticMaskGenerator(
            self.model,
            points_per_side=points_per_side,
            pred_iou_thresh=least_iou,
            stability_score_thresh=least_stability,
            **chosen,
        )
        with self._lock, torch.inference_mode():
            try:
                records: list[dict[str, Any]] = generator.generate(pixels)
            except IndexError:  # of the package, where crops were asked for and none has a mask
                if not chosen["crop_n_layers"]:
                    raise
                return []
        return sorted(records, key=lambda record: -int(record["area"]))


def load_tiny(name: str = TINY, *, device: str = "auto", cache: Path | None = None) -> Segmenter:
    """Load a small SAM by the name of its weights, the kit's or your own.

    Raises:
        MissingDataError, BrokenDataError: as `models.weights.load`.
    """
    model = weights.load(name).to(pick_device(device))
    digest = weights.read_card(name).sha256
    shown = "tiny" if name == TINY else name
    return Segmenter(name=shown, model=model, weights=digest, cache=cache)


def _digest(file: str) -> str:
    """First digits of a file's SHA-256, which its name ends in."""
    return Path(file).stem.rpartition("_")[2]


def _released(name: Name, path: Path, device: str, cache: Path | None) -> Segmenter:
    model = sam_model_registry[name](checkpoint=None)
    try:
        model.load_state_dict(load_tensors(path))
    except RuntimeError as error:
        raise BrokenDataError(
            f"{path} holds other tensors than SAM {name}: delete it and load again."
        ) from error
    model = model.eval().to(pick_device(device))
    return Segmenter(name=name, model=model, weights=_digest(path.name), cache=cache)


def load(
    name: Name = "tiny",
    *,
    folder: Path = FOLDER,
    cache: Path | None = None,
    device: str = "auto",
    base: str = BASE,
) -> Segmenter:
    """Load a model that segments what it is pointed at.

    Args:
        name: "tiny" comes with the kit. "vit_b" (375 MB), "vit_l" (1.25 GB) and "vit_h"
            (2.56 GB), Apache-2.0, are downloaded when first asked for; without a network "tiny"
            stands in for them, and a `FallbackWarning` says so.
        folder: of downloads.
        cache: folder where embeddings are kept; worth it for the released models, which need
            seconds for one. None: none are kept.
        device: "auto", "cpu", "cuda" or "mps".
        base: address that weights are fetched from.

    Raises:
        InputError: there is no model of this name.
        BrokenDataError: a file of weights is not what it should be.
    """
    if name == "tiny":
        return load_tiny(device=device, cache=cache)
    if name not in FILES:
        raise InputError(f"There is no SAM {name!r}; wanted tiny, {', '.join(FILES)}.")
    file = FILES[name]
    try:
        path = download(base + file, folder / file, digest=f"sha256:{_digest(file)}")
    except MissingDataError as error:
        warnings.warn(
            f"SAM {name} could not be downloaded, so the small model 'tiny' is used instead: "
            f"expect rougher masks, and only of land like that it was trained on. ({error})",
            FallbackWarning,
            stacklevel=2,
        )
        return load_tiny(device=device, cache=cache)
    return _released(name, path, device, cache)
