"""Canvas widget: the half that lives in the kernel, and what crosses to canvas.js, the other."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import PIL.Image
import traitlets
from jaxtyping import Bool, UInt8

_HERE = Path(__file__).parent
_PARTS = ("masks.js", "marks.js", "canvas.js")  # anywidget takes one module, and the last exports
#: Pixels on the longer side of what is sent; larger scenes are shown scaled down.
MOST_PX = 1024
#: Up to here a picture is sent without loss; beyond, it would take megabytes.
LOSSLESS_PX = 512


def shown_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """(rows, cols) of the picture that is sent: at most MOST_PX on a side."""
    scale = min(1.0, MOST_PX / max(shape))
    rows, cols = (max(1, round(size * scale)) for size in shape)
    return rows, cols


def picture(colours: UInt8[np.ndarray, "rows cols 3"]) -> tuple[bytes, str]:
    """Encode a picture, scaled down to `shown_shape`: the file's bytes and its MIME type."""
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

    A shown pixel is set where at least half of what it stands for is. Row by row without gaps, the
    first pixel in the highest bit; empty if no bit is set.
    """
    shape = shown_shape((mask.shape[0], mask.shape[1]))
    if shape != mask.shape:
        grey = PIL.Image.fromarray(mask.astype(np.uint8) * 255)
        size = (shape[1], shape[0])
        mask = np.asarray(grey.resize(size, PIL.Image.Resampling.BOX)) >= 128
    return np.packbits(mask).tobytes() if mask.any() else b""


class Canvas(anywidget.AnyWidget):
    """A picture with masks and prompts drawn over it, and what the user did to it.

    `events` is written by the browser alone: each click, drag or key is one, with a number. The
    kernel answers with the number of the last one taken (`taken`), the new `prompts` and masks,
    and at last a new `seq`, all in one message. So no event is lost while the kernel is busy, and
    no old answer undoes a new click.

    Attributes:
        picture: file of the image, of type `picture_type`.
        cols: of the scene; events count in its pixels, whatever the size of the picture.
        rows: of the scene.
        width_px: of the picture in the page, where there is room.
        events: {"id": 1, "do": "point", ...}, those that were not taken when the last came.
        taken: number of the last event that is in the state.
        prompts: clicks and boxes to draw, in the form of events.
        mask: bits of the mask at hand, see `packed`; empty for none.
        kept: bits of all kept masks together.
        mask_cols: of both.
        mask_rows: of both.
        seq: changes with each answer.
        label: class of what is kept, in the browser before it reaches the kernel.
        sign: 0 when a click is positive, 1 when it is negative.
        opacity: of the masks' fill, 0 to 1; their outlines stay.
        status: one sentence on the mask.
        error: what went wrong last; empty if nothing.
    """

    _esm = "\n".join((_HERE / part).read_text(encoding="utf-8") for part in _PARTS)
    _css = _HERE / "canvas.css"

    picture = traitlets.Bytes().tag(sync=True)
    picture_type = traitlets.Unicode("image/png").tag(sync=True)
    cols = traitlets.Int(1).tag(sync=True)
    rows = traitlets.Int(1).tag(sync=True)
    width_px = traitlets.Int(640).tag(sync=True)
    events: traitlets.List[Mapping[str, Any]] = traitlets.List().tag(sync=True, echo_update=False)
    taken = traitlets.Int(0).tag(sync=True)
    prompts: traitlets.List[Mapping[str, Any]] = traitlets.List().tag(sync=True)
    mask = traitlets.Bytes().tag(sync=True)
    kept = traitlets.Bytes().tag(sync=True)
    mask_cols = traitlets.Int(1).tag(sync=True)
    mask_rows = traitlets.Int(1).tag(sync=True)
    seq = traitlets.Int(0).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    sign = traitlets.Int(0).tag(sync=True)
    opacity = traitlets.Float(0.4).tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        return f"Canvas({self.rows} x {self.cols} px)"
