"""Prompting session on one scene, step by step: what the widget does, without a screen."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes

from rsedu.errors import InputError
from rsedu.io.masks import as_mask
from rsedu.scenes.grid import hectares
from rsedu.scenes.scene import Scene
from rsedu.segment.export import Segment, write_geojson, write_geotiff
from rsedu.segment.prompt import Prompt, Promptable
from rsedu.widget import persistence
from rsedu.widget.figure import draw
from rsedu.widget.state import OFFERED, Box, Click, Kept, State, Step, checked

_WRITERS = {".geojson": write_geojson, ".tif": write_geotiff}


def ask(segmenter: Promptable, state: State, *, shape: tuple[int, int]) -> Any:
    """Put a state's clicks and last box to a segmenter, for a scene of (rows, cols)."""
    answer = segmenter.predict(
        Prompt(
            points=tuple((click.col, click.row) for click in state.clicks),
            labels=tuple(int(click.positive) for click in state.clicks),
            box=state.box.edges if state.box else None,
        )
    )
    if answer.masks.shape != (OFFERED, *shape):
        raise InputError(
            f"The segmenter gave masks of shape {answer.masks.shape}; this scene needs "
            f"{(OFFERED, *shape)}: embed the same scene that the prompter shows."
        )
    return answer


class Session:
    """Clicks and boxes on one scene, the masks they give, and those that are kept.

    Safe to use from several threads. When a step fails, it never was. Arguments: see `Prompter`.
    """

    def __init__(
        self,
        segmenter: Promptable,
        scene: Scene,
        *,
        bands: tuple[str, str, str],
        label: str,
        path: str | Path,
    ) -> None:
        self._lock = threading.RLock()
        self._segmenter, self._scene, self._bands = segmenter, scene, bands
        self._label, self._path = label, Path(path)
        self._state = State()
        self._past: tuple[State, ...] = ()
        self._answered: tuple[tuple[Step, ...], Any] | None = None

    @property
    def state(self) -> State:
        """Clicks, boxes, choice and kept masks. Setting it can be undone."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._become(lambda: checked(state, shape=self._scene.shape))

    @property
    def label(self) -> str:
        """Class of the next mask that is kept."""
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        with self._lock:
            self._label = label
            self._show()

    @property
    def answer(self) -> Any:
        """What the segmenter says to the present prompts; None when there are none."""
        with self._lock:
            steps = self._state.steps
            if not steps:
                return None
            if self._answered is None or self._answered[0] != steps:
                answer = ask(self._segmenter, self._state, shape=self._scene.shape)
                self._answered = (steps, answer)
            return self._answered[1]

    @property
    def chosen(self) -> int:
        """Which of the three masks is shown, 0 to 2: the user's choice, else the best."""
        if self._state.choice is not None:
            return self._state.choice
        return 0 if self.answer is None else int(self.answer.best)

    @property
    def mask(self) -> Bool[np.ndarray, "rows cols"]:
        """The mask at hand; no pixel is set where there are no prompts."""
        with self._lock:
            if self.answer is None:
                return np.zeros(self._scene.shape, dtype=np.bool_)
            return as_mask(self.answer.masks[self.chosen])

    @property
    def hectares(self) -> float:
        """Area of the mask at hand."""
        return hectares(self.mask, self._scene.gsd_m)

    def add_point(self, col: float, row: float, *, positive: bool = True) -> None:
        """Add a `Click`; an InputError where it lies outside the scene."""
        self._add(Click(col=col, row=row, positive=positive))

    def add_box(self, left: float, top: float, right: float, bottom: float) -> None:
        """Set a box in edges of pixels, in place of an earlier one; cut to the scene."""
        self._add(Box(left=left, top=top, right=right, bottom=bottom))

    def _add(self, step: Step) -> None:
        self._become(lambda: self._state.with_step(step, shape=self._scene.shape))

    def undo(self) -> None:
        """Take back the last click, box, clearing, keeping or setting of the state, if any."""
        with self._lock, self._all_or_nothing():
            if self._past:
                *past, self._state = self._past
                self._past = tuple(past)
            self._show()

    def clear(self) -> None:
        """Forget clicks, boxes and choice; what is kept stays."""
        self._become(lambda: self._state.cleared())

    def choose(self, index: int) -> None:
        """Show another of the three masks, 0 to 2, and stay with it until kept or cleared."""
        with self._lock, self._all_or_nothing():
            if not self._state.steps:
                raise InputError("There are no masks to choose from: click on an object first.")
            self._state = self._state.with_choice(index)
            self._show()

    def keep(self, label: str | None = None) -> None:
        """Finish the object at hand as a `label` (None: the session's); the next click is new."""
        self._become(lambda: self._finished(label))

    def _finished(self, label: str | None) -> State:
        label = self._label if label is None else label
        score = 0.0 if self.answer is None else float(self.answer.scores[self.chosen])
        return self._state.with_kept(self.mask, label=label, iou=score)

    def export(
        self, path: str | Path | None = None, *, label: str | None = None
    ) -> tuple[Path, ...]:
        """Write the kept masks, and the one at hand, for a GIS.

        Args:
            path: ending in .geojson for polygons with label and hectares, in .tif for the objects'
                numbers on the scene's pixels; without an ending both are written. None: where the
                prompter was told when it was made.
            label: class of the mask at hand; what `label` holds if None.

        Returns:
            What was written.
        """
        path = self._path if path is None else Path(path)
        if path.suffix not in ("", *_WRITERS):
            raise InputError(f"{path} ends in {path.suffix}; give .geojson, .tif or no ending.")
        kept = [
            Segment(mask=one.mask, label=one.label, score=one.iou) for one in self._all_kept(label)
        ]
        if not kept:
            raise InputError("There is no mask to export: click on an object first.")
        return tuple(
            _WRITERS[suffix](path.with_suffix(suffix), kept, self._scene.grid)
            for suffix in ([path.suffix] if path.suffix else _WRITERS)
        )

    def _all_kept(self, label: str | None = None) -> tuple[Kept, ...]:
        """Kept masks, and the one at hand as if it were kept."""
        with self._lock:
            return self._finished(label).kept if self.mask.any() else self._state.kept

    def save(self, path: str | Path) -> Path:
        """Write the state as GeoJSON: prompts, the mask at hand, kept masks; `load` reads it."""
        with self._lock:
            state, kept = self._state, self._all_kept()
        at_hand = kept[-1] if len(kept) > len(state.kept) else None
        return persistence.write_state(Path(path), state, self._scene.grid, at_hand=at_hand)

    def load(self, path: str | Path) -> None:
        """Set the state from a file that `save` wrote on the same grid; can be undone."""
        self.state = persistence.read_state(Path(path), self._scene.grid)

    def figure(self, *, title: str = "", ax: Axes | None = None) -> Axes:
        """Draw what the widget shows, for where no browser runs; `rsedu.plot.show` displays it."""
        with self._lock:
            state, mask, title = self._state, self.mask, title or self.summary
        return draw(self._scene, state, mask, bands=self._bands, title=title, ax=ax)

    @property
    def summary(self) -> str:
        """One sentence on the mask at hand and what is kept."""
        with self._lock:
            kept = f" Kept: {len(self._state.kept)}." if self._state.kept else ""
            if self.answer is None:
                return f"No prompts yet.{kept}"
            score, steps = float(self.answer.scores[self.chosen]), len(self._state.steps)
            return (
                f"Mask {self.chosen + 1} of 3: {self.hectares:.2f} ha, predicted IoU {score:.2f}, "
                f"from {steps} prompt{'s' if steps > 1 else ''}.{kept}"
            )

    def _become(self, make: Callable[[], State]) -> None:
        """Take a new state that can be undone, and show it."""
        with self._lock, self._all_or_nothing():
            made = make()
            self._past = (*self._past, self._state)
            self._state = made
            self._show()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        before = self._state, self._past, self._answered
        try:
            yield
        except Exception:
            self._state, self._past, self._answered = before
            raise

    def _show(self) -> None:
        """Ask for the masks now, so that what fails does so here; a screen then shows them."""
        _ = self.answer
