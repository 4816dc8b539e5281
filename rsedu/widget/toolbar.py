"""Buttons and fields round the canvas."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets

SIGNS = ("+ object", "\u2212 background")
NO_MASKS = ("1", "2", "3")
NAME_PX = 64  # of what stands before each row


def _button(text: str, says: str) -> Any:
    layout = ipywidgets.Layout(width="76px")
    return ipywidgets.Button(description=text, tooltip=says, layout=layout)


def _choice(options: Sequence[str], says: Sequence[str], width: str) -> Any:
    made = ipywidgets.ToggleButtons(options=options, tooltips=says)
    made.style.button_width = width
    made.layout.width = "auto"
    return made


class Toolbar:
    """Three rows of controls. It knows nothing of masks; the prompter listens to what is public.

    Attributes:
        sign: whether a click is on the object (index 0) or on the background (1).
        masks: which of the masks is shown.
        undo: button.
        clear: button.
        label: field for the class of what is kept.
        keep: button.
        export: button.
        opacity: slider, 0 to 1.
        rows: to be put above the canvas.
    """

    def __init__(self, *, label: str, opacity: float) -> None:
        self.sign = _choice(SIGNS, ("A click is on the object", "A click is beside it"), "116px")
        self.masks = _choice(NO_MASKS, ("Mask 1", "Mask 2", "Mask 3"), "76px")
        self.undo = _button("Undo", "Take the last step back (U)")
        self.clear = _button("Clear", "Forget clicks and boxes (Escape)")
        self.label = ipywidgets.Text(value=label, description="Keep as")
        self.label.layout.width = f"{NAME_PX + 240}px"
        self.label.style.description_width = f"{NAME_PX - 4}px"  # its own margin
        self.keep = _button("Keep", "Finish this object (K)")
        self.export = _button("Export", "Write GeoJSON and GeoTIFF (E)")
        self.opacity = ipywidgets.FloatSlider(
            value=opacity, min=0.0, max=1.0, step=0.05, description="Opacity", readout=False
        )
        self.opacity.layout.width = "162px"
        self.opacity.style.description_width = "52px"
        self.rows = (
            _row(_name("Click on"), self.sign, self.undo, self.clear),
            _row(_name("Mask, IoU"), self.masks, self.opacity),
            _row(self.label, self.keep, self.export),
        )
        # canvas.js sends what they do along with its own events, in their order.
        for name in ("undo", "clear", "keep", "export"):
            getattr(self, name).add_class(f"rsedu-do-{name}")
        self.masks.add_class("rsedu-do-choose")
        #: Whether the masks change because new ones came, not because a user chose.
        self.offering = False

    def offer(self, scores: Sequence[float], chosen: int) -> None:
        """Show the predicted IoU of each mask, and which one is chosen; none when there is none."""
        texts = [f"{n}: {score:.2f}" for n, score in enumerate(scores, 1)] or list(NO_MASKS)
        with self._quietly(), self.masks.hold_sync():
            if tuple(self.masks.options) != tuple(texts):
                self.masks.options = texts
            self.masks.index = chosen if scores else None

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self.offering = True
        try:
            yield
        finally:
            self.offering = False


def _name(text: str) -> Any:
    return ipywidgets.Label(text, layout=ipywidgets.Layout(width=f"{NAME_PX}px"))


def _row(*widgets: Any) -> Any:
    layout = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
    row = ipywidgets.HBox(widgets, layout=layout)
    row.add_class("rsedu-toolbar")
    return row
