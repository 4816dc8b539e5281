"""What crosses to the browser: the picture of a scene, and masks of one bit per pixel."""

import io

import numpy as np
import PIL.Image
from jaxtyping import Bool, UInt8

#: Pixels on the longer side of what is sent; larger scenes are shown scaled down.
MOST_PX = 1024
#: Up to here a picture is sent without loss; beyond, it would take megabytes.
LOSSLESS_PX = 512


def shown_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """(rows, cols) of the picture sent for a scene of `shape`: at most MOST_PX on a side."""
    scale = min(1.0, MOST_PX / max(shape))
    rows, cols = (max(1, round(size * scale)) for size in shape)
    return rows, cols


def picture(colours: UInt8[np.ndarray, "rows cols 3"]) -> tuple[bytes, str]:
    """Encode a picture.

    Args:
        colours: red, green, blue, 0 to 255.

    Returns:
        The file's bytes, scaled down to `shown_shape`, and its MIME type.
    """
    rows, cols = shown_shape(colours.shape[:2])
    image = PIL.Image.fromarray(colours).resize((cols, rows), PIL.Image.Resampling.BOX)
    file = io.BytesIO()
    if max(rows, cols) <= LOSSLESS_PX:
        image.save(file, "png", compress_level=6)
        return file.getvalue(), "image/png"
    image.save(file, "jpeg", quality=92, subsampling=0)
    return file.getvalue(), "image/jpeg"


def packed(mask: Bool[np.ndarray, "rows cols"]) -> bytes:
    """Pack a mask, scaled to `shown_shape`, into one bit per pixel.

    A shown pixel is set where at least half of what it stands for is.

    Returns:
        Row by row without gaps, the first pixel in the highest bit; empty if no bit is set.
    """
    shape = shown_shape((mask.shape[0], mask.shape[1]))
    if shape != mask.shape:
        grey = PIL.Image.fromarray(mask.astype(np.uint8) * 255)
        size = (shape[1], shape[0])
        mask = np.asarray(grey.resize(size, PIL.Image.Resampling.BOX)) >= 128
    return np.packbits(mask).tobytes() if mask.any() else b""
