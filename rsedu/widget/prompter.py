"""The prompting widget: a session on the screen."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from jaxtyping import Bool

from rsedu.errors import InputError
from rsedu.scenes.colours import rgb
from rsedu.scenes.scene import Scene
from rsedu.segment.prompt import Promptable
from rsedu.widget.canvas import Canvas, packed, picture, shown_shape
from rsedu.widget.session import Session
from rsedu.widget.state import Click, Step
from rsedu.widget.toolbar import Toolbar


class Prompter(Session, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Click on a scene and get an outline with its hectares.

    Shown in a notebook it is a picture with a toolbar and a line that names the keys. Every step
    can be taken by code too, so a lesson runs where there is no browser. Clicks that come while
    the segmenter works are answered together when it is done; none is lost. What goes wrong in a
    click is shown in red under the picture.

    Args:
        segmenter: has `predict(prompt)`, for example `rsedu.segment.sam.load("tiny").embed(scene)`.
        scene: what the segmenter has seen.
        bands: shown as red, green and blue.
        label: class of the next mask that is kept.
        path: where `export` writes: "masks" gives masks.geojson and masks.tif in this folder.
        width_px: longer side of the picture in the page, where there is room for it.

    Attributes:
        last_error: what went wrong in the last click or key; None if nothing did.
    """

    def __init__(
        self,
        segmenter: Promptable,
        scene: Scene,
        *,
        bands: tuple[str, str, str] = ("B04", "B03", "B02"),
        label: str = "clearing",
        path: str | Path = "masks",
        width_px: int = 640,
    ) -> None:
        Session.__init__(self, segmenter, scene, bands=bands, label=label, path=path)
        self.last_error: Exception | None = None
        self._taken, self._note, self._waiting = 0, "", False
        self._canvas = _canvas(scene, bands, width_px)
        self._canvas.label = label
        self._toolbar = Toolbar(label=label, opacity=self._canvas.opacity)
        ipywidgets.VBox.__init__(self, (*self._toolbar.rows, self._canvas))
        self.add_class("rsedu-all")
        self._listen()
        self._show()

    def __repr__(self) -> str:
        rows, cols = self._scene.shape
        steps, kept = len(self._state.steps), len(self._state.kept)
        return f"Prompter({rows} x {cols} px, {steps} prompts, {kept} kept)"

    @property
    def opacity(self) -> float:
        """Of the masks' fill, 0 (outline alone) to 1."""
        return float(self._canvas.opacity)

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        if not 0 <= opacity <= 1:
            raise InputError(f"opacity is {opacity}; it goes from 0 (outline alone) to 1.")
        self._toolbar.opacity.value = self._canvas.opacity = opacity

    def _listen(self) -> None:
        bar, canvas = self._toolbar, self._canvas
        # In the browser itself, so that they act while the kernel is busy.
        ipywidgets.jslink((bar.sign, "index"), (canvas, "sign"))
        ipywidgets.jslink((bar.opacity, "value"), (canvas, "opacity"))
        ipywidgets.jsdlink((bar.label, "value"), (canvas, "label"))
        canvas.observe(self._on_events, "events")
        bar.undo.on_click(lambda _: self._try(self.undo))
        bar.clear.on_click(lambda _: self._try(self.clear))
        bar.keep.on_click(lambda _: self._try(self.keep))
        bar.export.on_click(lambda _: self._try(self._export))
        bar.masks.observe(self._on_choice, "index")
        bar.label.observe(self._on_label, "value")

    def _on_choice(self, change: Mapping[str, Any]) -> None:
        if not self._toolbar.offering and change["new"] is not None:
            self._try(partial(self.choose, int(change["new"])))

    def _on_label(self, change: Mapping[str, Any]) -> None:
        self._label = change["new"]

    def _on_events(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            new = [event for event in change["new"] if event["id"] > self._taken]
            if new:
                self._taken = new[-1]["id"]
                self._try(*(partial(self._do, event) for event in new))

    def _do(self, event: Mapping[str, Any]) -> None:
        """One event of canvas.js."""
        arguments = {name: value for name, value in event.items() if name not in ("id", "do")}
        steps: Mapping[str, Callable[..., None]] = {
            "point": self.add_point,
            "box": self.add_box,
            "undo": self.undo,
            "clear": self.clear,
            "choose": self.choose,
            "keep": self.keep,
            "export": self._export,
        }
        steps[event["do"]](**arguments)

    def _export(self, label: str | None = None) -> None:
        written = self.export(label=label)
        self._note = f"Written: {', '.join(str(path) for path in written)}."

    def _try(self, *steps: Callable[[], None]) -> None:
        """Take steps of the user, then show where they led; what fails is shown too.

        An exception would be seen by nobody here. Masks are asked for once, at the end.
        """
        with self._lock:
            self.last_error, self._note = None, ""
            try:
                with self._all_or_nothing():
                    for step in steps:
                        self._quietly(step)
                    super()._show()
            except Exception as error:
                self.last_error = error
            self._refresh()

    def _quietly(self, step: Callable[[], None]) -> None:
        """Take one step without showing it; the others go on when it fails."""
        self._waiting = True
        try:
            step()
        except Exception as error:
            self.last_error = error
        finally:
            self._waiting = False

    def _show(self) -> None:
        if self._waiting:
            return
        super()._show()
        self.last_error, self._note = None, ""
        self._refresh()

    def _refresh(self) -> None:
        """Bring the browser up to date; the canvas in one message, so that nothing flickers."""
        answer, canvas, error = self.answer, self._canvas, self.last_error
        with canvas.hold_sync():
            canvas.prompts = [_event(step) for step in self._state.steps]
            canvas.mask = packed(self.mask)
            canvas.kept = packed(self._kept_pixels())
            canvas.status = self._note or self.summary
            canvas.error = f"{type(error).__name__}: {error}" if error else ""
            canvas.taken = self._taken
            canvas.seq += 1
        scores = [] if answer is None else [float(score) for score in answer.scores]
        self._toolbar.offer(scores, self.chosen)
        if self._toolbar.label.value != self._label:
            self._toolbar.label.value = self._label

    def _kept_pixels(self) -> Bool[np.ndarray, "rows cols"]:
        together = np.zeros(self._scene.shape, dtype=np.bool_)
        for one in self._state.kept:
            together |= one.mask
        return together


def _event(step: Step) -> dict[str, Any]:
    """A step in the form of an event of canvas.js."""
    return {"do": "point" if isinstance(step, Click) else "box", **asdict(step)}


def _canvas(scene: Scene, bands: tuple[str, str, str], width_px: int) -> Canvas:
    rows, cols = scene.shape
    mask_rows, mask_cols = shown_shape(scene.shape)
    file, file_type = picture(rgb(scene, bands=bands))
    return Canvas(
        picture=file,
        picture_type=file_type,
        cols=cols,
        rows=rows,
        mask_cols=mask_cols,
        mask_rows=mask_rows,
        width_px=max(1, round(width_px * cols / max(rows, cols))),
    )
