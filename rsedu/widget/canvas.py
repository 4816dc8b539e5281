"""The half of the canvas that lives in the kernel; canvas.js is the other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent
_PARTS = ("masks.js", "marks.js", "canvas.js")  # anywidget takes one module, and the last exports


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
        mask: bits of the mask at hand, see `rsedu.widget.display.packed`; empty for none.
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
