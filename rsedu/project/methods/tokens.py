"""Frozen tokens of a window of any size, and a linear head that turns them back into pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float32
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn import functional as F

PATCH_PX = 8  # of the kit's small encoders
_BATCH = 32  # tiles that go through an encoder together
_STRENGTH = 100.0  # of the penalty on the head's weights; the tokens are about 1 in size


def tokens(
    encode: Callable[..., Tensor],
    *images: Float32[Tensor, "images _ rows cols"],
    side_px: int,
) -> Float32[np.ndarray, "images tokenrows tokencols dim"]:
    """Run images of any size through an encoder, tile by tile.

    Args:
        encode: as many batches of square tiles as there are images -> (tiles, tokens, dim), row by
            row, without a class token.
        *images: (N, C, R, W) of one sensor each, standardised; grown at the south and east edge
            until whole tiles fill them.
        side_px: of a tile, as the encoder learnt; whole patches.

    Returns:
        One token per patch that holds a pixel, with the patches from the north-west.
    """
    count, _, rows, cols = images[0].shape
    down, over = -(-rows // side_px), -(-cols // side_px)
    pad = (0, over * side_px - cols, 0, down * side_px - rows)
    tiles = [
        rearrange(
            F.pad(image, pad, mode="replicate"),
            "n c (down y) (over x) -> (n down over) c y x",
            down=down,
            over=over,
        )
        for image in images
    ]
    with torch.inference_mode():
        found = [
            encode(*(each[start : start + _BATCH] for each in tiles))
            for start in range(0, len(tiles[0]), _BATCH)
        ]
    grid = rearrange(
        torch.cat(found),
        "(n down over) (y x) dim -> n (down y) (over x) dim",
        n=count,
        down=down,
        y=side_px // PATCH_PX,
    )
    needed = grid[:, : -(-rows // PATCH_PX), : -(-cols // PATCH_PX)]
    return np.asarray(needed.float().numpy(), dtype=np.float32)


def patches_of(plane: Float32[np.ndarray, "rows cols"]) -> Float32[np.ndarray, "patches pixels"]:
    """Pixels of each patch, row by row; the edge's pixels fill the last patches."""
    rows, cols = plane.shape
    filled = np.pad(plane, ((0, -rows % PATCH_PX), (0, -cols % PATCH_PX)), mode="edge")
    cut: np.ndarray = rearrange(
        filled, "(down y) (over x) -> (down over) (y x)", y=PATCH_PX, x=PATCH_PX
    )
    return cut


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """A ridge regression from a patch's tokens to each of its pixels.

    Attributes:
        head: of scikit-learn, fitted.
    """

    head: Ridge

    @classmethod
    def fit(
        cls,
        features: Float32[np.ndarray, "patches dim"],
        targets: Float32[np.ndarray, "patches pixels"],
    ) -> "Probe":
        """Learn from patches.

        Args:
            features: tokens, several of one patch side by side.
            targets: what each of the patch's pixels is, 0 to 1, as `patches_of` orders them.
        """
        return cls(head=Ridge(alpha=_STRENGTH).fit(features, targets))

    def read(
        self, features: Float32[np.ndarray, "tokenrows tokencols dim"], shape: tuple[int, int]
    ) -> Float32[np.ndarray, "rows cols"]:
        """Turn the tokens of a window into its pixels.

        Args:
            features: as in `fit`, with a row and a column for each patch.
            shape: (rows, cols) of the window, as many pixels as the patches have or fewer.

        Returns:
            About 0 to 1; not clipped.
        """
        flat = self.head.predict(rearrange(features, "down over dim -> (down over) dim"))
        plane = rearrange(
            flat, "(down over) (y x) -> (down y) (over x)", down=len(features), y=PATCH_PX
        )
        return np.asarray(plane[: shape[0], : shape[1]], dtype=np.float32)
